//! How chains are made: around an engine of frames, an effect, or a model that goes on by itself.

use std::sync::Arc;

use super::continuing::Continuing;
use super::meter::Meter;
use super::path::{self, Path};
use super::samples::Samples;
use super::way::Way;
use super::{Cabinet, CabinetError, Chain, ChainConfig, ChainError, EffectError, error};
use crate::engine::Engine;
use crate::engine::continuation::Continuation;
use crate::engine::wave::WaveEngine;
use crate::frame::{Ceiling, Mixer};
use crate::latency::{Latency, LatencyMode};
use crate::model::effect::EffectModel;
use crate::model::generate::GenerateModel;
use crate::model::spec::FrontEnd;

/// Longest run of an effect, so that its buffers stay in the cache.
const MAX_EFFECT_RUN: usize = 512;

impl Chain {
    /// Prepares a chain around an engine that runs `front_end` at `model_rate` Hz. Not for the audio thread.
    ///
    /// # Errors
    /// Says which value cannot be used, and what can: see [`ChainError`].
    pub fn new(
        engine: Box<dyn Engine>,
        front_end: FrontEnd,
        model_rate: u32,
        config: ChainConfig,
    ) -> Result<Self, ChainError> {
        Self::with_mode(engine, front_end, model_rate, config, LatencyMode::Live)
    }

    /// The same for a latency mode, which a chain keeps for life.
    ///
    /// # Errors
    /// As [`Chain::new`].
    pub fn with_mode(
        engine: Box<dyn Engine>,
        front_end: FrontEnd,
        model_rate: u32,
        config: ChainConfig,
        mode: LatencyMode,
    ) -> Result<Self, ChainError> {
        error::check(engine.as_ref(), &front_end, model_rate, &config)?;
        let ChainConfig {
            sample_rate,
            max_block,
            ..
        } = config;
        // No run goes past the end of a frame, so that the moment of a reset does not depend on the blocks.
        let max_run = max_block.min(path::to_host(front_end.hop, sample_rate, model_rate) + 2);
        let frame_len = engine.frame_len();
        let (path, latency) = Path::new(engine, front_end, model_rate, &config, max_run, mode);
        Ok(Self::around(
            Way::Frames(Box::new(path)),
            latency,
            &config,
            max_run,
            frame_len,
        ))
    }

    /// A chain through an effect, at its start. Not for the audio thread.
    ///
    /// # Errors
    /// Says which value cannot be used, and what can.
    pub fn of_effect(model: &EffectModel, config: ChainConfig) -> Result<Self, EffectError> {
        error::check_host(&config)?;
        let max_run = config.max_block.min(MAX_EFFECT_RUN);
        let engine = WaveEngine::new(model, config.sample_rate, config.channels, max_run)?;
        let samples = Samples::new(engine, &config, max_run);
        let latency = samples.latency();
        Ok(Self::around(
            Way::Samples(Box::new(samples)),
            latency,
            &config,
            max_run,
            0,
        ))
    }

    /// A chain through a model that goes on by itself, at its start. Not for the audio thread.
    ///
    /// # Errors
    /// Says which value of the host's cannot be used, and what can.
    pub fn of_continuation(
        model: Arc<GenerateModel>,
        config: ChainConfig,
    ) -> Result<Self, ChainError> {
        error::check_host(&config)?;
        let max_run = config.max_block.min(MAX_EFFECT_RUN);
        let engine = Continuation::new(model, config.sample_rate, config.channels, max_run);
        let continuing = Continuing::new(engine);
        let latency = continuing.latency();
        Ok(Self::around(
            Way::Continuing(Box::new(continuing)),
            latency,
            &config,
            max_run,
            0,
        ))
    }

    fn around(
        way: Way,
        latency: Latency,
        config: &ChainConfig,
        max_run: usize,
        frame_len: usize,
    ) -> Self {
        let &ChainConfig {
            sample_rate,
            channels,
            ..
        } = config;
        Self {
            way,
            mixer: Mixer::new(channels, latency.total(), sample_rate),
            meter: Meter::new(sample_rate, channels),
            wet: vec![vec![0.0; max_run]; channels],
            max_run,
            latency,
            replaced_samples: 0,
            frame_len,
            ceiling: Ceiling::default(),
        }
    }

    /// A cabinet for chains through effects that are made for `config`. Not for the audio thread.
    ///
    /// # Errors
    /// See [`CabinetError`].
    pub fn cabinet(
        config: &ChainConfig,
        response: &[Vec<f32>],
        rate: u32,
    ) -> Result<Box<Cabinet>, CabinetError> {
        let max_run = config.max_block.min(MAX_EFFECT_RUN);
        Cabinet::new(response, rate, config.sample_rate, config.channels, max_run).map(Box::new)
    }
}
