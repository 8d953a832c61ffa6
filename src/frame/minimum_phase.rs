//! A short filter of given gains that delays as little as any filter of these gains can.
//!
//! Flows in: gains over frequency. Flows out: taps. The way is the folded cepstrum (Oppenheim and Schafer, "Discrete-Time
//! Signal Processing", 13): the logarithm of the gains, taken to the time axis, holds a causal and an anticausal half;
//! with the latter folded onto the former, the same gains have the phase of a filter whose zeros lie within the circle.

use std::f32::consts::FRAC_PI_2;
use std::sync::Arc;

use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex;

/// Length of the filters, in samples.
pub(crate) const TAPS: usize = 256;

/// Length of the transforms: twice the taps, so that what is folded hardly wraps around.
const LEN: usize = 2 * TAPS;

/// Taps that are faded out at the end.
const FADE: usize = 64;

/// Steps of one design, about alike in cost.
pub(crate) const STEPS: usize = 4;

/// Designs one filter at a time, a step a call, so that a callback need not do all of it.
pub(crate) struct MinimumPhase {
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    time: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// Bins of the gains a point of the transform.
    bins_a_point: f32,
}

impl MinimumPhase {
    /// For gains whose bins are `bin_hz` apart, and filters at `sample_rate` Hz.
    pub(crate) fn new(bin_hz: f32, sample_rate: u32) -> Self {
        let mut planner = RealFftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(LEN), planner.plan_fft_inverse(LEN));
        Self {
            time: vec![0.0; LEN],
            spectrum: vec![Complex::default(); LEN / 2 + 1],
            scratch: vec![
                Complex::default();
                forward.get_scratch_len().max(inverse.get_scratch_len())
            ],
            bins_a_point: sample_rate as f32 / LEN as f32 / bin_hz,
            forward,
            inverse,
        }
    }

    /// Step `k` of [`STEPS`]: the first reads `log_gains`, the last writes `taps`, the latest sample's last. Real-time
    /// safe.
    pub(crate) fn step(&mut self, k: usize, log_gains: &[f32], taps: &mut [f32]) {
        match k {
            0 => self.read(log_gains),
            1 => {
                self.transform_back();
                self.fold();
            }
            2 => self.transform(),
            _ => {
                self.transform_back();
                self.write(taps);
            }
        }
    }

    /// The logarithm of the gain at every point; beyond the highest bin, that bin's.
    fn read(&mut self, log_gains: &[f32]) {
        let last = log_gains.len() - 1;
        for (i, point) in self.spectrum.iter_mut().enumerate() {
            let at = (i as f32 * self.bins_a_point).min(last as f32);
            let (below, share) = (at as usize, at.fract());
            let above = (below + 1).min(last);
            let value = (1.0 - share) * log_gains[below] + share * log_gains[above];
            *point = Complex::new(value, 0.0);
        }
    }

    fn transform_back(&mut self) {
        for edge in [0, LEN / 2] {
            self.spectrum[edge].im = 0.0;
        }
        let done = self.inverse.process_with_scratch(
            &mut self.spectrum,
            &mut self.time,
            &mut self.scratch,
        );
        debug_assert!(done.is_ok(), "buffers are as long as planned");
        self.time.iter_mut().for_each(|x| *x /= LEN as f32);
    }

    fn fold(&mut self) {
        self.time[1..LEN / 2].iter_mut().for_each(|x| *x *= 2.0);
        self.time[LEN / 2 + 1..].fill(0.0);
    }

    /// To the logarithm of the spectrum, gain and phase, and from there to the spectrum.
    fn transform(&mut self) {
        let done = self.forward.process_with_scratch(
            &mut self.time,
            &mut self.spectrum,
            &mut self.scratch,
        );
        debug_assert!(done.is_ok(), "buffers are as long as planned");
        for point in &mut self.spectrum {
            let gain = point.re.exp();
            *point = Complex::new(gain * point.im.cos(), gain * point.im.sin());
        }
    }

    fn write(&mut self, taps: &mut [f32]) {
        for (i, (tap, &x)) in taps.iter_mut().rev().zip(&self.time).enumerate() {
            let into_fade = (i + FADE).saturating_sub(TAPS);
            let fade = (FRAC_PI_2 * into_fade as f32 / FADE as f32).cos();
            *tap = x * fade * fade;
        }
    }
}

/// The filter through which everything passes, as [`MinimumPhase::step`] writes it.
pub(crate) fn pass(taps: &mut [f32]) {
    taps.fill(0.0);
    if let Some(newest) = taps.last_mut() {
        *newest = 1.0;
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn design(gains_db: &[f32]) -> Vec<f32> {
        let log_gains: Vec<f32> = gains_db.iter().map(|db| db / 8.685_89).collect();
        let mut designer = MinimumPhase::new(24_000.0 / (gains_db.len() - 1) as f32, 48_000);
        let mut taps = vec![0.0; TAPS];
        (0..STEPS).for_each(|k| designer.step(k, &log_gains, &mut taps));
        taps
    }

    fn gain_db(taps: &[f32], hz: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (i, &tap) in taps.iter().rev().enumerate() {
            let phase = TAU * hz * i as f64 / 48_000.0;
            re += f64::from(tap) * phase.cos();
            im += f64::from(tap) * phase.sin();
        }
        20.0 * re.hypot(im).log10()
    }

    #[test]
    fn one_gain_everywhere_is_one_tap() {
        let taps = design(&[-12.0; 641]);
        assert!((f64::from(taps[TAPS - 1]) - 10f64.powf(-0.6)).abs() < 1e-4);
        assert!(taps[..TAPS - 1].iter().all(|tap| tap.abs() < 1e-5));
    }

    #[test]
    fn gains_are_kept_and_most_of_the_energy_comes_first() {
        // A voice's band kept, hum and hiss taken away.
        let gains: Vec<f32> = (0..641)
            .map(|bin| {
                let octaves = ((bin as f32 * 37.5).max(20.0) / 800.0).log2().abs();
                (-10.0 * (octaves - 1.0).max(0.0)).max(-40.0)
            })
            .collect();
        let taps = design(&gains);
        for hz in [300.0, 800.0, 2_000.0, 5_000.0, 12_000.0] {
            let wanted = f64::from(gains[(hz / 37.5) as usize]);
            let got = gain_db(&taps, hz);
            assert!(
                (got - wanted).abs() < 1.0,
                "{hz} Hz: {got} dB instead of {wanted}"
            );
        }
        let energy = |taps: &[f32]| taps.iter().map(|t| t * t).sum::<f32>();
        assert!(energy(&taps[TAPS - 32..]) > 0.95 * energy(&taps));
    }
}
