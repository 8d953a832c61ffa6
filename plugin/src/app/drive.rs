//! The engine as the app runs it: a chain, and what the panel is told of it.
//!
//! Flows in: blocks of sound with the values of the moment. Flows out: the same blocks processed, and a snapshot a frame.
//! [`Drive::new`] allocates; everything else is for the audio thread.

use std::sync::Arc;
use std::time::Instant;

use rtrb::{Consumer, Producer, RingBuffer};
use statewave::chain::{Chain, ChainConfig, ChainError};
use statewave::engine::cpu::CpuEngine;
use statewave::engine::{Engine, Exchange};
use statewave::latency::Latency;
use statewave::model::Model;
use statewave::telemetry::{BANDS, DELTA_BANDS, DELTA_LAYERS, HIGH_HZ, LOW_HZ, Snapshot};

use super::values::Values;

/// Frames that may wait for the end of their block.
const FRAMES_A_BLOCK: usize = 64;

/// Time constant of the load, in blocks.
const LOAD_BLOCKS: f32 = 32.0;

/// What the engine saw of a frame.
#[derive(Clone, Copy)]
struct Frame {
    input_db: [f32; BANDS],
    output_db: [f32; BANDS],
    delta: [[f32; DELTA_BANDS]; DELTA_LAYERS],
}

/// A stream through a model with the app's values.
pub struct Drive {
    chain: Chain,
    values: Arc<Values>,
    frames: Consumer<Frame>,
    rate: f32,
    /// Smoothed share of real time.
    load: f32,
    missed: u64,
    frame: u64,
    input_peak: [f32; 2],
    output_peak: [f32; 2],
}

impl Drive {
    /// Prepares a stream of `model`.
    ///
    /// # Errors
    /// When the model cannot run so, see [`ChainError`].
    pub fn new(
        model: &Arc<Model>,
        config: ChainConfig,
        values: Arc<Values>,
    ) -> Result<Self, ChainError> {
        let (told, frames) = RingBuffer::new(FRAMES_A_BLOCK);
        let spec = model.spec();
        let engine = Told {
            engine: CpuEngine::new(model, config.channels),
            bands: Bands::new(spec.front_end.bins(), spec.sample_rate as f32),
            given: [0.0; BANDS],
            told,
        };
        Ok(Self {
            chain: Chain::new(Box::new(engine), spec.front_end, spec.sample_rate, config)?,
            values,
            frames,
            rate: config.sample_rate as f32,
            load: 0.0,
            missed: 0,
            frame: 0,
            input_peak: [0.0; 2],
            output_peak: [0.0; 2],
        })
    }

    /// The delay, entry by entry.
    pub fn latency(&self) -> Latency {
        self.chain.latency()
    }

    /// Replaces a block, a slice a channel, by the output; snapshots that find no room are left out.
    pub fn process(&mut self, audio: &mut [&mut [f32]], snapshots: &mut Producer<Snapshot>) {
        let len = audio.first().map_or(0, |channel| channel.len());
        let began = Instant::now();
        peaks(audio, &mut self.input_peak);
        self.chain.process(audio, &self.values.controls());
        peaks(audio, &mut self.output_peak);
        if len > 0 {
            let share = began.elapsed().as_secs_f32() * self.rate / len as f32;
            self.missed += u64::from(share > 1.0);
            self.load += (share - self.load) / LOAD_BLOCKS;
        }
        while let Ok(frame) = self.frames.pop() {
            self.frame += 1;
            let snapshot = Snapshot {
                frame: self.frame,
                input_peak: std::mem::take(&mut self.input_peak),
                output_peak: std::mem::take(&mut self.output_peak),
                input_db: frame.input_db,
                output_db: frame.output_db,
                delta: frame.delta,
                load: self.load,
                stats: self.chain.stats(),
                missed: self.missed,
            };
            let _ = snapshots.push(snapshot);
        }
    }
}

/// Raises `to` to the largest samples; a single channel counts for both sides.
fn peaks(audio: &[&mut [f32]], to: &mut [f32; 2]) {
    for (i, to) in to.iter_mut().enumerate() {
        if let Some(channel) = audio.get(i).or(audio.first()) {
            *to = channel.iter().fold(*to, |peak, x| peak.max(x.abs()));
        }
    }
}

/// The engine, with its first channel looked at.
struct Told {
    engine: CpuEngine,
    bands: Bands,
    given: [f32; BANDS],
    told: Producer<Frame>,
}

impl Engine for Told {
    fn frame_len(&self) -> usize {
        self.engine.frame_len()
    }

    fn channels(&self) -> usize {
        self.engine.channels()
    }

    fn submit(&mut self, seq: u64, input: &[f32]) {
        self.given = self.bands.levels(&input[..self.engine.frame_len()]);
        self.engine.submit(seq, input);
    }

    fn work(&mut self, done: u32, of: u32) {
        self.engine.work(done, of);
    }

    fn collect(&mut self, seq: u64, output: &mut [f32]) -> Exchange {
        let came = self.engine.collect(seq, output);
        if came == Exchange::Ready {
            let mut delta = [[0.0; DELTA_BANDS]; DELTA_LAYERS];
            for (to, from) in delta.iter_mut().zip(self.engine.session(0).delta()) {
                let len = from.len().min(DELTA_BANDS);
                to[..len].copy_from_slice(&from[..len]);
            }
            let output_db = self.bands.levels(&output[..self.engine.frame_len()]);
            let frame = Frame {
                input_db: self.given,
                output_db,
                delta,
            };
            let _ = self.told.push(frame);
        }
        came
    }

    fn reset(&mut self) {
        self.engine.reset();
    }
}

/// Which bins a band is made of: first bin, last bin, and how far between two it lies where it is narrower than one.
struct Bands {
    edges: [(usize, usize, f32); BANDS],
    scale: f32,
}

impl Bands {
    fn new(bins: usize, rate: f32) -> Self {
        let hz_a_bin = rate / (2 * (bins - 1)) as f32;
        let step = (HIGH_HZ / LOW_HZ).powf(1.0 / BANDS as f32);
        let edges = std::array::from_fn(|band| {
            let center = LOW_HZ * step.powf(band as f32 + 0.5) / hz_a_bin;
            let (low, high) = (center / step.sqrt(), center * step.sqrt());
            let clip = |bin: f32| (bin as usize).min(bins - 1);
            if high - low < 1.0 {
                (
                    clip(center.floor()),
                    clip(center.floor() + 1.0),
                    center.fract(),
                )
            } else {
                (clip(low.ceil()), clip(high.floor()), f32::NAN)
            }
        });
        Self {
            edges,
            // A sine of full scale in a window whose mean is a half.
            scale: 2.0 / (bins - 1) as f32,
        }
    }

    /// Interpolated where bands are narrower than bins, the loudest bin where they are wider.
    fn levels(&self, frame: &[f32]) -> [f32; BANDS] {
        let power = |bin: usize| frame[2 * bin].powi(2) + frame[2 * bin + 1].powi(2);
        std::array::from_fn(|band| {
            let (first, last, between) = self.edges[band];
            let power = if between.is_nan() {
                (first..=last).map(power).fold(0.0, f32::max)
            } else {
                power(first) * (1.0 - between) + power(last) * between
            };
            10.0 * (power * self.scale * self.scale + 1e-14).log10()
        })
    }
}
