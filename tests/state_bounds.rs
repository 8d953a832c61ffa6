//! Promise: whatever is done to a state, nothing is no number, and nothing is louder than twice the input.

mod kernel_common;
mod state_common;

use kernel_common::Noise;
use proptest::prelude::*;
use state_common::{KINDS, Kind, Played, USUAL, peak};
use statewave::state::{SLOTS, StateControls};

#[global_allocator]
static ALLOCATOR: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

/// A block of sound, loud or not, and what is done meanwhile.
#[derive(Debug, Clone)]
struct Op {
    len: usize,
    level: f32,
    controls: StateControls,
    restart: bool,
    reset: bool,
    broken: bool,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let freeze = prop_oneof![Just(0.0f32), Just(1.0), 0.0f32..1.0, Just(f32::NAN)];
    let memory = prop_oneof![Just(1.0f32), Just(0.25), 0.01f32..100.0];
    let store = proptest::option::of(0usize..SLOTS + 1);
    let place = (
        0usize..SLOTS + 1,
        0usize..SLOTS,
        prop_oneof![Just(0.0f32), Just(1.0), -1.0f32..2.0],
    );
    let rare = || prop_oneof![9 => Just(false), 1 => Just(true)];
    let level = prop_oneof![Just(0.0f32), Just(0.01), Just(0.3), Just(1.0)];
    let op = (
        1usize..1500,
        level,
        freeze,
        memory,
        store,
        any::<bool>(),
        place,
        rare(),
        rare(),
        rare(),
    );
    let op = op.prop_map(
        |(len, level, freeze, memory, store, recall, (from, to, morph), restart, reset, broken)| {
            Op {
                len,
                level,
                controls: StateControls {
                    freeze,
                    memory,
                    store,
                    recall,
                    from,
                    to,
                    morph,
                },
                restart,
                reset,
                broken,
            }
        },
    );
    proptest::collection::vec(op, 1..40)
}

/// What is done from the first sample on: a recall, or a pace of its own alone.
fn begun() -> impl Strategy<Value = StateControls> {
    let paced = prop_oneof![
        (0.001f32..=1.0).prop_map(|freeze| (freeze, 1.0)),
        prop_oneof![0.25f32..0.9, 1.1f32..64.0].prop_map(|memory| (0.0, memory)),
    ];
    prop_oneof![
        Just(StateControls {
            recall: true,
            ..USUAL
        }),
        paced.prop_map(|(freeze, memory)| StateControls {
            freeze,
            memory,
            ..USUAL
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_done_makes_a_nan_or_more_than_twice_the_input(first in begun(), ops in ops(), seed: u64, rate in prop_oneof![Just(48_000u32), Just(44_100)]) {
        for kind in KINDS {
            let mut played = Played::new(kind, rate);
            let mut noise = Noise(seed);
            let mut loudest = 0.0f32;
            // From the first sample on something is being done.
            let mut begins = true;
            for op in &ops {
                if op.reset {
                    played.reset();
                    begins = true;
                }
                if std::mem::take(&mut begins) {
                    played.set(&first);
                    let mut audio = noise.vec(64, op.level);
                    loudest = loudest.max(peak(&audio));
                    played.process(&mut audio);
                    let most = kind.bound(loudest);
                    prop_assert!(peak(&audio) <= most, "{kind:?} at first: {} where {most} is allowed", peak(&audio));
                }
                if op.restart {
                    played.restart();
                }
                let mut audio = noise.vec(op.len, op.level);
                loudest = loudest.max(peak(&audio));
                if op.broken {
                    audio[op.len / 2] = [f32::NAN, f32::INFINITY, 1e30][op.len % 3];
                }
                played.set(&op.controls);
                played.process(&mut audio);
                let most = kind.bound(loudest);
                prop_assert!(audio.iter().all(|y| y.is_finite()), "{kind:?}");
                prop_assert!(peak(&audio) <= most, "{kind:?}: {} where {most} is allowed", peak(&audio));
            }
        }
    }

    #[test]
    fn what_knows_its_level_stays_within_twice_what_it_heard(level in prop_oneof![Just(0.02f32), Just(0.1), Just(0.4)], first in begun(), ops in ops(), rate in prop_oneof![Just(16_000u32), Just(48_000)]) {
        let mut played = Played::new(Kind::ContinueLevelled, rate);
        // Low enough to be as loud behind the resampler.
        let mut sound = state_common::tone(rate as usize / 10);
        let gain = level / peak(&sound);
        sound.iter_mut().for_each(|x| *x *= gain);
        let mut begins = true;
        for op in &ops {
            if op.reset {
                played.reset();
                begins = true;
            }
            if std::mem::take(&mut begins) {
                played.goes_on = false;
                played.set(&first);
                played.process(&mut sound.clone());
                played.goes_on = true;
            }
            if op.restart {
                played.restart();
            }
            let mut audio = sound[..op.len].to_vec();
            if op.broken {
                audio[op.len / 2] = f32::NAN;
            }
            played.set(&op.controls);
            played.process(&mut audio);
            let most = 2.01 * level;
            prop_assert!(peak(&audio) <= most, "{} where {most} is allowed", peak(&audio));
        }
    }
}

#[test]
fn what_is_let_go_stays_within_twice_the_input_for_ten_seconds() {
    // A drive is louder than that by itself where its input is soft.
    let mut sound = state_common::tone(48_000);
    sound.iter_mut().for_each(|x| *x *= 0.05);
    let most = Kind::Drive.bound(peak(&sound));
    for held in [
        StateControls {
            freeze: 1.0,
            ..USUAL
        },
        StateControls {
            memory: 8.0,
            ..USUAL
        },
    ] {
        let mut played = Played::new(Kind::Drive, 48_000);
        let mut second = |state: &StateControls| {
            let mut audio = sound.clone();
            played.set(state);
            played.process(&mut audio);
            peak(&audio)
        };
        assert!(second(&USUAL) > most, "it would be no bound");
        for seconds in 0..11 {
            let found = second(if seconds < 2 { &held } else { &USUAL });
            assert!(found <= most, "{found} after {seconds} s of {held:?}");
        }
        second(&USUAL);
        assert!(second(&USUAL) > most, "it is the drive's own again");
    }
}
