//! Promise: a device's copy is the network it was trained as, at any rate and in blocks of any length; its knobs turn without
//! a step, and nothing is late or allocated.

mod common;
mod kernel_common;

use kernel_common::{Noise, assert_db, wide};
use rustfft::num_complex::Complex64;
use statewave::chain::{CabinetError, Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::wave::WaveEngine;
use statewave::kernels::{Path, oracle};
use statewave::model::discretize::Rule;
use statewave::model::effect::{EffectModel, RateWay};
use statewave::model::file::{ModelFile, Tensor};

#[cfg(debug_assertions)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

const WIDTH: usize = 16;
const INNER: usize = 8;
const STATES: usize = 3;
const MODES: usize = 2;
const HIDDEN: usize = 4;

/// An S4D block and a selective one with random weights, and two knobs.
fn file() -> ModelFile {
    let mut noise = Noise(7);
    let mut file = ModelFile {
        spec_json: serde_json::json!({
            "format_version": 1, "name": "random", "task": "effect", "sample_rate": 48_000,
            "rule": "first_order_hold", "activation": "tanh",
            "knobs": [{ "name": "drive", "default": 0.5 }, { "name": "tone", "min": -1.0, "max": 1.0, "default": 0.0 }],
        }),
        tensors: Default::default(),
    };
    let mut add = |name: &str, shape: &[usize], centre: f32, scale: f32| {
        let values = noise.vec(shape.iter().product(), scale);
        let data = values.iter().map(|v| v + centre).collect();
        let shape = shape.to_vec();
        file.tensors.insert(name.into(), Tensor { shape, data });
    };
    add("in_linear.weight", &[WIDTH, 1], 0.0, 2.0);
    add("in_linear.bias", &[WIDTH], 0.0, 0.1);
    add("out_linear.weight", &[1, WIDTH], 0.0, 0.3);
    add("out_linear.bias", &[1], 0.0, 0.1);
    add("layers.0.mixer.log_dt", &[WIDTH], -4.0, 2.0);
    add("layers.0.mixer.log_A_real", &[WIDTH, MODES], -0.7, 0.1);
    add("layers.0.mixer.A_imag", &[WIDTH, MODES], 1.0, 1.0);
    add("layers.0.mixer.C", &[WIDTH, MODES, 2], 0.0, 0.5);
    add("layers.0.mixer.D", &[WIDTH], 1.0, 0.3);
    add("layers.0.mixer.out_proj.weight", &[WIDTH, WIDTH], 0.0, 0.3);
    add("layers.0.mixer.out_proj.bias", &[WIDTH], 0.0, 0.1);
    add(
        "layers.1.mixer.in_proj.weight",
        &[2 * INNER, WIDTH],
        0.0,
        0.3,
    );
    add("layers.1.mixer.in_proj.bias", &[2 * INNER], 0.0, 0.3);
    add(
        "layers.1.mixer.x_proj.weight",
        &[1 + 2 * STATES, INNER],
        0.0,
        0.5,
    );
    add("layers.1.mixer.dt_proj.weight", &[INNER, 1], 0.0, 0.5);
    add("layers.1.mixer.dt_proj.bias", &[INNER], -4.0, 2.0);
    add("layers.1.mixer.A_log", &[INNER, STATES], 0.5, 0.5);
    add("layers.1.mixer.D", &[INNER], 1.0, 0.1);
    add("layers.1.mixer.out_proj.weight", &[WIDTH, INNER], 0.0, 0.3);
    add("layers.1.mixer.out_proj.bias", &[WIDTH], 0.0, 0.1);
    add("film.0.weight", &[HIDDEN, 2], 0.0, 1.0);
    add("film.0.bias", &[HIDDEN], 0.0, 1.0);
    add("film.2.weight", &[2 * (WIDTH + INNER), HIDDEN], 0.0, 0.5);
    add("film.2.bias", &[2 * (WIDTH + INNER)], 0.0, 0.2);
    file
}

fn model() -> EffectModel {
    EffectModel::from_bytes(&file().to_bytes()).unwrap()
}

/// The same in f64, one line an equation, with Δ times `scale`.
fn truth(input: &[f32], knobs: [f64; 2], scale: f64) -> Vec<f64> {
    let file = file();
    let t = |name: &str| wide(&file.tensors[name].data);
    let linear = |name: &str, x: &[f64]| {
        let bias = format!("{name}.bias");
        let bias = file.tensors.contains_key(&bias).then(|| t(&bias));
        oracle::linear(&t(&format!("{name}.weight")), bias.as_deref(), x)
    };
    let silu = |x: Vec<f64>| x.into_iter().map(oracle::silu).collect::<Vec<_>>();
    let film = linear("film.2", &silu(linear("film.0", &knobs)));
    let (first, second) = film.split_at(2 * WIDTH);
    let moved = |v: f64, part: &[f64], i: usize| (1.0 + part[i]) * v + part[part.len() / 2 + i];
    let mut rows: Vec<Vec<f64>> = input
        .iter()
        .map(|x| linear("in_linear", &[*x as f64]))
        .collect();

    let (a_real, a_imag, c) = (
        t("layers.0.mixer.log_A_real"),
        t("layers.0.mixer.A_imag"),
        t("layers.0.mixer.C"),
    );
    let (log_dt, d) = (t("layers.0.mixer.log_dt"), t("layers.0.mixer.D"));
    let mut y = vec![vec![0.0; WIDTH]; rows.len()];
    for i in 0..WIDTH * MODES {
        let (e, delta) = (i / MODES, log_dt[i / MODES].exp() * scale);
        let a = Complex64::new(-a_real[i].exp(), a_imag[i]);
        let reads = 2.0 * Complex64::new(c[2 * i], c[2 * i + 1]);
        let step = Rule::FirstOrderHold.step(a, delta);
        let mut h = Complex64::ZERO;
        for (y, row) in y.iter_mut().zip(&rows) {
            h = step.a_bar * h + step.input * row[e];
            y[e] += (reads * (h + step.through * row[e])).re
                + if i % MODES == 0 { d[e] * row[e] } else { 0.0 };
        }
    }
    for (row, y) in rows.iter_mut().zip(&y) {
        let active: Vec<f64> = (0..WIDTH).map(|e| moved(y[e], first, e).tanh()).collect();
        let out = linear("layers.0.mixer.out_proj", &active);
        row.iter_mut().zip(out).for_each(|(x, o)| *x += o);
    }

    let (mut u, mut z, mut delta, mut b, mut c) = (vec![], vec![], vec![], vec![], vec![]);
    for row in &rows {
        let uz = linear("layers.1.mixer.in_proj", row);
        let own: Vec<f64> = (0..INNER)
            .map(|e| oracle::silu(moved(uz[e], second, e)))
            .collect();
        let gates = linear("layers.1.mixer.x_proj", &own);
        let raw = linear("layers.1.mixer.dt_proj", &gates[..1]);
        delta.extend(raw.into_iter().map(|v| scale * oracle::softplus(v)));
        b.extend(&gates[1..1 + STATES]);
        c.extend(&gates[1 + STATES..]);
        u.extend(own);
        z.push(uz[INNER..].to_vec());
    }
    let a: Vec<f64> = t("layers.1.mixer.A_log")
        .into_iter()
        .map(|v| -v.exp())
        .collect();
    let (d, mut h) = (t("layers.1.mixer.D"), vec![0.0; INNER * STATES]);
    let y = oracle::s6(oracle::zoh, &a, &d, STATES, &delta, &u, &b, &c, &mut h);
    rows.iter()
        .zip(y.chunks(INNER).zip(&z))
        .map(|(row, (y, z))| {
            let gated: Vec<f64> = y.iter().zip(z).map(|(y, z)| y * z).collect();
            let out = linear("layers.1.mixer.out_proj", &gated);
            let sum: Vec<f64> = row.iter().zip(out).map(|(x, o)| x + o).collect();
            linear("out_linear", &sum)[0]
        })
        .collect()
}

#[test]
fn the_engine_is_the_network_at_its_own_rate_and_at_others() {
    let (model, input) = (model(), Noise(1).vec(2_000, 0.5));
    for (rate, scale) in [
        (48_000, 1.0),
        (44_100, 48.0 / 44.1),
        (96_000, 0.5),
        (192_000, 0.25),
    ] {
        let mut engine = WaveEngine::new(&model, rate, 1, 512).unwrap();
        assert_eq!(engine.latency().total(), 0, "never late");
        assert_eq!(matches!(engine.way(), RateWay::Native), rate == 48_000);
        for knobs in [[0.0, -1.0], [0.25, 0.9]] {
            engine.set_knobs(&knobs);
            engine.reset();
            let mut audio = input.clone();
            engine.process(&mut [&mut audio]);
            let knobs = knobs.map(f64::from);
            assert_db(
                &truth(&input, knobs, scale),
                &audio,
                100.0,
                &format!("{rate} Hz"),
                Path::detect(),
            );
        }
    }
}

#[test]
fn blocks_of_any_length_give_the_same_bits_while_knobs_turn() {
    let model = model();
    let play = |lengths: &[usize]| {
        let mut engine = WaveEngine::new(&model, 96_000, 2, 256).unwrap();
        let mut audio = [Noise(1).vec(3_000, 0.5), Noise(2).vec(3_000, 0.5)];
        let mut at = 0;
        for len in lengths.iter().cycle() {
            // The knob is turned at one sample, whatever the blocks.
            let end = if at < 1_000 {
                (at + len).min(1_000)
            } else {
                (at + len).min(3_000)
            };
            let [left, right] = &mut audio;
            engine.process(&mut [&mut left[at..end], &mut right[at..end]]);
            at = end;
            if at == 1_000 {
                engine.set_knobs(&[1.0]);
            }
            if at == 3_000 {
                return audio;
            }
        }
        audio
    };
    let whole = play(&[256]);
    assert_eq!(whole, play(&[1, 0, 7, 64, 33, 150]));
    assert_ne!(whole[0][1_100..], whole[1][1_100..]);
}

#[test]
fn a_knob_that_jumps_is_heard_as_a_turn() {
    let model = model();
    let tone = |n: usize| 0.2 * (0.01 * n as f32).sin();
    let steepest = |x: &[f32]| x.windows(2).fold(0.0f32, |m, w| m.max((w[1] - w[0]).abs()));
    let mut engine = WaveEngine::new(&model, 48_000, 1, 512).unwrap();
    let mut play = |from: usize, drive: f32| {
        engine.set_knobs(&[drive, drive]);
        let mut audio: Vec<f32> = (from..from + 48_000).map(tone).collect();
        engine.process(&mut [&mut audio]);
        audio
    };
    let still = steepest(&play(0, 0.0)[24_000..]);
    let turning = play(48_000, 1.0);
    let after = steepest(&turning[24_000..]);
    assert!(
        steepest(&turning[..24_000]) < 1.5 * still.max(after),
        "{} while turning, {still} before, {after} after",
        steepest(&turning[..24_000])
    );
    let truth = truth(&(0..96_000).map(tone).collect::<Vec<_>>(), [1.0, 1.0], 1.0);
    assert_db(
        &truth[90_000..],
        &turning[42_000..],
        80.0,
        "arrived",
        Path::detect(),
    );
}

fn config(sample_rate: u32, channels: usize) -> ChainConfig {
    ChainConfig {
        sample_rate,
        channels,
        max_block: 300,
    }
}

fn chain(rate: u32, channels: usize) -> Chain {
    Chain::of_effect(&model(), config(rate, channels)).unwrap()
}

fn played(chain: &mut Chain, input: &[Vec<f32>], controls: &Controls) -> Vec<Vec<f32>> {
    let mut audio = input.to_vec();
    let mut lengths = [1, 300, 7, 64, 33, 150].into_iter().cycle();
    common::run(chain, &mut audio, controls, || lengths.next().unwrap());
    audio
}

#[test]
fn a_chain_plays_the_effect_on_time_with_its_controls() {
    let input = vec![Noise(1).vec(4_000, 0.5), Noise(2).vec(4_000, 0.5)];
    for rate in [44_100, 48_000, 96_000] {
        let mut chain = chain(rate, 2);
        assert_eq!((chain.latency().total(), chain.tail()), (0, 0));
        let turned = Controls {
            knobs: [0.25, 0.95, 0.0, 0.0],
            ..Controls::default()
        };
        let out = played(&mut chain, &input, &turned);
        for (input, out) in input.iter().zip(&out) {
            let truth = truth(input, [0.25, 0.9], 48_000.0 / f64::from(rate));
            assert_db(&truth, out, 90.0, "as the network", Path::detect());
        }
        chain.reset();
        let dry = played(&mut chain, &input, &Controls { mix: 0.0, ..turned });
        assert!(
            dry.iter().zip(&input).all(|(a, b)| common::same_bits(a, b)),
            "dry is dry"
        );
        chain.reset();
        let louder = Controls {
            input_gain_db: 6.0206,
            ..turned
        };
        let twice: Vec<f32> = input[0].iter().map(|x| 2.0 * x).collect();
        let out = played(&mut chain, &input, &louder);
        let truth = truth(&twice, [0.25, 0.9], 48_000.0 / f64::from(rate));
        assert_db(&truth, &out[0], 80.0, "6 dB more into it", Path::detect());
    }
}

#[test]
fn a_cabinet_is_a_convolution_without_delay_and_comes_without_a_step() {
    let input = vec![Noise(1).vec(6_000, 0.5)];
    let bare = played(&mut chain(48_000, 1), &input, &Controls::default());
    let mut with = chain(48_000, 1);
    let mut response = vec![0.0; 700];
    (response[0], response[600]) = (0.5, -0.25);
    let cabinet = Chain::cabinet(&config(48_000, 1), &[response], 48_000).unwrap();
    assert!(with.swap_cabinet(Some(cabinet)).is_none());
    let out = played(&mut with, &input, &Controls::default());
    let echoes = |bare: &[f32]| -> Vec<f64> {
        let early = |n: usize| {
            if n < 600 {
                0.0
            } else {
                f64::from(bare[n - 600])
            }
        };
        let heard = |n: usize| 0.5 * f64::from(bare[n]) - 0.25 * early(n);
        (0..bare.len()).map(heard).collect()
    };
    assert_db(
        &echoes(&bare[0]),
        &out[0],
        90.0,
        "two echoes",
        Path::detect(),
    );
    assert_eq!(with.tail(), 601);

    // Not heard, it is as if there were none; heard again, it begins anew.
    let off = Controls {
        cabinet: false,
        ..Controls::default()
    };
    with.reset();
    assert!(common::same_bits(
        &played(&mut with, &input, &off)[0],
        &bare[0]
    ));
    let after = played(&mut with, &input, &Controls::default());
    let mut without = chain(48_000, 1);
    played(&mut without, &input, &off);
    let bare = played(&mut without, &input, &off);
    assert_db(
        &echoes(&bare[0])[960..],
        &after[0][960..],
        90.0,
        "again",
        Path::detect(),
    );
    let step = |n: usize| (after[0][n] - bare[0][n]).abs();
    assert!(
        step(0) < 1e-3 && step(400) > 1e-3,
        "it comes without a fade"
    );

    // Out again in the middle of a low tone.
    let tone: Vec<Vec<f32>> = vec![(0..4_800).map(|n| 0.3 * (0.01 * n as f32).sin()).collect()];
    let before = played(&mut with, &tone, &Controls::default());
    assert!(with.swap_cabinet(None).is_some());
    let after = played(&mut with, &tone, &Controls::default());
    let step = (after[0][0] - before[0][4_799]).abs();
    assert!(step < 0.05, "a step of {step}");
}

#[test]
fn a_cabinet_of_another_rate_sounds_alike_and_bad_ones_say_what_helps() {
    let mut click = vec![0.0; 400];
    click[100] = 1.0;
    let mut at_96 = chain(96_000, 1);
    let cabinet = Chain::cabinet(&config(96_000, 1), &[click.clone()], 48_000).unwrap();
    at_96.swap_cabinet(Some(cabinet));
    let tone = |n: usize| 0.3 * (0.02 * n as f32).sin();
    let input = vec![(0..9_600).map(tone).collect::<Vec<f32>>()];
    let out = played(&mut at_96, &input, &Controls::default());
    let bare = played(&mut chain(96_000, 1), &input, &Controls::default());
    let late: Vec<f64> = bare[0][4_000..9_000].iter().map(|x| *x as f64).collect();
    assert_db(
        &late,
        &out[0][4_200..9_200],
        45.0,
        "100 samples at 48 kHz",
        Path::detect(),
    );
    for (response, rate, what) in [
        (vec![vec![0.0; 100]], 48_000, "silent"),
        (vec![vec![f32::NAN; 100]], 48_000, "no numbers"),
        (vec![vec![0.1; 500_000]], 48_000, "at most 4 s"),
        (vec![click.clone()], 1_000, "8000 to"),
        (vec![], 48_000, "silent"),
    ] {
        let error: CabinetError = Chain::cabinet(&config(96_000, 2), &response, rate)
            .err()
            .unwrap();
        assert!(error.to_string().contains(what), "{error}");
    }
}

#[test]
fn what_is_no_audio_does_not_stay_in_the_state() {
    let mut chain = chain(48_000, 1);
    let mut input = vec![Noise(1).vec(2_000, 0.5)];
    input[0][500] = f32::NAN;
    input[0][501] = f32::INFINITY;
    let out = played(&mut chain, &input, &Controls::default());
    assert!(out[0].iter().all(|x| x.is_finite()));
    assert_eq!(chain.stats().non_finite, 2);
    assert!(chain.stats().resets >= 1);
}

#[test]
#[cfg(debug_assertions)]
fn nothing_is_allocated_while_knobs_turn_and_cabinets_come_and_go() {
    for rate in [44_100, 48_000, 96_000] {
        let mut chain = chain(rate, 2);
        let (writer, mut reader) = statewave::telemetry::pair();
        chain.set_telemetry(Some(writer));
        reader.watch(true);
        let mut cabinets =
            [0.5, 0.2].map(|x| Chain::cabinet(&config(rate, 2), &[vec![x; 900]], 48_000).ok());
        let (mut left, mut right) = (Noise(3).vec(2_000, 0.5), Noise(4).vec(2_000, 0.5));
        assert_no_alloc::assert_no_alloc(|| {
            for i in 0..12 {
                let share = i as f32 / 11.0;
                let controls = Controls {
                    knobs: [share, 1.0 - share, f32::NAN, 0.0],
                    gate_db: if i % 3 == 0 { -40.0 } else { -100.0 },
                    input_gain_db: share,
                    ..Controls::default()
                };
                if i % 4 == 2 {
                    let next = cabinets[i / 8].take();
                    cabinets[i / 8] = chain.swap_cabinet(next);
                }
                let len = [1, 2_000, 299, 64][i % 4];
                chain.process(&mut [&mut left[..len], &mut right[..len]], &controls);
            }
        });
        assert!(left.iter().chain(&right).all(|x| x.is_finite()));
        assert!(reader.read().is_some_and(|shown| shown.input_peak[0] > 0.0));
    }
}

#[test]
fn knobs_that_the_network_does_not_have_are_refused() {
    let knob = |name: &str, min: f32, max: f32, default: f32| serde_json::json!({ "name": name, "min": min, "max": max, "default": default });
    let (a, b) = (knob("a", 0.0, 1.0, 0.5), knob("b", 0.0, 1.0, 0.5));
    for (knobs, what) in [
        (vec![a.clone()], "1 knobs are named, and the network has 2"),
        (vec![a.clone(), a.clone()], "two knobs are called a"),
        (vec![a.clone(), knob("b", 1.0, 0.0, 0.5)], "must rise"),
        (
            vec![a.clone(), knob("", 0.0, 1.0, 0.5)],
            "1 to 24 characters",
        ),
        (
            vec![a, b.clone(), b.clone(), b.clone(), b],
            "5 knobs, and 4 is the most",
        ),
    ] {
        let mut file = file();
        file.spec_json["knobs"] = knobs.into();
        let error = EffectModel::from_bytes(&file.to_bytes())
            .unwrap_err()
            .to_string();
        assert!(error.contains(what), "{error}");
    }
}
