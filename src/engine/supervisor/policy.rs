//! How patient a supervisor is, and what it tells.

/// How patient a supervisor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Samples of the model's rate by which results come later than the spread.
    pub handoff: usize,
    /// A state comes back with every so many-th frame; as many frames, and those in flight, may have to be run at once.
    pub save_every: u64,
    /// Frames that the worker must have been on time for, one after the other, before it plays again.
    pub punctual: u32,
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
}
