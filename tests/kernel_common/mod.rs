//! What the tests of kernels and layers share: small deterministic noise, and the yardstick.
#![allow(dead_code)]

pub mod blocks;
pub mod ends;
#[cfg(feature = "gpu")]
pub mod ends_gpu;
pub mod large;

use statewave::kernels::Path;
use statewave::kernels::oracle::snr_db;

/// SplitMix64, so that a failing case is its sizes and a seed.
pub struct Noise(pub u64);

impl Noise {
    /// Uniform in [−1, 1).
    pub fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    /// `len` values in [−scale, scale).
    pub fn vec(&mut self, len: usize, scale: f32) -> Vec<f32> {
        (0..len).map(|_| self.next() * scale).collect()
    }
}

/// As f64.
pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|v| *v as f64).collect()
}

/// Fails if the signal-to-error ratio of `got` is less than `least` dB.
pub fn assert_db(truth: &[f64], got: &[f32], least: f64, what: &str, path: Path) {
    let snr = snr_db(truth, got);
    assert!(
        snr >= least,
        "{what} on {}: {snr:.1} dB, less than {least}",
        path.name()
    );
}
