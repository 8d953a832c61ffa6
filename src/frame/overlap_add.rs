//! Joins the windowed ends of neighbouring frames into a continuous signal, for one channel.
//!
//! Flows in: one segment a frame, hop + overlap samples, already windowed. Flows out: hop finished samples.

use super::guard::flushed;

/// The finished samples of the newest frame and the falling edge that waits for the next one.
pub(crate) struct OverlapAdd {
    finished: Vec<f32>,
    tail: Vec<f32>,
}

impl OverlapAdd {
    pub(crate) fn new(hop: usize, overlap: usize) -> Self {
        Self {
            finished: vec![0.0; hop],
            tail: vec![0.0; overlap],
        }
    }

    /// Adds the rising edge of `segment` to the edge kept, keeps its falling edge. `segment` is hop + overlap long.
    pub(crate) fn add(&mut self, segment: &[f32]) {
        let (body, fall) = segment.split_at(self.finished.len());
        for (out, &x) in self.finished.iter_mut().zip(body) {
            *out = flushed(x);
        }
        // overlap ≤ hop, so the edge kept ends within the hop.
        for ((out, &x), &kept) in self.finished.iter_mut().zip(body).zip(&self.tail) {
            *out = flushed(x + kept);
        }
        self.tail.copy_from_slice(fall);
    }

    /// The finished samples of the newest frame, hop long.
    pub(crate) fn finished(&self) -> &[f32] {
        &self.finished
    }

    pub(crate) fn reset(&mut self) {
        self.finished.fill(0.0);
        self.tail.fill(0.0);
    }
}
