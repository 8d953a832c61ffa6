//! The instrument in a CLAP host: notes at their samples, values that come back, names that are read as they are shown.

use clack_host::events::event_types::{MidiEvent, NoteEndEvent, NoteOffEvent, NoteOnEvent};
use clack_host::events::io::EventBuffer;
use clack_host::prelude::*;
use nice_plug::prelude::ClapPlugin;
use statewave_plugin::StatewaveInstrument;
use statewave_plugin::instrument::InstrumentParams;
use statewave_plugin::panel::presets::{Side, factory};

use crate::clap_host::{Host, at};

const KEY: u16 = 62;

fn host() -> Host {
    let mut host = Host::of(StatewaveInstrument::CLAP_ID);
    host.activate(48_000.0, 4_096);
    host
}

fn on(sample: u32, key: u16) -> NoteOnEvent {
    NoteOnEvent::new(sample, Pckn::new(0u16, 0u16, key, u32::from(key)), 0.8)
}

fn off(sample: u32, key: u16) -> NoteOffEvent {
    NoteOffEvent::new(sample, Pckn::new(0u16, 0u16, key, u32::from(key)), 0.0)
}

/// Four blocks with events in the first, left.
fn played(host: &mut Host, events: &EventBuffer) -> Vec<f32> {
    let mut all = Vec::new();
    let none = EventBuffer::new();
    for block in 0..4 {
        let (mut left, mut right) = (vec![9.0; 4_096], vec![9.0; 4_096]);
        host.play(
            &mut left,
            &mut right,
            if block == 0 { events } else { &none },
        );
        all.extend(left);
    }
    all
}

#[test]
fn notes_begin_and_end_at_their_samples() {
    let mut held = EventBuffer::new();
    held.push(&on(777, KEY));
    let mut ended = EventBuffer::new();
    ended.push(&on(777, KEY));
    ended.push(&off(3_001, KEY));
    let (held, ended) = (played(&mut host(), &held), played(&mut host(), &ended));
    assert!(
        held[..777].iter().all(|x| *x == 0.0),
        "sound before the note"
    );
    assert!(held[777] != 0.0, "silence at the note's first sample");
    assert_eq!(
        held[..3_001],
        ended[..3_001],
        "the end is heard before it comes"
    );
    let far = |i: usize| (held[i] - ended[i]).abs() > 1e-4;
    assert!((3_001..3_201).any(far), "the end is late");
}

#[test]
fn the_host_is_told_of_every_note_that_has_ended() {
    let mut host = host();
    let mut events = EventBuffer::new();
    // The shortest release, so that it dies away soon.
    events.push(&at(0, "release", 0.0));
    events.push(&on(10, KEY));
    events.push(&on(20, KEY + 5));
    events.push(&off(1_000, KEY));
    let none = EventBuffer::new();
    let mut ends = Vec::new();
    for block in 0..6 {
        let (mut left, mut right) = (vec![9.0; 4_096], vec![9.0; 4_096]);
        let mut heard = EventBuffer::with_capacity(64);
        host.play_and_hear(
            &mut left,
            &mut right,
            if block == 0 { &events } else { &none },
            &mut heard.as_output(),
        );
        for event in &heard {
            if let Some(end) = event.as_event::<NoteEndEvent>() {
                ends.push((4_096 * block + event.header().time(), end.pckn()));
            }
        }
    }
    let [(sample, pckn)] = ends[..] else {
        panic!("one note was let go, and {} ended", ends.len());
    };
    assert_eq!(pckn, Pckn::new(0u16, 0u16, KEY, u32::from(KEY)));
    assert!((1_001..8_000).contains(&sample), "at sample {sample}");
}

#[test]
fn what_midi_says_is_heard() {
    let sound = |midi: &[[u8; 3]]| {
        let mut events = EventBuffer::new();
        for bytes in midi {
            events.push(&MidiEvent::new(0, 0, *bytes));
        }
        events.push(&on(0, KEY));
        played(&mut host(), &events)
    };
    let plain = sound(&[]);
    assert!(sound(&[[0xe0, 0, 0x40]]) == plain, "a wheel at rest bends");
    assert!(
        sound(&[[0xe0, 0x7f, 0x7f]]) != plain,
        "the pitch wheel does nothing"
    );
    assert!(
        sound(&[[0xb0, 1, 127]]) != plain,
        "the mod wheel does nothing"
    );
}

#[test]
fn more_events_than_are_taken_at_once_all_come() {
    let mut events = EventBuffer::new();
    for i in 0..600 {
        events.push(&on(i, 40 + (i % 40) as u16));
        events.push(&off(i, 40 + (i % 40) as u16));
    }
    events.push(&on(700, KEY));
    let sound = played(&mut host(), &events);
    assert!(sound.iter().all(|x| x.is_finite()));
    let last = &sound[12_000..];
    assert!(
        last.iter().any(|x| x.abs() > 1e-3),
        "the last note was lost"
    );
}

#[test]
fn a_new_instance_sounds_like_the_one_that_was_saved() {
    let moved = [
        ("a", 7.0),
        ("b", 3.0),
        ("morph", 0.25),
        ("brightness", 0.75),
        ("bend", 12.0),
    ];
    let mut chord = EventBuffer::new();
    chord.push(&on(0, KEY));
    chord.push(&on(5, KEY + 4));
    let mut saved = host();
    saved.set(&moved);
    let mut first = EventBuffer::new();
    first.push(&at(0, "mpe", 1.0));
    played(&mut saved, &first);
    let state = saved.save();
    saved.reset();
    let expected = played(&mut saved, &chord);
    let mut other = Host::of(StatewaveInstrument::CLAP_ID);
    assert!(other.load(&state));
    other.activate(48_000.0, 4_096);
    for (id, value) in moved {
        assert!((other.value(id) - value).abs() < 1e-6, "{id}");
    }
    assert!(
        played(&mut other, &chord) == expected,
        "it sounds otherwise"
    );
    assert!(!other.load(&[0xff; 64]), "rubbish is taken for a state");
}

#[test]
fn a_project_keeps_what_a_preset_has_set() {
    let preset = &factory(Side::Instrument)[7];
    let params = InstrumentParams::default();
    let values: Vec<(String, f64)> = params
        .handles()
        .into_iter()
        .filter_map(|(id, handle)| {
            let plain = *preset.values.get(&id)?;
            // What has steps, a host has by their numbers.
            let value = match handle.choices() {
                0 => handle.normalised(plain),
                _ => plain,
            };
            Some((id, f64::from(value)))
        })
        .collect();
    assert_eq!(values.len(), preset.values.len());
    let values: Vec<(&str, f64)> = values.iter().map(|(id, v)| (&**id, *v)).collect();
    let mut chord = EventBuffer::new();
    chord.push(&on(0, KEY));
    let plain = played(&mut host(), &chord);
    let mut saved = host();
    saved.set(&values);
    let state = saved.save();
    saved.reset();
    let expected = played(&mut saved, &chord);
    assert!(expected != plain, "it sounds as if nothing was set");
    let mut other = Host::of(StatewaveInstrument::CLAP_ID);
    assert!(other.load(&state));
    other.activate(48_000.0, 4_096);
    for (id, value) in values {
        assert!((other.value(id) - value).abs() < 1e-6, "{id}");
    }
    assert!(
        played(&mut other, &chord) == expected,
        "it sounds otherwise"
    );
}

#[test]
fn texts_are_read_as_they_are_shown() {
    let mut host = Host::of(StatewaveInstrument::CLAP_ID);
    let texts = host.texts();
    assert_eq!(texts.len(), 19);
    for (name, texts) in texts {
        for text in texts {
            let back = text
                .back
                .unwrap_or_else(|| panic!("{name}: {} is not read", text.text));
            assert!(
                (back - text.value).abs() < 0.02,
                "{name}: {} is read as {back}",
                text.text
            );
        }
    }
    let pages = host.remote_pages();
    let lengths: Vec<_> = pages.iter().map(Vec::len).collect();
    assert_eq!(lengths, [8, 8]);
}
