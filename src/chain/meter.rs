//! What a chain measures of itself while somebody watches: peaks, load, and callbacks that took too long.
//!
//! Flows in: the samples before and after, and the clock. Flows out: a [`Snapshot`] a model frame. Without a watcher
//! nothing is measured, and the clock is not read.

use std::time::Instant;

use super::ChainStats;
use crate::frame::FrameReport;
use crate::telemetry::{Snapshot, Writer};

/// The measuring of one chain, on the audio thread.
pub(super) struct Meter {
    writer: Option<Writer>,
    sample_rate: f64,
    channels: usize,
    /// When this callback began; `None` while nobody watches.
    began: Option<Instant>,
    /// Largest samples since the last snapshot, linear.
    input_peak: [f32; 2],
    output_peak: [f32; 2],
    /// Samples since the last snapshot, and seconds spent on them, less what this callback has told already.
    samples: i64,
    busy_seconds: f64,
    missed: u64,
}

impl Meter {
    pub(super) fn new(sample_rate: u32, channels: usize) -> Self {
        Self {
            writer: None,
            sample_rate: f64::from(sample_rate),
            channels,
            began: None,
            input_peak: [0.0; 2],
            output_peak: [0.0; 2],
            samples: 0,
            busy_seconds: 0.0,
            missed: 0,
        }
    }

    /// Puts a writer in the place of the one there was, which is returned.
    pub(super) fn connect(&mut self, writer: Option<Writer>) -> Option<Writer> {
        std::mem::replace(&mut self.writer, writer)
    }

    /// At the beginning of a callback; returns whether it is watched.
    pub(super) fn begin(&mut self) -> bool {
        let watched = self.writer.as_ref().is_some_and(Writer::watching);
        if watched && self.began.is_none() {
            self.forget();
        }
        self.began = watched.then(Instant::now);
        watched
    }

    pub(super) fn input(&mut self, channel: usize, samples: &[f32]) {
        if self.began.is_some() && channel < 2 {
            self.input_peak[channel] = peak(self.input_peak[channel], samples);
        }
    }

    pub(super) fn output(&mut self, channel: usize, samples: &[f32]) {
        if self.began.is_some() && channel < 2 {
            self.output_peak[channel] = peak(self.output_peak[channel], samples);
        }
    }

    /// After a run that finished the frame of `report`, `samples` into this callback.
    pub(super) fn frame(&mut self, report: &FrameReport, samples: usize, stats: ChainStats) {
        let (Some(began), Some(writer)) = (self.began, &mut self.writer) else {
            return;
        };
        let now = Instant::now();
        let busy = self.busy_seconds + (now - began).as_secs_f64();
        let heard = (self.samples + samples as i64) as f64 / self.sample_rate;
        writer.write(Snapshot {
            frame: report.frame,
            input_peak: sides(self.input_peak, self.channels),
            output_peak: sides(self.output_peak, self.channels),
            input_db: report.input_db,
            output_db: report.output_db,
            delta: report.deltas,
            pace: report.pace,
            load: (busy / heard.max(1.0 / self.sample_rate)) as f32,
            stats,
            engine: report.engine,
            goes_on: report.goes_on,
            missed: self.missed,
        });
        // The end of this callback adds all of it, of which this much is told.
        self.busy_seconds = -(now - began).as_secs_f64();
        self.samples = -(samples as i64);
        (self.input_peak, self.output_peak) = ([0.0; 2], [0.0; 2]);
    }

    /// At the end of a callback of `samples` samples.
    pub(super) fn end(&mut self, samples: usize) {
        if let Some(began) = self.began {
            let seconds = began.elapsed().as_secs_f64();
            self.busy_seconds += seconds;
            self.samples += samples as i64;
            self.missed += u64::from(seconds > samples as f64 / self.sample_rate);
        }
    }

    /// Starts anew.
    fn forget(&mut self) {
        (self.input_peak, self.output_peak) = ([0.0; 2], [0.0; 2]);
        (self.samples, self.busy_seconds) = (0, 0.0);
    }
}

fn peak(so_far: f32, samples: &[f32]) -> f32 {
    samples.iter().fold(so_far, |peak, x| peak.max(x.abs()))
}

/// One channel is heard on both sides, so both meters show it.
fn sides(peak: [f32; 2], channels: usize) -> [f32; 2] {
    if channels == 1 { [peak[0]; 2] } else { peak }
}
