//! Signals that are the same in every run, and what is measured of them.

use std::f32::consts::TAU;

/// Numbers that look random.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound
    }

    /// Within ±1.
    pub fn sample(&mut self) -> f32 {
        self.below(1 << 24) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Something like a voice in something like a room: gliding harmonics that come and go, and noise, a channel each.
pub fn noisy(channels: usize, len: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut random = Random::new(seed);
    (0..channels)
        .map(|channel| {
            (0..len)
                .map(|n| {
                    let t = n as f32 / 48_000.0;
                    let pitch = 140.0 + 20.0 * (TAU * 0.7 * t).sin() + 3.0 * channel as f32;
                    let syllable = (TAU * 3.0 * t).sin().max(0.0);
                    let voice: f32 = (1..12)
                        .map(|k| (TAU * pitch * k as f32 * t).sin() / k as f32)
                        .sum();
                    0.1 * syllable * voice + 0.02 * random.sample()
                })
                .collect()
        })
        .collect()
}

/// Level of the samples in dB below full scale.
pub fn level_db(samples: &[f32]) -> f64 {
    let power: f64 = samples.iter().map(|&x| f64::from(x).powi(2)).sum();
    10.0 * (power / samples.len().max(1) as f64 + 1e-30).log10()
}

pub fn same_bits(a: &[Vec<f32>], b: &[Vec<f32>]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits())
        })
}
