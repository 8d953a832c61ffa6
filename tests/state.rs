//! Promise: a state that is frozen, slowed, kept, put back or mixed makes no step, and is what it was told to be.

mod kernel_common;
mod state_common;

use std::sync::Arc;

use kernel_common::Noise;
use proptest::prelude::*;
use state_common::{KINDS, Kind, Played, USUAL, most_step, peak};
use statewave::state::{Bank, Hand, Memory, SLOTS, StateControls};

#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_lies_between_two_slots_is_never_more_than_the_larger(a in proptest::collection::vec(-1e30f32..1e30, 64), b in proptest::collection::vec(-1e30f32..1e30, 64), morph in 0.0f32..=1.0) {
        let mut memory = state_common::Plain::new(64);
        let bank = Arc::clone(memory.bank());
        prop_assert!(bank.fill(2, &a) && bank.fill(3, &b));
        let mut hand = Hand::default();
        hand.set(&StateControls { recall: true, from: 2, to: 3, morph, ..USUAL });
        prop_assert!(hand.step(&mut memory, 0.01), "a state that was put back has leapt");
        for ((x, a), b) in memory.values.iter().zip(&a).zip(&b) {
            prop_assert!(x.abs() <= a.abs().max(b.abs()));
        }
        if morph == 0.0 || morph == 1.0 {
            prop_assert_eq!(&memory.values, if morph == 0.0 { &a } else { &b });
        }
    }

    #[test]
    fn damaged_bytes_are_refused_and_change_nothing(cut in 0usize..400, at in 0usize..400, byte: u8) {
        let mut memory = state_common::Plain::new(8);
        memory.values.fill(0.5);
        let bank = Arc::clone(memory.bank());
        prop_assert!(bank.fill(1, &[0.5; 8]) && bank.fill(3, &[-2.0; 8]));
        let bytes = bank.to_bytes();
        let other = Bank::new(bank.key().clone());
        let short = &bytes[..cut.min(bytes.len() - 1)];
        prop_assert!(other.read(short).is_err() || short.is_empty());
        let mut wrong = bytes.clone();
        let at = at % wrong.len();
        wrong[at] = byte;
        // A changed value is another state; anything else is found.
        let done = other.read(&wrong);
        let kept: Vec<_> = (0..SLOTS).filter_map(|slot| other.state(slot)).collect();
        prop_assert!(kept.iter().flatten().all(|x| x.is_finite()));
        prop_assert!(done.is_ok() || kept.is_empty());
    }
}

#[test]
fn a_morph_at_its_ends_is_the_slots_for_every_kind() {
    for kind in KINDS {
        let mut played = Played::new(kind, 48_000);
        played.set(&USUAL);
        let mut noise = Noise(11);
        for slot in [0, 1] {
            played.process(&mut noise.vec(9_600, 0.3));
            played.set(&StateControls {
                store: Some(slot),
                ..USUAL
            });
            played.process(&mut noise.vec(4_800, 0.3));
            played.set(&USUAL);
        }
        let bank = played.bank();
        assert_eq!(bank.filled(), [true, true, false, false], "{kind:?}");
        let (a, b) = (bank.state(0).unwrap(), bank.state(1).unwrap());
        assert!(a != b && peak(&a) > 0.0, "{kind:?}");
        for (morph, truth) in [(0.0, &a), (1.0, &b)] {
            // What is frozen behind the recall is what was put back; only what no Δ governs moves on.
            let hold = StateControls {
                recall: true,
                freeze: 1.0,
                morph,
                ..USUAL
            };
            let mut fresh = Played::new(kind, 48_000);
            let old = fresh.adopt(Arc::clone(&bank));
            assert_ne!(Arc::as_ptr(&old), Arc::as_ptr(&bank));
            fresh.set(&hold);
            assert!(fresh.recalled() == *truth, "{kind:?} at {morph}");
        }
        let mut fresh = Played::new(kind, 48_000);
        fresh.adopt(Arc::clone(&bank));
        fresh.set(&StateControls {
            recall: true,
            morph: 0.25,
            ..USUAL
        });
        let ends = a.iter().zip(&b);
        let mixed = fresh.recalled();
        let off = mixed
            .iter()
            .zip(ends)
            .map(|(x, (a, b))| (x - (0.75 * a + 0.25 * b)).abs());
        assert!(
            off.fold(0.0, f32::max) <= 1e-6 * (peak(&a) + peak(&b)),
            "{kind:?}"
        );
    }
}

#[test]
fn freezing_and_letting_go_makes_no_step() {
    for kind in KINDS {
        if kind == Kind::Continue {
            // Its sound is drawn, and has steps of its own: the state's continuity is tested in tests/pace.rs.
            continue;
        }
        let sound = state_common::tone(3 * 48_000);
        let mut usual = sound.clone();
        let mut played = Played::new(kind, 48_000);
        played.set(&USUAL);
        played.process(&mut usual);
        // What a model takes away it may let through for a while, but no more than that.
        let truth = most_step(&usual[24_000..]).max(most_step(&sound));
        let mut audio = sound.clone();
        let mut played = Played::new(kind, 48_000);
        let (first, rest) = audio.split_at_mut(48_000);
        let (second, third) = rest.split_at_mut(48_000);
        for (part, freeze) in [(first, 0.0), (second, 1.0), (third, 0.0)] {
            played.set(&StateControls { freeze, ..USUAL });
            part.chunks_mut(700).for_each(|block| played.process(block));
        }
        let found = most_step(&audio[24_000..]);
        assert!(
            found <= 1.5 * truth,
            "{kind:?}: {found} where {truth} is usual"
        );
        let differs = audio[60_000..90_000].iter().zip(&usual[60_000..]);
        let off = differs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off > 1e-4, "{kind:?}: a frozen state sounds like another");
    }
}

#[test]
fn a_state_that_is_put_back_makes_no_step_either() {
    for kind in [Kind::Denoise, Kind::Drive, Kind::Opto] {
        let sound = state_common::tone(48_000);
        let mut usual = sound.clone();
        let mut played = Played::new(kind, 48_000);
        played.set(&USUAL);
        played.process(&mut usual);
        // What a model takes away it may let through for a while, but no more than that.
        let truth = most_step(&usual[24_000..]).max(most_step(&sound));
        let mut audio = sound;
        let mut played = Played::new(kind, 48_000);
        played.set(&USUAL);
        // An empty slot is a stream at its start: the farthest that a state can leap here.
        for (i, block) in audio.chunks_mut(480).enumerate() {
            played.set(&StateControls {
                recall: i % 20 > 10,
                ..USUAL
            });
            played.process(block);
        }
        let found = most_step(&audio[24_000..]);
        assert!(
            found <= 1.5 * truth,
            "{kind:?}: {found} where {truth} is usual"
        );
    }
}

#[test]
fn untouched_controls_change_no_bit_and_neither_does_what_was_touched_once() {
    for kind in KINDS {
        let sound = Noise(12).vec(30_000, 0.3);
        let (mut plain, mut touched) = (Played::new(kind, 48_000), Played::new(kind, 48_000));
        let (mut a, mut b) = (sound.clone(), sound);
        plain.set(&USUAL);
        touched.set(&StateControls {
            morph: 0.7,
            from: 3,
            to: 2,
            store: Some(1),
            ..USUAL
        });
        plain.process(&mut a);
        b.chunks_mut(333).for_each(|block| touched.process(block));
        assert!(a == b, "{kind:?}");
    }
}

#[test]
fn a_restart_is_a_stream_at_its_start_or_the_slot_that_is_recalled() {
    for kind in [Kind::Drive, Kind::Opto] {
        let mut noise = Noise(13);
        let mut played = Played::new(kind, 48_000);
        played.set(&USUAL);
        // Whole looks of 32 samples, so that both streams are looked at together.
        played.process(&mut noise.vec(3_200, 0.5));
        played.restart();
        let later = noise.vec(6_400, 0.5);
        let (mut again, mut fresh) = (later.clone(), later);
        played.process(&mut again);
        let mut first = Played::new(kind, 48_000);
        first.set(&USUAL);
        first.process(&mut fresh);
        // Behind the join it is the same to the bit.
        assert!(again[240..] == fresh[240..], "{kind:?}");
        assert!(again[..240] != fresh[..240], "{kind:?}");
    }
}

#[test]
fn what_is_shown_of_delta_is_what_was_taken() {
    let shown = |state: StateControls| {
        let mut played = Played::new(Kind::Denoise, 48_000);
        let mut reader = played.watch();
        played.set(&state);
        played.process(&mut Noise(16).vec(4_800, 0.3));
        std::iter::from_fn(|| reader.read())
            .last()
            .expect("frames were shown")
    };
    let sum = |snapshot: &statewave::telemetry::Snapshot| -> f32 {
        snapshot.delta.values.iter().flatten().sum()
    };
    let (usual, frozen) = (
        shown(USUAL),
        shown(StateControls {
            freeze: 1.0,
            ..USUAL
        }),
    );
    assert_eq!((usual.pace, frozen.pace, sum(&frozen)), (1.0, 0.0, 0.0));
    let slow = shown(StateControls {
        memory: 64.0,
        ..USUAL
    });
    assert_eq!(slow.pace, 1.0 / 64.0);
    // The first layer hears the same; others hear what it makes of it.
    let (own, scaled): (f32, f32) = (
        usual.delta.values[0].iter().sum(),
        slow.delta.values[0].iter().sum(),
    );
    assert!(
        own > 0.0 && (64.0 * scaled / own - 1.0).abs() < 1e-3,
        "{own} and {scaled}"
    );
}
