//! A supervisor beside a stream that is never interrupted, and a worker with a simulated clock that does as it is told.
#![allow(dead_code)]

use std::sync::Arc;

use assert_no_alloc::assert_no_alloc;
use statewave::engine::cpu::CpuEngine;
use statewave::engine::supervisor::{Policy, Supervisor};
use statewave::engine::{Engine, Exchange};
use statewave::handoff::job::{Job, JobBench, Outcome, StateOrder};
use statewave::model::Model;
use statewave::state::Memory;

use crate::kernel_common::Noise;

const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/models/denoise-live.safetensors"
);

pub fn model() -> Arc<Model> {
    static MODEL_READ: std::sync::OnceLock<Arc<Model>> = std::sync::OnceLock::new();
    Arc::clone(MODEL_READ.get_or_init(|| Arc::new(Model::open(MODEL).unwrap())))
}

/// What happens to a frame at the worker.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fate {
    /// Ready after this many frames of time.
    After(u64),
    /// Failed, and the state with it.
    Fails,
    /// Comes back as no number.
    Broken,
    /// Comes back so many times as large, finite but wrong; its state is what it should be.
    Times(f32),
    /// Comes back as it should, with a state that is no number.
    BadState,
}

/// A worker whose results are ready when the simulated clock says so.
pub struct Worker {
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
    pub fn new(bench: JobBench, shuffled: bool) -> Worker {
        Worker {
            bench,
            engine: CpuEngine::new(&model(), 1),
            working: Vec::new(),
            lasting: None,
            shuffled,
        }
    }

    /// Takes what came, each with a fate, and sends what is ready at `now`.
    pub fn turn(&mut self, now: u64, mut fate: impl FnMut(u64) -> Fate) {
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
                Fate::Times(factor) => {
                    job.values.iter_mut().for_each(|v| *v *= factor);
                    now
                }
                Fate::BadState => {
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

pub fn frame(seed: u64, seq: u64, len: usize) -> Vec<f32> {
    Noise(seed ^ (seq << 20)).vec(len, 1.0 + (seq as f32 * 0.4).sin())
}

/// A stream of `frames` through a supervisor whose worker has `fates`, beside one that is never interrupted: the sound is the
/// same to the bit, and no more is run at once than the policy says. Returns the supervisor.
pub fn stream(
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
pub fn touched(
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
    // Any of them: which frames bring states must make no difference.
    supervisor.take_turn(handoff as u64);
    let mut worker = Worker::new(bench, shuffled);
    let mut plain = CpuEngine::new(&model, 1);
    let front_end = model.spec().front_end;
    let behind = ((front_end.spread + handoff - 1) / front_end.hop) as u64;
    let len = plain.frame_len();
    let (mut truths, mut out) = (std::collections::VecDeque::new(), vec![0.0; len]);
    let (mut first, most_at_once) = (1, policy.most_at_once());
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
            let stats = supervisor.stats();
            assert!(stats.most_at_once <= most_at_once, "frame {seq}: {stats:?}");
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
