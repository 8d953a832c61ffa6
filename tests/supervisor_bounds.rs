//! Promise: what a supervisor does and tells at its bounds — how many frames a take-over runs at once, how old results are, and
//! how loud what is wrong can be.

mod kernel_common;
mod supervisor_common;

use assert_no_alloc::AllocDisabler;
use kernel_common::Noise;
use statewave::engine::Engine;
use statewave::engine::supervisor::{Playing, Policy, Supervisor};
use supervisor_common::{Fate, Worker, frame, model, stream};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn a_take_over_runs_as_many_frames_at_once_as_states_are_apart_and_no_more() {
    for handoff in [0, 400, 1_000, 4_000] {
        for save_every in [1, 2, 3, 8] {
            let most = save_every.max(2);
            // It stalls at every place between two states.
            let worst = (60..68).map(|stall: u64| {
                let supervisor = stream(handoff, save_every, 3, 120, false, &[2], |seq| {
                    Fate::After(if seq >= stall { 1 << 40 } else { 0 })
                });
                let stats = supervisor.stats();
                assert_eq!(supervisor.playing(), Playing::Here);
                assert_eq!(stats.taken_over, 1, "{stats:?}");
                stats.most_at_once
            });
            let (least, worst) = worst.fold((u64::MAX, 0), |(a, b), n| (a.min(n), b.max(n)));
            assert!(least >= 1 && worst <= most, "{least} to {worst} of {most}");
            assert_eq!(worst, save_every, "with {handoff} samples of handoff");
        }
    }
}

#[test]
fn states_that_come_back_often_need_no_take_over() {
    for (handoff, save_every) in [(0, 1), (4_000, 1), (4_000, 2)] {
        let supervisor = stream(handoff, save_every, 3, 400, false, &[200], |_| {
            Fate::After(0)
        });
        let stats = supervisor.stats();
        assert_eq!((stats.taken_over, stats.late), (0, 0), "{stats:?}");
        assert_eq!(supervisor.playing(), Playing::Worker);
    }
}

/// Gives `frames` to a supervisor, each result `late` frames of time after its frame was sent, and looks at it behind each.
fn watched(
    handoff: usize,
    frames: u64,
    late: impl Fn(u64) -> u64,
    look: impl Fn(u64, &Supervisor),
) {
    let model = model();
    let policy = Policy {
        handoff,
        save_every: 8,
        punctual: 3,
    };
    let (mut supervisor, bench) = Supervisor::new(&model, 1, policy);
    let mut worker = Worker::new(bench, false);
    let front_end = model.spec().front_end;
    let behind = ((front_end.spread + handoff - 1) / front_end.hop) as u64;
    let mut out = vec![0.0; supervisor.frame_len()];
    for seq in 1..=frames {
        let input = frame(5, seq, out.len());
        supervisor.submit(seq, &input);
        worker.turn(seq, |seq| Fate::After(late(seq)));
        if seq > behind {
            supervisor.collect(seq - behind, &mut out);
        }
        look(seq, &supervisor);
    }
}

#[test]
fn the_age_of_results_is_told() {
    // Four frames in flight, each back three frames of time after it was sent.
    watched(
        1_200,
        40,
        |_| 3,
        |seq, supervisor| {
            let report = supervisor.report();
            if seq > 4 {
                assert_eq!((report.age, report.worst_age), (3, 3), "frame {seq}");
            }
        },
    );
    // What is due at once is behind by nothing, until it does not come: by a frame more with each, up to those in flight.
    watched(
        0,
        40,
        |seq| if seq >= 20 { 1 << 40 } else { 0 },
        |seq, supervisor| {
            let report = supervisor.report();
            let age = seq.saturating_sub(19).min(20);
            assert_eq!((report.age, report.worst_age), (age, age), "frame {seq}");
        },
    );
    // It goes back when results come again; the worst of it stays.
    watched(
        0,
        40,
        |seq| if (20..25).contains(&seq) { 25 - seq } else { 0 },
        |seq, supervisor| {
            let report = supervisor.report();
            let (age, worst) = (
                if (20..25).contains(&seq) { seq - 19 } else { 0 },
                seq.clamp(19, 24) - 19,
            );
            assert_eq!((report.age, report.worst_age), (age, worst), "frame {seq}");
        },
    );
}

#[test]
fn a_reset_begins_the_age_anew() {
    let supervisor = stream(400, 4, 5, 60, false, &[50], |seq| {
        Fate::After(if seq < 50 { 0 } else { 1 << 40 })
    });
    // Frames 50 to 60 went out, and nothing came.
    assert_eq!(supervisor.report().age, 11);
}

#[test]
fn results_that_are_wrong_are_finite_and_bounded() {
    let model = model();
    let policy = Policy {
        handoff: 0,
        save_every: 4,
        punctual: 1,
    };
    // Of all sizes, and the shapes of other frames.
    let factors = [0.0, -1.0, 3.0, 30.0, 1e6, 1e30, f32::MAX, f32::INFINITY];
    let (mut supervisor, bench) = Supervisor::new(&model, 1, policy);
    let mut worker = Worker::new(bench, false);
    let mut out = vec![0.0; supervisor.frame_len()];
    let mut loudest = 0.0f32;
    let mut dice = Noise(9);
    let (mut by_worker, mut refused) = (0, 0);
    for seq in 1..=400 {
        let input = frame(7, seq, out.len());
        let peak = |values: &[f32]| values.iter().fold(0.0f32, |most, v| most.max(v.abs()));
        loudest = loudest.max(peak(&input));
        supervisor.submit(seq, &input);
        let at = (dice.vec(1, 1.0)[0].abs() * 7.99) as usize;
        worker.turn(seq, |seq| match seq % 3 {
            0 => Fate::Times(factors[at.min(7)]),
            _ => Fate::After(0),
        });
        supervisor.collect(seq, &mut out);
        assert!(out.iter().all(|v| v.is_finite()));
        assert!(
            peak(&out) <= 16.0 * loudest,
            "frame {seq}: {} of {loudest}",
            peak(&out)
        );
        (by_worker, refused) = (supervisor.stats().by_worker, supervisor.stats().taken_over);
    }
    assert!(
        by_worker > 100 && refused > 10,
        "{by_worker} played, {refused} refused"
    );
}
