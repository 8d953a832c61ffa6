//! Promise: what is heard dry is the input bit for bit, what is removed is all that is missing, and no control clicks.
//!
//! Flows in: noise, sines and changing controls. Flows out: differences from the delayed input, and steps.

mod common;

use common::{RATES, TestEngine, chain_of, difference, level_db, noise, peak_db, run, same_bits};
use statewave::controls::{Controls, Listen};

#[test]
fn dry_in_every_way_is_the_delayed_input_bit_for_bit() {
    let ways = [
        Controls {
            mix: 0.0,
            ..Controls::default()
        },
        Controls {
            amount_db: 0.0,
            ..Controls::default()
        },
        Controls {
            listen: Listen::Dry,
            ..Controls::default()
        },
        Controls {
            bypass: true,
            output_gain_db: 6.0,
            ..Controls::default()
        },
    ];
    for sample_rate in RATES {
        for controls in ways {
            let mut chain = chain_of(TestEngine::gain(2, 0.1), sample_rate, 512);
            let delay = chain.latency().total();
            let mut input = noise(2, 8_000, 9);
            input[0][700] = -0.0;
            input[0][701] = 1.0e-42;
            let mut audio = input.clone();
            run(&mut chain, &mut audio, &controls, || 333);
            for (output, input) in audio.iter().zip(&input) {
                assert!(output[..delay].iter().all(|&x| x == 0.0));
                assert!(
                    same_bits(&output[delay..], &input[..8_000 - delay]),
                    "{sample_rate} Hz, {controls:?}"
                );
            }
        }
    }
}

#[test]
fn output_and_removed_add_up_to_the_delayed_input() {
    for sample_rate in RATES {
        for amount_db in [6.0, 20.0, 100.0] {
            let input = noise(1, 24_000, 21);
            let output = |listen| {
                let mut chain = chain_of(TestEngine::recalling(1), sample_rate, 512);
                let mut audio = input.clone();
                run(
                    &mut chain,
                    &mut audio,
                    &Controls {
                        amount_db,
                        listen,
                        ..Controls::default()
                    },
                    || 512,
                );
                (audio.remove(0), chain.latency().total())
            };
            let ((out, delay), (removed, _)) = (output(Listen::Out), output(Listen::Removed));
            let sum: Vec<f32> = out.iter().zip(&removed).map(|(a, b)| a + b).collect();
            let rest = difference(&sum, &input[0], delay, 0);
            assert!(
                peak_db(&rest) < -120.0,
                "{sample_rate} Hz, {amount_db} dB: {}",
                peak_db(&rest)
            );
            assert!(level_db(&removed) > -30.0, "there is something to hear");
        }
    }
}

#[test]
fn the_amount_limits_what_is_removed() {
    for sample_rate in [44_100, 48_000, 96_000] {
        for amount_db in [3.0, 6.0, 12.0, 20.0, 40.0] {
            let input = noise(1, 24_000, 2);
            let mut audio = input.clone();
            let mut chain = chain_of(TestEngine::gain(1, 0.0), sample_rate, 512);
            run(
                &mut chain,
                &mut audio,
                &Controls {
                    amount_db,
                    ..Controls::default()
                },
                || 512,
            );
            let delay = chain.latency().total();
            let change_db = level_db(&audio[0][delay..]) - level_db(&input[0][..24_000 - delay]);
            assert!(
                (change_db + f64::from(amount_db)).abs() < 0.5,
                "{amount_db} dB asked for, {change_db} found"
            );
        }
        let mut audio = noise(1, 24_000, 2);
        run(
            &mut chain_of(TestEngine::gain(1, 0.0), sample_rate, 512),
            &mut audio,
            &Controls::default(),
            || 512,
        );
        assert!(
            audio[0].iter().all(|&x| x == 0.0),
            "no limit: all is removed"
        );
    }
}

#[test]
fn settings_change_without_a_click() {
    // A slow sine has no steps of its own above 0.004; a jump between these settings would be 0.2 and more.
    let sine = |n: usize| 0.3 * (std::f32::consts::TAU * 100.0 * n as f32 / 48_000.0).sin();
    let dull = Controls {
        amount_db: 6.0,
        ..Controls::default()
    };
    let ways = [
        Controls {
            mix: 0.0,
            ..Controls::default()
        },
        Controls {
            bypass: true,
            ..Controls::default()
        },
        Controls {
            listen: Listen::Removed,
            ..Controls::default()
        },
        Controls {
            output_gain_db: -20.0,
            ..Controls::default()
        },
        dull,
    ];
    let mut chain = chain_of(TestEngine::gain(1, 0.0), 48_000, 64);
    let (mut n, mut last) = (0, 0.0_f32);
    for controls in ways.iter().chain(&ways).cycle().take(100) {
        // Some changes come while the fade before is on its way.
        for _ in 0..(n % 37) {
            let mut block: Vec<f32> = (n..n + 64).map(sine).collect();
            n += 64;
            chain.process(&mut [&mut block], controls);
            for x in block {
                assert!((x - last).abs() < 0.01, "a step of {} at {n}", x - last);
                last = x;
            }
        }
        n += 1;
    }
}

#[test]
fn bypass_ends_at_the_delayed_input_within_its_fade() {
    for sample_rate in RATES {
        let mut chain = chain_of(TestEngine::gain(1, 0.0), sample_rate, 256);
        let delay = chain.latency().total();
        let input = noise(1, 40_000, 31);
        let mut audio = input.clone();
        let (before, after) = audio[0].split_at_mut(10_000);
        chain.process(&mut [before], &Controls::default());
        chain.process(
            &mut [after],
            &Controls {
                bypass: true,
                ..Controls::default()
            },
        );
        let faded = 10_000 + sample_rate as usize / 100;
        assert!(
            same_bits(&audio[0][faded..], &input[0][faded - delay..40_000 - delay]),
            "{sample_rate} Hz"
        );
        assert!(audio[0][..10_000].iter().all(|&x| x == 0.0));
    }
}
