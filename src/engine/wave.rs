//! Runs effects: raw samples of all channels through a model, in blocks of any length, in place.
//!
//! Flows in: audio at the host's rate. Flows out: as much, without latency where the model is played at that rate, and
//! later by [`WaveEngine::latency`] where it has to be resampled.

mod knobs;
mod streams;

use crate::frame::RateConverter;
use crate::kernels::Path;
use crate::latency::Latency;
use crate::model::effect::{EffectModel, RateWay};
use crate::model::file::ModelError;
use crate::state::{Hand, Memory};
use crate::telemetry::Deltas;
use knobs::Knobs;
use streams::Streams;

/// Samples that are run at once: what lies between two layers stays in the cache. Also how often moving knobs, and what is done
/// to the state, are looked at.
const STEPS: usize = 32;

/// Samples over which a state that leapt is joined to what was heard: 5 ms at 48 kHz.
const JOIN: usize = 240;

/// A stream of an effect. Everything is allocated when it is made; [`WaveEngine::process`] is real-time safe.
///
/// ```no_run
/// use statewave::engine::wave::WaveEngine;
/// use statewave::model::effect::EffectModel;
///
/// let model = EffectModel::open("rc-tanh.safetensors")?;
/// let mut engine = WaveEngine::new(&model, 96_000, 2, 512)?;
/// println!("{}: {}", engine.way(), engine.latency());
/// let (mut left, mut right) = (vec![0.0; 512], vec![0.0; 512]);
/// engine.process(&mut [&mut left, &mut right]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct WaveEngine {
    way: RateWay,
    latency: Latency,
    net: Net,
    /// To the model's rate and back, with the channels' samples on the way.
    converter: Option<(RateConverter, Vec<Vec<f32>>)>,
    max_block: usize,
}

/// The model's part, at the rate that it runs at.
struct Net {
    path: Path,
    channels: usize,
    streams: Streams,
    /// `[channels][STEPS]` samples, and `[channels][STEPS][D]`.
    samples: Vec<f32>,
    x: Vec<f32>,
    knobs: Knobs,
    hand: Hand,
    /// Between two looks of the hand.
    seconds: f32,
    /// What was heard last, a channel each, and what it was when the state leapt; samples of the join to come.
    last: Vec<f32>,
    before: Vec<f32>,
    joining: usize,
}

impl WaveEngine {
    /// A stream at its start, at `sample_rate` in Hz, played as [`EffectModel::way`] says.
    ///
    /// # Errors
    /// See [`EffectModel::stack`].
    pub fn new(
        model: &EffectModel,
        sample_rate: u32,
        channels: usize,
        max_block: usize,
    ) -> Result<WaveEngine, ModelError> {
        let way = model.way(sample_rate);
        WaveEngine::played(model, way, sample_rate, channels, max_block)
    }

    /// As [`WaveEngine::new`], but between resamplers even where the model could be played at the rate itself: to
    /// compare. `None` where the rates are the same.
    ///
    /// # Errors
    /// See [`EffectModel::stack`].
    pub fn resampled(
        model: &EffectModel,
        sample_rate: u32,
        channels: usize,
        max_block: usize,
    ) -> Result<Option<WaveEngine>, ModelError> {
        if sample_rate == model.spec().sample_rate {
            return Ok(None);
        }
        let way = RateWay::Resampled {
            block: 0,
            kind: "by choice",
        };
        WaveEngine::played(model, way, sample_rate, channels, max_block).map(Some)
    }

    fn played(
        model: &EffectModel,
        way: RateWay,
        sample_rate: u32,
        channels: usize,
        max_block: usize,
    ) -> Result<WaveEngine, ModelError> {
        let stack = model.stack(way)?;
        let max_block = max_block.max(1);
        let converter = matches!(way, RateWay::Resampled { .. }).then(|| {
            let own = model.spec().sample_rate;
            let rate = RateConverter::new(sample_rate, own, 0, channels, max_block);
            (rate, vec![vec![0.0; max_block]; channels])
        });
        let latency = Latency {
            sample_rate,
            framing_samples: 0,
            overlap_samples: 0,
            look_ahead_samples: 0,
            spread_samples: 0,
            resampling_samples: converter
                .as_ref()
                .map_or(0, |(rate, _)| rate.delay_samples()),
            engine_samples: 0,
        };
        let played_at = match way {
            RateWay::Resampled { .. } => model.spec().sample_rate,
            RateWay::Native | RateWay::Scaled(_) => sample_rate,
        };
        let path = Path::detect();
        let mut net = Net {
            path,
            knobs: Knobs::new(model.spec(), &stack, played_at),
            channels,
            samples: vec![0.0; channels * STEPS],
            x: vec![0.0; channels * STEPS * stack.width()],
            streams: Streams::new(stack, path, channels, model.sha256(), played_at),
            hand: Hand::default(),
            seconds: STEPS as f32 / played_at as f32,
            last: vec![0.0; channels],
            before: vec![0.0; channels],
            joining: 0,
        };
        net.reset();
        Ok(WaveEngine {
            way,
            latency,
            net,
            converter,
            max_block,
        })
    }

    /// How the model is played at this rate.
    pub fn way(&self) -> RateWay {
        self.way
    }

    /// The ledger: resampling, or nothing.
    pub fn latency(&self) -> Latency {
        self.latency
    }

    /// Where the knobs go, in the order of [`EffectSpec::knobs`](crate::model::effect::EffectSpec); those that are not given
    /// stay. They are there within some 0.1 s, in straight lines of 32 samples. Real-time safe.
    pub fn set_knobs(&mut self, values: &[f32]) {
        let knobs = &mut self.net.knobs;
        for ((target, knob), value) in knobs.target.iter_mut().zip(&knobs.specs).zip(values) {
            *target = knob.held(*value);
        }
    }

    /// The same as shares of the way up, 0 to 1, of as many knobs as the model has. Real-time safe.
    pub fn set_knob_shares(&mut self, shares: &[f32]) {
        let knobs = &mut self.net.knobs;
        for ((target, knob), share) in knobs.target.iter_mut().zip(&knobs.specs).zip(shares) {
            *target = knob.at(*share);
        }
    }

    /// What is done to its state, every 32 samples counted from the stream's start.
    pub fn hand(&mut self) -> &mut Hand {
        &mut self.net.hand
    }

    /// What it remembers.
    pub fn memory(&mut self) -> &mut dyn Memory {
        &mut self.net.streams
    }

    /// Whether to keep what [`Self::deltas`] gives. Real-time safe.
    pub fn observe(&mut self, on: bool) {
        self.net.streams.deltas.watch(on);
    }

    /// Δ of its selective layers, mean over the steps since the last call; zeros while not observed. Real-time safe.
    pub fn deltas(&mut self) -> Deltas {
        self.net.streams.deltas.look()
    }

    /// Replaces `audio`, a slice a channel, by the output. Any number of samples from 0 up. Real-time safe.
    ///
    /// # Panics
    /// If the slices are not one a channel, or not equally long.
    pub fn process(&mut self, audio: &mut [&mut [f32]]) {
        assert_eq!(audio.len(), self.net.channels, "one slice a channel");
        let len = audio.first().map_or(0, |channel| channel.len());
        assert!(
            audio.iter().all(|channel| channel.len() == len),
            "slices of one length"
        );
        let Some((_, between)) = &mut self.converter else {
            return self.net.process(audio, 0..len);
        };
        let mut between = std::mem::take(between);
        for first in (0..len).step_by(self.max_block) {
            let range = first..(first + self.max_block).min(len);
            for (between, channel) in between.iter_mut().zip(audio.iter()) {
                between[..range.len()].copy_from_slice(&channel[range.clone()]);
            }
            self.process_first(&mut between, range.len());
            for (between, channel) in between.iter().zip(audio.iter_mut()) {
                channel[range.clone()].copy_from_slice(&between[..range.len()]);
            }
        }
        if let Some((_, own)) = &mut self.converter {
            *own = between;
        }
    }

    /// The same of the first `len` samples, at most `max_block`, of buffers of one's own. Real-time safe.
    ///
    /// # Panics
    /// If the buffers are not one a channel, or shorter.
    pub fn process_first(&mut self, audio: &mut [Vec<f32>], len: usize) {
        assert_eq!(audio.len(), self.net.channels, "one buffer a channel");
        let net = &mut self.net;
        match &mut self.converter {
            Some((rate, _)) => {
                rate.process(audio, len, |samples, len| net.process(samples, 0..len))
            }
            None => net.process(audio, 0..len),
        }
    }

    /// Forgets the stream: the next sample is the first, with the knobs where they were to go. Its [`Self::hand`] goes on.
    /// Real-time safe.
    pub fn reset(&mut self) {
        self.net.reset();
        if let Some((rate, _)) = &mut self.converter {
            rate.reset();
        }
    }
}

impl Net {
    /// The stream at its start, with the knobs where they go.
    fn reset(&mut self) {
        self.streams.forget();
        self.last.fill(0.0);
        self.joining = 0;
        self.knobs.now.copy_from_slice(&self.knobs.target);
        (self.knobs.left, self.knobs.moving) = (0, false);
        self.condition(0);
    }

    /// Sends the blocks to what the knobs say, within so many steps.
    fn condition(&mut self, steps: usize) {
        if let Some(film) = self.streams.stack.film() {
            let knobs = &mut self.knobs;
            film.run(self.path, &knobs.now, &mut knobs.film, &mut knobs.scratch);
            self.streams.steer(&knobs.film, steps);
        }
    }

    /// Looks at the knobs and at the hand, if it is time to. Returns the samples until the next look.
    fn turn(&mut self) -> usize {
        if self.knobs.left == 0 {
            self.knobs.left = STEPS;
            if self.hand.step(&mut self.streams, self.seconds) {
                self.before.copy_from_slice(&self.last);
                self.joining = JOIN;
            }
            if self.knobs.step() {
                self.knobs.moving = true;
                self.condition(STEPS);
            } else if self.knobs.moving {
                // What was added up on the way is rounded; this is where it leads.
                self.knobs.moving = false;
                self.condition(0);
            }
        }
        self.knobs.left
    }

    /// Joins what comes to what was heard before the state leapt.
    fn join(&mut self, steps: usize) {
        let heard = self.samples.chunks_exact_mut(steps);
        for ((samples, last), before) in heard.zip(&mut self.last).zip(&self.before) {
            for (i, x) in samples.iter_mut().take(self.joining).enumerate() {
                let share = (self.joining - i) as f32 / JOIN as f32;
                *x += share * (before - *x);
            }
            *last = samples[steps - 1];
        }
        self.joining = self.joining.saturating_sub(steps);
    }

    /// The samples of `range` of every channel, in place.
    fn process<C: AsMut<[f32]>>(&mut self, audio: &mut [C], range: std::ops::Range<usize>) {
        let width = self.streams.stack.width();
        let mut first = range.start;
        while first < range.end {
            let steps = self.turn().min(range.end - first);
            self.knobs.left -= steps;
            let rows = self.channels * steps;
            for (samples, channel) in self.samples.chunks_exact_mut(steps).zip(audio.iter_mut()) {
                samples.copy_from_slice(&channel.as_mut()[first..first + steps]);
            }
            let x = &mut self.x[..rows * width];
            self.streams.run(&mut self.samples[..rows], x, steps);
            self.join(steps);
            for (samples, channel) in self.samples.chunks_exact(steps).zip(audio.iter_mut()) {
                channel.as_mut()[first..first + steps].copy_from_slice(samples);
            }
            first += steps;
        }
    }
}
