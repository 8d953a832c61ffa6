//! The short-time Fourier transform with a long analysis window and a short synthesis window.
//!
//! Flows in: the newest `window` samples of one channel. Flows out: a frame, `bins` complex values interleaved as
//! (re, im); and back, from a frame to the last hop + overlap samples of its window.
//!
//! The long window gives the model fine frequency resolution; the short one lets a hop out as soon as its fade into
//! the next frame is known. With W = window, H = hop, V = overlap, the fall f\[i\] = cos(π/2·(i+½)/V), and the rise
//! r\[j\] = sin(π/2·(j+½)/V):
//!
//! ```text
//!                 0 ≤ n < W−H−V      W−H−V ≤ n < W−H      W−H ≤ n < W−V     W−V ≤ n < W
//! analysis  a[n]  sin(π/2·(n+½)/(W−V)) ...................................  f[n−(W−V)]
//! synthesis s[n]  0                  r²[n−(W−H−V)]/a[n]   1/a[n]            f[n−(W−V)]
//! product         0                  r²                   1                 f²
//! ```
//! Since r² + f² = 1, the products of neighbouring frames, H apart, add up to one. The forward transform is not
//! scaled, the inverse by 1/W. Training uses the same definition.

use std::f64::consts::FRAC_PI_2;

use crate::kernels::real_fft::RealFft;
use crate::model::spec::FrontEnd;

/// The analysis window, `window` long.
pub fn analysis_window(front_end: &FrontEnd) -> Vec<f32> {
    analysis(front_end).into_iter().map(|a| a as f32).collect()
}

/// The part of the synthesis window that is not zero: its last hop + overlap samples.
pub fn synthesis_window(front_end: &FrontEnd) -> Vec<f32> {
    let &FrontEnd {
        hop,
        window,
        overlap,
        ..
    } = front_end;
    let edge = |i: usize| FRAC_PI_2 * (i as f64 + 0.5) / overlap as f64;
    let first = window - hop - overlap;
    let weight = |(i, a): (usize, &f64)| match i {
        i if i < overlap => edge(i).sin().powi(2) / a,
        i if i < hop => 1.0 / a,
        i => edge(i - hop).cos(),
    };
    analysis(front_end)[first..]
        .iter()
        .enumerate()
        .map(|at| weight(at) as f32)
        .collect()
}

fn analysis(front_end: &FrontEnd) -> Vec<f64> {
    let long = front_end.window - front_end.overlap;
    let rise = (0..long).map(|n| (FRAC_PI_2 * (n as f64 + 0.5) / long as f64).sin());
    let fall = (0..front_end.overlap)
        .map(|i| (FRAC_PI_2 * (i as f64 + 0.5) / front_end.overlap as f64).cos());
    rise.chain(fall).collect()
}

/// Transforms of one front end, with their scratch. Nothing allocates after `new`.
///
/// ```
/// use statewave::{frame::stft::Stft, model::spec::FrontEnd};
///
/// let front_end = FrontEnd { hop: 320, window: 1280, overlap: 128, spread: 32 };
/// let mut stft = Stft::new(&front_end);
/// let mut frame = vec![0.0; 2 * front_end.bins()];
/// stft.analyse(&vec![0.5; 1280], &mut frame);
/// let segment = stft.synthesise(&frame);
/// assert_eq!(segment.len(), 320 + 128);
/// assert!((segment[200] - 0.5).abs() < 1e-6); // between the fades, the signal itself
/// ```
pub struct Stft {
    fft: RealFft,
    analysis: Vec<f32>,
    /// Scaled by 1/W.
    synthesis: Vec<f32>,
}

impl Stft {
    /// Plans both transforms. The front end must satisfy `2 ≤ hop + overlap ≤ window`, `overlap ≤ hop`, `window` even.
    pub fn new(front_end: &FrontEnd) -> Self {
        let scale = 1.0 / front_end.window as f32;
        Self {
            fft: RealFft::new(front_end.window),
            analysis: analysis_window(front_end),
            synthesis: synthesis_window(front_end)
                .iter()
                .map(|s| s * scale)
                .collect(),
        }
    }

    /// Windows and transforms `samples` (`window` long, newest last) into `frame` (2 · bins long).
    pub fn analyse(&mut self, samples: &[f32], frame: &mut [f32]) {
        let time = self.fft.samples();
        for ((t, &x), &a) in time.iter_mut().zip(samples).zip(&self.analysis) {
            *t = x * a;
        }
        self.fft.forward(frame);
    }

    /// Transforms `frame` (2 · bins long) back; returns the windowed last hop + overlap samples.
    pub fn synthesise(&mut self, frame: &[f32]) -> &[f32] {
        self.fft.inverse(frame);
        let time = self.fft.samples();
        let first = time.len() - self.synthesis.len();
        let segment = &mut time[first..];
        for (x, &s) in segment.iter_mut().zip(&self.synthesis) {
            *x *= s;
        }
        segment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_windows_add_up_to_one() {
        for (hop, window, overlap) in [
            (320, 1280, 128),
            (480, 960, 480),
            (128, 256, 32),
            (100, 110, 10),
            (64, 512, 0),
        ] {
            let front_end = FrontEnd {
                hop,
                window,
                overlap,
                spread: 0,
            };
            let analysis = analysis_window(&front_end);
            let synthesis = synthesis_window(&front_end);
            let first = window - hop - overlap;
            let product: Vec<f32> = analysis[first..]
                .iter()
                .zip(&synthesis)
                .map(|(a, s)| a * s)
                .collect();
            for i in 0..hop {
                let sum = product[i] + product.get(i + hop).unwrap_or(&0.0);
                assert!((sum - 1.0).abs() < 1e-6, "{front_end:?}: {sum} at {i}");
            }
        }
    }
}
