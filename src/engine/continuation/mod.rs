//! Sound that continues: a model hears what is played, and goes on by itself from there when it is told to.
//!
//! ```text
//! host block ─┬─ mean of channels ─► resample in ─► Generator ─► resample out ─┐
//!             └─ dry (delay) ──────────────────────────────────────────── cross-fade ─► host block
//! ```
//! The dry path is as late as the resamplers, so the first generated sample takes the place of the first one that the
//! model did not hear. Each callback does the work of its own samples on the audio thread, and no more: the most is one
//! row of the middle tier above the mean.

mod generator;
mod level;
mod sampler;
mod watch;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::frame::{RateConverter, hold_below, replace_what_is_not_audio};
use crate::kernels::Path;
use crate::latency::Latency;
use crate::model::generate::{Density, GenerateModel, StreamState};
use crate::state::{Hand, Memory};
use crate::telemetry::Deltas;
use generator::Generator;
pub use generator::Restarts;
pub use sampler::Sampling;
pub use watch::{Astray, LOUD_SECONDS, SILENT_SECONDS, STUCK_SECONDS};

/// What a musician sets, read once a block. Values out of range are brought into it, and NaN counts as the default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Continue {
    /// Whether it goes on by itself from the first sample of the block on, or listens.
    pub go_on: bool,
    /// How samples are drawn.
    pub sampling: Sampling,
    /// How dense what comes should be.
    pub density: Density,
    /// What random numbers begin from, each time it begins to go on.
    pub seed: u64,
    /// Share of the continuation while it goes on; the rest is the input. 0 to 1.
    pub mix: f32,
    /// Length of the cross-fades between input and continuation, 0 to 10.
    pub fade_seconds: f32,
}

impl Default for Continue {
    fn default() -> Continue {
        Continue {
            go_on: false,
            sampling: Sampling::default(),
            density: Density::default(),
            seed: 1,
            mix: 1.0,
            fade_seconds: 0.02,
        }
    }
}

impl Continue {
    fn sane(&self) -> Continue {
        let or = |value: f32, default: f32| if value.is_nan() { default } else { value };
        let default = Continue::default();
        Continue {
            sampling: self.sampling.sane(),
            density: Density {
                share: or(self.density.share, 0.0).clamp(0.0, 1.0),
                weight: or(self.density.weight, 0.0).clamp(0.0, 1.0),
            },
            mix: or(self.mix, default.mix).clamp(0.0, 1.0),
            fade_seconds: or(self.fade_seconds, default.fade_seconds).clamp(0.0, 10.0),
            ..*self
        }
    }
}

/// A stream that continues. Everything is allocated when it is made; [`Continuation::process`] is real-time safe.
///
/// ```no_run
/// use std::sync::Arc;
/// use statewave::engine::continuation::{Continuation, Continue};
/// use statewave::model::generate::GenerateModel;
///
/// let model = Arc::new(GenerateModel::open("continue-drums.safetensors")?);
/// let mut stream = Continuation::new(model, 48_000, 2, 512);
/// let (mut left, mut right) = (vec![0.1; 512], vec![0.1; 512]);
/// let on = Continue { go_on: true, seed: 7, ..Continue::default() };
/// stream.process(&mut [&mut left, &mut right], &on);
/// # Ok::<(), statewave::model::file::ModelError>(())
/// ```
pub struct Continuation {
    generator: Generator,
    converter: RateConverter,
    latency: Latency,
    channels: usize,
    max_block: usize,
    /// The mono signal on its way through the model.
    wet: Vec<Vec<f32>>,
    /// Delayed samples, a channel each.
    dry: Vec<VecDeque<f32>>,
    /// Whether it went on at each of the delayed samples.
    switched: VecDeque<bool>,
    /// Share of the continuation now, 0 to 1, and [`Continue::mix`], faded.
    share: f32,
    mix: f32,
    state: Doing,
}

/// What the generator does with the samples that come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Listening,
    GoingOn,
    /// It was told to listen, and goes on for so many samples of its own rate while it fades.
    Fading(usize),
}

/// Seconds in which a change of [`Continue::mix`] is faded in.
const MIX_SECONDS: f32 = 0.02;

impl Continuation {
    /// A stream at its start, at `sample_rate` in Hz, for blocks of at most `max_block` at a time within a call.
    pub fn new(
        model: Arc<GenerateModel>,
        sample_rate: u32,
        channels: usize,
        max_block: usize,
    ) -> Continuation {
        Continuation::on(Path::detect(), model, sample_rate, channels, max_block)
    }

    /// The same by instructions of one's own choice.
    pub fn on(
        path: Path,
        model: Arc<GenerateModel>,
        sample_rate: u32,
        channels: usize,
        max_block: usize,
    ) -> Continuation {
        let max_block = max_block.max(1);
        let own = model.spec().sample_rate;
        let converter = RateConverter::new(sample_rate, own, 0, 1, max_block);
        let delay = converter.delay_samples();
        Continuation {
            generator: Generator::new(path, model),
            latency: Latency {
                sample_rate,
                framing_samples: 0,
                overlap_samples: 0,
                look_ahead_samples: 0,
                spread_samples: 0,
                resampling_samples: delay,
                engine_samples: 0,
            },
            converter,
            channels,
            max_block,
            wet: vec![vec![0.0; max_block]],
            dry: vec![VecDeque::from(vec![0.0; delay]); channels],
            switched: VecDeque::from(vec![false; delay]),
            share: 0.0,
            mix: 1.0,
            state: Doing::Listening,
        }
    }

    /// The ledger: the resamplers, which the dry path waits for as well.
    pub fn latency(&self) -> Latency {
        self.latency
    }

    /// The model.
    pub fn model(&self) -> &Arc<GenerateModel> {
        self.generator.stream().model()
    }

    /// What the model remembers.
    pub fn state(&self) -> &StreamState {
        self.generator.stream().state()
    }

    /// What is done to its state, between two rows of the model's middle tier.
    pub fn hand(&mut self) -> &mut Hand {
        self.generator.hand()
    }

    /// What the model remembers, to be kept and put back.
    pub fn memory(&mut self) -> &mut dyn Memory {
        self.generator.memory()
    }

    /// Whether to keep what [`Self::deltas`] gives. Real-time safe.
    pub fn observe(&mut self, on: bool) {
        self.generator.stream_mut().observe(on);
    }

    /// Δ of its selective layers, mean over the steps since the last call; zeros while not observed. Real-time safe.
    pub fn deltas(&mut self) -> Deltas {
        self.generator.stream_mut().deltas()
    }

    /// How often what it generated had to be begun again.
    pub fn restarts(&self) -> Restarts {
        self.generator.restarts()
    }

    /// Whether it goes on by itself.
    pub fn goes_on(&self) -> bool {
        self.state != Doing::Listening
    }

    /// Replaces `audio`, a slice a channel, by the output. Any number of samples from 0 up. Real-time safe.
    ///
    /// # Panics
    /// If the slices are not one a channel, or not equally long.
    pub fn process(&mut self, audio: &mut [&mut [f32]], controls: &Continue) {
        assert_eq!(audio.len(), self.channels, "one slice a channel");
        let len = audio.first().map_or(0, |channel| channel.len());
        assert!(
            audio.iter().all(|channel| channel.len() == len),
            "slices of one length"
        );
        self.play(audio, len, controls);
    }

    /// The same of the first `len` samples of buffers of one's own. Real-time safe.
    ///
    /// # Panics
    /// If the buffers are not one a channel, or shorter.
    pub fn process_first(&mut self, audio: &mut [Vec<f32>], len: usize, controls: &Continue) {
        assert_eq!(audio.len(), self.channels, "one buffer a channel");
        self.play(audio, len, controls);
    }

    fn play<C: AsMut<[f32]> + AsRef<[f32]>>(
        &mut self,
        audio: &mut [C],
        len: usize,
        controls: &Continue,
    ) {
        let controls = controls.sane();
        self.generator.set_density(controls.density);
        self.switch(&controls);
        for channel in audio.iter_mut() {
            replace_what_is_not_audio(&mut channel.as_mut()[..len]);
        }
        for first in (0..len).step_by(self.max_block) {
            let end = (first + self.max_block).min(len);
            self.run(audio, first..end, &controls);
        }
    }

    fn switch(&mut self, controls: &Continue) {
        let own = self.model().spec().sample_rate as f32;
        self.state = match (self.state, controls.go_on) {
            (Doing::Listening, true) => {
                self.generator.begin(controls.seed);
                Doing::GoingOn
            }
            // Called back while it fades, it goes on where it is.
            (Doing::Fading(_), true) => Doing::GoingOn,
            (Doing::GoingOn, false) => Doing::Fading((controls.fade_seconds * own).ceil() as usize),
            (same, _) => same,
        };
    }

    /// Samples `range` of every channel, at most [`Self::max_block`] of them.
    fn run<C: AsMut<[f32]> + AsRef<[f32]>>(
        &mut self,
        audio: &mut [C],
        range: std::ops::Range<usize>,
        controls: &Continue,
    ) {
        let len = range.len();
        let wet = &mut self.wet[0][..len];
        wet.fill(0.0);
        for channel in audio.iter() {
            let share = 1.0 / self.channels as f32;
            let sums = wet.iter_mut().zip(&channel.as_ref()[range.clone()]);
            sums.for_each(|(wet, x)| *wet += x * share);
        }
        let (generator, state) = (&mut self.generator, &mut self.state);
        self.converter.process(&mut self.wet, len, |samples, len| {
            for x in &mut samples[0][..len] {
                *x = match *state {
                    Doing::Listening => {
                        generator.listen(*x);
                        0.0
                    }
                    Doing::GoingOn => generator.go_on(controls.sampling),
                    Doing::Fading(0) => {
                        *state = Doing::Listening;
                        generator.listen(*x);
                        0.0
                    }
                    Doing::Fading(left) => {
                        *state = Doing::Fading(left - 1);
                        generator.go_on(controls.sampling)
                    }
                };
            }
        });
        if self.generator.hand().is_at_work() {
            hold_below(&mut self.wet[0][..len], self.generator.most());
        }
        let rate = self.latency.sample_rate as f32;
        let step = 1.0 / (controls.fade_seconds * rate).max(1.0);
        let mix_step = 1.0 / (MIX_SECONDS * rate);
        for (k, &wet) in range.clone().zip(&self.wet[0]) {
            // Out before in, so that neither queue grows.
            let on = self.switched.pop_front().unwrap_or(controls.go_on);
            self.switched.push_back(controls.go_on);
            self.share = (self.share + if on { step } else { -step }).clamp(0.0, 1.0);
            self.mix += (controls.mix - self.mix).clamp(-mix_step, mix_step);
            let share = self.share * self.mix;
            for (channel, dry) in audio.iter_mut().zip(&mut self.dry) {
                let channel = channel.as_mut();
                let input = channel[k];
                let late = dry.pop_front().unwrap_or(input);
                dry.push_back(input);
                // Either alone is bit for bit.
                channel[k] = late * (1.0 - share) + wet * share;
            }
        }
    }

    /// Forgets the stream: the next sample is the first. Real-time safe.
    pub fn reset(&mut self) {
        self.generator.reset();
        self.generator.hand().reset();
        self.converter.reset();
        self.dry
            .iter_mut()
            .for_each(|dry| dry.iter_mut().for_each(|x| *x = 0.0));
        self.switched.iter_mut().for_each(|on| *on = false);
        self.share = 0.0;
        self.state = Doing::Listening;
    }
}
