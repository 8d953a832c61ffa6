//! Promise: the zero-latency mode adds not a sample, follows the model's gains, and never leaves a hole.
//!
//! Flows in: engines of known gain, engines that fail, and the shipped model. Flows out: the input, filtered in place.

mod common;

use std::sync::Arc;

use common::{
    FRONT_END, Fault, MODEL_RATE, RATES, Random, TestEngine, level_db, noise, run, same_bits, sines,
};
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::{Controls, Stereo};
use statewave::engine::Engine;
use statewave::engine::cpu::CpuEngine;
use statewave::latency::LatencyMode;
use statewave::model::Model;
use statewave::model::catalogue;

fn zero(engine: impl Engine + 'static, sample_rate: u32) -> Chain {
    let config = ChainConfig {
        sample_rate,
        channels: engine.channels(),
        max_block: 512,
    };
    Chain::with_mode(
        Box::new(engine),
        FRONT_END,
        MODEL_RATE,
        config,
        LatencyMode::Zero,
    )
    .expect("the configuration is valid")
}

fn model() -> Arc<Model> {
    let usual = catalogue::built_in()
        .next()
        .expect("a model is compiled in");
    let bytes = usual.bytes().expect("it is in memory");
    Arc::new(Model::from_bytes(&bytes).expect("it is sound"))
}

#[test]
fn a_gain_is_followed_at_every_rate_without_a_sample_of_delay() {
    for sample_rate in RATES {
        let top = f64::from(sample_rate.min(MODEL_RATE)) * 0.4;
        let input = sines(sample_rate, top, sample_rate as usize / 2);
        let mut chain = zero(TestEngine::gain(1, 0.25), sample_rate);
        assert_eq!(chain.latency().total(), 0);
        let mut audio = vec![input.clone()];
        run(&mut chain, &mut audio, &Controls::default(), || 512);
        let settled = sample_rate as usize / 4;
        let rest: Vec<f32> = (settled..input.len())
            .map(|n| audio[0][n] - 0.25 * input[n])
            .collect();
        let error = level_db(&rest) - level_db(&input);
        assert!(
            error < -60.0,
            "{sample_rate} Hz: {error} dB beside the gain"
        );
    }
}

#[test]
fn before_the_first_frame_everything_passes() {
    let mut audio = noise(2, 64, 3);
    let input = audio.clone();
    let mut chain = zero(TestEngine::gain(2, 0.0), 48_000);
    run(&mut chain, &mut audio, &Controls::default(), || 64);
    assert!(same_bits(&audio[0], &input[0]) && same_bits(&audio[1], &input[1]));
}

#[test]
fn block_sizes_do_not_change_a_bit() {
    let model = model();
    for sample_rate in [44_100, 48_000] {
        for stereo in [Stereo::Link, Stereo::Dual, Stereo::MidSide] {
            let controls = Controls {
                stereo,
                ..Controls::default()
            };
            let input = noise(2, 6_000, 4);
            let heard = |mut len: Box<dyn FnMut() -> usize>| {
                let mut audio = input.clone();
                let mut chain = zero(CpuEngine::new(&model, 2), sample_rate);
                run(&mut chain, &mut audio, &controls, &mut len);
                audio
            };
            let expected = heard(Box::new(|| 512));
            let mut random = Random::new(5);
            for audio in [
                heard(Box::new(|| 1)),
                heard(Box::new(|| 320)),
                heard(Box::new(move || random.below(1_000))),
            ] {
                for (audio, expected) in audio.iter().zip(&expected) {
                    assert!(same_bits(audio, expected), "{sample_rate} Hz, {stereo:?}");
                }
            }
        }
    }
}

#[test]
fn a_frame_that_fails_means_older_gains() {
    for fault in [Fault::Late, Fault::Lost] {
        let input = noise(1, 24_000, 6).remove(0);
        let mut audio = vec![input.clone()];
        let engine = TestEngine::gain(1, 0.5).failing_every(2, fault);
        run(
            &mut zero(engine, 48_000),
            &mut audio,
            &Controls::default(),
            || 512,
        );
        let rest: Vec<f32> = (4_800..24_000)
            .map(|n| audio[0][n] - 0.5 * input[n])
            .collect();
        assert!(level_db(&rest) < -60.0, "{fault:?}");
    }
}

#[test]
fn output_and_removed_add_up_to_the_input() {
    let input = noise(1, 12_000, 7).remove(0);
    let model = model();
    let mut parts = [
        statewave::controls::Listen::Out,
        statewave::controls::Listen::Removed,
    ]
    .map(|listen| {
        let mut audio = vec![input.clone()];
        let controls = Controls {
            listen,
            ..Controls::default()
        };
        let mut chain = zero(CpuEngine::new(&model, 1), 48_000);
        run(&mut chain, &mut audio, &controls, || 512);
        audio.remove(0)
    });
    let [out, removed] = &mut parts;
    for ((out, removed), input) in out.iter().zip(removed.iter()).zip(&input) {
        assert!((out + removed - input).abs() < 1e-6);
    }
}

#[test]
fn the_shipped_model_takes_noise_away_at_once() {
    let hiss: Vec<f32> = noise(1, 96_000, 8)
        .remove(0)
        .iter()
        .map(|x| 0.1 * x)
        .collect();
    let mut audio = vec![hiss.clone()];
    let mut chain = zero(CpuEngine::new(&model(), 1), 48_000);
    run(&mut chain, &mut audio, &Controls::default(), || 128);
    let taken = level_db(&hiss[48_000..]) - level_db(&audio[0][48_000..]);
    assert!(taken > 15.0, "only {taken} dB of hiss were taken away");
}
