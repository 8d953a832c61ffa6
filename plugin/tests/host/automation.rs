//! Automation lands on its sample.

use clack_host::events::event_types::{NoteOnEvent, ParamValueEvent};
use clack_host::events::io::EventBuffer;
use clack_host::prelude::*;
use nice_plug::prelude::ClapPlugin;
use statewave::controls::{Controls, Listen};
use statewave::latency::LatencyMode;
use statewave_plugin::StatewaveInstrument;

use crate::clap_host::{Host, Text};
use crate::ranges::{Range, ranges, value};
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

/// Where a parameter is at a sample of [`LEN`]: elsewhere than at the one before, and as far up as it goes at the last.
fn way(range: &Range, sample: u32) -> f64 {
    let (left, span) = (f64::from(LEN - 1 - sample), range.most - range.least);
    if range.stepped {
        range.most - left % (span + 1.0)
    } else {
        range.most - span * left / f64::from(LEN - 1)
    }
}

const LEN: u32 = 64;

/// Every parameter at every sample of a block, and all of them where they went.
fn moved(ranges: &[Range]) -> EventBuffer {
    let mut events = EventBuffer::new();
    for sample in 0..LEN {
        for range in ranges {
            let to = way(range, sample);
            events.push(&ParamValueEvent::new(
                sample,
                range.id,
                Pckn::match_all(),
                to,
            ));
        }
    }
    events
}

fn assert_there(host: &mut Host, ranges: &[Range], what: &str) {
    for range in ranges {
        let (name, most, found) = (&range.name, range.most, value(host, range.id));
        assert!(
            (found - most).abs() < 1e-6,
            "{what}: {name} is {found}, not {most}"
        );
    }
}

#[test]
fn every_parameter_can_move_at_every_sample() {
    for model in ["denoise-live", "tone-drive", "continue-drums"] {
        let mut host = Host::with_model(model, &[]);
        host.activate(48_000.0, LEN);
        let ranges = ranges(&mut host);
        let mut audio = noisy(2, 2 * LEN as usize, 8);
        let (first, then) = (0..LEN as usize, LEN as usize..2 * LEN as usize);
        for (block, events) in [(first, moved(&ranges)), (then, EventBuffer::new())] {
            let mut channels: Vec<_> = audio
                .iter_mut()
                .map(|channel| &mut channel[block.clone()])
                .collect();
            host.process_with(&mut channels, &events.as_input());
        }
        assert!(audio.iter().flatten().all(|x| x.is_finite()), "{model}");
        assert_there(&mut host, &ranges, model);
    }
}

#[test]
fn every_parameter_of_the_instrument_can_move_at_every_sample() {
    let mut host = Host::of(StatewaveInstrument::CLAP_ID);
    host.activate(48_000.0, LEN);
    let ranges = ranges(&mut host);
    let mut note = EventBuffer::new();
    note.push(&NoteOnEvent::new(
        0,
        Pckn::new(0u16, 0u16, 60u16, 1u32),
        0.8,
    ));
    let (mut left, mut right) = ([9.0; LEN as usize], [9.0; LEN as usize]);
    for events in [note, moved(&ranges), EventBuffer::new()] {
        host.play(&mut left, &mut right, &events);
        assert!(left.iter().chain(&right).all(|x| x.is_finite()));
        assert!(left.iter().any(|x| *x != 0.0), "it sounds");
    }
    assert_there(&mut host, &ranges, "instrument");
}

#[test]
fn every_parameter_has_a_name_and_a_text_that_is_read_back() {
    let texts = Host::new().texts();
    assert_eq!(texts.len(), 27);
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
    assert_eq!(lengths, [7, 8, 7, 8]);
}
