//! What the net sees of a spectrum: power-compressed real part, imaginary part and magnitude, over their running level.

use super::LEVEL_FLOOR;
use crate::kernels::Path;
use crate::kernels::compress::compress;

/// The running mean of the compressed magnitude, corrected for its start: the gain of the input does not matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Level {
    sum: f32,
    weight: f32,
}

impl Level {
    /// Takes in a frame's mean and returns the level.
    fn update(&mut self, mean: f32, keep: f32) -> f32 {
        self.sum = keep * self.sum + mean;
        self.weight = keep * self.weight + 1.0;
        if self.sum < 1e-20 {
            self.sum = 0.0;
        }
        (self.sum / self.weight).max(LEVEL_FLOOR)
    }
}

/// One frame: planes `re` and `im` into `out`, `bins` of (re, im, magnitude). `work` holds 2 floats a bin.
#[allow(clippy::too_many_arguments)]
pub fn features(
    path: Path,
    re: &[f32],
    im: &[f32],
    exponent: f32,
    keep: f32,
    level: &mut Level,
    work: &mut [f32],
    out: &mut [f32],
) {
    let bins = out.len() / 3;
    let (magnitude, scale) = work.split_at_mut(bins);
    let scale = &mut scale[..bins];
    compress(path, &re[..bins], &im[..bins], exponent, magnitude, scale);
    let mean = magnitude.iter().sum::<f32>() / bins as f32;
    let gain = 1.0 / level.update(mean, keep);
    for (k, out) in out.chunks_exact_mut(3).enumerate() {
        let s = scale[k] * gain;
        out[0] = re[k] * s;
        out[1] = im[k] * s;
        out[2] = magnitude[k] * gain;
    }
}
