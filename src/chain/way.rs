//! What a chain leads through: the frames of a model, an effect's samples, or sound that goes on by itself.

use super::ChainStats;
use super::continuing::Continuing;
use super::path::Path;
use super::samples::Samples;
use crate::controls::Controls;
use crate::engine::EngineReport;
use crate::frame::FrameReport;
use crate::state::{Hand, Memory};

pub(super) enum Way {
    Frames(Box<Path>),
    Samples(Box<Samples>),
    Continuing(Box<Continuing>),
}

impl Way {
    /// What the user set, for this block.
    pub(super) fn set(&mut self, controls: &Controls) {
        match self {
            Way::Frames(path) => {
                path.framer.set_stereo(controls.stereo);
                path.framer.hand().set(&controls.state);
            }
            Way::Samples(samples) => samples.set(controls),
            Way::Continuing(continuing) => continuing.set(controls),
        }
    }

    /// What is done to the state of the model.
    pub(super) fn hand(&mut self) -> &mut Hand {
        match self {
            Way::Frames(path) => path.framer.hand(),
            Way::Samples(samples) => samples.hand(),
            Way::Continuing(continuing) => continuing.hand(),
        }
    }

    /// Where the states of the model are kept, if it has any.
    pub(super) fn memory(&mut self) -> Option<&mut dyn Memory> {
        match self {
            Way::Frames(path) => path.framer.memory(),
            Way::Samples(samples) => Some(samples.memory()),
            Way::Continuing(continuing) => Some(continuing.memory()),
        }
    }

    /// Whether what comes is not, or was not lately, what the stream alone has made of the state, and has to be kept near the
    /// input. What goes on without an input keeps itself below full scale.
    pub(super) fn is_touched(&mut self) -> bool {
        !matches!(self, Way::Continuing(_)) && self.hand().is_at_work()
    }

    /// The gain in front of the model, or 1 where that is more: how much louder than the chain's input its own may be.
    pub(super) fn input_gain(&self, controls: &Controls) -> f32 {
        match self {
            Way::Frames(_) | Way::Continuing(_) => 1.0,
            Way::Samples(_) => controls.input_gain().max(1.0),
        }
    }

    pub(super) fn watch(&mut self, on: bool) {
        match self {
            Way::Frames(path) => path.framer.watch(on),
            Way::Samples(samples) => samples.watch(on),
            Way::Continuing(continuing) => continuing.watch(on),
        }
    }

    pub(super) fn take_report(&mut self) -> Option<&FrameReport> {
        match self {
            Way::Frames(path) => path.framer.take_report(),
            Way::Samples(samples) => samples.take_report(),
            Way::Continuing(continuing) => continuing.take_report(),
        }
    }

    /// Samples that a run may have, at least 1.
    pub(super) fn longest_run(&self) -> usize {
        match self {
            Way::Frames(path) => path.longest_run(),
            Way::Samples(samples) => samples.longest_run(),
            Way::Continuing(continuing) => continuing.longest_run(),
        }
    }

    /// Replaces the first `len` samples of every channel of `wet`.
    pub(super) fn process(&mut self, wet: &mut [Vec<f32>], len: usize) {
        match self {
            Way::Frames(path) => path.process(wet, len),
            Way::Samples(samples) => samples.process(wet, len),
            Way::Continuing(continuing) => continuing.process(wet, len),
        }
    }

    /// Samples of sound after the end of the input, beyond the delay.
    pub(super) fn tail(&self) -> usize {
        match self {
            Way::Frames(path) => path.tail(),
            Way::Samples(samples) => samples.tail(),
            Way::Continuing(continuing) => continuing.tail(),
        }
    }

    /// What came of the model's part.
    pub(super) fn stats(&self) -> ChainStats {
        match self {
            Way::Frames(path) => {
                let counts = path.framer.counts();
                ChainStats {
                    frames: counts.frames,
                    late: counts.late,
                    lost: counts.lost,
                    non_finite: counts.not_finite,
                    resets: counts.resets,
                    restarts: 0,
                }
            }
            Way::Samples(samples) => samples.stats(),
            Way::Continuing(continuing) => continuing.stats(),
        }
    }

    pub(super) fn engine_report(&self) -> EngineReport {
        match self {
            Way::Frames(path) => path.framer.engine_report(),
            Way::Samples(_) | Way::Continuing(_) => EngineReport::default(),
        }
    }

    /// The engine has to forget the stream.
    pub(super) fn want_reset(&mut self) {
        match self {
            Way::Frames(path) => path.framer.want_reset(),
            Way::Samples(samples) => samples.want_reset(),
            // What it hears is eight bits by then, and all of them are sound.
            Way::Continuing(_) => {}
        }
    }

    pub(super) fn reset(&mut self) {
        match self {
            Way::Frames(path) => path.reset(),
            Way::Samples(samples) => samples.reset(),
            Way::Continuing(continuing) => continuing.reset(),
        }
    }
}
