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

mod error;
mod render;

pub use error::ChainError;
pub use render::render;

use crate::controls::Controls;
use crate::engine::Engine;
use crate::frame::{Framer, Mixer, RateConverter, copy_flushed, replace_what_is_not_audio};
use crate::latency::Latency;
use crate::model::spec::FrontEnd;

/// What the host says before the audio starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainConfig {
    /// The host's rate, 8000 to 192000 Hz.
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
    framer: Framer,
    /// `None` where the host runs at the model's rate.
    rate: Option<RateConverter>,
    mixer: Mixer,
    /// What goes to the model and comes back as the wet signal, a channel each, `max_run` long.
    wet: Vec<Vec<f32>>,
    max_run: usize,
    latency: Latency,
    replaced_samples: u64,
    frame_len: usize,
}

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
        error::check(engine.as_ref(), &front_end, model_rate, &config)?;
        let ChainConfig {
            sample_rate,
            channels,
            max_block,
        } = config;
        let to_host = |model_samples: usize| {
            (model_samples as u64 * u64::from(sample_rate) / u64::from(model_rate)) as usize
        };
        // No run goes past the end of a frame, so that the moment of a reset does not depend on the blocks.
        let max_run = max_block.min(to_host(front_end.hop) + 2);
        let rate = (sample_rate != model_rate).then(|| {
            RateConverter::new(
                sample_rate,
                model_rate,
                front_end.latency(),
                channels,
                max_run,
            )
        });
        let total = rate
            .as_ref()
            .map_or(front_end.latency(), RateConverter::delay_samples);

        let framing_samples = to_host(front_end.hop);
        let framed = to_host(front_end.hop + front_end.overlap);
        let spread = to_host(front_end.latency());
        let latency = Latency {
            sample_rate,
            framing_samples,
            overlap_samples: framed - framing_samples,
            look_ahead_samples: 0,
            spread_samples: spread - framed,
            resampling_samples: total - spread,
            engine_samples: 0,
        };
        Ok(Self {
            frame_len: engine.frame_len(),
            framer: Framer::new(engine, front_end, channels),
            rate,
            mixer: Mixer::new(channels, total, sample_rate),
            wet: vec![vec![0.0; max_run]; channels],
            max_run,
            latency,
            replaced_samples: 0,
        })
    }

    /// The delay from input to output, entry by entry. Constant for the life of the chain.
    pub fn latency(&self) -> Latency {
        self.latency
    }

    /// Number of channels the chain was made for.
    pub fn channels(&self) -> usize {
        self.wet.len()
    }

    /// What has happened so far.
    pub fn stats(&self) -> ChainStats {
        let counts = self.framer.counts();
        ChainStats {
            frames: counts.frames,
            late: counts.late,
            lost: counts.lost,
            non_finite: self.replaced_samples + counts.not_finite,
            resets: counts.resets,
        }
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
        self.mixer.set(controls);
        let mut at = 0;
        while at < len {
            let run = (len - at).min(self.until_frame()).min(self.max_run);
            self.process_run(audio, at..at + run);
            at += run;
        }
    }

    /// Forgets the stream: the next sample is the first. Real-time safe.
    pub fn reset(&mut self) {
        self.framer.reset();
        self.mixer.reset();
        if let Some(rate) = &mut self.rate {
            rate.reset();
        }
    }

    /// Lets another engine take over within a frame, faded in over the front end's overlap, and returns the one that
    /// ran, to be freed where waiting does no harm. Real-time safe.
    ///
    /// # Errors
    /// An engine for other frames or channels is handed back unused.
    pub fn swap_engine(
        &mut self,
        engine: Box<dyn Engine>,
    ) -> Result<Box<dyn Engine>, Box<dyn Engine>> {
        if engine.frame_len() != self.frame_len || engine.channels() != self.channels() {
            return Err(engine);
        }
        Ok(self.framer.swap_engine(engine))
    }

    /// Host samples until the next frame is complete, at least 1.
    fn until_frame(&self) -> usize {
        let model_samples = self.framer.until_frame();
        self.rate.as_ref().map_or(model_samples, |rate| {
            rate.host_samples_before(model_samples).max(1)
        })
    }

    /// A run of samples that ends no later than the next frame.
    fn process_run(&mut self, audio: &mut [&mut [f32]], range: std::ops::Range<usize>) {
        let len = range.len();
        let mut replaced = 0;
        for (i, wet) in self.wet.iter_mut().enumerate() {
            match audio.get_mut(i) {
                Some(channel) => {
                    let samples = &mut channel[range.clone()];
                    replaced += replace_what_is_not_audio(samples);
                    copy_flushed(samples, wet);
                }
                None => wet[..len].fill(0.0),
            }
        }
        if replaced > 0 {
            self.replaced_samples += replaced;
            self.framer.want_reset();
        }
        match &mut self.rate {
            Some(rate) => rate.process(&mut self.wet, len, |audio, len| {
                self.framer.process(audio, len)
            }),
            None => self.framer.process(&mut self.wet, len),
        }
        self.mixer.process(audio, range, &self.wet);
    }
}
