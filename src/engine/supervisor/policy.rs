//! How patient a supervisor is, and what it tells.

/// How patient a supervisor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Samples of the model's rate by which results come later than the spread.
    pub handoff: usize,
    /// A state comes back with every so many-th frame; see [`Policy::most_at_once`].
    pub save_every: u64,
    /// Frames that the worker must have been on time for, one after the other, before it plays again.
    pub punctual: u32,
}

impl Policy {
    /// What [`Policy::save_every`] is where this thread runs as many frames in a callback with ease.
    pub const SAVE_EVERY: u64 = 8;

    /// The least that makes a difference: the frame with which a stream begins anew brings no state.
    pub const LEAST_SAVE_EVERY: u64 = 2;

    /// The most frames that this thread ever runs at once to take over.
    pub fn most_at_once(&self) -> u64 {
        self.save_every.max(Self::LEAST_SAVE_EVERY)
    }
}

/// Who plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Playing {
    /// The worker.
    Worker,
    /// This thread.
    Here,
}

/// What has happened so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SupervisorStats {
    /// Frames the worker played.
    pub by_worker: u64,
    /// Frames that were run here.
    pub here: u64,
    /// Frames of the worker that were not there when they were due.
    pub late: u64,
    /// Frames that the worker could not take or could not run.
    pub lost: u64,
    /// Times this thread took over.
    pub taken_over: u64,
    /// Times the worker took up again.
    pub given_back: u64,
    /// Frames run here to catch up.
    pub replayed: u64,
    /// The most frames that were run here at once.
    pub most_at_once: u64,
    /// The worst of [`EngineReport::age`](crate::engine::EngineReport::age) where a frame was due.
    pub worst_age: u64,
}
