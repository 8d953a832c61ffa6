//! Every shader as it is given to a driver: naga takes it, barriers stand where all threads meet them, and structs lie as
//! Rust's do. Needs no adapter.
#![cfg(feature = "gpu")]

use naga::valid::{Capabilities, ValidationFlags, Validator};
use naga::{Module, TypeInner};
use statewave::engine::gpu::ops::{self, Activation, Around, Gate, Strides};
use statewave::engine::gpu::record::Run;
use statewave::engine::gpu::shader::{Shader, Source};
use statewave::kernels::scan::{S4d, S6, Ssd};
use statewave::model::spec::FrontEnd;

/// Parses and validates, with nothing that WebGPU does not promise everywhere.
fn module(source: &Source) -> Module {
    module_with(source, Capabilities::empty())
}

/// The same with more.
fn module_with(source: &Source, capabilities: Capabilities) -> Module {
    let text = source.text();
    let name = source.shader().name();
    let module = naga::front::wgsl::parse_str(&text)
        .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(&text)));
    Validator::new(ValidationFlags::all(), capabilities)
        .validate(&module)
        .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(&text)));
    module
}

/// (size, offset of every member) of a struct, bytes.
fn layout(module: &Module, name: &str) -> (u32, Vec<(String, u32)>) {
    let found = module
        .types
        .iter()
        .find(|(_, ty)| ty.name.as_deref() == Some(name));
    let Some((_, ty)) = found else {
        panic!("no struct {name}")
    };
    let TypeInner::Struct { members, span } = &ty.inner else {
        panic!("{name} is no struct")
    };
    let offsets = members
        .iter()
        .map(|m| (m.name.clone().unwrap_or_default(), m.offset));
    (*span, offsets.collect())
}

fn entries(module: &Module) -> Vec<&str> {
    module
        .entry_points
        .iter()
        .map(|e| e.name.as_str())
        .collect()
}

/// Bytes of workgroup memory that an entry point's module asks for.
fn workgroup_bytes(module: &Module) -> u32 {
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).expect("types have sizes");
    module
        .global_variables
        .iter()
        .filter(|(_, v)| v.space == naga::AddressSpace::WorkGroup)
        .map(|(_, v)| layouter[v.ty].size)
        .sum()
}

fn s6(states: usize) -> Source {
    let s = S6::new(&vec![0.0; 24 * states], &[0.0; 24], states);
    ops::s6_source(&s, 24, 24, 2 * states, 0)
}

fn ssd(states: usize) -> Source {
    grouped(states, 1)
}

/// Of heads in groups, each with a B and a C of its own.
fn grouped(states: usize, groups: usize) -> Source {
    let s = Ssd::new(
        &[0.0; 4],
        &[0.0; 4],
        &[0.0; 4],
        16,
        states,
        groups,
        (0.0, f32::INFINITY),
    );
    ops::ssd_source(&s, 64 + 2 * groups * states, 4, 0)
}

fn s4d(states: usize) -> Source {
    let zeros = vec![Default::default(); 24 * states];
    ops::s4d_source(&S4d::new(&zeros, &zeros, &[0.0; 24], states))
}

#[test]
fn scans_are_sound_for_few_states_and_many() {
    for states in [1, 3, 4, 16, 64] {
        let groups = if states < 64 { 4 } else { 1 };
        let grouped = grouped(states, groups);
        for source in [s6(states), ssd(states), grouped, s4d(states)] {
            let module = module(&source);
            assert_eq!(entries(&module), ["reduce", "carry", "down"]);
            // What WebGPU promises everywhere.
            assert!(
                workgroup_bytes(&module) <= 16_384,
                "{}",
                source.shader().name()
            );
        }
    }
}

#[test]
fn projections_are_sound_with_all_that_stands_around_them() {
    let gates = [
        None,
        Some(Gate::Rows),
        Some(Gate::Input { at: 3, row: 9 }),
        Some(Gate::Output {
            at: 3,
            row: 9,
            m_time: 2,
        }),
    ];
    for gate in gates {
        for activation in [Activation::None, Activation::Silu, Activation::Softplus] {
            for (norm_eps, accumulate) in [(None, true), (Some(1e-5), false)] {
                let around = Around {
                    norm_eps,
                    gate,
                    activation,
                    accumulate,
                };
                let source = ops::proj_source(Strides::rows(48, 164), around);
                let module = module(&source);
                assert!(workgroup_bytes(&module) <= 16_384);
            }
        }
    }
}

#[test]
fn what_stands_before_and_behind_the_net_is_sound() {
    let conv = ops::conv_source(ops::Conv {
        channels: 96,
        x_row: 176,
        x_at: 64,
    });
    assert_eq!(entries(&module(&conv)), ["step", "main", "settle"]);
    let frames = |shader| {
        Source::new(shader)
            .size("BINS", 641)
            .size("USED", 640)
            .size("PAST", 4)
            .size("FRAMES", 12)
    };
    let features = frames(Shader::Features)
        .number("COMPRESS", 0.3)
        .number("KEEP", 0.99);
    assert_eq!(
        entries(&module(&features)),
        ["compress", "level", "remember"]
    );
    let filter = frames(Shader::Filter)
        .size("ROW", 2000)
        .size("TOP_AT", 1900)
        .size("TOP_WIDTH", 33)
        .size("TOP_TAPS", 1)
        .switch("TOP_GATED", true)
        .number("LIMIT", 2.0);
    let module = module(&filter);
    assert_eq!(entries(&module), ["main"]);
    let (size, offsets) = layout(&module, "Place");
    assert_eq!(size, 16);
    assert_eq!(
        offsets.iter().map(|(_, at)| *at).collect::<Vec<_>>(),
        [0, 4, 8, 12]
    );
}

#[test]
fn what_takes_samples_and_gives_samples_is_sound() {
    for (window, hop, overlap) in [(1280, 320, 128), (110, 100, 10), (1024, 64, 0)] {
        let front_end = FrontEnd {
            hop,
            window,
            overlap,
            spread: 0,
        };
        let module = module(&ops::stft_source(ops::Stft {
            front_end,
            samples: 9000,
            past: 4,
            frames: 12,
            joined: 8000,
            kept: 64,
        }));
        assert_eq!(entries(&module), ["analyse", "synthesise", "join"]);
        let bytes = workgroup_bytes(&module);
        assert_eq!(bytes as usize, ops::stft_bytes(&front_end));
        assert!(bytes <= 16_384);
    }
    // Every phase has its row, and not every one.
    for (rate_in, rate_out) in [(147, 160), (48_000, 47_999)] {
        let source = ops::resample_source(ops::Resample {
            rate_in,
            rate_out,
            from: 9000,
            to: 8000,
        });
        assert_eq!(entries(&module(&source)), ["main"]);
    }
    assert_eq!(entries(&module(&ops::link_source((641, 4, 12)))), ["main"]);
    let s = Ssd::new(&[0.0], &[0.0], &[0.0], 8, 4, 1, (0.0, f32::INFINITY));
    assert_eq!(
        entries(&module(&ops::deltas_source(&s, 16, 1, 2))),
        ["main"]
    );
    let part = ops::StatePart {
        len: 48,
        each: 32,
        each_step: 96,
        slot_step: 48,
        at: 2,
    };
    assert_eq!(
        entries(&module(&ops::states_source(part, 2_000))),
        ["gather", "scatter"]
    );
}

#[test]
fn what_takes_more_of_a_device_is_sound_there_and_refused_elsewhere() {
    let subgroups = Capabilities::SUBGROUP;
    let proj = ops::proj_source(Strides::rows(48, 164), Around::default());
    let variants = [
        (Source::new(Shader::Lanes), subgroups),
        (s6(16).richer(true), subgroups),
        (ssd(16).richer(true), subgroups),
        (proj.richer(true), Capabilities::SHADER_FLOAT16),
    ];
    for (source, needed) in variants {
        module_with(&source, needed);
        let text = source.text();
        let Ok(module) = naga::front::wgsl::parse_str(&text) else {
            continue;
        };
        let plain = Validator::new(ValidationFlags::all(), Capabilities::empty()).validate(&module);
        assert!(
            plain.is_err(),
            "{} asks for no more",
            source.shader().name()
        );
    }
}

#[test]
fn structs_lie_as_rusts_do() {
    let module = module(&ops::proj_source(Strides::rows(8, 8), Around::default()));
    let (size, offsets) = layout(&module, "Run");
    assert_eq!(size as usize, size_of::<Run>());
    let own = [
        ("time", std::mem::offset_of!(Run, time)),
        ("batch", std::mem::offset_of!(Run, batch)),
        ("chunk", std::mem::offset_of!(Run, chunk)),
        ("chunks", std::mem::offset_of!(Run, chunks)),
        ("sessions", std::mem::offset_of!(Run, sessions)),
        ("most", std::mem::offset_of!(Run, most)),
    ];
    assert_eq!(offsets.len(), own.len());
    for ((name, at), (own_name, own_at)) in offsets.iter().zip(own) {
        assert_eq!((name.as_str(), *at as usize), (own_name, own_at));
    }
    let (size, offsets) = layout(&module, "Map");
    let own: Vec<(String, u32)> = ops::MAP_LAYOUT
        .iter()
        .map(|(n, at)| ((*n).into(), *at))
        .collect();
    assert_eq!((size, offsets), (ops::MAP_BYTES, own));
}

#[test]
fn infinities_become_numbers_that_wgsl_can_write() {
    let s = Ssd::new(&[0.0], &[0.0], &[0.0], 8, 4, 1, (0.0, f32::INFINITY));
    let text = ops::ssd_source(&s, 16, 1, 0).text();
    assert!(
        text.contains("const DELTA_MOST: f32 = 3.4028235e38f;"),
        "{text}"
    );
}
