//! Runs effects: raw samples of all channels through a model, in blocks of any length, in place.
//!
//! Flows in: audio at the host's rate. Flows out: as much, without latency where the model is played at that rate, and
//! later by [`WaveEngine::latency`] where it has to be resampled.

use crate::frame::RateConverter;
use crate::kernels::Path;
use crate::latency::Latency;
use crate::model::effect::{EffectModel, RateWay};
use crate::model::file::ModelError;
use crate::model::layer::Layer;
use crate::model::stack::Stack;

/// Samples that are run at once: what lies between two layers stays in the cache.
const STEPS: usize = 32;

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
    stack: Stack,
    channels: usize,
    state: Vec<f32>,
    scratch: Vec<f32>,
    /// `[channels][STEPS]` samples, and `[channels][STEPS][D]`.
    samples: Vec<f32>,
    x: Vec<f32>,
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
        let net = Net {
            path: Path::detect(),
            channels,
            state: vec![0.0; stack.state_len(channels)],
            scratch: vec![0.0; stack.scratch_len(channels, STEPS)],
            samples: vec![0.0; channels * STEPS],
            x: vec![0.0; channels * STEPS * stack.width()],
            stack,
        };
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
        let Some((rate, between)) = &mut self.converter else {
            return self.net.process(audio, 0..len);
        };
        for first in (0..len).step_by(self.max_block) {
            let range = first..(first + self.max_block).min(len);
            for (between, channel) in between.iter_mut().zip(audio.iter()) {
                between[..range.len()].copy_from_slice(&channel[range.clone()]);
            }
            let net = &mut self.net;
            rate.process(between, range.len(), |samples, len| {
                net.process(samples, 0..len)
            });
            for (between, channel) in between.iter().zip(audio.iter_mut()) {
                channel[range.clone()].copy_from_slice(&between[..range.len()]);
            }
        }
    }

    /// Forgets the stream: the next sample is the first. Real-time safe.
    pub fn reset(&mut self) {
        self.net.state.fill(0.0);
        if let Some((rate, _)) = &mut self.converter {
            rate.reset();
        }
    }
}

impl Net {
    /// The samples of `range` of every channel, in place.
    fn process<C: AsMut<[f32]>>(&mut self, audio: &mut [C], range: std::ops::Range<usize>) {
        let width = self.stack.width();
        for first in range.clone().step_by(STEPS) {
            let steps = STEPS.min(range.end - first);
            let rows = self.channels * steps;
            for (samples, channel) in self.samples.chunks_exact_mut(steps).zip(audio.iter_mut()) {
                samples.copy_from_slice(&channel.as_mut()[first..first + steps]);
            }
            let x = &mut self.x[..rows * width];
            self.stack.project_in(self.path, &self.samples, x, rows);
            self.stack.forward(
                self.path,
                x,
                self.channels,
                steps,
                &mut self.state,
                &mut self.scratch,
            );
            self.stack
                .project_out(self.path, x, &mut self.samples, rows);
            for (samples, channel) in self.samples.chunks_exact(steps).zip(audio.iter_mut()) {
                channel.as_mut()[first..first + steps].copy_from_slice(samples);
            }
        }
    }
}
