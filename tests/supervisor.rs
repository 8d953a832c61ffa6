//! Promise: whatever a worker does — late, lost, in the wrong order, no numbers, numbers far too large — the sound is that of a
//! stream that was never interrupted, nothing is waited for or allocated, and a take-over runs no more frames at once than the
//! policy says.
//!
//! The worker of these tests runs the same kernels, so the promise can be held to the bit. Its clock is simulated: a
//! result is ready some frames after it was asked for. None comes twice, for a worker can neither copy a job nor make one
//! (`handoff::job::Job` has the proof); what a frame that is sent again brings is of another epoch. Results that are wrong but as
//! loud as right ones are heard: only running the model here would tell them. They are bounded (`supervisor_bounds.rs`).

mod kernel_common;
mod supervisor_common;

use std::sync::Arc;

use assert_no_alloc::AllocDisabler;
use proptest::prelude::*;
use statewave::engine::supervisor::Playing;
use statewave::state::{Hand, Memory, StateControls};
use supervisor_common::{Fate, stream, touched};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn a_punctual_worker_plays() {
    for handoff in [0, 64, 400, 1_000] {
        let supervisor = stream(handoff, 8, 5, 60, false, &[], |_| Fate::After(0));
        let stats = supervisor.stats();
        assert_eq!(supervisor.playing(), Playing::Worker);
        assert_eq!((stats.here, stats.late, stats.lost), (5, 0, 0), "{stats:?}");
        assert_eq!((stats.taken_over, stats.given_back), (0, 1));
    }
}

#[test]
fn a_stall_is_bridged_and_the_worker_plays_again() {
    // 5 s at 150 frames a second, in which nothing comes back; then everything is punctual.
    let stall = 100..850;
    let supervisor = stream(400, 8, 20, 950, false, &[], |seq| {
        if stall.contains(&seq) {
            Fate::After(850 - seq)
        } else {
            Fate::After(0)
        }
    });
    let stats = supervisor.stats();
    assert_eq!((stats.taken_over, stats.given_back), (1, 2), "{stats:?}");
    assert_eq!(supervisor.playing(), Playing::Worker);
    // At the most the frames since the last state that came back.
    assert!(stats.replayed < 8 && stats.most_at_once <= 8, "{stats:?}");
}

/// Of 48 kHz in hops of 320 samples.
const FRAMES_A_SECOND: u64 = 150;

/// Every frame of `touched` is held to what it should be where it is due, so there is no delay that could grow, in a stall
/// or behind it. Here: when the worker's own results are heard again.
#[test]
fn behind_a_stall_of_five_seconds_the_worker_is_heard_within_100_ms() {
    let (begins, ends) = (150, 150 + 5 * FRAMES_A_SECOND);
    // It proves itself for 20 ms, which is the policy's; a stall shorter than its queue, then one that overruns it.
    let punctual = 3;
    let by_worker = |frames: u64, stall: std::ops::Range<u64>| {
        let supervisor = stream(400, 8, punctual, frames, false, &[], |seq| {
            Fate::After(if stall.contains(&seq) {
                stall.end - seq
            } else {
                0
            })
        });
        supervisor.stats()
    };
    for stall in [begins..begins + 3, begins..ends] {
        let during = by_worker(stall.end - 1, stall.clone());
        let tenth = by_worker(stall.end + FRAMES_A_SECOND / 10, stall.clone());
        assert_eq!(during.given_back, 1, "{stall:?}: {during:?}");
        assert_eq!(tenth.given_back, 2, "{stall:?}: {tenth:?}");
        assert!(tenth.by_worker > during.by_worker, "{stall:?}: {tenth:?}");
        // What came too late was not heard, and was counted.
        let late = during.late + during.lost;
        assert!(late > 0 && tenth.late + tenth.lost >= late, "{tenth:?}");
    }
}

#[test]
fn a_worker_that_fails_is_given_the_state_and_plays_on() {
    for handoff in [0, 400] {
        let supervisor = stream(handoff, 8, 10, 120, false, &[], |seq| match seq {
            60 => Fate::Fails,
            _ => Fate::After(0),
        });
        let stats = supervisor.stats();
        assert_eq!(supervisor.playing(), Playing::Worker, "{stats:?}");
        assert_eq!((stats.taken_over, stats.given_back), (1, 2), "{stats:?}");
    }
}

#[test]
fn a_result_that_cannot_be_is_run_here_from_the_state_before_it() {
    for handoff in [0, 400] {
        for save_every in [1, 4] {
            // At every place between two states, and where one comes with it.
            for wrong in 60..64 {
                let supervisor = stream(handoff, save_every, 3, 120, false, &[], |seq| {
                    if seq == wrong {
                        Fate::Times(1e9)
                    } else {
                        Fate::After(0)
                    }
                });
                let stats = supervisor.stats();
                assert_eq!(supervisor.playing(), Playing::Worker, "{stats:?}");
                assert_eq!((stats.taken_over, stats.given_back), (1, 2), "{stats:?}");
            }
        }
    }
}

#[test]
fn a_state_that_is_no_number_is_not_gone_on_from() {
    for handoff in [0, 400] {
        // Long enough for one to come, and for the next frame to be done without the worker.
        let supervisor = stream(handoff, 4, 3, 120, false, &[], |seq| match seq {
            60..64 => Fate::BadState,
            _ => Fate::After(0),
        });
        let stats = supervisor.stats();
        assert_eq!(supervisor.playing(), Playing::Worker, "{stats:?}");
        assert_eq!((stats.taken_over, stats.given_back), (1, 2), "{stats:?}");
    }
}

#[test]
fn a_worker_that_never_answers_is_done_without() {
    let supervisor = stream(400, 8, 10, 200, false, &[], |_| Fate::After(1 << 40));
    let stats = supervisor.stats();
    assert_eq!((stats.by_worker, stats.taken_over), (0, 0), "{stats:?}");
    assert!(stats.lost >= 1, "its queue is full: {stats:?}");
}

#[test]
fn a_reset_leaves_results_of_before_behind() {
    let supervisor = stream(400, 4, 5, 120, false, &[40, 41, 80], |seq| {
        Fate::After(u64::from(seq % 3 == 0))
    });
    assert!(supervisor.stats().by_worker > 0);
}

#[test]
fn a_pace_of_its_own_is_played_here_and_the_worker_plays_again_behind_it() {
    for handoff in [0, 400, 1_000] {
        let pace = |seq, memory: &mut dyn Memory| {
            memory.set_pace(match seq {
                60..70 => 0.5,
                70..90 => 0.0,
                90..95 => 3.0,
                _ => 1.0,
            });
        };
        let during = touched(handoff, 8, 5, 80, false, &[], |_| Fate::After(0), pace);
        assert_eq!(during.playing(), Playing::Here);
        let behind = touched(handoff, 8, 5, 130, false, &[], |_| Fate::After(0), pace);
        assert_eq!(behind.playing(), Playing::Worker, "{:?}", behind.stats());
        assert_eq!(behind.stats().given_back, 2);
    }
}

#[test]
fn a_state_that_is_put_back_is_played_here_and_given_to_the_worker() {
    // With more than a hop of handoff it is heard in frames that were given before.
    for handoff in [0, 64, 280] {
        let supervisor = touched(
            handoff,
            8,
            5,
            130,
            false,
            &[],
            |_| Fate::After(0),
            |seq, memory| {
                let bank = Arc::clone(memory.bank());
                let mut hand = Hand::default();
                hand.set(&StateControls::default());
                hand.set(&StateControls {
                    // The worker plays at both stores.
                    store: [(40, 0), (55, 1)]
                        .into_iter()
                        .find(|s| s.0 == seq)
                        .map(|s| s.1),
                    recall: seq == 70,
                    morph: 0.3,
                    ..StateControls::default()
                });
                hand.step(memory, 0.0);
                assert_eq!(bank.filled()[0], seq >= 40);
            },
        );
        assert_eq!(
            supervisor.playing(),
            Playing::Worker,
            "{:?}",
            supervisor.stats()
        );
        assert_eq!(supervisor.stats().given_back, 2);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_sound_is_never_another(
        handoff in 0usize..1_300,
        save_every in 1u64..12,
        punctual in 1u32..8,
        shuffled: bool,
        resets in proptest::collection::vec(2u64..160, 0..3),
        paces in proptest::collection::vec(prop_oneof![4 => Just(1.0f32), 1 => Just(0.0), 1 => 0.0f32..4.0], 10),
        fates in proptest::collection::vec(
            prop_oneof![
                8 => Just(Fate::After(0)),
                2 => (1u64..6).prop_map(Fate::After),
                1 => (6u64..60).prop_map(Fate::After),
                1 => Just(Fate::Fails),
                1 => Just(Fate::Broken),
                1 => Just(Fate::Times(1e9)),
                1 => Just(Fate::BadState),
            ],
            160,
        ),
    ) {
        // Runs of one fate, or nothing would ever be punctual.
        let fate = |seq: u64| fates[seq as usize / 8 % 20 * 8];
        touched(handoff, save_every, punctual, 160, shuffled, &resets, fate, |seq, memory| {
            memory.set_pace(paces[seq as usize / 16 % 10]);
        });
    }
}
