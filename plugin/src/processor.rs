//! What makes the sound, for the plugin and the app alike: a chain, the way in for new models, and the way out for what
//! is seen.
//!
//! Flows in: blocks of samples with their [`Settings`], and engines from the loader. Flows out: the processed blocks,
//! engines that were replaced, and telemetry. Knows no host.

use std::sync::Arc;

use statewave::chain::{Chain, ChainConfig, ChainError, ChainStats};
use statewave::controls::Controls;
use statewave::engine::cpu::CpuEngine;
use statewave::engine::{Engine, EngineReport};
use statewave::handoff::swap::{New, Retired, Slot, slot};
use statewave::latency::{Latency, LatencyMode};
use statewave::model::Model;
use statewave::telemetry::Writer;

/// The plain values of a run of samples.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Settings {
    /// What a processor is made for; another mode takes another processor.
    pub mode: LatencyMode,
    /// What the chain is told.
    pub controls: Controls,
}

/// An engine on its way to the audio thread or back.
pub type BoxedEngine = Box<dyn Engine>;

/// The loader's ends of a processor's slot.
pub struct EngineEnds {
    /// New engines in.
    pub new: New<BoxedEngine>,
    /// Replaced ones out.
    pub retired: Retired<BoxedEngine>,
}

/// A stream through a model that can be exchanged while it plays.
pub struct Processor {
    chain: Chain,
    mode: LatencyMode,
    slot: Slot<BoxedEngine>,
}

impl Processor {
    /// Prepares everything for `config`, on this processor. Allocates; not for the audio thread.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub fn new(
        model: &Arc<Model>,
        config: ChainConfig,
        mode: LatencyMode,
    ) -> Result<(Self, EngineEnds), ChainError> {
        let engine = Box::new(CpuEngine::new(model, config.channels));
        Self::with_engine(engine, model, config, mode)
    }

    /// The same around an engine that runs `model`.
    ///
    /// # Errors
    /// As [`Processor::new`].
    pub fn with_engine(
        engine: BoxedEngine,
        model: &Model,
        config: ChainConfig,
        mode: LatencyMode,
    ) -> Result<(Self, EngineEnds), ChainError> {
        let spec = model.spec();
        let chain = Chain::with_mode(engine, spec.front_end, spec.sample_rate, config, mode)?;
        let (new, slot, retired) = slot();
        Ok((Self { chain, mode, slot }, EngineEnds { new, retired }))
    }

    /// Replaces a block, a slice a channel, by the output; a model that waits takes over first. Real-time safe.
    pub fn process(&mut self, audio: &mut [&mut [f32]], settings: &Settings) {
        let chain = &mut self.chain;
        self.slot.exchange(|engine| chain.swap_engine(engine));
        chain.process(audio, &settings.controls);
    }

    /// Forgets the stream. Real-time safe.
    pub fn reset(&mut self) {
        self.chain.reset();
    }

    /// The delay from input to output, entry by entry.
    pub fn latency(&self) -> Latency {
        self.chain.latency()
    }

    /// Samples of sound after the end of the input.
    pub fn tail(&self) -> usize {
        self.chain.tail()
    }

    /// The latency mode it was made for.
    pub fn mode(&self) -> LatencyMode {
        self.mode
    }

    /// What has happened so far.
    pub fn stats(&self) -> ChainStats {
        self.chain.stats()
    }

    /// Who runs the model, and how it has gone so far.
    pub fn engine(&self) -> EngineReport {
        self.chain.engine_report()
    }

    /// Channels it was made for.
    pub fn channels(&self) -> usize {
        self.chain.channels()
    }

    /// Has it write to `writer` while somebody watches, and returns the writer it had.
    pub fn set_telemetry(&mut self, writer: Option<Writer>) -> Option<Writer> {
        self.chain.set_telemetry(writer)
    }
}
