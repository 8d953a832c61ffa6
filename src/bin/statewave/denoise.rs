//! Where the program meets the engine: what a person asked for in, what cleans recordings out.

#[cfg(feature = "gpu")]
use std::sync::Arc;

use statewave::chain::{self, Chain, ChainConfig, ChainError};
use statewave::controls::{Controls, Listen};
use statewave::engine::cpu::CpuEngine;
#[cfg(feature = "gpu")]
use statewave::engine::gpu::whole::{self, Whole};
use statewave::latency::Latency;
#[cfg(feature = "gpu")]
use statewave::model::spec::Task;

use crate::failure::{Failure, Result};
use crate::models::Loaded;
use crate::streamed::{Fault, Threads};
use crate::tone::Tone;

/// What a person asked for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The most that is taken away, dB; infinite for all that the model hears as noise.
    pub amount_db: f32,
    /// Share of the cleaned sound in the output, 0 to 1; the rest is the input.
    pub mix: f32,
    /// Give what was taken away instead of what was kept.
    pub removed: bool,
    /// What only effects know.
    pub tone: Tone,
}

impl Settings {
    /// The same for the engine.
    pub fn controls(&self) -> Controls {
        Controls {
            amount_db: self.amount_db,
            mix: self.mix,
            listen: if self.removed {
                Listen::Removed
            } else {
                Listen::Out
            },
            ..Controls::default()
        }
    }
}

/// What runs the model.
#[derive(Clone, Default)]
pub enum Runner {
    /// This processor, frame by frame.
    #[default]
    Cpu,
    /// A GPU, thousands of frames at once.
    #[cfg(feature = "gpu")]
    Gpu(Arc<statewave::engine::gpu::Gpu>),
}

impl Runner {
    /// What it is called in a report.
    pub fn name(&self) -> String {
        match self {
            Runner::Cpu => format!("CPU, {}", statewave::kernels::Path::detect().name()),
            #[cfg(feature = "gpu")]
            Runner::Gpu(gpu) => format!("GPU, {}", gpu.name()),
        }
    }
}

/// A model ready for recordings of one rate and number of channels.
pub enum Cleaner {
    /// On this processor, with what it is told.
    Cpu(Box<Chain>, Box<Controls>),
    #[cfg(feature = "gpu")]
    Gpu(Box<Whole>),
}

impl Cleaner {
    pub fn new(
        model: &Loaded,
        (rate, channels): (u32, usize),
        settings: &Settings,
        runner: &Runner,
    ) -> Result<Self> {
        match runner {
            Runner::Cpu => {
                let (chain, controls) = chain_for(model, (rate, channels), settings)?;
                Ok(Self::Cpu(chain.into(), controls.into()))
            }
            #[cfg(feature = "gpu")]
            Runner::Gpu(gpu) => {
                if model.task() == Some(Task::Effect) {
                    let what = format!("the effect {} does not run on a GPU", model.name);
                    return Err(Failure::new(what, "play it with --engine cpu"));
                }
                let kind = whole::Settings::new(rate, channels, &settings.controls());
                let whole = Whole::new(gpu, &model.model()?, kind)?;
                Ok(Self::Gpu(whole.into()))
            }
        }
    }

    /// The delays when it runs live at this rate; they are taken off.
    pub fn latency(&self) -> Latency {
        match self {
            Self::Cpu(chain, _) => chain.latency(),
            #[cfg(feature = "gpu")]
            Self::Gpu(whole) => whole.latency(),
        }
    }

    /// Cleans what comes from one thread, and hands it to the other.
    pub fn run(&mut self, tape: &mut Threads) -> std::result::Result<(), Fault> {
        match self {
            Self::Cpu(chain, controls) => chain::run(chain, controls, tape),
            #[cfg(feature = "gpu")]
            Self::Gpu(whole) => whole.run(tape).map(|_| ()),
        }
    }
}

/// The chain that plays `model` at `rate` Hz, and what it is told.
pub fn chain_for(
    model: &Loaded,
    (rate, channels): (u32, usize),
    settings: &Settings,
) -> Result<(Chain, Controls)> {
    let config = ChainConfig {
        sample_rate: rate,
        channels,
        max_block: BLOCK,
    };
    let controls = settings.controls();
    if let Some(effect) = model.effect()? {
        return settings.tone.chain(&effect, config, controls);
    }
    let model = model.model()?;
    let (engine, spec) = (CpuEngine::new(&model, channels), model.spec());
    let chain = Chain::new(Box::new(engine), spec.front_end, spec.sample_rate, config)?;
    Ok((chain, controls))
}

impl From<ChainError> for Failure {
    fn from(error: ChainError) -> Failure {
        Failure::new(error.to_string(), "convert the recording to 48 kHz first")
    }
}

/// The most samples a channel that the chain is given at a time.
const BLOCK: usize = 4096;
