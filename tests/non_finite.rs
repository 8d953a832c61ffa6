//! Promise: nothing a host or an engine sends can silence the stream, or leave it broken for more than its own length.
//!
//! Flows in: NaN, infinity, huge and tiny samples, and engines that fail. Flows out: finite samples, and counts.

mod common;

use common::{Fault, Log, RATES, TestEngine, chain_of, difference, level_db, noise, peak_db, run};
use statewave::chain::ChainStats;
use statewave::controls::{Controls, Listen};

const BAD: [f32; 6] = [
    f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    1.0e30,
    f32::MAX,
    f32::MIN,
];

#[test]
fn bad_samples_are_replaced_counted_and_forgotten() {
    for sample_rate in RATES {
        for bad in BAD {
            let engine = TestEngine::recalling(2);
            let log = engine.log.clone();
            let mut chain = chain_of(engine, sample_rate, 480);
            let mut audio = noise(2, 24_000, 17);
            audio[0][6_000] = bad;
            audio[1][6_001] = bad;
            run(
                &mut chain,
                &mut audio,
                &Controls {
                    mix: 0.5,
                    ..Controls::default()
                },
                || 480,
            );
            assert!(
                audio.iter().flatten().all(|x| x.abs() < 4.0),
                "{bad} at {sample_rate} Hz was heard"
            );
            assert!(level_db(&audio[0][12_000..]) > -20.0, "sound goes on");
            assert_eq!(chain.stats().non_finite, 2);
            assert!((1..=2).contains(&chain.stats().resets));
            assert_eq!(Log::read(&log.resets), chain.stats().resets);
        }
    }
}

#[test]
fn a_stream_of_nothing_but_nan_is_silence_and_then_over() {
    for listen in [Listen::Out, Listen::Removed, Listen::Dry] {
        let mut chain = chain_of(TestEngine::recalling(1), 44_100, 512);
        let controls = Controls {
            listen,
            ..Controls::default()
        };
        let mut audio = vec![vec![f32::NAN; 44_100]];
        run(&mut chain, &mut audio, &controls, || 512);
        assert!(audio[0].iter().all(|&x| x == 0.0));
        let mut audio = noise(1, 44_100, 1);
        run(&mut chain, &mut audio, &controls, || 512);
        assert!(level_db(&audio[0]) > -40.0 && audio[0].iter().all(|x| x.is_finite()));
    }
}

#[test]
fn a_loud_signal_is_not_taken_for_an_error() {
    let mut chain = chain_of(TestEngine::identity(1), 48_000, 512);
    let input: Vec<f32> = noise(1, 24_000, 1)
        .remove(0)
        .iter()
        .map(|x| x * 1000.0)
        .collect();
    let mut audio = vec![input.clone()];
    run(&mut chain, &mut audio, &Controls::default(), || 512);
    assert_eq!(chain.stats().non_finite, 0);
    assert!(peak_db(&difference(&audio[0], &input, chain.latency().total(), 0)) < -40.0);
}

#[test]
fn an_engine_that_fails_leaves_the_dry_frame_and_no_hole() {
    for fault in [Fault::Late, Fault::Lost, Fault::NotANumber, Fault::Huge] {
        for sample_rate in [44_100, 48_000] {
            // What comes in time is the input as well, so every frame, in time or not, must null.
            let engine = TestEngine::identity(2).failing_every(3, fault);
            let log = engine.log.clone();
            let mut chain = chain_of(engine, sample_rate, 512);
            let input = vec![common::sines(sample_rate, 19_000.0, 48_000); 2];
            let mut audio = input.clone();
            run(&mut chain, &mut audio, &Controls::default(), || 512);
            for (output, input) in audio.iter().zip(&input) {
                let rest = difference(output, input, chain.latency().total(), 4_000);
                assert!(
                    level_db(&rest) < -95.0,
                    "{fault:?} at {sample_rate} Hz: {}",
                    level_db(&rest)
                );
            }
            let ChainStats {
                frames,
                late,
                lost,
                non_finite,
                resets,
                restarts,
            } = chain.stats();
            assert_eq!(restarts, 0, "a denoiser does not go on by itself");
            assert_eq!(frames, Log::read(&log.submitted));
            let failed = Log::read(&log.failed);
            assert!(failed.abs_diff(frames / 3) <= 1);
            let expected = match fault {
                Fault::Late => (failed, 0, 0, 0),
                Fault::Lost => (0, failed, 0, 0),
                Fault::NotANumber | Fault::Huge => (0, 0, failed, failed),
            };
            assert_eq!(
                (late, lost, non_finite, resets),
                expected,
                "{fault:?} at {sample_rate} Hz"
            );
        }
    }
}

#[test]
fn an_engine_that_always_fails_leaves_the_input() {
    for fault in [Fault::Late, Fault::Lost, Fault::NotANumber] {
        let mut chain = chain_of(
            TestEngine::gain(1, 0.0).failing_every(1, fault),
            48_000,
            512,
        );
        let input = noise(1, 24_000, 3);
        let mut audio = input.clone();
        run(&mut chain, &mut audio, &Controls::default(), || 512);
        assert!(
            peak_db(&difference(
                &audio[0],
                &input[0],
                chain.latency().total(),
                0
            )) < -100.0
        );
    }
}

#[test]
fn controls_that_are_no_numbers_are_harmless() {
    let controls = Controls {
        amount_db: f32::NAN,
        mix: f32::NAN,
        output_gain_db: f32::INFINITY,
        ..Controls::default()
    };
    let mut chain = chain_of(TestEngine::identity(1), 48_000, 512);
    let mut audio = noise(1, 4_800, 3);
    chain.process(&mut [&mut audio[0]], &controls);
    assert!(audio[0].iter().all(|x| x.is_finite()));
}
