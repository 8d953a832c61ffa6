//! The Fourier transform of real signals of even length N, there and back, by complex transforms of N/2.
//!
//! Flows in: N samples. Flows out: N/2 + 1 bins, and back. Even samples are taken for real parts, odd ones for imaginary
//! parts; what follows the transform (or comes before the inverse) takes them apart. In planes that step is a few vector
//! instructions a bin; element by element it costs as much as the transform itself.
//!
//! With M = N/2, Z the transform of the M complex numbers, Z' = conj(Z\[M−k\]) and w = e^(−2πi·k/N):
//!
//! ```text
//! there  X[k] = (Z[k] + Z')/2 − i·w·(Z[k] − Z')/2
//! back   Z[k] = (X[k] + X') + i·conj(w)·(X[k] − X')
//! ```

use std::f64::consts::TAU;
use std::sync::Arc;

use rustfft::num_complex::Complex;
use rustfft::{Fft, FftPlanner};

use super::lane::Lane;
use super::planes::{join, part};
use super::simd::{Aligned, Path};

/// Both directions of one length, with their scratch. Nothing allocates after `new`. Neither direction is scaled.
///
/// ```
/// let mut fft = statewave::kernels::real_fft::RealFft::new(4);
/// fft.samples().copy_from_slice(&[1.0, 0.0, 0.0, 0.0]);
/// let mut bins = [0.0; 6];
/// fft.forward(&mut bins);
/// assert_eq!(bins, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
/// fft.inverse(&bins);
/// assert_eq!(fft.samples(), [4.0, 0.0, 0.0, 0.0]);
/// ```
pub struct RealFft {
    path: Path,
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    pairs: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// cos and sin of 2π·k/N for k < M.
    cos: Aligned,
    sin: Aligned,
    /// Planes, M + 1 long: what is taken apart, and what comes of it.
    from: [Aligned; 2],
    to: [Aligned; 2],
}

impl RealFft {
    /// Plans for `len` samples, an even number.
    pub fn new(len: usize) -> RealFft {
        let half = len / 2;
        let mut planner = FftPlanner::new();
        let (forward, inverse) = (
            planner.plan_fft_forward(half),
            planner.plan_fft_inverse(half),
        );
        let scratch = forward
            .get_inplace_scratch_len()
            .max(inverse.get_inplace_scratch_len());
        let turn = |f: fn(f64) -> f64| -> Aligned {
            let of = |k: usize| f(TAU * k as f64 / len as f64) as f32;
            Aligned::from(&(0..half).map(of).collect::<Vec<_>>()[..])
        };
        let planes = || [Aligned::zeros(half + 1), Aligned::zeros(half + 1)];
        RealFft {
            path: Path::detect(),
            forward,
            inverse,
            pairs: vec![Complex::default(); half],
            scratch: vec![Complex::default(); scratch],
            cos: turn(f64::cos),
            sin: turn(f64::sin),
            from: planes(),
            to: planes(),
        }
    }

    /// Where the samples go before [`Self::forward`], and come from after [`Self::inverse`].
    pub fn samples(&mut self) -> &mut [f32] {
        floats(&mut self.pairs)
    }

    /// The samples into `bins`, (re, im) each. The samples are lost.
    pub fn forward(&mut self, bins: &mut [f32]) {
        self.forward
            .process_with_scratch(&mut self.pairs, &mut self.scratch);
        let half = self.pairs.len();
        let [re, im] = &mut self.from;
        part(self.path, floats(&mut self.pairs), re, im);
        // The transform repeats after M.
        (re[half], im[half]) = (re[0], im[0]);
        let [to_re, to_im] = &mut self.to;
        spectrum(self.path, re, im, &self.cos, &self.sin, to_re, to_im);
        (to_re[half], to_im[half]) = (re[0] - im[0], 0.0);
        join(self.path, to_re, to_im, bins);
    }

    /// `bins`, (re, im) each, into the samples. What the first and the last bin have of an imaginary part is ignored, for a
    /// real signal has no phase there.
    pub fn inverse(&mut self, bins: &[f32]) {
        let half = self.pairs.len();
        let [re, im] = &mut self.from;
        part(self.path, bins, re, im);
        (im[0], im[half]) = (0.0, 0.0);
        let [to_re, to_im] = &mut self.to;
        signal(self.path, re, im, &self.cos, &self.sin, to_re, to_im);
        join(self.path, to_re, to_im, floats(&mut self.pairs));
        self.inverse
            .process_with_scratch(&mut self.pairs, &mut self.scratch);
    }
}

/// Complex numbers as the floats they are made of.
fn floats(pairs: &mut [Complex<f32>]) -> &mut [f32] {
    // SAFETY: `Complex` is two floats in the order (re, im), without padding (`repr(C)`).
    unsafe { std::slice::from_raw_parts_mut(pairs.as_mut_ptr().cast(), 2 * pairs.len()) }
}

on_path! {
    /// X from Z, for k < M; `re` and `im` are M + 1 long.
    fn spectrum(
        re: &[f32], im: &[f32], cos: &[f32], sin: &[f32], to_re: &mut [f32], to_im: &mut [f32],
    ) = spectrum_body
}

on_path! {
    /// Z from X, for k < M; `re` and `im` are M + 1 long.
    fn signal(
        re: &[f32], im: &[f32], cos: &[f32], sin: &[f32], to_re: &mut [f32], to_im: &mut [f32],
    ) = signal_body
}

/// A plain loop: within [`spectrum`] it is compiled, and vectorised, for each path's instructions.
///
/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn spectrum_body<L: Lane>(
    re: &[f32],
    im: &[f32],
    cos: &[f32],
    sin: &[f32],
    to_re: &mut [f32],
    to_im: &mut [f32],
) {
    let half = cos.len();
    let (re, im, sin) = (&re[..half + 1], &im[..half + 1], &sin[..half]);
    let (to_re, to_im) = (&mut to_re[..half], &mut to_im[..half]);
    for k in 0..half {
        let (a, b, c, d) = (re[k], im[k], re[half - k], im[half - k]);
        let (odd_re, odd_im) = (b + d, c - a);
        to_re[k] = 0.5 * (a + c + cos[k] * odd_re + sin[k] * odd_im);
        to_im[k] = 0.5 * (b - d + cos[k] * odd_im - sin[k] * odd_re);
    }
}

/// As [`spectrum_body`].
///
/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn signal_body<L: Lane>(
    re: &[f32],
    im: &[f32],
    cos: &[f32],
    sin: &[f32],
    to_re: &mut [f32],
    to_im: &mut [f32],
) {
    let half = cos.len();
    let (re, im, sin) = (&re[..half + 1], &im[..half + 1], &sin[..half]);
    let (to_re, to_im) = (&mut to_re[..half], &mut to_im[..half]);
    for k in 0..half {
        let (a, b, c, d) = (re[k], im[k], re[half - k], im[half - k]);
        let (odd_re, odd_im) = (a - c, b + d);
        to_re[k] = a + c - (cos[k] * odd_im + sin[k] * odd_re);
        to_im[k] = b - d + (cos[k] * odd_re - sin[k] * odd_im);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::oracle::snr_db;

    #[test]
    fn is_the_discrete_fourier_transform_and_comes_back() {
        for len in [2usize, 4, 10, 110, 256, 1280] {
            let x: Vec<f32> = (0..len).map(|t| (t as f32 * 1.7 + 0.3).sin()).collect();
            let mut fft = RealFft::new(len);
            fft.samples().copy_from_slice(&x);
            let mut bins = vec![0.0; len + 2];
            fft.forward(&mut bins);
            let part = |k: usize, f: fn(f64) -> f64| -> f64 {
                (x.iter().enumerate())
                    .map(|(t, x)| *x as f64 * f(TAU * (k * t % len) as f64 / len as f64))
                    .sum()
            };
            let truth: Vec<f64> = (0..=len / 2)
                .flat_map(|k| [part(k, f64::cos), -part(k, f64::sin)])
                .collect();
            assert!(snr_db(&truth, &bins) > 120.0, "{len}");
            fft.inverse(&bins);
            let back: Vec<f64> = x.iter().map(|x| *x as f64 * len as f64).collect();
            assert!(snr_db(&back, fft.samples()) > 120.0, "{len}");
        }
    }
}
