//! Promise: a slot keeps what one note remembers, and a note that it is put back into goes on as that one did, to the bit, in
//! whatever voice and at whatever rate; new notes begin from it; a restart begins there or from nothing.

mod instrument_common;

use std::sync::Arc;

use instrument_common::player::{Player, RECALL, USUAL};
use instrument_common::{model, on};
use statewave::instrument::{Event, Happening, Instrument, Which};
use statewave::state::{Bank, BankKey, SLOTS, StateControls, StateError};

#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

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
        // Recall is on from the start, or comes on between two frames with the note.
        let before = if when == 0 { USUAL } else { state };
        fresh.frames(before, &[], 10, 60);
        fresh.half(before, &[]);
        fresh.half(state, &[on(0, 60, 0.8)]);
        fresh.frames(state, &[], 30, 60)
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
    assert!(level(&usual[1]) < 0.1 * sustain && level(&late[1]) > 0.8 * sustain);
    // An empty slot is a note at its start.
    let empty = StateControls { from: 2, ..RECALL };
    assert!(begun(empty, 0) == usual);
    // Let go, notes begin from nothing again.
    let mut player = Player::new(&model, 48_000, "clarinet");
    player.instrument.bank().read(&bytes).unwrap();
    player.frames(RECALL, &[], 10, 60);
    player.half(RECALL, &[]);
    player.half(USUAL, &[on(0, 60, 0.8)]);
    assert!(player.frames(USUAL, &[], 30, 60) == usual);
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
