//! Where the program meets the engine: a whole recording in, the cleaned one out.

use std::sync::Arc;

use statewave::chain::{self, Chain, ChainConfig, ChainError};
use statewave::controls::{Controls, Listen};
use statewave::engine::Engine;
use statewave::engine::cpu::CpuEngine;
#[cfg(feature = "gpu")]
use statewave::engine::gpu::whole;
use statewave::latency::Latency;
use statewave::model::Model;

use crate::failure::{Failure, Result};
use crate::models::Loaded;
use crate::tone::{self, Tone};

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

/// A cleaned recording.
pub struct Cleaned {
    /// One vector a channel, as long as the input's and in time with it.
    pub channels: Vec<Vec<f32>>,
    /// The delays when it runs live at this rate; the output has been moved back by their sum.
    pub latency: Latency,
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

/// Clean a recording. `progress` is told how many more samples a channel are done.
pub fn clean(
    model: &Loaded,
    mut channels: Vec<Vec<f32>>,
    rate: u32,
    settings: &Settings,
    runner: &Runner,
    progress: &mut dyn FnMut(usize),
) -> Result<Cleaned> {
    let controls = settings.controls();
    let mut told = 0;
    let told_of = |done| {
        progress(done - told);
        told = done;
    };
    if let Some(effect) = model.effect()? {
        if !matches!(runner, Runner::Cpu) {
            let what = format!("the effect {} does not run on a GPU", model.name);
            return Err(Failure::new(what, "play it with --engine cpu"));
        }
        return tone::play(&effect, channels, rate, (&settings.tone, controls), told_of);
    }
    let model = model.model()?;
    let latency = match runner {
        Runner::Cpu => {
            let engine = Box::new(CpuEngine::new(&model, channels.len()));
            let mut chain = chain_around(engine, &model, rate, channels.len())?;
            chain::render(&mut chain, &mut channels, &controls, told_of);
            chain.latency()
        }
        #[cfg(feature = "gpu")]
        Runner::Gpu(gpu) => whole::render(gpu, &model, &mut channels, rate, &controls, told_of)?,
    };
    Ok(Cleaned { channels, latency })
}

fn chain_around(
    engine: Box<dyn Engine>,
    model: &Model,
    rate: u32,
    channels: usize,
) -> Result<Chain> {
    let config = ChainConfig {
        sample_rate: rate,
        channels,
        max_block: BLOCK,
    };
    let spec = model.spec();
    Ok(Chain::new(
        engine,
        spec.front_end,
        spec.sample_rate,
        config,
    )?)
}

impl From<ChainError> for Failure {
    fn from(error: ChainError) -> Failure {
        Failure::new(error.to_string(), "convert the recording to 48 kHz first")
    }
}

/// Samples a channel that the chain is given at a time.
pub const BLOCK: usize = 4096;
