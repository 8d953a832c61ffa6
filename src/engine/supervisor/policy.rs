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

/// Which frames of a stream bring their state back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saves {
    every: u64,
    /// By so many frames they come earlier.
    shift: u64,
}

impl Saves {
    /// Every `every`th of them; which, `turn` says. Streams of one device that began together and have turns of their own do
    /// not all bring their states with the same frame: a state is hundreds of times as long as a result.
    pub fn new(every: u64, turn: u64) -> Saves {
        let every = every.max(1);
        // The first frame begins the stream anew and cannot be one of them, and the first of them comes no later.
        let shifts = every.saturating_sub(1).max(1);
        Saves {
            every,
            shift: turn % shifts,
        }
    }

    /// Whether the `n`th frame since the stream began does, from 1 on.
    pub fn at(&self, n: u64) -> bool {
        n > 1 && (n + self.shift).is_multiple_of(self.every)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_in_turns_and_never_later_than_asked_for() {
        for every in 1..12 {
            let most = every.max(Policy::LEAST_SAVE_EVERY);
            let mut with = vec![0; 100];
            for turn in 0..64 {
                let saves = Saves::new(every, turn);
                let at: Vec<u64> = (1..100).filter(|n| saves.at(*n)).collect();
                assert!((2..=most).contains(&at[0]), "{every}, {turn}: {at:?}");
                assert!(at.windows(2).all(|pair| pair[1] - pair[0] == every));
                at.iter().for_each(|n| with[*n as usize] += 1);
            }
            // Of 64 streams no frame brings more than its share of states, as even as turns can be.
            let shifts = every.saturating_sub(1).max(1) as usize;
            assert!(with.iter().all(|count| *count <= 64usize.div_ceil(shifts)));
        }
    }
}
