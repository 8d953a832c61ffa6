//! What a frame looked and came out like, for whoever watches.

use crate::engine::EngineReport;
use crate::telemetry::{BANDS, Bands, Deltas};

/// A frame, or where a stream has none, a piece of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FrameReport {
    /// Its number.
    pub frame: u64,
    pub input_db: [f32; BANDS],
    pub output_db: [f32; BANDS],
    pub deltas: Deltas,
    pub engine: EngineReport,
    /// The factor on Δ.
    pub pace: f32,
    /// A model goes on by itself.
    pub goes_on: bool,
}

impl FrameReport {
    fn new() -> Self {
        Self {
            frame: 0,
            input_db: Bands::silence(),
            output_db: Bands::silence(),
            deltas: Deltas::default(),
            engine: EngineReport::default(),
            pace: 1.0,
            goes_on: false,
        }
    }
}

/// The newest report, if anybody watches.
pub(crate) struct Reports {
    watched: bool,
    is_new: bool,
    report: FrameReport,
}

impl Reports {
    pub(crate) fn new() -> Self {
        Self {
            watched: false,
            is_new: false,
            report: FrameReport::new(),
        }
    }

    /// Whether anybody watches from now on. True if that is new.
    pub(crate) fn watch(&mut self, on: bool) -> bool {
        let changes = on != self.watched;
        if changes {
            *self = Self {
                watched: on,
                ..Self::new()
            };
        }
        changes
    }

    pub(crate) fn is_watched(&self) -> bool {
        self.watched
    }

    /// The report of the frame `frame`, to be filled in.
    pub(crate) fn begin(&mut self, frame: u64) -> &mut FrameReport {
        self.is_new = true;
        self.report.frame = frame;
        &mut self.report
    }

    /// The report that was begun since the last call, if there was one.
    pub(crate) fn take(&mut self) -> Option<&FrameReport> {
        std::mem::take(&mut self.is_new).then_some(&self.report)
    }
}
