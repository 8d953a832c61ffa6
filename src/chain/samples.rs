//! The way of the wet signal through an effect: sample by sample, without frames.
//!
//! ```text
//! input gain ─► gate ─► WaveEngine ─► cabinet ─►
//! ```
//! Flows in: a run of host samples. Flows out: as many, later by nothing but what [`WaveEngine::latency`] says.

use super::cabinet::Cabinet;
use super::gate::Gate;
use super::scope::Scope;
use super::{ChainConfig, ChainStats};
use crate::controls::Controls;
use crate::engine::wave::WaveEngine;
use crate::frame::{FrameReport, Ramp, replace_what_is_not_audio};
use crate::latency::Latency;
use crate::state::{Hand, Memory};

/// How long the input's gain takes on its way, milliseconds.
const GAIN_MS: u32 = 20;

/// How long a cabinet that came takes to be all that is heard, milliseconds.
const CABINET_MS: u32 = 20;

/// An effect with what leads to it and what follows.
pub(super) struct Samples {
    engine: WaveEngine,
    gain: Ramp,
    /// Before the first block there is nothing to fade from.
    fades: bool,
    gate: Gate,
    cabinet: Option<Box<Cabinet>>,
    /// How much of the cabinet is heard, the signal without it while that changes, and whether it has heard anything.
    heard: Ramp,
    plain: Vec<Vec<f32>>,
    rings: bool,
    /// What was heard last of the cabinet before, a channel each, and how much of it is left.
    before: Vec<f32>,
    parting: Ramp,
    scope: Scope,
    stats: ChainStats,
}

impl Samples {
    pub(super) fn new(engine: WaveEngine, config: &ChainConfig, max_run: usize) -> Self {
        let &ChainConfig {
            sample_rate,
            channels,
            ..
        } = config;
        Self {
            engine,
            gain: Ramp::new(1.0, GAIN_MS * sample_rate / 1000),
            fades: false,
            gate: Gate::new(sample_rate),
            cabinet: None,
            heard: Ramp::new(1.0, CABINET_MS * sample_rate / 1000),
            plain: vec![vec![0.0; max_run]; channels],
            rings: false,
            before: vec![0.0; channels],
            parting: Ramp::new(0.0, CABINET_MS * sample_rate / 1000),
            scope: Scope::new(sample_rate),
            stats: ChainStats::default(),
        }
    }

    pub(super) fn latency(&self) -> Latency {
        self.engine.latency()
    }

    /// Samples of sound after the end of the input, beyond the delay: what the cabinet rings.
    pub(super) fn tail(&self) -> usize {
        self.cabinet.as_ref().map_or(0, |cabinet| cabinet.len())
    }

    pub(super) fn set(&mut self, controls: &Controls) {
        self.gain.set(controls.input_gain(), self.fades);
        self.gate.set(controls.gate_db);
        let heard = if controls.cabinet { 1.0 } else { 0.0 };
        self.heard.set(heard, self.fades);
        self.engine.set_knob_shares(&controls.knobs);
        self.engine.hand().set(&controls.state);
        if !self.fades {
            // The first block begins with the knobs where they are, and not on their way.
            self.engine.reset();
        }
        self.fades = true;
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
            ..self.stats
        }
    }

    /// Replaces the first `len` samples of every channel of `wet`.
    pub(super) fn process(&mut self, wet: &mut [Vec<f32>], len: usize) {
        for channel in wet.iter_mut() {
            for (i, x) in channel[..len].iter_mut().enumerate() {
                *x *= self.gain.at(i);
            }
        }
        self.gain.advance(len);
        self.gate.process(wet, len);
        self.scope.input(wet, len);
        self.engine.process_first(wet, len);
        let mut broken = 0;
        for channel in wet.iter_mut() {
            broken += replace_what_is_not_audio(&mut channel[..len]);
        }
        if broken > 0 {
            self.stats.non_finite += broken;
            self.want_reset();
        }
        self.run_cabinet(wet, len);
        for (channel, before) in wet.iter_mut().zip(&mut self.before) {
            if self.parting.at(0) == 0.0 {
                *before = channel[len - 1];
                continue;
            }
            for (i, x) in channel[..len].iter_mut().enumerate() {
                let left = self.parting.at(i);
                *x = (1.0 - left) * *x + left * *before;
            }
        }
        self.parting.advance(len);
        if let Some(report) = self.scope.output(wet, len) {
            report.pace = self.engine.hand().pace();
            report.deltas = self.engine.deltas();
        }
    }

    /// The cabinet, as far as it is heard. One that is not heard at all does not hear either, and begins anew.
    fn run_cabinet(&mut self, wet: &mut [Vec<f32>], len: usize) {
        let Some(cabinet) = &mut self.cabinet else {
            return self.heard.advance(len);
        };
        match self.heard.settled() {
            Some(0.0) => {
                if std::mem::take(&mut self.rings) {
                    cabinet.reset();
                }
            }
            Some(_) => {
                self.rings = true;
                cabinet.process(wet, len);
            }
            None => {
                self.rings = true;
                for (kept, channel) in self.plain.iter_mut().zip(wet.iter()) {
                    kept[..len].copy_from_slice(&channel[..len]);
                }
                cabinet.process(wet, len);
                for (channel, plain) in wet.iter_mut().zip(&self.plain) {
                    for (i, (x, plain)) in channel[..len].iter_mut().zip(plain).enumerate() {
                        *x = plain + self.heard.at(i) * (*x - plain);
                    }
                }
            }
        }
        self.heard.advance(len);
    }

    /// The engine has to forget the stream, because of samples that were no audio.
    pub(super) fn want_reset(&mut self) {
        self.stats.resets += 1;
        self.engine.reset();
    }

    /// Puts a cabinet, or none, in the place of the one there was, which is returned.
    pub(super) fn swap_cabinet(&mut self, cabinet: Option<Box<Cabinet>>) -> Option<Box<Cabinet>> {
        if self.fades {
            // What was heard last fades away, so that there is no step.
            self.parting.set(1.0, false);
            self.parting.set(0.0, true);
        }
        std::mem::replace(&mut self.cabinet, cabinet)
    }

    pub(super) fn reset(&mut self) {
        self.engine.reset();
        self.engine.hand().reset();
        self.gate.reset();
        if let Some(cabinet) = &mut self.cabinet {
            cabinet.reset();
        }
        self.before.fill(0.0);
        self.parting.set(0.0, false);
        self.fades = false;
    }
}
