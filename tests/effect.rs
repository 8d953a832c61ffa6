//! Promise: an effect that knows continuous time is the same circuit at every sample rate, without a resampler and
//! without latency; one that counts in samples says so and is resampled.

mod kernel_common;

use std::f64::consts::TAU;

use kernel_common::Noise;
use statewave::engine::wave::WaveEngine;
use statewave::model::effect::{EffectModel, RateWay};
use statewave::model::file::{ModelFile, Tensor};

/// An RC low-pass of 800 Hz into tanh(4·v), learnt at 48 kHz by training/effect.py.
fn shipped() -> EffectModel {
    named("rc-tanh")
}

fn named(name: &str) -> EffectModel {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/models/tasks");
    EffectModel::open(format!("{folder}/{name}.safetensors")).unwrap()
}

/// Error of a model in the circuit's place at a rate, where it is never late.
fn error_at(model: &EffectModel, rate: u32) -> f64 {
    let (mut audio, truth) = circuit(rate, rate as usize / 5);
    let mut engine = WaveEngine::new(model, rate, 1, 512).unwrap();
    assert_eq!(engine.latency().total(), 0);
    engine.process(&mut [&mut audio]);
    error_db(rate, &audio, &truth, 0)
}

/// An effect of linear S4D state spaces alone would be too easy; this one has a random block of either kind.
fn random(mamba: bool) -> EffectModel {
    let (width, inner, states) = (8, 16, 4);
    let mut noise = Noise(5);
    let mut file = ModelFile {
        spec_json: serde_json::json!({
            "format_version": 1, "name": "random", "task": "effect", "sample_rate": 48_000, "rule": "zoh",
        }),
        tensors: Default::default(),
    };
    let mut add = |name: &str, shape: &[usize], centre: f32, scale: f32| {
        let data = noise
            .vec(shape.iter().product(), scale)
            .iter()
            .map(|v| v + centre)
            .collect();
        let shape = shape.to_vec();
        file.tensors.insert(name.into(), Tensor { shape, data });
    };
    add("in_linear.weight", &[width, 1], 0.0, 1.0);
    add("in_linear.bias", &[width], 0.0, 0.5);
    add("out_linear.weight", &[1, width], 0.0, 0.3);
    add("layers.0.mixer.log_dt", &[width], -2.0, 0.5);
    add("layers.0.mixer.log_A_real", &[width, states], -0.7, 0.1);
    add("layers.0.mixer.A_imag", &[width, states], 2.0, 2.0);
    add("layers.0.mixer.C", &[width, states, 2], 0.0, 0.5);
    add("layers.0.mixer.D", &[width], 1.0, 0.3);
    add("layers.0.mixer.out_proj.weight", &[width, width], 0.0, 0.3);
    if mamba {
        add("layers.1.norm.weight", &[width], 1.0, 0.1);
        add(
            "layers.1.mixer.in_proj.weight",
            &[2 * inner, width],
            0.0,
            0.3,
        );
        add("layers.1.mixer.conv1d.weight", &[inner, 1, 4], 0.0, 0.5);
        add(
            "layers.1.mixer.x_proj.weight",
            &[1 + 2 * states, inner],
            0.0,
            0.3,
        );
        add("layers.1.mixer.dt_proj.weight", &[inner, 1], 0.0, 0.3);
        add("layers.1.mixer.A_log", &[inner, states], 0.5, 0.5);
        add("layers.1.mixer.D", &[inner], 1.0, 0.1);
        add("layers.1.mixer.out_proj.weight", &[width, inner], 0.0, 0.3);
    }
    EffectModel::from_bytes(&file.to_bytes()).unwrap()
}

/// Input and output of the circuit at a rate, for sines in the steady state.
fn circuit(rate: u32, samples: usize) -> (Vec<f32>, Vec<f64>) {
    let sines: [(f64, f64); 4] = [(61.0, 0.15), (433.0, 0.1), (1709.0, 0.08), (6007.0, 0.05)];
    (0..samples)
        .map(|k| {
            let t = k as f64 / f64::from(rate);
            let (mut u, mut v) = (0.0f64, 0.0f64);
            for (hz, amplitude) in sines {
                let (phase, ratio) = (TAU * hz * t, hz / 800.0);
                u += amplitude * phase.sin();
                v += amplitude / (1.0 + ratio * ratio).sqrt() * (phase - ratio.atan()).sin();
            }
            (u as f32, (4.0 * v).tanh())
        })
        .unzip()
}

/// Error to signal, dB, without the first 20 ms.
fn error_db(rate: u32, y: &[f32], truth: &[f64], delay: usize) -> f64 {
    let (mut error, mut signal) = (0.0f64, 0.0f64);
    for k in rate as usize / 50..truth.len() - delay {
        error += (f64::from(y[k + delay]) - truth[k]).powi(2);
        signal += truth[k].powi(2);
    }
    10.0 * (error / signal).log10()
}

#[test]
fn the_circuit_is_the_same_at_every_rate_and_never_late() {
    let model = shipped();
    let native = error_at(&model, 48_000);
    assert!(
        native < -25.0,
        "the model has learnt the circuit: {native:.1} dB"
    );
    for rate in [44_100, 88_200, 96_000, 192_000] {
        let scaled = error_at(&model, rate);
        println!("{rate} Hz: {scaled:.1} dB, {native:.1} dB at its own rate");
        assert!(
            scaled < native + 3.0,
            "{rate} Hz: {scaled:.1} dB, not {native:.1}"
        );
    }
}

#[test]
fn it_takes_a_first_order_hold_for_that() {
    let held = named("rc-tanh-zoh");
    let (native, scaled) = (error_at(&held, 48_000), error_at(&held, 192_000));
    assert!(
        native < -35.0,
        "it has learnt the circuit as well: {native:.1} dB"
    );
    assert!(
        scaled > native + 8.0,
        "but half a sample is another at 192 kHz: {scaled:.1} dB"
    );
}

#[test]
fn without_scaling_it_would_be_another_circuit() {
    let model = shipped();
    let (mut audio, truth) = circuit(96_000, 19_200);
    let mut engine = WaveEngine::new(&model, 48_000, 1, 512).unwrap();
    engine.process(&mut [&mut audio]);
    assert!(error_db(96_000, &audio, &truth, 0) > -20.0);
}

#[test]
fn between_resamplers_the_ledger_says_how_late_it_is() {
    let model = shipped();
    for rate in [44_100, 96_000] {
        let (mut audio, truth) = circuit(rate, rate as usize / 5);
        let mut engine = WaveEngine::resampled(&model, rate, 1, 512)
            .unwrap()
            .unwrap();
        engine.process(&mut [&mut audio]);
        let delay = engine.latency().total();
        assert!(delay > 0 && delay == engine.latency().resampling_samples);
        let right = error_db(rate, &audio, &truth, delay);
        assert!(right < -30.0, "{rate} Hz: {right:.1} dB");
        for wrong in [delay - 1, delay + 1] {
            assert!(
                error_db(rate, &audio, &truth, wrong) > right,
                "to the sample"
            );
        }
    }
    assert!(
        WaveEngine::resampled(&model, 48_000, 1, 512)
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_model_that_counts_in_samples_says_so_and_is_resampled() {
    let model = random(true);
    assert_eq!(model.way(48_000), RateWay::Native);
    let way = model.way(96_000);
    assert!(
        matches!(way, RateWay::Resampled { block: 1, .. }),
        "{way:?}"
    );
    assert!(
        way.to_string()
            .contains("block 1 (a Mamba block's convolution) counts in samples")
    );
    let engine = WaveEngine::new(&model, 96_000, 1, 64).unwrap();
    assert!(engine.latency().resampling_samples > 0);
    assert_eq!(random(false).way(96_000), RateWay::Scaled(0.5));
}

#[test]
fn blocks_of_any_length_and_channels_side_by_side_give_the_same_bits() {
    for (model, rate) in [
        (random(false), 96_000),
        (random(true), 44_100),
        (random(true), 48_000),
    ] {
        let input = [Noise(1).vec(1000, 0.5), Noise(2).vec(1000, 0.5)];
        let mut whole = input.clone();
        let mut engine = WaveEngine::new(&model, rate, 2, 1000).unwrap();
        let [left, right] = &mut whole;
        engine.process(&mut [left, right]);
        let mut cut = input.clone();
        let mut engine = WaveEngine::new(&model, rate, 2, 100).unwrap();
        let [mut left, mut right] = cut.each_mut().map(|channel| &mut channel[..]);
        let mut lengths = [1, 0, 7, 64, 33, 150].into_iter().cycle();
        while !left.is_empty() {
            let len = lengths.next().unwrap().min(left.len());
            let (a, rest_a) = left.split_at_mut(len);
            let (b, rest_b) = right.split_at_mut(len);
            engine.process(&mut [a, b]);
            (left, right) = (rest_a, rest_b);
        }
        assert_eq!(whole, cut);
        let mut alone = input[1].clone();
        WaveEngine::new(&model, rate, 1, 1000)
            .unwrap()
            .process(&mut [&mut alone]);
        assert_eq!(alone, whole[1]);
        let mut again = input.clone();
        engine.reset();
        let [left, right] = &mut again;
        engine.process(&mut [left, right]);
        assert_eq!(again, whole, "a stream begins anew");
    }
}

#[test]
fn nothing_is_allocated_while_it_plays() {
    #[cfg(debug_assertions)]
    {
        let model = random(true);
        for rate in [48_000, 96_000] {
            let mut engine = WaveEngine::new(&model, rate, 1, 64).unwrap();
            let mut audio = Noise(3).vec(300, 0.5);
            assert_no_alloc::assert_no_alloc(|| engine.process(&mut [&mut audio]));
        }
    }
}

#[cfg(debug_assertions)]
#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

#[test]
fn an_effect_of_other_ends_is_refused() {
    let mut file = ModelFile {
        spec_json: serde_json::json!({
            "format_version": 1, "name": "wide", "task": "effect", "sample_rate": 48_000, "rule": "zoh",
        }),
        tensors: Default::default(),
    };
    for (name, shape) in [("in_linear.weight", [8, 2]), ("out_linear.weight", [1, 8])] {
        let tensor = Tensor {
            shape: shape.to_vec(),
            data: vec![0.1; shape.iter().product()],
        };
        file.tensors.insert(name.into(), tensor);
    }
    let error = EffectModel::from_bytes(&file.to_bytes()).unwrap_err();
    assert!(
        error.to_string().contains("takes a sample and gives one"),
        "{error}"
    );
}
