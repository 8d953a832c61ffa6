//! Promise: whatever a worker does — late, lost, in the wrong order, twice, broken — the sound is that of a stream that was
//! never interrupted, and nothing is waited for or allocated.
//!
//! The worker of these tests runs the same kernels, so the promise can be held to the bit. Its clock is simulated: a
//! result is ready some frames after it was asked for.

mod kernel_common;

use std::sync::Arc;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use kernel_common::Noise;
use proptest::prelude::*;
use statewave::engine::cpu::CpuEngine;
use statewave::engine::supervisor::{Playing, Policy, Supervisor};
use statewave::engine::{Engine, Exchange};
use statewave::handoff::job::{Job, JobBench, Outcome, StateOrder};
use statewave::model::Model;
use statewave::state::{Hand, Memory, StateControls};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/models/denoise-live.safetensors"
);

fn model() -> Arc<Model> {
    static MODEL_READ: std::sync::OnceLock<Arc<Model>> = std::sync::OnceLock::new();
    Arc::clone(MODEL_READ.get_or_init(|| Arc::new(Model::open(MODEL).unwrap())))
}

/// What happens to a frame at the worker.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    /// Ready after this many frames of time.
    After(u64),
    /// Failed, and the state with it.
    Fails,
    /// Comes back as no number.
    Broken,
}

/// A worker whose results are ready when the simulated clock says so.
struct Worker {
    bench: JobBench,
    engine: CpuEngine,
    /// (frame of time at which it is ready, job).
    working: Vec<(u64, Job)>,
    /// What happens to every frame until the state is restored or reset.
    lasting: Option<Fate>,
    /// Results are sent in the order of readiness, newest first among equals.
    shuffled: bool,
}

impl Worker {
    fn new(bench: JobBench, shuffled: bool) -> Worker {
        Worker {
            bench,
            engine: CpuEngine::new(&model(), 1),
            working: Vec::new(),
            lasting: None,
            shuffled,
        }
    }

    /// Takes what came, each with a fate, and sends what is ready at `now`.
    fn turn(&mut self, now: u64, mut fate: impl FnMut(u64) -> Fate) {
        while let Some(mut job) = self.bench.take() {
            if matches!(job.order(), StateOrder::Reset | StateOrder::Restore) {
                self.lasting = None;
            }
            match job.order() {
                StateOrder::Reset => self.engine.reset(),
                StateOrder::Restore => self.engine.restore(&job.state),
                StateOrder::Leave | StateOrder::Save => {}
            }
            let mut out = vec![0.0; job.values.len()];
            self.engine.submit(job.seq(), &job.values);
            assert_eq!(self.engine.collect(job.seq(), &mut out), Exchange::Ready);
            job.values.copy_from_slice(&out);
            if job.order() == StateOrder::Save {
                self.engine.save(&mut job.state);
            }
            let fate = self.lasting.unwrap_or_else(|| fate(job.seq()));
            if matches!(fate, Fate::Fails | Fate::Broken) {
                self.lasting = Some(fate);
            }
            let ready = match fate {
                Fate::After(frames) => now + frames,
                Fate::Fails => {
                    job.outcome = Outcome::Failed;
                    job.values.fill(7.0);
                    job.state.fill(7.0);
                    now
                }
                Fate::Broken => {
                    job.values[3] = f32::NAN;
                    job.state.fill(f32::NAN);
                    now
                }
            };
            self.working.push((ready, job));
        }
        let (mut ready, rest): (Vec<_>, Vec<_>) =
            self.working.drain(..).partition(|(at, _)| *at <= now);
        self.working = rest;
        ready.sort_by_key(|(at, _)| *at);
        if self.shuffled {
            ready.reverse();
        }
        for (_, job) in ready {
            self.bench.send(job);
        }
    }
}

fn frame(seed: u64, seq: u64, len: usize) -> Vec<f32> {
    Noise(seed ^ (seq << 20)).vec(len, 1.0 + (seq as f32 * 0.4).sin())
}

/// A stream of `frames` through a supervisor whose worker has `fates`, beside one that is never interrupted. Returns the
/// supervisor.
fn stream(
    handoff: usize,
    save_every: u64,
    punctual: u32,
    frames: u64,
    shuffled: bool,
    resets: &[u64],
    fate: impl FnMut(u64) -> Fate,
) -> Supervisor {
    touched(
        handoff,
        save_every,
        punctual,
        frames,
        shuffled,
        resets,
        fate,
        |_, _| (),
    )
}

/// The same, with something done to both memories before each frame.
#[allow(clippy::too_many_arguments)]
fn touched(
    handoff: usize,
    save_every: u64,
    punctual: u32,
    frames: u64,
    shuffled: bool,
    resets: &[u64],
    mut fate: impl FnMut(u64) -> Fate,
    mut touch: impl FnMut(u64, &mut dyn Memory),
) -> Supervisor {
    let model = model();
    let policy = Policy {
        handoff,
        save_every,
        punctual,
    };
    let (mut supervisor, bench) = Supervisor::new(&model, 1, policy);
    let mut worker = Worker::new(bench, shuffled);
    let mut plain = CpuEngine::new(&model, 1);
    let front_end = model.spec().front_end;
    let behind = ((front_end.spread + handoff - 1) / front_end.hop) as u64;
    let len = plain.frame_len();
    let (mut truths, mut out) = (std::collections::VecDeque::new(), vec![0.0; len]);
    let mut first = 1;
    for seq in 1..=frames {
        if resets.contains(&seq) {
            plain.reset();
            assert_no_alloc(|| supervisor.reset());
            truths.clear();
            first = seq;
        }
        let input = frame(5, seq, len);
        touch(seq, &mut plain);
        assert_no_alloc(|| touch(seq, &mut supervisor));
        plain.submit(seq, &input);
        let mut truth = vec![0.0; len];
        plain.collect(seq, &mut truth);
        truths.push_back(truth);
        assert_no_alloc(|| {
            supervisor.submit(seq, &input);
            supervisor.work(1, 2);
        });
        // With no handoff the worker has no time at all but the spread.
        worker.turn(seq, &mut fate);
        assert_no_alloc(|| supervisor.work(2, 2));
        if seq >= first + behind {
            let exchange = assert_no_alloc(|| supervisor.collect(seq - behind, &mut out));
            assert_eq!(exchange, Exchange::Ready);
            let truth = truths.pop_front().unwrap();
            assert!(
                out == truth,
                "frame {} is another, {:?}",
                seq - behind,
                supervisor.stats()
            );
        }
    }
    supervisor
}

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
    assert!(stats.replayed <= 8 + 2, "{stats:?}");
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
