//! Promise: every host rate works, is never silent, and keeps what the model's band can hold.
//!
//! Flows in: sines over the band that both rates share. Flows out: levels, and differences from the delayed input.

mod common;

use common::{
    FRONT_END, MODEL_RATE, RATES, TestEngine, chain_of, difference, level_db, noise, run, sines,
};
use statewave::chain::{Chain, ChainConfig, ChainError};
use statewave::controls::Controls;
use statewave::model::spec::FrontEnd;

fn shared_nyquist_hz(sample_rate: u32) -> f64 {
    f64::from(sample_rate.min(MODEL_RATE)) / 2.0
}

#[test]
fn in_the_pass_band_wet_nulls_with_the_delayed_input() {
    for sample_rate in RATES {
        let mut chain = chain_of(TestEngine::identity(1), sample_rate, 512);
        let input = sines(
            sample_rate,
            0.9 * shared_nyquist_hz(sample_rate),
            2 * sample_rate as usize,
        );
        let mut audio = vec![input.clone()];
        run(&mut chain, &mut audio, &Controls::default(), || 512);
        let settled = sample_rate as usize / 2;
        let rest = difference(&audio[0], &input, chain.latency().total(), settled);
        let rest_db = level_db(&rest) - level_db(&input);
        println!("{sample_rate} Hz: {rest_db:.1} dB below the signal");
        assert!(rest_db < -80.0, "{sample_rate} Hz: {rest_db} dB");
    }
}

#[test]
fn the_level_is_right_and_never_silence() {
    for sample_rate in RATES {
        let mut chain = chain_of(TestEngine::gain(1, 0.501_187), sample_rate, 512);
        let input = sines(
            sample_rate,
            0.9 * shared_nyquist_hz(sample_rate),
            sample_rate as usize,
        );
        let mut audio = vec![input.clone()];
        run(&mut chain, &mut audio, &Controls::default(), || 512);
        let settled = sample_rate as usize / 4;
        let change_db = level_db(&audio[0][settled..]) - level_db(&input[settled..]);
        assert!(
            (change_db + 6.0).abs() < 0.1,
            "{sample_rate} Hz: {change_db} dB instead of -6"
        );
    }
}

#[test]
fn above_the_models_band_only_the_dry_signal_is_heard() {
    for sample_rate in [88_200, 96_000, 176_400, 192_000] {
        let step = std::f64::consts::TAU * 30_000.0 / f64::from(sample_rate);
        let input: Vec<f32> = (0..sample_rate)
            .map(|n| (step * f64::from(n)).sin() as f32 * 0.5)
            .collect();
        let heard = |mix| {
            let mut audio = vec![input.clone()];
            let controls = Controls {
                mix,
                ..Controls::default()
            };
            run(
                &mut chain_of(TestEngine::identity(1), sample_rate, 512),
                &mut audio,
                &controls,
                || 512,
            );
            level_db(&audio[0][sample_rate as usize / 2..])
        };
        assert!(heard(1.0) < -85.0, "{sample_rate} Hz: {} dB", heard(1.0));
        assert!(heard(0.0) > -10.0);
    }
}

#[test]
fn the_delay_does_not_drift() {
    // Two minutes of a sine whose period is no part of the filters' phases, against the sine itself.
    for sample_rate in [11_025_u32, 44_101] {
        let mut chain = chain_of(TestEngine::identity(1), sample_rate, 4_096);
        let delay = chain.latency().total() as u64;
        let step = std::f64::consts::TAU * 997.0 / f64::from(sample_rate);
        let sine = |n: u64| (0.1 * (step * n as f64).sin()) as f32;
        let mut second = vec![0.0; sample_rate as usize];
        for start in (0..120).map(|second| second * u64::from(sample_rate)) {
            second
                .iter_mut()
                .zip(start..)
                .for_each(|(x, n)| *x = sine(n));
            chain.process(&mut [&mut second], &Controls::default());
            if start > 0 {
                let rest: Vec<f32> = second
                    .iter()
                    .zip(start..)
                    .map(|(x, n)| x - sine(n - delay))
                    .collect();
                assert!(
                    level_db(&rest) < -95.0,
                    "{sample_rate} Hz, from sample {start}: {} dB",
                    level_db(&rest)
                );
            }
        }
    }
}

#[test]
fn what_cannot_work_is_refused_with_its_remedy() {
    let refused = |sample_rate, channels, max_block, front_end, model_rate| {
        let config = ChainConfig {
            sample_rate,
            channels,
            max_block,
        };
        Chain::new(
            Box::new(TestEngine::identity(2)),
            front_end,
            model_rate,
            config,
        )
        .err()
        .expect("it is refused")
    };
    assert_eq!(
        refused(999, 2, 64, FRONT_END, 48_000),
        ChainError::SampleRate(999)
    );
    assert_eq!(
        refused(2_000_001, 2, 64, FRONT_END, 48_000),
        ChainError::SampleRate(2_000_001)
    );
    assert_eq!(
        refused(48_000, 2, 64, FRONT_END, 0),
        ChainError::ModelRate(0)
    );
    assert_eq!(
        refused(48_000, 0, 64, FRONT_END, 48_000),
        ChainError::NoChannels
    );
    assert_eq!(
        refused(48_000, 2, 0, FRONT_END, 48_000),
        ChainError::NoBlock
    );
    assert_eq!(
        refused(48_000, 1, 64, FRONT_END, 48_000),
        ChainError::Channels {
            engine: 2,
            chain: 1
        }
    );
    let shorter = FrontEnd {
        window: 640,
        ..FRONT_END
    };
    let lengths = ChainError::FrameLength {
        engine: 1282,
        front_end: 642,
    };
    assert_eq!(refused(48_000, 2, 64, shorter, 48_000), lengths);
    let unfit = [
        FrontEnd {
            hop: 0,
            ..FRONT_END
        },
        FrontEnd {
            overlap: 321,
            ..FRONT_END
        },
        FrontEnd {
            spread: 321,
            ..FRONT_END
        },
        FrontEnd {
            window: 447,
            ..FRONT_END
        },
        FrontEnd {
            window: 446,
            ..FRONT_END
        },
        FrontEnd {
            window: usize::MAX - 1,
            ..FRONT_END
        },
        FrontEnd {
            hop: usize::MAX,
            overlap: 1,
            ..FRONT_END
        },
    ];
    for front_end in unfit {
        assert_eq!(
            refused(48_000, 2, 64, front_end, 48_000),
            ChainError::FrontEnd(front_end)
        );
    }
    assert!(
        refused(400, 2, 64, FRONT_END, 48_000)
            .to_string()
            .contains("1000 to 2000000 Hz")
    );
}

#[test]
fn the_longest_announced_block_is_no_limit() {
    let mut chain = chain_of(TestEngine::identity(1), 44_100, 1);
    let mut audio = noise(1, 44_100, 1);
    chain.process(&mut [&mut audio[0]], &Controls::default());
    assert!(level_db(&audio[0]) > -20.0);
}
