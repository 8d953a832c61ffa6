//! What goes between the audio thread and a worker: frames there, results back, in the same memory.
//!
//! Jobs go round: the audio thread fills one, the worker puts the result in its place and sends it back. Nothing is
//! allocated or freed on the way, and a worker that is slow runs out of jobs before it runs out of memory.

use super::ring::{Receiver, Sender, ring};

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// `values` hold the result.
    Done,
    /// The worker could not run it, and its stream's state is gone: all that follows fails as well, until the state is
    /// restored or reset.
    Failed,
}

/// What a worker does with a stream's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateOrder {
    /// Nothing.
    Leave,
    /// Write the state behind this frame to `state`.
    Save,
    /// Go on from `state` before this frame.
    Restore,
    /// Begin anew before this frame.
    Reset,
}

/// A frame on its way. There are as many as [`jobs`] made: a worker can neither make one nor copy one, so none comes back
/// twice, or with a number that was not sent.
///
/// ```compile_fail,E0599
/// fn copied(job: &statewave::handoff::job::Job) -> statewave::handoff::job::Job {
///     job.clone()
/// }
/// ```
/// ```compile_fail,E0277
/// fn made<T: Default>() -> T { T::default() }
/// made::<statewave::handoff::job::Job>();
/// ```
#[derive(Debug)]
pub struct Job {
    epoch: u64,
    seq: u64,
    order: StateOrder,
    /// What became of it.
    pub outcome: Outcome,
    /// `[channels][frame_len]`, the frame and then its result.
    pub values: Vec<f32>,
    /// Whether `deltas` are wanted.
    pub watched: bool,
    /// Δ behind the frame, mean over channels, `[DELTA_LAYERS][band]`, where it is wanted.
    pub deltas: Vec<f32>,
    /// The state of all channels, where the order has to do with one; empty else.
    pub state: Vec<f32>,
}

/// The audio thread's end: sends jobs, and takes them back.
#[derive(Debug)]
pub struct JobDesk {
    out: Sender<Job>,
    back: Receiver<Job>,
    /// Jobs at hand.
    idle: Vec<Job>,
}

/// The worker's end.
#[derive(Debug)]
pub struct JobBench {
    out: Receiver<Job>,
    back: Sender<Job>,
}

impl Job {
    /// Addresses it; the worker cannot, so no result comes back under another frame's number.
    pub(crate) fn address(&mut self, epoch: u64, seq: u64, order: StateOrder) {
        (self.epoch, self.seq, self.order) = (epoch, seq, order);
    }

    /// Counts the times the stream began anew or was restored: results of before are of no use.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The frame's number.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// What to do with the state.
    pub fn order(&self) -> StateOrder {
        self.order
    }
}

/// Both ends, with `count` jobs for frames of `values` floats and as many `deltas`. Allocates.
pub fn jobs(count: usize, values: usize, deltas: usize) -> (JobDesk, JobBench) {
    let job = || Job {
        epoch: 0,
        seq: 0,
        order: StateOrder::Leave,
        outcome: Outcome::Done,
        values: vec![0.0; values],
        watched: false,
        deltas: vec![0.0; deltas],
        state: Vec::new(),
    };
    // As many places as jobs: none ever finds a queue full.
    let ((out, taken), (returned, back)) = (ring(count), ring(count));
    let desk = JobDesk {
        out,
        back,
        idle: (0..count).map(|_| job()).collect(),
    };
    let bench = JobBench {
        out: taken,
        back: returned,
    };
    (desk, bench)
}

impl JobDesk {
    /// Jobs at hand.
    pub fn idle(&self) -> usize {
        self.idle.len()
    }

    /// Sends a job filled by `fill`, with `state`. Real-time safe.
    ///
    /// # Errors
    /// Hands `state` back where none is at hand: the worker is that far behind.
    pub fn send(&mut self, state: Vec<f32>, fill: impl FnOnce(&mut Job)) -> Result<(), Vec<f32>> {
        let Some(mut job) = self.idle.pop() else {
            return Err(state);
        };
        job.outcome = Outcome::Done;
        job.state = state;
        fill(&mut job);
        self.out.send(job).map_err(|mut job| {
            let state = std::mem::take(&mut job.state);
            self.idle.push(job);
            state
        })
    }

    /// The next that came back, to be given to [`Self::put`] in the end. Real-time safe.
    pub fn take(&mut self) -> Option<Job> {
        self.back.take()
    }

    /// Puts a job by for the next frame. Real-time safe: there is room for every one there is.
    pub fn put(&mut self, job: Job) {
        self.idle.push(job);
    }
}

impl JobBench {
    /// The oldest frame that waits.
    pub fn take(&mut self) -> Option<Job> {
        self.out.take()
    }

    /// Sends a job back.
    pub fn send(&mut self, job: Job) {
        // Jobs that came this way fit, for there are as many places; one from elsewhere would be dropped here, on the
        // worker's side.
        let _ = self.back.send(job);
    }
}
