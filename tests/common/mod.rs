//! What the chain's tests share: an engine that does as it is told, signals, and measures.
//!
//! Flows in: seeds, rates and block lengths. Flows out: streams, and levels in dB.

// Every test file uses its own part of this.
#![allow(dead_code)]

use std::f64::consts::TAU;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::{Engine, Exchange};
use statewave::model::spec::FrontEnd;

pub const MODEL_RATE: u32 = 48_000;
pub const FRONT_END: FrontEnd = FrontEnd {
    hop: 320,
    window: 1280,
    overlap: 128,
    spread: 32,
};

/// Every rate the field asks for, and one that shares no factor with the model's.
pub const RATES: [u32; 14] = [
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 44_101, 48_000, 88_200, 96_000,
    176_400, 192_000,
];

/// How an engine lets the chain down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Late,
    Lost,
    NotANumber,
    Huge,
}

/// What an engine was asked for, readable while it runs.
#[derive(Debug, Default)]
pub struct Log {
    pub submitted: AtomicU64,
    pub work_calls: AtomicU64,
    /// Largest increment of `done` within one call, in samples of the spread.
    pub largest_share: AtomicU64,
    /// Frames collected with less than all of the work asked for.
    pub unfinished: AtomicU64,
    /// Calls that came out of order.
    pub disorder: AtomicU64,
    pub resets: AtomicU64,
    /// Frames that came back late, never, or unplayable.
    pub failed: AtomicU64,
}

impl Log {
    pub fn read(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}

/// Scales every frame, optionally on top of a memory of the frames before, and fails when told to.
pub struct TestEngine {
    frame: Vec<f32>,
    memory: Vec<f32>,
    channels: usize,
    gain: f32,
    /// Share of the last output in the next one, so that a stream's past can be heard.
    recall: f32,
    fault: Option<(Fault, u64)>,
    frames_since_fault: u64,
    sequence: u64,
    done: u32,
    collected: bool,
    pub log: Arc<Log>,
}

impl TestEngine {
    pub fn gain(channels: usize, gain: f32) -> Self {
        Self::with_front_end(&FRONT_END, channels, gain)
    }

    pub fn with_front_end(front_end: &FrontEnd, channels: usize, gain: f32) -> Self {
        let len = channels * 2 * front_end.bins();
        Self {
            frame: vec![0.0; len],
            memory: vec![0.0; len],
            channels,
            gain,
            recall: 0.0,
            fault: None,
            frames_since_fault: 0,
            sequence: 0,
            done: 0,
            collected: true,
            log: Arc::default(),
        }
    }

    pub fn identity(channels: usize) -> Self {
        Self::gain(channels, 1.0)
    }

    /// A model whose output depends on all that came before.
    pub fn recalling(channels: usize) -> Self {
        Self {
            recall: 0.5,
            ..Self::gain(channels, 0.5)
        }
    }

    pub fn failing_every(self, nth: u64, fault: Fault) -> Self {
        Self {
            fault: Some((fault, nth)),
            ..self
        }
    }

    fn count(&self, counter: &AtomicU64, is_so: bool) {
        counter.fetch_add(u64::from(is_so), Ordering::Relaxed);
    }
}

impl Engine for TestEngine {
    fn frame_len(&self) -> usize {
        self.frame.len() / self.channels
    }

    fn channels(&self) -> usize {
        self.channels
    }

    fn submit(&mut self, sequence: u64, input: &[f32]) {
        self.count(&self.log.submitted, true);
        self.count(
            &self.log.disorder,
            !self.collected || sequence <= self.sequence,
        );
        self.frame.copy_from_slice(input);
        (self.sequence, self.done, self.collected) = (sequence, 0, false);
    }

    fn work(&mut self, done: u32, of: u32) {
        self.count(&self.log.work_calls, true);
        self.count(
            &self.log.disorder,
            self.collected || done <= self.done || done > of,
        );
        self.log
            .largest_share
            .fetch_max(u64::from(done - self.done), Ordering::Relaxed);
        self.done = done;
    }

    fn collect(&mut self, sequence: u64, output: &mut [f32]) -> Exchange {
        self.count(
            &self.log.disorder,
            self.collected || sequence != self.sequence,
        );
        self.count(&self.log.unfinished, self.done != FRONT_END.spread as u32);
        self.collected = true;
        for (memory, x) in self.memory.iter_mut().zip(&self.frame) {
            *memory = self.recall * *memory + self.gain * x;
        }
        self.frames_since_fault += 1;
        let fault = self
            .fault
            .filter(|&(_, nth)| self.frames_since_fault.is_multiple_of(nth));
        self.count(&self.log.failed, fault.is_some());
        match fault {
            Some((Fault::Late, _)) => return Exchange::Late,
            Some((Fault::Lost, _)) => return Exchange::Lost,
            Some((Fault::NotANumber, _)) => output.fill(f32::NAN),
            Some((Fault::Huge, _)) => output.fill(f32::MAX),
            None => output.copy_from_slice(&self.memory),
        }
        Exchange::Ready
    }

    fn reset(&mut self) {
        self.count(&self.log.resets, true);
        self.memory.fill(0.0);
        self.collected = true;
    }
}

pub fn chain_of(engine: TestEngine, sample_rate: u32, max_block: usize) -> Chain {
    let config = ChainConfig {
        sample_rate,
        channels: engine.channels(),
        max_block,
    };
    Chain::new(Box::new(engine), FRONT_END, MODEL_RATE, config).expect("the configuration is valid")
}

/// Numbers that look random and are the same in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }

    /// Within ±1.
    pub fn sample(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

/// White noise of ±0.5, a channel each.
pub fn noise(channels: usize, len: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut random = Random::new(seed);
    (0..channels)
        .map(|_| (0..len).map(|_| 0.5 * random.sample()).collect())
        .collect()
}

/// Sines spread over the band from 50 Hz to `top_hz`, with an RMS near -20 dBFS.
pub fn sines(sample_rate: u32, top_hz: f64, len: usize) -> Vec<f32> {
    let count = 40;
    let tones: Vec<(f64, f64)> = (0..count)
        .map(|i| {
            let share = f64::from(i) / f64::from(count - 1);
            let hz = 50.0 * (1.0 - share) + top_hz * share;
            (TAU * hz / f64::from(sample_rate), 2.4 * f64::from(i * i))
        })
        .collect();
    (0..len)
        .map(|n| {
            (tones
                .iter()
                .map(|(w, p)| (w * n as f64 + p).sin())
                .sum::<f64>()
                * 0.0224) as f32
        })
        .collect()
}

/// Sends `audio` through the chain in blocks of the lengths given, in place.
pub fn run(
    chain: &mut Chain,
    audio: &mut [Vec<f32>],
    controls: &Controls,
    mut block_len: impl FnMut() -> usize,
) {
    let len = audio[0].len();
    let mut at = 0;
    while at < len {
        let block = block_len().min(len - at);
        let mut slices: Vec<&mut [f32]> = audio
            .iter_mut()
            .map(|channel| &mut channel[at..at + block])
            .collect();
        chain.process(&mut slices, controls);
        at += block;
    }
}

/// Level of the samples in dB below full scale.
pub fn level_db(samples: &[f32]) -> f64 {
    let power: f64 =
        samples.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / samples.len().max(1) as f64;
    10.0 * (power + 1e-30).log10()
}

/// Largest sample in dB below full scale.
pub fn peak_db(samples: &[f32]) -> f64 {
    20.0 * f64::from(samples.iter().fold(0.0_f32, |peak, x| peak.max(x.abs())))
        .max(1e-15)
        .log10()
}

/// `output` less `input` delayed by `delay`, from sample `from` on.
pub fn difference(output: &[f32], input: &[f32], delay: usize, from: usize) -> Vec<f32> {
    (from.max(delay)..output.len())
        .map(|n| output[n] - input[n - delay])
        .collect()
}

/// Bit for bit the same, so that even the sign of zero counts.
pub fn same_bits(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
}
