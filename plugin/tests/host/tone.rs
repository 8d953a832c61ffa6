//! Effects in a CLAP host: the library's sound, knobs at their samples, and all that a project holds of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nice_assert_no_alloc::assert_no_alloc;
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::latency::LatencyMode;
use statewave::model::catalogue;
use statewave::model::effect::EffectModel;
use statewave_plugin::loader::{Loader, ModelChoice, Stream};
use statewave_plugin::processor::Settings;

use crate::clap_host::Host;
use crate::models::folder;
use crate::same_sound::{defaults, run};
use crate::signals::{noisy, same_bits};

const RESPONSE: [i32; 4] = [1 << 22, -(1 << 21), 0, 1 << 20];

fn chain(model: &str, sample_rate: u32, cabinet: bool) -> Chain {
    let found = catalogue::find(model).expect("it is compiled in");
    let model = EffectModel::from_bytes(&found.bytes().expect("it is in memory"));
    let config = ChainConfig {
        sample_rate,
        channels: 2,
        max_block: 512,
    };
    let mut chain = Chain::of_effect(&model.expect("it is sound"), config).expect("it can be made");
    if cabinet {
        let response: Vec<f32> = RESPONSE.map(|x| x as f32 * 0.5f32.powi(23)).into();
        let cabinet = Chain::cabinet(&config, &[response], 48_000).expect("it can be made");
        chain.swap_cabinet(Some(cabinet));
    }
    chain
}

/// An impulse response as a file of 24 bit.
pub fn response(folder: &Path) -> PathBuf {
    let path = folder.join("box.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 24,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).expect("it can be written");
    for x in RESPONSE {
        writer.write_sample(x).expect("it can be written");
    }
    writer.finalize().expect("it can be written");
    path
}

fn json(path: &Path) -> String {
    serde_json::to_string(path).expect("it is a path")
}

#[test]
fn the_host_hears_what_the_library_makes_of_an_effect_without_latency() {
    let input = noisy(2, 12_000, 41);
    let moved = [
        ("knob1", 0.9),
        ("knob2", 0.2),
        ("input-gain", 0.625),
        ("gate", 0.5),
        // Of no use here.
        ("amount", 0.2),
        ("mode", 1.0),
    ];
    let controls = Controls {
        knobs: [0.9, 0.2, 0.5, 0.5],
        input_gain_db: 6.0,
        gate_db: -50.0,
        ..defaults()
    };
    for (rate, block) in [(48_000, 512), (44_100, 64), (96_000, 500)] {
        let mut expected = input.clone();
        run(
            &mut chain("tone-drive", rate, false),
            &mut expected,
            &controls,
        );
        let mut host = Host::with_model("tone-drive", &[]);
        host.activate(f64::from(rate), 512);
        host.set(&moved);
        host.restart(f64::from(rate), 512);
        assert_eq!(host.latency(), 0, "{rate} Hz");
        let mut heard = input.clone();
        host.run(&mut heard, &[], || block);
        assert!(same_bits(&heard, &expected), "{rate} Hz");
        assert_eq!(host.restarts(), 0);
    }
}

#[test]
fn a_knob_turns_at_its_sample() {
    let input = noisy(2, 6_000, 42);
    let at = 2_345;
    let mut expected = input.clone();
    let mut library = chain("tone-drive", 48_000, false);
    for (from, to, drive) in [(0, at, 0.5), (at, 6_000, 1.0)] {
        let controls = Controls {
            knobs: [drive, 0.5, 0.5, 0.5],
            ..defaults()
        };
        let mut part: Vec<_> = expected.iter().map(|c| c[from..to].to_vec()).collect();
        run(&mut library, &mut part, &controls);
        for (channel, part) in expected.iter_mut().zip(part) {
            channel[from..to].copy_from_slice(&part);
        }
    }
    for block in [64, 500, 512] {
        let mut host = Host::with_model("tone-drive", &[]);
        host.activate(48_000.0, 512);
        let mut heard = input.clone();
        host.run(&mut heard, &[(at, "knob1", 1.0)], || block);
        assert!(same_bits(&heard, &expected), "blocks of {block}");
    }
}

#[test]
fn the_text_of_a_knob_is_that_of_the_model() {
    let mut host = Host::with_model("tone-drive", &[]);
    host.activate(48_000.0, 512);
    let texts = host.texts();
    let of = |name: &str| {
        let (_, texts) = texts.iter().find(|(n, _)| n == name).expect("it is there");
        texts[1].text.clone()
    };
    assert_eq!(
        (of("Knob 1"), of("Knob 2")),
        ("drive 0.50".into(), "tone 0.50".into())
    );
    assert_eq!(of("Knob 3"), "0.50");
}

#[test]
fn a_project_brings_its_effect_back_with_the_cabinet() {
    let folder = folder();
    let path = response(folder.path());
    let input = noisy(2, 9_600, 43);
    let mut saved = Host::with_model("tone-opto", &[("cabinet", json(&path))]);
    saved.activate(48_000.0, 512);
    saved.set(&[("knob1", 0.75), ("gain", 0.6)]);
    let state = saved.save();
    let mut expected = input.clone();
    saved.run(&mut expected, &[], || 512);
    let mut host = Host::new();
    assert!(host.load(&state));
    host.activate(48_000.0, 512);
    let mut heard = input.clone();
    host.run(&mut heard, &[], || 512);
    assert!(same_bits(&heard, &expected));
    // It is the library's, cabinet and all, but for the gain that moved there.
    let mut other = Host::with_model("tone-opto", &[("cabinet", json(&path))]);
    other.activate(48_000.0, 512);
    let mut heard = input.clone();
    other.run(&mut heard, &[], || 512);
    let mut library = input.clone();
    run(
        &mut chain("tone-opto", 48_000, true),
        &mut library,
        &defaults(),
    );
    assert!(same_bits(&heard, &library));
    // Switched off, it is not heard; a state without it takes it away.
    let mut off = input.clone();
    other.set(&[("cabinet", 0.0)]);
    other.restart(48_000.0, 512);
    other.run(&mut off, &[], || 512);
    let mut bare = input.clone();
    run(
        &mut chain("tone-opto", 48_000, false),
        &mut bare,
        &defaults(),
    );
    assert!(same_bits(&off, &bare));
    let before = Host::with_model("tone-opto", &[]).save();
    assert!(other.load(&before));
    other.restart(48_000.0, 512);
    let mut without = input;
    other.run(&mut without, &[], || 512);
    assert!(same_bits(&without, &bare));
}

#[test]
fn a_response_that_is_gone_is_told_of_remembered_and_not_heard() {
    let input = noisy(2, 4_800, 44);
    let gone = "/nowhere/box.wav";
    let mut host = Host::with_model("tone-drive", &[("cabinet", format!("{gone:?}"))]);
    host.activate(48_000.0, 512);
    let mut heard = input.clone();
    host.run(&mut heard, &[], || 512);
    let mut bare = input;
    run(
        &mut chain("tone-drive", 48_000, false),
        &mut bare,
        &defaults(),
    );
    assert!(same_bits(&heard, &bare));
    assert!(String::from_utf8_lossy(&host.save()).contains(gone));

    let loader = Loader::new();
    loader.choose(ModelChoice::named("tone-drive"));
    loader.choose_cabinet(Some(gone.into()));
    let config = ChainConfig {
        sample_rate: 48_000,
        channels: 2,
        max_block: 64,
    };
    let stream = Stream::live(config, LatencyMode::Live);
    loader.processor(&stream).expect("it can be made");
    let fault = loader.status().cabinet_fault.expect("it is not there");
    assert!(fault.what.contains(gone) && fault.what.contains("no cabinet is heard"));
    loader.choose_cabinet(None);
    assert_eq!(loader.status().worst(), None);
}

#[test]
fn cabinets_come_and_go_while_it_plays() {
    let folder = folder();
    let path = response(folder.path());
    let loader = Loader::new();
    loader.choose(ModelChoice::named("tone-drive"));
    let config = ChainConfig {
        sample_rate: 48_000,
        channels: 2,
        max_block: 64,
    };
    let stream = Stream::live(config, LatencyMode::Live);
    let mut processor = loader.processor(&stream).expect("it can be made");
    let input = noisy(2, 64, 45);
    let mut play = |blocks: usize| {
        for _ in 0..blocks {
            let [mut left, mut right] = [input[0].clone(), input[1].clone()];
            assert_no_alloc(|| {
                processor.process(&mut [&mut left, &mut right], &Settings::default())
            });
        }
        processor.tail()
    };
    assert_eq!(play(10), Some(0));
    for (choice, tail) in [(Some(&path), 4), (None, 0), (Some(&path), 4)] {
        loader.choose_cabinet(choice.cloned());
        let came = (0..4_000).any(|_| {
            std::thread::sleep(Duration::from_millis(1));
            play(1) == Some(tail)
        });
        assert!(came, "{choice:?}: {:?}", loader.status());
    }
    assert_eq!(loader.status().swaps, 0, "the chain stayed");
}

#[test]
fn a_state_of_before_effects_sets_all_that_came_since_to_where_it_stands_at_first() {
    let mut used = Host::with_model("tone-drive", &[("cabinet", "\"/nowhere/box.wav\"".into())]);
    used.activate(48_000.0, 512);
    used.set(&[
        ("knob1", 0.9),
        ("gate", 0.5),
        ("go-on", 1.0),
        ("seed", 77.0),
        ("amount", 0.3),
    ]);
    let state = Host::new().save();
    let mut json: serde_json::Value = serde_json::from_slice(&state[8..]).expect("it is JSON");
    let kept = [
        "amount", "mix", "listen", "mode", "gain", "stereo", "bypass",
    ];
    let params = json["params"].as_object_mut().expect("there are some");
    params.retain(|id, _| kept.contains(&id.as_str()));
    assert_eq!(params.len(), kept.len());
    let fields = json["fields"].as_object_mut().expect("there are some");
    assert!(fields.remove("cabinet").is_some());
    let json = serde_json::to_vec(&json).expect("it is JSON");
    let old = [(json.len() as u64).to_le_bytes().as_slice(), &json].concat();
    assert!(used.load(&old));
    used.restart(48_000.0, 512);
    for (id, value) in [
        ("knob1", 0.5),
        ("gate", 0.0),
        ("go-on", 0.0),
        ("seed", 1.0),
        ("amount", 1.0),
    ] {
        assert!(
            (used.value(id) - value).abs() < 1e-6,
            "{id} is {}",
            used.value(id)
        );
    }
    let json = |state: &[u8]| -> serde_json::Value {
        serde_json::from_slice(&state[8..]).expect("it is JSON")
    };
    assert_eq!(json(&used.save()), json(&state));
}
