//! Promise: a slot keeps what one note remembers, and a note that it is put back into goes on as that one did, to the bit, in
//! whatever voice and at whatever rate; new notes begin from it; nothing here clicks, is above full scale, or is no number.

mod instrument_common;

use std::sync::Arc;

use assert_no_alloc::assert_no_alloc;
use instrument_common::{held, model, of, off, on, played};
use proptest::prelude::*;
use statewave::instrument::{Event, Happening, Instrument, InstrumentControls, Which};
use statewave::model::instrument::InstrumentModel;
use statewave::state::{Bank, BankKey, SLOTS, StateControls, StateError};
use statewave::telemetry::Deltas;

#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

const USUAL: StateControls = StateControls {
    freeze: 0.0,
    memory: 1.0,
    store: None,
    recall: false,
    from: 0,
    to: 1,
    morph: 0.0,
};

const RECALL: StateControls = StateControls {
    recall: true,
    ..USUAL
};

/// Samples of a frame of 4 ms.
fn frame(rate: u32) -> usize {
    rate as usize / 250
}

/// An instrument whose blocks are frames.
struct Player {
    instrument: Instrument,
    rate: u32,
    usual: InstrumentControls,
}

impl Player {
    fn new(model: &Arc<InstrumentModel>, rate: u32, name: &str) -> Player {
        Player {
            instrument: Instrument::new(Arc::clone(model), rate, 16),
            rate,
            usual: of(model, name),
        }
    }

    /// So many frames, and the partials of the note on `key` at the end of each.
    fn frames(
        &mut self,
        state: StateControls,
        events: &[Event],
        count: usize,
        key: u8,
    ) -> Vec<Vec<f32>> {
        let len = frame(self.rate);
        let (mut left, mut right) = (vec![0.0; len], vec![0.0; len]);
        let controls = held(&self.usual, state);
        let mut all = Vec::new();
        for i in 0..count {
            let events = if i == 0 { events } else { &[] };
            assert_no_alloc(|| {
                self.instrument
                    .process(&controls, events, &mut left, &mut right);
            });
            let note = self.instrument.notes().find(|note| note.key == key);
            all.push(note.map_or_else(Vec::new, |note| note.partials.to_vec()));
        }
        all
    }

    /// A note of two thirds of a second, of which two moments are kept in the first two slots, and how it went on from each.
    fn kept(&mut self, key: u8) -> [Vec<Vec<f32>>; 2] {
        let bank = self.instrument.bank();
        self.frames(USUAL, &[on(0, key, 0.8)], 20, key);
        [0, 1].map(|slot| {
            bank.want(slot);
            let went_on = self.frames(USUAL, &[], 60, key);
            assert!(
                went_on.iter().all(|frame| !frame.is_empty()),
                "it has ended"
            );
            went_on
        })
    }
}

#[test]
fn a_note_goes_on_from_a_slot_as_the_one_that_was_kept_to_the_bit() {
    let model = model();
    for name in ["piano", "cello", "voice"] {
        let mut first = Player::new(&model, 48_000, name);
        let kept = first.kept(60);
        let bank = first.instrument.bank();
        let (a, b) = (bank.state(0).unwrap(), bank.state(1).unwrap());
        assert!(a != b && a.iter().any(|x| *x != 0.0), "{name}");
        // Another rate, which a state knows nothing of, another voice, and others beside it.
        let mut other = Player::new(&model, 96_000, name);
        other.instrument.adopt_bank(Arc::clone(&bank));
        let before: Vec<Event> = (40..46).map(|key| on(0, key, 0.5)).collect();
        other.frames(USUAL, &before, 3, 40);
        other.frames(USUAL, &[on(0, 60, 0.8)], 33, 60);
        for (morph, went_on) in [(0.0, &kept[0]), (1.0, &kept[1])] {
            other.frames(USUAL, &[], 7, 60);
            let again = other.frames(StateControls { morph, ..RECALL }, &[], 60, 60);
            assert!(again == *went_on, "{name} at {morph}");
        }
    }
}

#[test]
fn between_two_slots_lies_the_straight_line_and_it_is_what_notes_begin_from() {
    let model = model();
    let mut player = Player::new(&model, 48_000, "cello");
    player.kept(60);
    let bank = player.instrument.bank();
    let (a, b) = (bank.state(0).unwrap(), bank.state(1).unwrap());
    for morph in [0.0, 0.25, 1.0] {
        let mut fresh = Player::new(&model, 44_100, "cello");
        fresh.instrument.adopt_bank(Arc::clone(&bank));
        fresh.frames(StateControls { morph, ..RECALL }, &[], 2, 60);
        // Without a note, what is kept is what one would begin from.
        bank.want(3);
        fresh.frames(StateControls { morph, ..RECALL }, &[], 1, 60);
        let truth = a.iter().zip(&b).map(|(a, b)| match morph {
            0.0 => *a,
            1.0 => *b,
            _ => (1.0 - morph) * a + morph * b,
        });
        assert!(
            bank.state(3).unwrap() == truth.collect::<Vec<_>>(),
            "{morph}"
        );
    }
}

#[test]
fn what_is_kept_is_of_the_newest_note_or_of_the_last_or_of_none() {
    let model = model();
    let mut player = Player::new(&model, 48_000, "cello");
    let bank = player.instrument.bank();
    let kept = |player: &mut Player, slot: usize| {
        bank.want(slot);
        player.frames(USUAL, &[], 1, 60);
        bank.state(slot).unwrap()
    };
    player.frames(USUAL, &[], 1, 60);
    assert!(kept(&mut player, 0).iter().all(|x| *x == 0.0), "of no note");
    // The newest of two, whose notes are those of a player of its own.
    player.frames(USUAL, &[on(0, 48, 0.9)], 25, 48);
    player.frames(USUAL, &[on(0, 60, 0.5)], 25, 60);
    let newest = kept(&mut player, 1);
    let mut alone = Player::new(&model, 48_000, "cello");
    let own = alone.instrument.bank();
    alone.frames(USUAL, &[on(0, 60, 0.5)], 25, 60);
    own.want(0);
    alone.frames(USUAL, &[], 1, 60);
    assert!(newest == own.state(0).unwrap());
    // The older one, when the newest is gone; and when that is gone too, and long after, still that.
    let choke = |key| Event {
        sample: 0,
        what: Happening::Choke(Which {
            key: Some(key),
            ..Which::default()
        }),
    };
    player.frames(USUAL, &[choke(60)], 1, 48);
    let older = kept(&mut player, 2);
    assert!(older != newest);
    player.frames(USUAL, &[choke(48)], 1, 48);
    let last = kept(&mut player, 2);
    assert!(last != older && last != newest);
    player.frames(USUAL, &[], 100, 48);
    assert!(kept(&mut player, 3) == last);
    player.instrument.reset();
    player.frames(USUAL, &[], 1, 48);
    assert!(kept(&mut player, 3).iter().all(|x| *x == 0.0));
    assert!(bank.state(2).unwrap() == last, "slots stay");
}

#[test]
fn new_notes_begin_from_what_is_recalled_at_their_sample() {
    const LATE: StateControls = StateControls { from: 1, ..RECALL };
    let model = model();
    let mut player = Player::new(&model, 48_000, "clarinet");
    player.kept(60);
    let bytes = player.instrument.bank().to_bytes();
    let begun = |state: StateControls, when: usize| {
        let mut fresh = Player::new(&model, 48_000, "clarinet");
        fresh.instrument.bank().read(&bytes).unwrap();
        // Recall is on from the start, or comes on with the note.
        let before = if when == 0 { USUAL } else { state };
        fresh.frames(before, &[], 10, 60);
        fresh.frames(state, &[on(77, 60, 0.8)], 30, 60)
    };
    let (usual, late) = (begun(USUAL, 0), begun(LATE, 0));
    assert!(late == begun(LATE, 1), "at its sample");
    assert!(
        late[0] != usual[0],
        "and it is heard from the first frame on"
    );
    // A clarinet swells for a tenth of a second, unless it begins from its sustain.
    let level = |partials: &[f32]| partials.iter().map(|a| a * a).sum::<f32>().sqrt();
    let sustain = level(&player.frames(USUAL, &[], 1, 60)[0]);
    assert!(level(&usual[2]) < 0.1 * sustain && level(&late[2]) > 0.8 * sustain);
    // An empty slot is a note at its start.
    let empty = StateControls { from: 2, ..RECALL };
    assert!(begun(empty, 0) == usual);
    // Let go, notes begin from nothing again.
    let mut player = Player::new(&model, 48_000, "clarinet");
    player.instrument.bank().read(&bytes).unwrap();
    player.frames(RECALL, &[], 10, 60);
    assert!(player.frames(USUAL, &[on(77, 60, 0.8)], 30, 60) == usual);
}

#[test]
fn a_restart_is_a_note_from_nothing_or_from_what_is_recalled() {
    let model = model();
    let mut player = Player::new(&model, 48_000, "clarinet");
    let kept = player.kept(64);
    let bank = player.instrument.bank();
    let again = |state: StateControls, restart: bool| {
        let mut fresh = Player::new(&model, 48_000, "clarinet");
        fresh.instrument.adopt_bank(Arc::clone(&bank));
        fresh.frames(
            StateControls {
                recall: false,
                ..state
            },
            &[on(0, 64, 0.8)],
            30,
            64,
        );
        if state.recall {
            fresh.frames(state, &[], 30, 64);
        }
        if restart {
            fresh.instrument.restart_state();
        }
        fresh.frames(state, &[], 60, 64)
    };
    let nothing = again(USUAL, true);
    assert!(nothing != again(USUAL, false));
    // An empty slot that is put back at the same frame.
    let mut fresh = Player::new(&model, 48_000, "clarinet");
    fresh.frames(USUAL, &[on(0, 64, 0.8)], 30, 64);
    assert!(fresh.frames(RECALL, &[], 60, 64) == nothing);
    assert!(again(RECALL, true) == kept[0]);
    assert!(again(RECALL, false) != kept[0]);
}

/// The largest step from one sample to the next.
fn most_step(x: &[f32]) -> f32 {
    let steps = x.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    steps.fold(0.0, f32::max)
}

#[test]
fn nothing_that_is_done_to_a_note_clicks() {
    let model = model();
    let sung = |name: &str, states: &[StateControls]| {
        let mut instrument = Instrument::new(Arc::clone(&model), 48_000, 4);
        let bank = instrument.bank();
        let usual = of(&model, name);
        let mut all = Vec::new();
        for (i, state) in states.iter().enumerate() {
            let events = if i == 0 { vec![on(0, 45, 0.8)] } else { vec![] };
            if i == 2 {
                bank.want(0);
            }
            all.extend(
                played(
                    &mut instrument,
                    &held(&usual, *state),
                    &events,
                    4_800,
                    &[480],
                )
                .0,
            );
        }
        all
    };
    for name in ["choir", "cello", "piano"] {
        let usual = most_step(&sung(name, &[USUAL; 20]));
        let frozen = StateControls {
            freeze: 1.0,
            ..USUAL
        };
        let mut freezes = [USUAL; 20];
        freezes[6..12].fill(frozen);
        freezes[15] = frozen;
        // From the slot to an empty one, which is the farthest that there is, by leaps and by the morph.
        let mut recalls = [USUAL; 20];
        for i in 4..20 {
            recalls[i] = match i % 4 {
                0 => RECALL,
                1 => StateControls { from: 2, ..RECALL },
                2 => StateControls {
                    morph: 1.0,
                    ..RECALL
                },
                _ => USUAL,
            };
        }
        for states in [freezes, recalls] {
            let sound = sung(name, &states);
            let found = most_step(&sound);
            assert!(
                found <= 1.5 * usual,
                "{name}: {found} where {usual} is usual"
            );
        }
    }
}

#[test]
fn freezing_and_letting_go_is_continuous_from_frame_to_frame() {
    let model = model();
    let frozen = StateControls {
        freeze: 1.0,
        ..USUAL
    };
    let loudest = |frames: &[Vec<f32>]| {
        let moved = frames.windows(2).map(|pair| {
            let change = pair[0].iter().zip(&pair[1]).map(|(a, b)| (a - b).abs());
            change.fold(0.0, f32::max)
        });
        moved.fold(0.0, f32::max)
    };
    for name in ["piano", "cello", "flute"] {
        let mut usual = Player::new(&model, 48_000, name);
        let truth = loudest(&usual.frames(USUAL, &[on(0, 60, 0.8)], 150, 60));
        let mut player = Player::new(&model, 48_000, name);
        let mut all = player.frames(USUAL, &[on(0, 60, 0.8)], 50, 60);
        all.extend(player.frames(frozen, &[], 50, 60));
        all.extend(player.frames(USUAL, &[], 50, 60));
        let (freezing, going_on) = (loudest(&all[49..70]), loudest(&all[99..]));
        assert!(
            freezing <= truth && going_on <= truth,
            "{name}: {freezing} and {going_on} where {truth} is usual"
        );
        assert!(
            loudest(&all[70..100]) < 0.02 * truth,
            "{name}: it does not stand"
        );
    }
}

#[test]
fn blocks_make_no_difference_to_what_is_recalled_and_morphed() {
    let model = model();
    let mut player = Player::new(&model, 48_000, "cello");
    player.kept(60);
    let bank = player.instrument.bank();
    let events = [on(100, 60, 0.8), on(2_000, 64, 0.7), off(7_000, 60)];
    let heard = |block: usize| {
        let mut instrument = Instrument::new(Arc::clone(&model), 44_100, 8);
        instrument.adopt_bank(Arc::clone(&bank));
        let usual = of(&model, "cello");
        let mut all = played(
            &mut instrument,
            &held(&usual, RECALL),
            &events,
            8_000,
            &[block],
        )
        .0;
        let there = StateControls {
            morph: 1.0,
            ..RECALL
        };
        instrument.restart_state();
        all.extend(
            played(
                &mut instrument,
                &held(&usual, there),
                &[on(50, 70, 0.4)],
                8_000,
                &[block],
            )
            .0,
        );
        all
    };
    let whole = heard(8_000);
    for block in [1, 64, 441] {
        assert!(heard(block) == whole, "blocks of {block}");
    }
}

#[test]
fn slots_go_into_bytes_and_back_and_only_to_their_own_model() {
    let model = model();
    let mut player = Player::new(&model, 48_000, "harp");
    player.kept(60);
    let bank = player.instrument.bank();
    let key = bank.key();
    assert_eq!(
        (key.model.as_str(), key.sample_rate, key.streams),
        (model.sha256(), 250, 1)
    );
    let bytes = bank.to_bytes();
    let fresh = Instrument::new(Arc::clone(&model), 192_000, 1);
    fresh.bank().read(&bytes).unwrap();
    for slot in 0..SLOTS {
        assert!(fresh.bank().state(slot) == bank.state(slot));
    }
    let other = Arc::new(Bank::new(BankKey {
        model: "0".repeat(64),
        ..key.clone()
    }));
    let refused = other.read(&bytes).unwrap_err();
    assert!(matches!(refused, StateError::Model { .. }), "{refused}");
    let back = player.instrument.adopt_bank(Arc::clone(&other));
    assert!(Arc::ptr_eq(&back, &other) && Arc::ptr_eq(&player.instrument.bank(), &bank));
}

#[test]
fn untouched_controls_change_no_bit() {
    let model = model();
    let touched = StateControls {
        morph: 0.7,
        from: 3,
        to: 2,
        store: Some(1),
        ..USUAL
    };
    let heard = |state| {
        let mut instrument = Instrument::new(Arc::clone(&model), 48_000, 4);
        let controls = held(&of(&model, "trumpet"), state);
        played(
            &mut instrument,
            &controls,
            &[on(5, 60, 1.0), off(9_000, 60)],
            20_000,
            &[333],
        )
    };
    assert!(heard(USUAL) == heard(touched));
}

#[test]
fn what_is_shown_of_delta_is_that_of_the_newest_note_at_its_pace() {
    let model = model();
    let shown = |state: StateControls, before: &[Event]| {
        let mut player = Player::new(&model, 48_000, "cello");
        player.frames(USUAL, before, 10, 48);
        player.frames(state, &[on(0, 60, 0.8)], 1, 60);
        player.instrument.observe(true);
        player.frames(state, &[], 1, 60);
        (player.instrument.deltas(), player.instrument.pace())
    };
    let (alone, pace) = shown(USUAL, &[]);
    assert!(alone.layers > 0 && pace == 1.0);
    assert!(
        alone.values[..alone.layers]
            .iter()
            .flatten()
            .all(|delta| *delta > 0.0)
    );
    let others: Vec<Event> = (40..46).map(|key| on(0, key, 0.9)).collect();
    assert_eq!(shown(USUAL, &others).0, alone, "others are not in it");
    let mut silent = Player::new(&model, 48_000, "cello");
    silent.frames(USUAL, &[on(0, 60, 0.8)], 2, 60);
    assert_eq!(
        silent.instrument.deltas().values,
        Deltas::default().values,
        "nobody looks"
    );
    // Of a pace that is there from the start, what the first layer hears is the same.
    let slow = |memory| {
        let mut player = Player::new(&model, 48_000, "cello");
        player.instrument.observe(true);
        player.frames(StateControls { memory, ..USUAL }, &[on(0, 60, 0.8)], 2, 60);
        player.instrument.deltas().values[0].iter().sum::<f32>()
    };
    assert!((4.0 * slow(4.0) / slow(1.0) - 1.0).abs() < 1e-4);
    let frozen = StateControls {
        freeze: 1.0,
        ..USUAL
    };
    let mut player = Player::new(&model, 48_000, "cello");
    player.instrument.observe(true);
    player.frames(frozen, &[on(0, 60, 0.8)], 2, 60);
    assert_eq!(
        (player.instrument.deltas().values, player.instrument.pace()),
        (Deltas::default().values, 0.0)
    );
}

/// What is done in a block, and what is played meanwhile.
#[derive(Debug, Clone)]
struct Op {
    len: usize,
    state: StateControls,
    key: u8,
    velocity: f32,
    event: u8,
    restart: bool,
    reset: bool,
    wild: bool,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let freeze = prop_oneof![Just(0.0f32), Just(1.0), 0.0f32..1.0, Just(f32::NAN)];
    let memory = prop_oneof![Just(1.0f32), Just(0.25), 0.01f32..100.0];
    let place = (
        0usize..SLOTS + 1,
        0usize..SLOTS,
        prop_oneof![Just(0.0f32), Just(1.0), -1.0f32..2.0],
    );
    let rare = || prop_oneof![9 => Just(false), 1 => Just(true)];
    let note = (20u8..108, 0.0f32..=1.0, 0u8..6);
    let store = proptest::option::of(0usize..SLOTS + 1);
    let op = (
        1usize..1_500,
        freeze,
        memory,
        store,
        place,
        note,
        rare(),
        rare(),
        rare(),
    );
    let op = op.prop_map(
        |(
            len,
            freeze,
            memory,
            store,
            (from, to, morph),
            (key, velocity, event),
            restart,
            reset,
            wild,
        )| Op {
            len,
            state: StateControls {
                freeze,
                memory,
                store,
                // From the first sample on something is being done.
                recall: true,
                from,
                to,
                morph,
            },
            key,
            velocity,
            event,
            restart,
            reset,
            wild,
        },
    );
    proptest::collection::vec(op, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_done_makes_a_nan_or_more_than_full_scale(ops in ops(), gain in 0.0f32..8.0) {
        let model = model();
        let mut instrument = Instrument::new(Arc::clone(&model), 48_000, 6);
        let bank = instrument.bank();
        for (i, op) in ops.iter().enumerate() {
            if op.reset {
                instrument.reset();
            }
            if op.restart {
                instrument.restart_state();
            }
            if op.wild {
                // What no note would come to, as a project's bytes may have it.
                prop_assert!(bank.fill(i % SLOTS, &vec![[1e30, -3e4, 1e-40][i % 3]; bank.key().len]));
            }
            let what = match op.event {
                0 => off(0, op.key).what,
                1 => Happening::Choke(Which::default()),
                2 => Happening::Sustain { channel: 0, down: op.key % 2 == 0 },
                _ => on(0, op.key, op.velocity).what,
            };
            let events = [Event { sample: op.len / 2, what }, on(op.len / 2, 60 + (i % 12) as u8, 1.0)];
            let controls = InstrumentControls { state: op.state, gain, a: i, b: i % 5, morph: op.velocity, ..InstrumentControls::default() };
            let (mut left, mut right) = (vec![0.0; op.len], vec![0.0; op.len]);
            assert_no_alloc(|| instrument.process(&controls, &events, &mut left, &mut right));
            for x in left.iter().chain(&right) {
                prop_assert!(x.is_finite() && x.abs() <= 1.0, "{x}");
            }
        }
        for slot in 0..SLOTS {
            prop_assert!(bank.state(slot).is_none_or(|state| state.iter().all(|x| x.is_finite())));
        }
    }
}
