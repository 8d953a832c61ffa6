//! The way of the wet signal through a model that goes on by itself.
//!
//! Flows in: a run of host samples. Flows out: the same, later by the resamplers, or what the model makes of them.

use super::ChainStats;
use super::scope::Scope;
use crate::controls::Controls;
use crate::engine::continuation::{Continuation, Continue};
use crate::frame::FrameReport;
use crate::latency::Latency;
use crate::state::{Hand, Memory};

/// A continuation, and what is shown of it.
pub(super) struct Continuing {
    engine: Continuation,
    controls: Continue,
    scope: Scope,
}

impl Continuing {
    pub(super) fn new(engine: Continuation) -> Self {
        Self {
            scope: Scope::new(engine.latency().sample_rate),
            engine,
            controls: Continue::default(),
        }
    }

    pub(super) fn latency(&self) -> Latency {
        self.engine.latency()
    }

    pub(super) fn goes_on(&self) -> bool {
        self.engine.goes_on()
    }

    /// Samples of sound after the end of the input, beyond the delay: filters between rates ring as long as they delay.
    pub(super) fn tail(&self) -> usize {
        self.engine.latency().total()
    }

    pub(super) fn set(&mut self, controls: &Controls) {
        self.controls = controls.continuation;
        self.engine.hand().set(&controls.state);
    }

    /// What is done to the state of the engine.
    pub(super) fn hand(&mut self) -> &mut Hand {
        self.engine.hand()
    }

    pub(super) fn memory(&mut self) -> &mut dyn Memory {
        self.engine.memory()
    }

    pub(super) fn watch(&mut self, on: bool) {
        self.scope.watch(on);
        self.engine.observe(on);
    }

    pub(super) fn take_report(&mut self) -> Option<&FrameReport> {
        self.scope.take_report()
    }

    /// Samples until the next report.
    pub(super) fn longest_run(&self) -> usize {
        self.scope.left()
    }

    pub(super) fn stats(&self) -> ChainStats {
        ChainStats {
            frames: self.scope.frames(),
            restarts: self.engine.restarts().total(),
            ..ChainStats::default()
        }
    }

    /// Replaces the first `len` samples of every channel of `wet`.
    pub(super) fn process(&mut self, wet: &mut [Vec<f32>], len: usize) {
        self.scope.input(wet, len);
        self.engine.process_first(wet, len, &self.controls);
        if let Some(report) = self.scope.output(wet, len) {
            report.pace = self.engine.hand().pace();
            report.deltas = self.engine.deltas();
            report.goes_on = self.engine.goes_on();
        }
    }

    pub(super) fn reset(&mut self) {
        self.engine.reset();
    }
}
