//! The whole path from a host's block to the same block processed, in place.
//!
//! Flows in: audio of any rate, block length and channel count, with the controls of that block. Flows out: the mix of
//! the model's signal and the input, later by exactly [`Latency::total`] samples, whatever happens to the engine.
//!
//! ```text
//! block ─► guard ─┬─► rate ─► framer ─► Engine ─► framer ─► rate ─► mix ─► block
//!                 └─► delay ───────────────────────────────────────►┘
//! ```
//! Above the model's Nyquist frequency there is no wet signal: at host rates beyond the model's, that band is taken
//! away with the rest as `amount_db` and `mix` say, and it is heard in the dry signal.
//!
//! An effect has neither framer nor frames: `block ─► guard ─┬─► gain ─► gate ─► WaveEngine ─► cabinet ─► mix ─► block`, and
//! no delay at all where the model can be played at the host's rate. Nor has sound that goes on by itself: there, `mix` is between the
//! delayed input and what [`Continuation`](crate::engine::continuation::Continuation) makes of it.

mod cabinet;
mod continuing;
mod error;
mod gate;
mod making;
mod meter;
mod path;
mod render;
mod samples;
mod scope;
mod way;

pub use cabinet::{CABINET_SECONDS, Cabinet, CabinetError};
pub use error::{ChainError, EffectError};
pub use render::{render, run};

use std::sync::Arc;

use crate::controls::{Controls, UNLIMITED_AMOUNT_DB};
use crate::engine::{Engine, EngineReport};
use crate::frame::{ABOVE_INPUT, Ceiling, Mixer, copy_flushed, replace_what_is_not_audio};
use crate::latency::Latency;
use crate::state::Bank;
use crate::telemetry::Writer;
use meter::Meter;
use way::Way;

/// What the host says before the audio starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainConfig {
    /// The host's rate, 1000 to 2000000 Hz.
    pub sample_rate: u32,
    /// Channels, each a stream of its own.
    pub channels: usize,
    /// Longest block the host means to send, in samples. Longer ones are processed as well, in pieces.
    pub max_block: usize,
}

/// Counts since the chain was made, for whoever shows or logs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChainStats {
    /// Frames given to the engine.
    pub frames: u64,
    /// Frames whose result had not come in time; heard dry.
    pub late: u64,
    /// Frames whose result will never come; heard dry.
    pub lost: u64,
    /// Input samples that were not audio, replaced by silence, and frames that came back unplayable, heard dry.
    pub non_finite: u64,
    /// Times the engine had to forget the stream because of such samples or frames.
    pub resets: u64,
    /// Times what a model generated was taken back to where it began to go on.
    pub restarts: u64,
}

/// A stream through a model: allocates in [`Chain::new`], and never again.
///
/// ```
/// use statewave::chain::{Chain, ChainConfig};
/// use statewave::controls::Controls;
/// use statewave::engine::{Engine, Exchange};
/// use statewave::model::spec::FrontEnd;
///
/// /// Gives every frame back as it came.
/// struct Through(Vec<f32>);
/// impl Engine for Through {
///     fn frame_len(&self) -> usize { self.0.len() }
///     fn channels(&self) -> usize { 1 }
///     fn submit(&mut self, _: u64, input: &[f32]) { self.0.copy_from_slice(input) }
///     fn work(&mut self, _: u32, _: u32) {}
///     fn collect(&mut self, _: u64, output: &mut [f32]) -> Exchange {
///         output.copy_from_slice(&self.0);
///         Exchange::Ready
///     }
///     fn reset(&mut self) {}
/// }
///
/// let front_end = FrontEnd { hop: 320, window: 1280, overlap: 128, spread: 32 };
/// let engine = Box::new(Through(vec![0.0; 2 * front_end.bins()]));
/// let config = ChainConfig { sample_rate: 48_000, channels: 1, max_block: 512 };
/// let mut chain = Chain::new(engine, front_end, 48_000, config)?;
/// assert_eq!(chain.latency().total(), 480);
///
/// let mut block = vec![0.25; 512];
/// chain.process(&mut [&mut block], &Controls::default());
/// assert!(block[479].abs() < 1e-6);
/// assert!((block[480] - 0.25).abs() < 1e-6);
/// # Ok::<(), statewave::chain::ChainError>(())
/// ```
pub struct Chain {
    way: Way,
    mixer: Mixer,
    meter: Meter,
    /// What goes to the model and comes back as the wet signal, a channel each, `max_run` long.
    wet: Vec<Vec<f32>>,
    max_run: usize,
    latency: Latency,
    replaced_samples: u64,
    frame_len: usize,
    ceiling: Ceiling,
}

impl Chain {
    /// The delay from input to output, entry by entry. Constant for the life of the chain.
    pub fn latency(&self) -> Latency {
        self.latency
    }

    /// Number of channels the chain was made for.
    pub fn channels(&self) -> usize {
        self.wet.len()
    }

    /// Whether there is a choice of latency modes for its model.
    pub fn has_modes(&self) -> bool {
        matches!(self.way, Way::Frames(_))
    }

    /// Whether the model goes on by itself now: there is sound without an end, whatever comes in. Real-time safe.
    pub fn goes_on(&self) -> bool {
        match &self.way {
            Way::Continuing(continuing) => continuing.goes_on(),
            Way::Frames(_) | Way::Samples(_) => false,
        }
    }

    /// Samples of sound after the end of the input: what is on its way, and what it began.
    pub fn tail(&self) -> usize {
        self.latency.total() + self.way.tail()
    }

    /// What has happened so far.
    pub fn stats(&self) -> ChainStats {
        let mut stats = self.way.stats();
        stats.non_finite += self.replaced_samples;
        stats
    }

    /// Who runs the model's frames, and how it has gone so far. Real-time safe.
    pub fn engine_report(&self) -> EngineReport {
        self.way.engine_report()
    }

    /// Where the model's states are kept, if it has any: what a shell saves with a project.
    pub fn bank(&mut self) -> Option<Arc<Bank>> {
        self.way.memory().map(|memory| Arc::clone(memory.bank()))
    }

    /// Has it keep them in another bank. Returns the one there was, or this one where its key is another model's. Not for the
    /// audio thread, which would free it.
    pub fn adopt_bank(&mut self, bank: Arc<Bank>) -> Arc<Bank> {
        match self.way.memory() {
            Some(memory) => memory.adopt(bank),
            None => bank,
        }
    }

    /// Has the model's state begin anew before its next step: from what is recalled, if anything is, else from nothing. For the
    /// start of a host's transport. Real-time safe.
    pub fn restart_state(&mut self) {
        self.way.hand().restart();
    }

    /// Has the chain write to `writer` while somebody watches, and returns the writer it had. Real-time safe.
    pub fn set_telemetry(&mut self, writer: Option<Writer>) -> Option<Writer> {
        self.meter.connect(writer)
    }

    /// Replaces `audio`, a slice a channel, by the output. Any number of samples from 0 up. Real-time safe.
    ///
    /// Slices should be equally long and as many as the chain's channels. Of slices that differ, the common length is
    /// processed and the rest left as it was; channels missing are taken for silent, channels too many are left alone.
    pub fn process(&mut self, audio: &mut [&mut [f32]], controls: &Controls) {
        let present = audio.len().min(self.channels());
        let audio = &mut audio[..present];
        let len = audio.iter().map(|channel| channel.len()).min().unwrap_or(0);
        if len == 0 {
            return;
        }
        let mixed = match self.way {
            Way::Frames(_) => *controls,
            // There is nothing that is taken away.
            Way::Samples(_) | Way::Continuing(_) => Controls {
                amount_db: UNLIMITED_AMOUNT_DB,
                ..*controls
            },
        };
        self.mixer.set(&mixed);
        self.way.set(controls);
        let input_gain = self.way.input_gain(controls);
        let watched = self.meter.begin();
        self.way.watch(watched);
        let mut at = 0;
        while at < len {
            let run = (len - at).min(self.way.longest_run()).min(self.max_run);
            self.process_run(audio, at..at + run, input_gain);
            at += run;
            let stats = self.stats();
            if let Some(report) = self.way.take_report() {
                self.meter.frame(report, at, stats);
            }
        }
        self.meter.end(len);
    }

    /// Forgets the stream: the next sample is the first. Real-time safe.
    pub fn reset(&mut self) {
        self.way.reset();
        self.mixer.reset();
        self.ceiling.reset();
    }

    /// Lets another engine take over within a frame, faded in over the front end's overlap, and returns the one that
    /// ran, to be freed where waiting does no harm. Real-time safe.
    ///
    /// # Errors
    /// An engine for other frames or channels, or of another handoff, is handed back unused.
    pub fn swap_engine(
        &mut self,
        engine: Box<dyn Engine>,
    ) -> Result<Box<dyn Engine>, Box<dyn Engine>> {
        let fits = engine.frame_len() == self.frame_len && engine.channels() == self.channels();
        match &mut self.way {
            Way::Frames(path) if fits && engine.handoff() == path.framer.handoff() => {
                Ok(path.framer.swap_engine(engine))
            }
            Way::Frames(_) | Way::Samples(_) | Way::Continuing(_) => Err(engine),
        }
    }

    /// Puts a cabinet behind an effect, or none, faded over, and returns the one there was, to be freed where waiting does no
    /// harm. Without an effect what was given comes back. Real-time safe.
    pub fn swap_cabinet(&mut self, cabinet: Option<Box<Cabinet>>) -> Option<Box<Cabinet>> {
        match &mut self.way {
            Way::Samples(samples) => samples.swap_cabinet(cabinet),
            Way::Frames(_) | Way::Continuing(_) => cabinet,
        }
    }

    /// A run of samples that ends no later than the next frame.
    fn process_run(
        &mut self,
        audio: &mut [&mut [f32]],
        range: std::ops::Range<usize>,
        input_gain: f32,
    ) {
        let len = range.len();
        let mut replaced = 0;
        for (i, wet) in self.wet.iter_mut().enumerate() {
            match audio.get_mut(i) {
                Some(channel) => {
                    let samples = &mut channel[range.clone()];
                    replaced += replace_what_is_not_audio(samples);
                    self.meter.input(i, samples);
                    self.ceiling.hear(samples, input_gain);
                    copy_flushed(samples, wet);
                }
                None => wet[..len].fill(0.0),
            }
        }
        if replaced > 0 {
            self.replaced_samples += replaced;
            self.way.want_reset();
        }
        self.way.process(&mut self.wet, len);
        if self.way.is_touched() {
            let times = self.mixer.room(ABOVE_INPUT);
            for wet in &mut self.wet {
                self.ceiling.hold(&mut wet[..len], times);
            }
        }
        self.mixer.process(audio, range.clone(), &self.wet);
        for (i, channel) in audio.iter().enumerate() {
            self.meter.output(i, &channel[range.clone()]);
        }
    }
}
