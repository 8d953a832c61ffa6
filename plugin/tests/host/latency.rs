//! The latency the host is told is the latency there is.

use crate::clap_host::Host;

/// Where the largest sample is.
fn peak(samples: &[f32]) -> usize {
    (0..samples.len())
        .max_by(|&a, &b| samples[a].abs().total_cmp(&samples[b].abs()))
        .expect("there are samples")
}

fn impulse_comes_out_at(host: &mut Host, block: usize) -> usize {
    let at_sample = 100;
    let mut audio = vec![vec![0.0; 8_192]; 2];
    audio
        .iter_mut()
        .for_each(|channel| channel[at_sample] = 1.0);
    host.run(&mut audio, &[(0, "mix", 0.0)], || block);
    assert_eq!(
        audio[0][peak(&audio[0])],
        1.0,
        "the delayed input is the input"
    );
    peak(&audio[0]) - at_sample
}

#[test]
fn an_impulse_is_late_by_what_is_reported_in_every_mode_at_every_rate() {
    for mode in [0.0, 1.0] {
        for rate in [16_000.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
            for block in [64, 480] {
                let mut host = Host::activated(rate, 480);
                host.set(&[("mode", mode)]);
                host.restart(rate, 480);
                let reported = host.latency();
                assert_eq!(
                    impulse_comes_out_at(&mut host, block),
                    reported,
                    "{rate} Hz, mode {mode}"
                );
                assert_eq!(reported == 0, mode == 0.0);
                assert!(host.tail() >= reported);
            }
        }
    }
}

#[test]
fn a_change_of_mode_asks_for_one_restart_and_holds_from_there_on() {
    let mut host = Host::activated(48_000.0, 256);
    host.restart(48_000.0, 256);
    assert_eq!(host.latency(), 480);
    let (restarts, changes) = (host.restarts(), host.latency_changes());
    let mut audio = vec![vec![0.1; 4_096]; 2];
    host.run(&mut audio, &[(300, "mode", 0.0)], || 256);
    assert_eq!(host.restarts() - restarts, 1);
    // Until the host has done it, sound and latency stay as they were.
    assert_eq!(host.latency(), 480);
    host.restart(48_000.0, 256);
    // The framework tells the host in the activation after the one that has set it.
    host.restart(48_000.0, 256);
    assert_eq!(host.latency(), 0);
    assert!(host.latency_changes() > changes);
    let asked = host.restarts();
    let mut audio = vec![vec![0.1; 1_024]; 2];
    host.run(&mut audio, &[], || 256);
    assert_eq!(host.restarts(), asked);
}
