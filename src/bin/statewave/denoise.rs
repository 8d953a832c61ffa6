//! The one place where the program meets the engine: a whole recording in, the cleaned one out.

use statewave::chain::{self, Chain, ChainConfig};
use statewave::controls::{Controls, Listen};
use statewave::engine::cpu::CpuEngine;
use statewave::latency::Latency;

use crate::failure::{Failure, Result};
use crate::models::Loaded;

/// What a person asked for.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The most that is taken away, dB; infinite for all that the model hears as noise.
    pub amount_db: f32,
    /// Share of the cleaned sound in the output, 0 to 1; the rest is the input.
    pub mix: f32,
    /// Give what was taken away instead of what was kept.
    pub removed: bool,
}

impl Settings {
    fn controls(&self) -> Controls {
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

/// Clean a recording. `progress` is told how many more samples a channel are done.
pub fn clean(
    model: &Loaded,
    mut channels: Vec<Vec<f32>>,
    rate: u32,
    settings: &Settings,
    progress: &mut dyn FnMut(usize),
) -> Result<Cleaned> {
    let model = model.model()?;
    let spec = model.spec();
    let config = ChainConfig {
        sample_rate: rate,
        channels: channels.len(),
        max_block: BLOCK,
    };
    let engine = Box::new(CpuEngine::new(&model, channels.len()));
    let mut chain = Chain::new(engine, spec.front_end, spec.sample_rate, config)
        .map_err(|e| Failure::new(e.to_string(), "convert the recording to 48 kHz first"))?;
    let mut told = 0;
    chain::render(&mut chain, &mut channels, &settings.controls(), |done| {
        progress(done - told);
        told = done;
    });
    Ok(Cleaned {
        channels,
        latency: chain.latency(),
    })
}

/// Samples a channel that the chain is given at a time.
const BLOCK: usize = 4096;
