//! What the notes of the instrument remember, in a host: automated at a sample, kept with the project, begun anew by the transport.

use clack_host::events::event_types::NoteOnEvent;
use clack_host::events::io::EventBuffer;
use clack_host::prelude::*;
use nice_plug::prelude::ClapPlugin;
use statewave::instrument::{Event, Happening, Instrument};
use statewave::state::{Bank, BankKey};
use statewave_plugin::StatewaveInstrument;
use statewave_plugin::instrument::{InstrumentParams, Slots, shipped};
use statewave_plugin::state::KeepsStates as _;

use crate::clap_host::{Host, at, with_field};
use crate::held::{self, without_slots};

const BLOCK: usize = 512;

/// What happens at a sample.
#[derive(Clone, Copy)]
enum Move {
    Note(u8),
    Value(&'static str, f64),
}

use Move::{Note, Value};

/// Notes, and automation of every parameter of the state.
const MOVES: [(usize, Move); 14] = [
    (100, Note(60)),
    (2_000, Value("memory", 0.0)),
    (6_003, Value("store", 1.0)),
    (9_001, Value("freeze", 1.0)),
    (10_000, Note(64)),
    (14_000, Value("store", 2.0)),
    (15_555, Value("freeze", 0.25)),
    (17_000, Value("recall", 1.0)),
    (17_000, Note(67)),
    (19_001, Value("state-morph", 0.6)),
    (21_000, Value("recall-to", 2.0)),
    (22_000, Value("recall-from", 1.0)),
    (23_333, Value("recall", 0.0)),
    (23_400, Note(72)),
];

fn unplugged() -> Host {
    Host::of(StatewaveInstrument::CLAP_ID)
}

fn host() -> Host {
    let mut host = unplugged();
    host.activate(48_000.0, BLOCK as u32);
    host
}

/// The left of `len` samples, a whole number of blocks.
fn played(host: &mut Host, moves: &[(usize, Move)], len: usize) -> Vec<f32> {
    let mut all = vec![9.0; len];
    let mut right = vec![9.0; BLOCK];
    for (i, left) in all.chunks_exact_mut(BLOCK).enumerate() {
        let begin = i * BLOCK;
        let within = |(sample, _): &&(usize, Move)| (begin..begin + BLOCK).contains(sample);
        let mut events = EventBuffer::new();
        for (sample, what) in moves.iter().filter(within) {
            let sample = (sample - begin) as u32;
            match *what {
                Note(key) => {
                    let note = Pckn::new(0u16, 0u16, u16::from(key), u32::from(key));
                    events.push(&NoteOnEvent::new(sample, note, 0.8));
                }
                Value(id, value) => events.push(&at(sample, id, value)),
            }
        }
        host.play(left, &mut right, &events);
    }
    all
}

#[test]
fn automation_does_at_its_sample_what_the_library_does() {
    let len = 56 * BLOCK;
    let heard = played(&mut host(), &MOVES, len);
    let mut instrument = Instrument::new(shipped().expect("it is whole"), 48_000, 32);
    let mut controls = InstrumentParams::default().controls();
    let mut expected = vec![9.0; len];
    let mut right = vec![9.0; len];
    // Blocks of the host's, cut where a value moves.
    let moved = MOVES.iter().filter(|(_, what)| matches!(what, Value(..)));
    let mut cuts: Vec<usize> = (0..=len).step_by(BLOCK).collect();
    cuts.extend(moved.map(|(sample, _)| *sample));
    cuts.sort_unstable();
    cuts.dedup();
    for cut in cuts.windows(2) {
        let mut events = Vec::new();
        for (sample, what) in MOVES
            .iter()
            .filter(|(sample, _)| (cut[0]..cut[1]).contains(sample))
        {
            match *what {
                Value(id, value) => held::controls(id, value, &mut controls.state),
                Note(key) => events.push(Event {
                    sample: sample - cut[0],
                    what: Happening::On {
                        id: Some(i32::from(key)),
                        channel: 0,
                        key,
                        velocity: 0.8,
                    },
                }),
            }
        }
        let part = cut[0]..cut[1];
        instrument.process(
            &controls,
            &events,
            &mut expected[part.clone()],
            &mut right[part],
        );
    }
    assert_eq!(instrument.bank().filled(), [true, true, false, false]);
    assert!(heard == expected);
}

#[test]
fn a_project_keeps_its_slots_and_a_new_instance_goes_on_from_them() {
    let mut saved = host();
    let moves = [
        (0, Note(60)),
        (12_000, Value("store", 1.0)),
        (20_000, Value("store", 3.0)),
    ];
    played(&mut saved, &moves, 48 * BLOCK);
    saved.set(&[
        ("recall", 1.0),
        ("freeze", 0.5),
        ("recall-to", 2.0),
        ("state-morph", 0.5),
    ]);
    let state = saved.save();
    let chord = [(300, Note(60)), (2_000, Note(67))];
    let heard_of = |state: Option<&[u8]>, rate: f64| {
        let mut host = unplugged();
        if let Some(state) = state {
            // Before activation, and twice, as hosts do.
            assert!(host.load(state) && host.load(state));
            assert!(
                json(&host.save()) == json(state),
                "what waits for its model is kept"
            );
        }
        host.activate(rate, BLOCK as u32);
        let audio = played(&mut host, &chord, 40 * BLOCK);
        (audio, host.save())
    };
    let (once, again) = (
        heard_of(Some(&state), 48_000.0),
        heard_of(Some(&state), 48_000.0),
    );
    assert!(once.0 == again.0 && once.1 == state);
    // The instance that was saved sounds like that too.
    saved.reset();
    assert!(played(&mut saved, &chord, 40 * BLOCK) == once.0);
    // So it does at another rate, as far as there it can be the same.
    assert!(heard_of(Some(&state), 96_000.0).1 == state);
    // Without the slots what is recalled is a note at its start.
    let (empty, _) = heard_of(Some(&without_slots(&state)), 48_000.0);
    let (plain, _) = heard_of(None, 48_000.0);
    assert!(once.0 != empty && once.0 != plain && empty != plain);
    // A project without them, as an older version has saved it, takes them from an instance that had some.
    let mut used = host();
    assert!(used.load(&state) && used.load(&before_there_were_slots(&state)));
    assert!(String::from_utf8_lossy(&used.save()).contains(r#""states":"\"\"""#));
    assert_eq!(
        (used.value("recall"), used.value("recall-to").round()),
        (0.0, 1.0)
    );
}

/// What is in a saved state.
fn json(state: &[u8]) -> serde_json::Value {
    serde_json::from_slice(&state[8..]).expect("a state is JSON")
}

/// The state as it was saved when notes had but freeze and memory time.
fn before_there_were_slots(state: &[u8]) -> Vec<u8> {
    let mut json = json(state);
    for id in [
        "store",
        "recall",
        "recall-from",
        "recall-to",
        "state-morph",
        "reset-on-start",
    ] {
        let params = json["params"].as_object_mut().expect("it has parameters");
        assert!(params.remove(id).is_some(), "{id}");
    }
    let fields = json["fields"].as_object_mut().expect("it has fields");
    assert!(fields.remove("states").is_some());
    let json = serde_json::to_vec(&json).expect("it is JSON");
    [(json.len() as u64).to_le_bytes().as_slice(), &json].concat()
}

#[test]
fn slots_of_another_model_are_refused_with_the_reason_and_are_not_lost() {
    let mut instrument = Instrument::new(shipped().expect("it is whole"), 48_000, 4);
    let own = instrument.bank();
    let other = Bank::new(BankKey {
        model: "0".repeat(64),
        ..own.key().clone()
    });
    assert!(other.fill(1, &vec![0.5; own.key().len]));
    let bytes = other.to_bytes();
    let slots = Slots::default();
    slots.restore_states(Some(bytes.clone()));
    assert!(slots.fault().is_none() && slots.bank().is_none());
    slots.settle(&mut instrument);
    let fault = slots.fault().expect("they are of another model");
    assert!(fault.what.contains("another model"), "{fault:?}");
    assert_eq!(own.filled(), [false; 4]);
    assert!(
        slots.kept_states() == bytes,
        "nothing that a project held is lost"
    );
    slots.dismiss();
    assert!(slots.fault().is_none() && slots.kept_states() == bytes);
    // Its own come in while it plays.
    let mine = Bank::new(own.key().clone());
    assert!(mine.fill(2, &vec![0.5; own.key().len]));
    slots.restore_states(Some(mine.to_bytes()));
    assert!(slots.fault().is_none());
    assert_eq!(instrument.bank().filled(), [false, false, true, false]);
    slots.restore_states(None);
    let fault = slots.fault().expect("they could not be read");
    assert!(fault.what.contains("damaged"), "{fault:?}");
    // In a host it plays on without them.
    let mut host = unplugged();
    let state = with_field(&host.save(), "states", "\"AAAA\"");
    assert!(host.load(&state));
    host.activate(48_000.0, BLOCK as u32);
    assert!(
        played(&mut host, &[(0, Note(60))], 8 * BLOCK)
            .iter()
            .any(|x| x.abs() > 1e-3)
    );
}

#[test]
fn the_transport_begins_the_notes_memory_anew_where_it_is_asked_to() {
    let heard_of = |asked: f64, starts: bool| {
        let mut host = host();
        host.set(&[("reset-on-start", asked)]);
        host.transport = Some(false);
        played(&mut host, &[(0, Note(60))], 20 * BLOCK);
        host.transport = Some(starts);
        played(&mut host, &[], 20 * BLOCK)
    };
    let usual = heard_of(0.0, false);
    assert!(usual == heard_of(0.0, true) && usual == heard_of(1.0, false));
    let mut instrument = Instrument::new(shipped().expect("it is whole"), 48_000, 32);
    let controls = InstrumentParams::default().controls();
    let what = Happening::On {
        id: Some(60),
        channel: 0,
        key: 60,
        velocity: 0.8,
    };
    let (mut left, mut right) = (vec![0.0; 20 * BLOCK], vec![0.0; 20 * BLOCK]);
    instrument.process(
        &controls,
        &[Event { sample: 0, what }],
        &mut left,
        &mut right,
    );
    instrument.restart_state();
    instrument.process(&controls, &[], &mut left, &mut right);
    assert!(left != usual);
    assert!(left == heard_of(1.0, true));
}
