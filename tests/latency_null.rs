//! Promise: the latency reported is the latency measured, to the sample, at every rate and block size, and an
//! engine that changes nothing nulls with the delayed input.
//!
//! Flows in: impulses and noise. Flows out: offsets, and differences from the delayed input.

mod common;

use std::f64::consts::PI;

use common::{
    FRONT_END, Log, MODEL_RATE, RATES, TestEngine, chain_of, difference, level_db, noise, peak_db,
    run,
};
use statewave::chain::{Chain, ChainConfig, render};
use statewave::controls::Controls;
use statewave::model::spec::FrontEnd;

/// The chain's answer to `sent` samples of silence and then `pulse`.
fn response(sample_rate: u32, block: usize, sent: usize, pulse: &[f32]) -> Vec<f32> {
    let mut chain = chain_of(TestEngine::identity(1), sample_rate, 1024);
    let mut audio = vec![vec![
        0.0;
        sent + pulse.len() + chain.latency().total() + 4_096
    ]];
    audio[0][sent..sent + pulse.len()].copy_from_slice(pulse);
    run(&mut chain, &mut audio, &Controls::default(), || block);
    audio.remove(0)
}

fn peak_position(samples: &[f32]) -> usize {
    (0..samples.len())
        .max_by(|&a, &b| samples[a].abs().total_cmp(&samples[b].abs()))
        .unwrap_or(0)
}

#[test]
fn an_impulse_comes_out_where_the_ledger_says() {
    for sample_rate in RATES {
        let latency = chain_of(TestEngine::identity(1), sample_rate, 1024).latency();
        println!("{latency}");
        assert_eq!(
            latency.total(),
            latency
                .entries()
                .iter()
                .map(|(_, samples)| samples)
                .sum::<usize>()
        );
        for block in [1, 7, 64, 480, 1_024, 3_000] {
            let found = peak_position(&response(sample_rate, block, 1_237, &[1.0]));
            assert_eq!(
                found - 1_237,
                latency.total(),
                "{sample_rate} Hz, blocks of {block}"
            );
        }
    }
}

#[test]
fn the_latency_is_not_off_by_a_part_of_a_sample() {
    for sample_rate in RATES {
        // A pulse within the band that both rates share comes out alike on both sides of its middle.
        let cutoff = 0.8 * f64::from(MODEL_RATE.min(sample_rate)) / f64::from(sample_rate);
        let half = 400;
        let pulse: Vec<f32> = (-half..=half)
            .map(|n| {
                let window = 0.5 + 0.5 * (PI * f64::from(n) / f64::from(half)).cos();
                let x = PI * cutoff * f64::from(n);
                (if n == 0 { 1.0 } else { x.sin() / x } * window) as f32
            })
            .collect();
        let output = response(sample_rate, 64, 1_237, &pulse);
        let middle = 1_237
            + half as usize
            + chain_of(TestEngine::identity(1), sample_rate, 64)
                .latency()
                .total();
        assert_eq!(peak_position(&output), middle, "{sample_rate} Hz");
        for away in 1..300 {
            // A hundredth of a sample would show as 0.005 and more.
            let skew = output[middle - away] - output[middle + away];
            assert!(skew.abs() < 1e-4, "{sample_rate} Hz: {skew} at ±{away}");
        }
    }
}

#[test]
fn at_the_models_rate_the_latency_is_that_of_the_front_end() {
    let latency = chain_of(TestEngine::identity(1), MODEL_RATE, 64).latency();
    assert_eq!(latency.total(), FRONT_END.latency());
    assert_eq!(latency.total_ms(), 10.0);
    assert_eq!(latency.resampling_samples, 0);
}

#[test]
fn wet_nulls_with_the_delayed_input_at_the_models_rate() {
    let input = noise(1, 48_000, 5);
    for fade_in in [
        Controls::default(),
        Controls {
            mix: 0.5,
            ..Controls::default()
        },
    ] {
        let mut chain = chain_of(TestEngine::identity(1), MODEL_RATE, 512);
        let mut audio = input.clone();
        run(&mut chain, &mut audio, &fade_in, || 512);
        let rest = difference(&audio[0], &input[0], chain.latency().total(), 0);
        println!(
            "identity against delayed input: {:.1} dBFS RMS, {:.1} peak",
            level_db(&rest),
            peak_db(&rest)
        );
        assert!(peak_db(&rest) < -100.0);
    }
}

#[test]
fn any_front_end_that_fits_together_nulls() {
    for (hop, window, overlap, spread) in [
        (320, 1280, 128, 0),
        (320, 1280, 128, 320),
        (128, 512, 128, 1),
        (480, 960, 480, 100),
        (64, 256, 0, 64),
        (1, 2, 1, 1),
    ] {
        let front_end = FrontEnd {
            hop,
            window,
            overlap,
            spread,
        };
        for sample_rate in [MODEL_RATE, 44_100] {
            let engine = Box::new(TestEngine::with_front_end(&front_end, 1, 1.0));
            let config = ChainConfig {
                sample_rate,
                channels: 1,
                max_block: 256,
            };
            let mut chain = Chain::new(engine, front_end, MODEL_RATE, config).unwrap();
            let input = common::sines(sample_rate, 18_000.0, 12_000);
            let mut audio = vec![input.clone()];
            run(&mut chain, &mut audio, &Controls::default(), || 100);
            let rest = difference(&audio[0], &input, chain.latency().total(), 4_000);
            assert!(
                level_db(&rest) < -90.0,
                "{front_end:?} at {sample_rate} Hz: {} dB",
                level_db(&rest)
            );
            assert!(sample_rate != MODEL_RATE || chain.latency().total() == front_end.latency());
        }
    }
}

#[test]
fn another_engine_takes_over_without_a_gap() {
    let first = TestEngine::identity(1);
    let mut chain = chain_of(first, 48_000, 64);
    let (input, delay) = (noise(1, 48_000, 13), chain.latency().total());
    let mut audio = input.clone();
    let mut logs = Vec::new();
    for (i, block) in audio[0].chunks_mut(50).enumerate() {
        // Also at moments when the engine has a frame in work.
        if i % 5 == 0 {
            let next = TestEngine::identity(1);
            logs.push(next.log.clone());
            assert!(chain.swap_engine(Box::new(next)).is_ok());
        }
        chain.process(&mut [block], &Controls::default());
    }
    assert!(peak_db(&difference(&audio[0], &input[0], delay, 0)) < -100.0);
    assert!(logs.iter().all(|log| Log::read(&log.disorder) == 0));
    assert!(
        chain
            .swap_engine(Box::new(TestEngine::identity(2)))
            .is_err(),
        "an engine for stereo does not fit"
    );
}

#[test]
fn a_rendered_file_keeps_its_length_and_its_place() {
    for sample_rate in [8_000, 44_100, 48_000, 192_000] {
        for len in [0, 1, 100, 4_095, 4_096, 20_000] {
            let mut chain = chain_of(TestEngine::identity(2), sample_rate, 512);
            let top_hz = f64::from(sample_rate.min(48_000)) * 0.45;
            let input = vec![common::sines(sample_rate, top_hz, len); 2];
            let mut audio = input.clone();
            let mut finished = 0;
            render(
                &mut chain,
                &mut audio,
                &Controls {
                    mix: 0.0,
                    ..Controls::default()
                },
                |samples| finished = samples,
            );
            assert_eq!(audio, input, "{sample_rate} Hz, {len} samples");
            assert_eq!(finished, len);
            render(&mut chain, &mut audio, &Controls::default(), |_| {});
            assert!(audio.iter().all(|channel| channel.len() == len));
            let inner = |channel: &Vec<f32>| {
                channel
                    .get(500..len.saturating_sub(500))
                    .unwrap_or(&[])
                    .to_vec()
            };
            for (output, input) in audio.iter().zip(&input) {
                let rest = difference(&inner(output), &inner(input), 0, 0);
                assert!(
                    peak_db(&rest) < -70.0,
                    "{sample_rate} Hz, {len} samples: {}",
                    peak_db(&rest)
                );
            }
        }
    }
}

#[test]
fn models_of_other_rates_null_as_well() {
    for (model_rate, sample_rate) in [
        (16_000, 48_000),
        (16_000, 44_100),
        (24_000, 24_000),
        (44_100, 48_000),
        (96_000, 48_000),
    ] {
        let config = ChainConfig {
            sample_rate,
            channels: 1,
            max_block: 256,
        };
        let mut chain = Chain::new(
            Box::new(TestEngine::identity(1)),
            FRONT_END,
            model_rate,
            config,
        )
        .unwrap();
        let input = common::sines(
            sample_rate,
            f64::from(model_rate.min(sample_rate)) * 0.45,
            24_000,
        );
        let mut audio = vec![input.clone()];
        run(&mut chain, &mut audio, &Controls::default(), || 100);
        let rest = difference(&audio[0], &input, chain.latency().total(), 8_000);
        assert!(
            level_db(&rest) < -90.0,
            "{model_rate} at {sample_rate} Hz: {} dB",
            level_db(&rest)
        );
    }
}
