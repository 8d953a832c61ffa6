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

use crate::fade::{CHANNELS, Fade, part};

/// The plain values of a run of samples.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Settings {
    /// What a processor is made for; another mode takes another processor.
    pub mode: LatencyMode,
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
    chain: Box<Chain>,
    /// The chain before, while it is heard, and how far the new one has come.
    leaving: Option<(Box<Chain>, Fade)>,
    /// What it hears and makes, a channel each.
    beside: Vec<Vec<f32>>,
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
        let processor = Self {
            leaving: None,
            beside: vec![vec![0.0; Fade::RUN]; chain.channels().min(CHANNELS)],
            chain,
            mode,
            slot,
        };
        (processor, Ends { new, retired })
    }

    /// Replaces a block, a slice a channel, by the output; a model that waits takes over first. Real-time safe.
    pub fn process(&mut self, audio: &mut [&mut [f32]], settings: &Settings) {
        self.take();
        let controls = &settings.controls;
        let len = audio.iter().map(|channel| channel.len()).min().unwrap_or(0);
        let mut at = 0;
        while let Some((before, fade)) = &mut self.leaving {
            let run = fade.run().min(len - at);
            if run == 0 {
                break;
            }
            let range = at..at + run;
            for (beside, channel) in self.beside.iter_mut().zip(audio.iter()) {
                beside[..run].copy_from_slice(&channel[range.clone()]);
            }
            let (mut old, count) = part(&mut self.beside, 0..run);
            before.process(&mut old[..count], controls);
            let (mut new, count) = part(audio, range);
            self.chain.process(&mut new[..count], controls);
            fade.mix(&mut new[..count], &old);
            at += run;
            if fade.is_over() {
                self.end_fade();
            }
        }
        if at == 0 {
            self.chain.process(audio, controls);
        } else if at < len {
            let (mut rest, count) = part(audio, at..len);
            self.chain.process(&mut rest[..count], controls);
        }
    }

    /// Takes what waits, unless a chain is still leaving.
    fn take(&mut self) {
        if self.leaving.is_some() {
            return;
        }
        match self.slot.take() {
            None => {}
            Some(Part::Engine(engine)) => {
                let (Ok(old) | Err(old)) = self.chain.swap_engine(engine);
                self.slot.retire(Part::Engine(old));
            }
            Some(Part::Cabinet(cabinet)) => {
                let old = self.chain.swap_cabinet(cabinet);
                self.slot.retire(Part::Cabinet(old));
            }
            Some(Part::Chain(mut chain)) => {
                chain.set_telemetry(self.chain.set_telemetry(None));
                let latency = chain.latency();
                let before = std::mem::replace(&mut self.chain, chain);
                self.leaving = Some((before, Fade::begin(&latency)));
            }
        }
    }

    fn end_fade(&mut self) {
        if let Some((before, _)) = self.leaving.take() {
            self.slot.retire(Part::Chain(before));
        }
    }

    /// Forgets the stream. Real-time safe.
    pub fn reset(&mut self) {
        self.end_fade();
        self.chain.reset();
    }

    /// The delay from input to output, entry by entry.
    pub fn latency(&self) -> Latency {
        self.chain.latency()
    }

    /// Samples of sound after the end of the input; `None` while a model goes on by itself, without an end.
    pub fn tail(&self) -> Option<usize> {
        (!self.chain.goes_on()).then(|| self.chain.tail())
    }

    /// Whether it is what `mode` asks for. Models without modes do for all.
    pub fn is_for(&self, mode: LatencyMode) -> bool {
        !self.chain.has_modes() || mode == self.mode
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
