//! How much the engine left of each frame, as gains that a short filter can follow.
//!
//! Flows in: the spectra an engine was given and those it gave back. Flows out: the natural logarithm of a gain a bin,
//! each from the energies of its neighbourhood, so that one bin's silence cannot make a gain of its own.

use crate::controls::Stereo;

/// Smallest and largest gain, in nepers: -60 and +6 dB.
const LIMITS: (f32, f32) = (-6.9078, 0.6908);

/// Energy that counts as none: neighbourhoods of less keep what they have.
const SILENCE: f64 = 1e-14;

/// Gains of one frame, for all channels.
pub(crate) struct Gains {
    /// `[channels][bins]`.
    log_gains: Vec<f32>,
    bins: usize,
    /// Bins on either side that count.
    reach: usize,
    /// Running sums over the bins, `bins + 1` each: of the energy given, and of the energy taken.
    sums: [Vec<f64>; 2],
    stereo: Stereo,
}

impl Gains {
    pub(crate) fn new(channels: usize, bins: usize, reach: usize) -> Self {
        Self {
            log_gains: vec![0.0; channels * bins],
            bins,
            reach,
            sums: [vec![0.0; bins + 1], vec![0.0; bins + 1]],
            stereo: Stereo::default(),
        }
    }

    /// How the channels share the engine; the gains are those of what it heard, such as middle and side.
    pub(crate) fn stereo(&self) -> Stereo {
        self.stereo
    }

    /// Gains of a channel, a bin each, as natural logarithms.
    pub(crate) fn of(&self, channel: usize) -> &[f32] {
        &self.log_gains[channel * self.bins..][..self.bins]
    }

    /// From frames, `[channels][bins]` of (re, im). Real-time safe.
    pub(crate) fn measure(&mut self, stereo: Stereo, given: &[f32], taken: &[f32]) {
        self.stereo = stereo;
        let frame_len = 2 * self.bins;
        if stereo == Stereo::Link {
            // One gain for all, from the energies of all.
            self.sum(given, taken);
            self.divide(0);
            let (first, others) = self.log_gains.split_at_mut(self.bins);
            others
                .chunks_exact_mut(first.len())
                .for_each(|other| other.copy_from_slice(first));
        } else {
            let frames = given
                .chunks_exact(frame_len)
                .zip(taken.chunks_exact(frame_len));
            for (channel, (given, taken)) in frames.enumerate() {
                self.sum(given, taken);
                self.divide(channel);
            }
        }
    }

    fn sum(&mut self, given: &[f32], taken: &[f32]) {
        for (sums, frames) in self.sums.iter_mut().zip([given, taken]) {
            let mut sum = 0.0;
            for bin in 0..self.bins {
                for frame in frames.chunks_exact(2 * self.bins) {
                    let (re, im) = (frame[2 * bin], frame[2 * bin + 1]);
                    sum += f64::from(re * re + im * im);
                }
                sums[bin + 1] = sum;
            }
        }
    }

    fn divide(&mut self, channel: usize) {
        let [given, taken] = &self.sums;
        let gains = &mut self.log_gains[channel * self.bins..][..self.bins];
        for (bin, gain) in gains.iter_mut().enumerate() {
            let (first, end) = (
                bin.saturating_sub(self.reach),
                (bin + self.reach + 1).min(self.bins),
            );
            let (before, after) = (given[end] - given[first], taken[end] - taken[first]);
            if before > SILENCE {
                let log_gain = 0.5 * ((after + SILENCE * 1e-6) / before).ln() as f32;
                *gain = log_gain.clamp(LIMITS.0, LIMITS.1);
            }
        }
    }

    /// Everything passes, as before the first frame.
    pub(crate) fn reset(&mut self) {
        self.log_gains.fill(0.0);
    }
}
