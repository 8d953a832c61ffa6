//! Keeps what a state makes that was touched from being louder than twice what went in.
//!
//! Flows in: every sample of the input, and the wet signal while a state is, or lately was, not the stream's own. Flows out: the
//! wet signal, bent below the ceiling where it comes near it.

/// Of the largest sample so far: +6 dB, rounded down.
pub(crate) const ABOVE_INPUT: f32 = 1.995;

/// Full scale, the ceiling of what is made without an input.
pub(crate) const FULL_SCALE: f32 = 1.0;

/// Share of the ceiling up to which nothing is changed.
const KNEE: f32 = 0.8;

/// The largest sample of a stream so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ceiling {
    peak: f32,
}

impl Ceiling {
    /// Hears samples of the input, none of them NaN, that the model takes `gain` times.
    pub(crate) fn hear(&mut self, samples: &[f32], gain: f32) {
        self.peak = self.peak.max(gain * peak(samples));
    }

    /// Keeps samples below `times` the peak.
    pub(crate) fn hold(&self, samples: &mut [f32], times: f32) {
        hold_below(samples, times * self.peak);
    }

    /// Forgets the stream.
    pub(crate) fn reset(&mut self) {
        self.peak = 0.0;
    }
}

/// The largest of `values` without their signs; NaN where one is.
pub(crate) fn peak(values: &[f32]) -> f32 {
    // Without their signs, single-precision numbers are in the order of their bits, which vector instructions compare.
    let bits = values.iter().map(|x| x.to_bits() & !(1 << 31));
    f32::from_bits(bits.fold(0, u32::max))
}

/// Keeps samples below `ceiling`: none is more, whatever it was, none below the knee is changed, and between them the curve has
/// no corner.
pub(crate) fn hold_below(samples: &mut [f32], ceiling: f32) {
    let knee = KNEE * ceiling;
    let room = ceiling - knee;
    for x in samples {
        let size = x.abs();
        if size <= knee {
            continue;
        }
        let over = (size - knee) / room;
        // Near 1 for what is near infinite, and NaN for NaN or without any room.
        let bent = (knee + room * (1.0 - 1.0 / (1.0 + over))).min(ceiling);
        *x = if over.is_nan() {
            0.0
        } else {
            bent.copysign(*x)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_above_the_ceiling_and_nothing_changes_below_the_knee() {
        let mut samples = [0.1, -0.4, 0.5, -3.0, f32::MAX, f32::INFINITY, f32::NAN];
        hold_below(&mut samples, 0.5);
        assert_eq!(samples[..2], [0.1, -0.4]);
        assert!(samples.iter().all(|x| x.abs() <= 0.5), "{samples:?}");
        assert!(samples[2] > 0.44 && samples[3] < -0.49, "{samples:?}");
        let mut nothing = [0.1, 0.0, f32::NAN];
        hold_below(&mut nothing, 0.0);
        assert_eq!(nothing, [0.0; 3]);
    }

    #[test]
    fn the_curve_rises_and_has_no_step() {
        let bent = |x: f32| {
            let mut x = [x];
            hold_below(&mut x, 1.0);
            x[0]
        };
        for i in 0..4000 {
            let (x, next) = (i as f32 * 1e-3, (i + 1) as f32 * 1e-3);
            let rise = bent(next) - bent(x);
            assert!((0.0..=1.001e-3).contains(&rise), "{rise} at {x}");
        }
    }

    #[test]
    fn the_peak_is_the_largest_of_all_samples_with_their_gain() {
        let mut ceiling = Ceiling::default();
        ceiling.hear(&[0.1, -0.3, 0.2], 1.0);
        ceiling.hear(&[-0.1], 2.0);
        let mut samples = [5.0];
        ceiling.hold(&mut samples, 1.0);
        assert!((0.28..=0.3).contains(&samples[0]));
    }
}
