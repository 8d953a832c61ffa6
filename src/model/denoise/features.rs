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

/// One frame: `spectrum`, `bins` of (re, im), into `out`, `bins` of (re, im, magnitude). `work` holds 4 floats a bin.
pub fn features(
    path: Path,
    spectrum: &[f32],
    exponent: f32,
    keep: f32,
    level: &mut Level,
    work: &mut [f32],
    out: &mut [f32],
) {
    let bins = out.len() / 3;
    let (re, rest) = work.split_at_mut(bins);
    let (im, rest) = rest.split_at_mut(bins);
    let (magnitude, scale) = rest.split_at_mut(bins);
    let scale = &mut scale[..bins];
    for ((re, im), x) in re
        .iter_mut()
        .zip(im.iter_mut())
        .zip(spectrum.chunks_exact(2))
    {
        (*re, *im) = (x[0], x[1]);
    }
    compress(path, re, im, exponent, magnitude, scale);
    let mean = magnitude.iter().sum::<f32>() / bins as f32;
    let gain = 1.0 / level.update(mean, keep);
    for (k, out) in out.chunks_exact_mut(3).enumerate() {
        let s = scale[k] * gain;
        out[0] = re[k] * s;
        out[1] = im[k] * s;
        out[2] = magnitude[k] * gain;
    }
}
