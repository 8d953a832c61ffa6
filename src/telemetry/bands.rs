//! A spectrum pooled into bands of equal width on a logarithmic scale.

use super::{BANDS, HIGH_HZ, LOW_HZ, SILENCE_DB};

/// Where each band lies among the bins of a transform.
#[derive(Debug)]
pub(crate) struct Bands {
    /// First bin, one past the last, and the band's middle in bins.
    places: [(usize, usize, f32); BANDS],
    /// What makes the power of a full-scale sine 1.
    scale: f32,
}

impl Bands {
    /// For spectra of `analysis.len()` samples at `rate` Hz, windowed by `analysis`.
    pub(crate) fn new(analysis: &[f32], rate: u32) -> Bands {
        let bins_a_hz = analysis.len() as f32 / rate as f32;
        let last = analysis.len() / 2;
        let edge = |i: f32| LOW_HZ * (HIGH_HZ / LOW_HZ).powf(i / BANDS as f32) * bins_a_hz;
        let places = std::array::from_fn(|i| {
            let i = i as f32;
            let first = (edge(i).ceil() as usize).min(last + 1);
            let end = (edge(i + 1.0).ceil() as usize).clamp(first, last + 1);
            (first, end, edge(i + 0.5))
        });
        let half_sum = analysis.iter().sum::<f32>() / 2.0;
        Bands {
            places,
            scale: 1.0 / (half_sum * half_sum),
        }
    }

    /// Raises `levels_db` to those of `frame`, bins of (re, im). A band narrower than a bin takes what lies between its
    /// neighbours, a wider one its loudest bin. Real-time safe.
    pub(crate) fn raise(&self, frame: &[f32], levels_db: &mut [f32; BANDS]) {
        let last = frame.len() / 2 - 1;
        let power =
            |bin: usize| frame[2 * bin] * frame[2 * bin] + frame[2 * bin + 1] * frame[2 * bin + 1];
        for (&(first, end, middle), level) in self.places.iter().zip(levels_db) {
            let below = middle as usize;
            let between = if below < last {
                let share = middle - below as f32;
                (1.0 - share) * power(below) + share * power(below + 1)
            } else {
                0.0
            };
            let loudest = (first..end).map(power).fold(between, f32::max);
            *level = level.max(10.0 * (loudest * self.scale).max(1e-16).log10());
        }
    }

    /// Levels that anything raises.
    pub(crate) fn silence() -> [f32; BANDS] {
        [SILENCE_DB; BANDS]
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;
    use crate::frame::stft::{Stft, analysis_window};
    use crate::model::spec::FrontEnd;

    #[test]
    fn a_full_scale_sine_reads_0_db_in_its_band_and_less_elsewhere() {
        let front_end = FrontEnd {
            hop: 320,
            window: 1280,
            overlap: 128,
            spread: 32,
        };
        let bands = Bands::new(&analysis_window(&front_end), 48_000);
        let mut stft = Stft::new(&front_end);
        let mut frame = vec![0.0; 2 * front_end.bins()];
        for hz in [150.0, 1_000.0, 9_000.0] {
            let sine: Vec<f32> = (0..1280)
                .map(|n| (TAU * hz * n as f32 / 48_000.0).sin())
                .collect();
            stft.analyse(&sine, &mut frame);
            let mut levels = Bands::silence();
            bands.raise(&frame, &mut levels);
            let own = ((hz / LOW_HZ).ln() / (HIGH_HZ / LOW_HZ).ln() * BANDS as f32) as usize;
            assert!(levels[own].abs() < 1.5, "{hz} Hz reads {} dB", levels[own]);
            let above = levels[(own + 20).min(BANDS - 1)];
            assert!(above < -40.0, "{hz} Hz reads {above} dB well above itself");
        }
    }

    #[test]
    fn every_band_has_a_place() {
        let bands = Bands::new(&[1.0; 256], 16_000);
        let mut levels = Bands::silence();
        bands.raise(&[1.0; 258], &mut levels);
        let nyquist_band =
            ((8_000.0 / LOW_HZ).ln() / (HIGH_HZ / LOW_HZ).ln() * BANDS as f32) as usize;
        assert!(levels[..nyquist_band].iter().all(|&db| db > -60.0));
        assert!(
            levels[nyquist_band + 1..]
                .iter()
                .all(|&db| db == SILENCE_DB)
        );
    }
}
