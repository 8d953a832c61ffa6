//! Mono and stereo, and what stereo means.

use statewave::latency::LatencyMode;

use crate::clap_host::Host;
use crate::same_sound::{chain, defaults, run};
use crate::signals::{level_db, noisy, same_bits};

#[test]
fn mono_is_a_channel_of_its_own() {
    let input = noisy(1, 12_000, 9);
    let mut expected = input.clone();
    run(
        &mut chain(48_000, 1, LatencyMode::Live),
        &mut expected,
        &defaults(),
    );
    let mut host = Host::new();
    host.select_layout(1);
    host.activate(48_000.0, 512);
    let mut heard = input;
    host.run(&mut heard, &[], || 512);
    assert!(same_bits(&heard, &expected));
    // And back again, on the same instance.
    host.deactivate();
    host.select_layout(2);
    host.activate(48_000.0, 512);
    let mut stereo = noisy(2, 2_000, 9);
    host.run(&mut stereo, &[], || 512);
    assert!(stereo[1].iter().any(|&x| x != 0.0));
}

#[test]
fn equal_channels_stay_equal_in_every_mode() {
    let one = noisy(1, 9_600, 10).remove(0);
    for latency in [0.0, 1.0] {
        for stereo in [0.0, 1.0, 2.0] {
            let mut host = Host::activated(48_000.0, 512);
            host.set(&[("mode", latency), ("stereo", stereo)]);
            host.restart(48_000.0, 512);
            let mut audio = vec![one.clone(), one.clone()];
            host.run(&mut audio, &[], || 512);
            assert!(
                same_bits(&audio[..1], &audio[1..]),
                "stereo {stereo}, latency {latency}"
            );
        }
    }
}

#[test]
fn linked_channels_keep_their_image() {
    let one = noisy(1, 48_000, 11).remove(0);
    let faint: Vec<f32> = one.iter().map(|x| 0.25 * x).collect();
    for latency in [0.0, 1.0] {
        let mut host = Host::activated(48_000.0, 512);
        host.set(&[("mode", latency)]);
        host.restart(48_000.0, 512);
        let mut audio = vec![one.clone(), faint.clone()];
        host.run(&mut audio, &[], || 512);
        let rest: Vec<f32> = audio[0]
            .iter()
            .zip(&audio[1])
            .map(|(l, r)| 0.25 * l - r)
            .collect();
        let relative = level_db(&rest) - level_db(&audio[1]);
        assert!(
            relative < -80.0,
            "the image moves: {relative} dB, latency {latency}"
        );
    }
}

#[test]
fn a_change_of_the_stereo_mode_does_not_click() {
    // A tone that a denoiser leaves or takes, but never cuts.
    let tone: Vec<f32> = (0..48_000).map(|n| 0.3 * (n as f32 * 0.06).sin()).collect();
    for latency in [0.0, 1.0] {
        let mut host = Host::activated(48_000.0, 512);
        host.set(&[("mode", latency)]);
        host.restart(48_000.0, 512);
        let mut audio = vec![tone.clone(), tone.iter().map(|x| 0.5 * x).collect()];
        let events: Vec<_> = (1..40)
            .map(|i| (i * 1_111, "stereo", (i % 3) as f64))
            .collect();
        host.run(&mut audio, &events, || 480);
        for channel in &audio {
            // The steepest the tone itself ever gets, and some more for the gain's own motion.
            let step = channel
                .windows(2)
                .map(|w| (w[1] - w[0]).abs())
                .fold(0.0, f32::max);
            assert!(
                step < 0.3 * 0.06 * 1.5,
                "a step of {step}, latency {latency}"
            );
        }
    }
}
