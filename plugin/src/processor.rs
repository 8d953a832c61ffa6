//! What makes the sound, for the plugin and the app alike: a chain, the way in for new models, and the way out for what
//! is seen.
//!
//! Flows in: blocks of samples with their [`Settings`], and parts from the loader. Flows out: the processed blocks,
//! parts that were replaced, and telemetry. Knows no host.

use std::sync::Arc;

use statewave::chain::{Cabinet, Chain, ChainConfig, ChainError, ChainStats};
use statewave::controls::Controls;
use statewave::engine::cpu::CpuEngine;
use statewave::engine::{Engine, EngineReport};
use statewave::handoff::swap::{New, Retired, Slot, slot};
use statewave::latency::{Latency, LatencyMode};
use statewave::model::Model;
use statewave::telemetry::Writer;

use crate::fade::{Fading, Sound};

/// The plain values of a run of samples.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Settings {
    /// What a processor is made for; another mode takes another processor.
    pub mode: LatencyMode,
    /// The state begins anew when the host's transport starts.
    pub reset_on_start: bool,
    /// What the chain is told.
    pub controls: Controls,
}

/// What runs the frames of a denoiser.
pub type BoxedEngine = Box<dyn Engine>;

/// Something on its way to the audio thread or back.
pub enum Part {
    /// For frames as those of the engine that it replaces, which goes on with the stream at once.
    Engine(BoxedEngine),
    /// For any model with the same delays; it begins anew, and is faded in once it has heard enough.
    Chain(Box<Chain>),
    /// Behind an effect; the part of a chain through anything else comes back as it went.
    Cabinet(Option<Box<Cabinet>>),
}

/// The loader's ends of a processor's slot.
pub struct Ends {
    /// New parts in.
    pub new: New<Part>,
    /// Replaced ones out.
    pub retired: Retired<Part>,
}

/// A stream through a model that can be exchanged while it plays.
pub struct Processor {
    chain: Fading<Chain>,
    mode: LatencyMode,
    slot: Slot<Part>,
}

impl Processor {
    /// A denoiser on this processor, for `config`. Allocates; not for the audio thread.
    ///
    /// # Errors
    /// See [`ChainError`].
    pub fn new(
        model: &Arc<Model>,
        config: ChainConfig,
        mode: LatencyMode,
    ) -> Result<(Self, Ends), ChainError> {
        let engine = Box::new(CpuEngine::new(model, config.channels));
        let spec = model.spec();
        let chain = Chain::with_mode(engine, spec.front_end, spec.sample_rate, config, mode)?;
        Ok(Self::around(Box::new(chain), mode))
    }

    /// Around a chain that was made for `mode`, if there are modes for its model.
    pub fn around(chain: Box<Chain>, mode: LatencyMode) -> (Self, Ends) {
        let (new, slot, retired) = slot();
        let channels = chain.channels();
        let processor = Self {
            chain: Fading::new(chain, channels),
            mode,
            slot,
        };
        (processor, Ends { new, retired })
    }

    /// Replaces a block, a slice a channel, by the output; a model that waits takes over first. Real-time safe.
    pub fn process(&mut self, audio: &mut [&mut [f32]], settings: &Settings) {
        self.take();
        if let Some(before) = self.chain.process(audio, settings) {
            self.slot.retire(Part::Chain(before));
        }
    }

    /// Takes what waits, unless a chain is still leaving.
    fn take(&mut self) {
        if !self.chain.is_free() {
            return;
        }
        match self.slot.take() {
            None => {}
            Some(Part::Engine(engine)) => {
                let (Ok(old) | Err(old)) = self.chain.now.swap_engine(engine);
                self.slot.retire(Part::Engine(old));
            }
            Some(Part::Cabinet(cabinet)) => {
                let old = self.chain.now.swap_cabinet(cabinet);
                self.slot.retire(Part::Cabinet(old));
            }
            Some(Part::Chain(chain)) => self.chain.begin(chain),
        }
    }

    /// Has the model's state begin anew, as for a transport that starts. Real-time safe.
    pub fn restart_state(&mut self) {
        self.chain.now.restart_state();
    }

    /// Forgets the stream. Real-time safe.
    pub fn reset(&mut self) {
        if let Some(before) = self.chain.end() {
            self.slot.retire(Part::Chain(before));
        }
        self.chain.now.reset();
    }

    /// The delay from input to output, entry by entry.
    pub fn latency(&self) -> Latency {
        self.chain.now.latency()
    }

    /// Samples of sound after the end of the input; `None` while a model goes on by itself, without an end.
    pub fn tail(&self) -> Option<usize> {
        (!self.chain.now.goes_on()).then(|| self.chain.now.tail())
    }

    /// Whether it is what `mode` asks for. Models without modes do for all.
    pub fn is_for(&self, mode: LatencyMode) -> bool {
        !self.chain.now.has_modes() || mode == self.mode
    }

    /// What has happened so far.
    pub fn stats(&self) -> ChainStats {
        self.chain.now.stats()
    }

    /// Who runs the model, and how it has gone so far.
    pub fn engine(&self) -> EngineReport {
        self.chain.now.engine_report()
    }

    /// Channels it was made for.
    pub fn channels(&self) -> usize {
        self.chain.now.channels()
    }

    /// Has it write to `writer` while somebody watches, and returns the writer it had.
    pub fn set_telemetry(&mut self, writer: Option<Writer>) -> Option<Writer> {
        self.chain.now.set_telemetry(writer)
    }
}

impl Sound for Processor {
    fn latency(&self) -> Latency {
        Processor::latency(self)
    }

    fn process(&mut self, audio: &mut [&mut [f32]], settings: &Settings) {
        Processor::process(self, audio, settings);
    }

    fn hand_over(&mut self, next: &mut Self) {
        next.set_telemetry(self.set_telemetry(None));
    }
}
