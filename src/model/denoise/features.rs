//! What the net sees of a spectrum: power-compressed real part, imaginary part and magnitude, over their running level.

use super::LEVEL_FLOOR;
use super::bands::Group;
use crate::kernels::Path;
use crate::kernels::compress::{Compressed, compress, lay_out};

/// The running mean of the compressed magnitude, corrected for its start: the gain of the input does not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Level {
    sum: f32,
    weight: f32,
}

/// Numbers of a level.
pub const LEVEL_LEN: usize = 2;

impl Level {
    /// (sum, weight).
    pub fn parts(&self) -> [f32; LEVEL_LEN] {
        [self.sum, self.weight]
    }

    /// The level of which [`Level::parts`] are these.
    pub fn from_parts([sum, weight]: [f32; LEVEL_LEN]) -> Level {
        Level { sum, weight }
    }

    /// Takes in a frame's mean and returns the level.
    fn update(&mut self, mean: f32, keep: f32) -> f32 {
        self.sum = keep * self.sum + mean;
        self.weight = keep * self.weight + 1.0;
        // What is no number would hide behind the floor for ever.
        if !(self.sum + self.weight).is_finite() {
            (self.sum, self.weight) = (0.0, 1.0);
        }
        if self.sum < 1e-20 {
            self.sum = 0.0;
        }
        (self.sum / self.weight).max(LEVEL_FLOOR)
    }
}

/// One frame: planes `re` and `im` into `out`, `[3][width]` for every band in turn. `work` holds 2 floats a bin.
///
/// Of the planes and of `work` a few floats behind the last bin are touched as well, and of `out`.
#[allow(clippy::too_many_arguments)]
pub fn features(
    path: Path,
    groups: &[Group],
    re: &[f32],
    im: &[f32],
    exponent: f32,
    keep: f32,
    level: &mut Level,
    work: &mut [f32],
    out: &mut [f32],
) {
    let bins: usize = groups.iter().map(|g| g.bands * g.width).sum();
    let (magnitude, scale) = work.split_at_mut(work.len() / 2);
    compress(path, &re[..bins], &im[..bins], exponent, magnitude, scale);
    let gain = 1.0 / level.update(sum(&magnitude[..bins]) / bins as f32, keep);
    let compressed = Compressed {
        re,
        im,
        magnitude,
        scale,
    };
    let mut first = 0;
    for g in groups {
        lay_out(
            path,
            compressed,
            gain,
            first,
            g.width,
            g.bands,
            &mut out[3 * first..],
        );
        first += g.bands * g.width;
    }
}

/// Sixteen sums side by side, then their sum: one would wait for itself at every step.
fn sum(values: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let chunks = values.chunks_exact(sums.len());
    let rest: f32 = chunks.remainder().iter().sum();
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x;
        }
    }
    sums.iter().sum::<f32>() + rest
}
