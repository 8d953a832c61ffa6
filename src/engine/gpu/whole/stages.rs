//! Where the time of a recording goes.

use std::time::{Duration, Instant};

use super::device::PASSES;

/// What took how long, all chunks together. This thread's stages follow each other; the device works beside them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stages {
    /// From the first sample to the last.
    pub all: Duration,
    /// Chunks.
    pub chunks: usize,
    /// Reading the tape, or waiting for it.
    pub read: Duration,
    /// Looking for what is no audio, and keeping the dry signal.
    pub prepare: Duration,
    /// Samples into memory that the device copies from.
    pub upload: Duration,
    /// Encoding and submitting.
    pub submit: Duration,
    /// Waiting for the device.
    pub wait: Duration,
    /// Samples out of the device's memory, and the mix.
    pub readback: Duration,
    /// Writing the tape, or waiting for it.
    pub write: Duration,
    /// By the device's own clock, where it was asked to and can: resampling and analysis, the model, synthesis and resampling.
    pub device: Option<[Duration; PASSES]>,
}

impl Stages {
    /// All but the tape.
    pub fn engine(&self) -> Duration {
        self.all.saturating_sub(self.read + self.write)
    }

    /// Adds the time of `work` to a stage.
    pub(super) fn time<T>(
        &mut self,
        stage: impl FnOnce(&mut Stages) -> &mut Duration,
        work: impl FnOnce() -> T,
    ) -> T {
        let begun = Instant::now();
        let done = work();
        *stage(self) += begun.elapsed();
        done
    }

    /// Adds a chunk's passes.
    pub(super) fn of_device(&mut self, seconds: [f64; PASSES]) {
        let sums = self.device.get_or_insert_default();
        for (sum, seconds) in sums.iter_mut().zip(seconds) {
            *sum += Duration::from_secs_f64(seconds);
        }
    }
}
