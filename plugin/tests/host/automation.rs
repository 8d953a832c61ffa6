//! Automation lands on its sample.

use statewave::controls::{Controls, Listen};
use statewave::latency::LatencyMode;

use crate::clap_host::{Host, Text, at};
use crate::same_sound::{chain, defaults, run};
use crate::signals::{noisy, same_bits};

#[test]
fn a_change_is_heard_from_its_sample_on() {
    let input = noisy(2, 6_000, 7);
    let at_sample = 3_337;
    let mut expected = input.clone();
    let mut library = chain(48_000, 2, LatencyMode::Live);
    let (mut before, mut after): (Vec<_>, Vec<_>) = expected
        .iter()
        .map(|channel| (channel[..at_sample].to_vec(), channel[at_sample..].to_vec()))
        .unzip();
    run(&mut library, &mut before, &defaults());
    let removed = Controls {
        listen: Listen::Removed,
        ..defaults()
    };
    run(&mut library, &mut after, &removed);
    for (channel, (before, after)) in expected.iter_mut().zip(before.into_iter().zip(after)) {
        *channel = [before, after].concat();
    }
    for block in [64, 500, 512] {
        let mut heard = input.clone();
        Host::activated(48_000.0, 512).run(&mut heard, &[(at_sample, "listen", 1.0)], || block);
        assert!(same_bits(&heard, &expected), "blocks of {block}");
    }
}

#[test]
fn every_parameter_can_move_at_every_sample() {
    let mut host = Host::activated(48_000.0, 64);
    let mut audio = noisy(2, 64, 8);
    let [left, right] = &mut audio[..] else {
        unreachable!("there are two channels")
    };
    let events: Vec<_> = (0..64)
        .flat_map(|sample| {
            let share = f64::from(sample) / 63.0;
            let choice = f64::from(sample % 2);
            [
                at(sample, "amount", share),
                at(sample, "mix", 1.0 - share),
                at(sample, "gain", share),
                at(sample, "listen", choice),
                at(sample, "stereo", choice),
                at(sample, "bypass", choice),
                at(sample, "knob1", share),
                at(sample, "gate", share),
                at(sample, "cabinet", choice),
                at(sample, "go-on", choice),
                at(sample, "seed", f64::from(sample)),
                at(sample, "temperature", share),
            ]
        })
        .collect();
    host.process(&mut [left, right], &events);
    assert!(left.iter().chain(right.iter()).all(|x| x.is_finite()));
    assert_eq!((host.value("amount"), host.value("mix")), (1.0, 0.0));
}

#[test]
fn every_parameter_has_a_name_and_a_text_that_is_read_back() {
    let texts = Host::new().texts();
    assert_eq!(texts.len(), 19);
    for (name, values) in texts {
        assert!(!name.is_empty());
        for Text { value, text, back } in values {
            let back = back.unwrap_or_else(|| panic!("{name}: {text} is not read"));
            assert!(
                (back - value).abs() < 1e-3,
                "{name}: {text} is read as {back}, not {value}"
            );
        }
    }
}

#[test]
fn a_control_surface_has_a_page_a_task() {
    let pages = Host::new().remote_pages();
    let lengths: Vec<_> = pages.iter().map(Vec::len).collect();
    assert_eq!(lengths, [7, 8, 7]);
}
