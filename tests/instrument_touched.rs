//! Promise: whatever is done to what notes remember, nothing clicks, is above full scale, is no number, or hangs on the blocks; what is
//! shown of it is what was taken; left alone, it changes no bit.

mod instrument_common;

use std::sync::Arc;

use assert_no_alloc::assert_no_alloc;
use instrument_common::player::{Player, RECALL, USUAL};
use instrument_common::{held, model, of, off, on, played};
use proptest::prelude::*;
use statewave::instrument::{Event, Happening, Instrument, InstrumentControls, Which};
use statewave::state::{SLOTS, StateControls};
use statewave::telemetry::Deltas;

#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

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
        for (i, state) in recalls.iter_mut().enumerate().skip(4) {
            *state = match i % 4 {
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
