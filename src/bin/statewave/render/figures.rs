//! How much noise was taken away.

use std::collections::BTreeMap;

/// Length of the frames that are compared.
const FRAME_MS: usize = 20;

/// The quietest frames of a recording of a voice hold noise alone: the share of them that is compared.
const QUIET_SHARE: f64 = 0.2;

/// Noise is not said to be taken away further than this.
const MOST_DB: f64 = 120.0;

/// Energies of a recording's whole frames, all channels together, as it comes in pieces.
pub struct Energies {
    frame: usize,
    /// Of the frame that is not whole yet, and its samples.
    sum: f64,
    samples: usize,
}

impl Energies {
    /// Of nothing yet, at `rate` Hz.
    pub fn new(rate: u32) -> Self {
        Self {
            frame: (rate as usize * FRAME_MS / 1000).max(1),
            sum: 0.0,
            samples: 0,
        }
    }

    /// Takes the next samples, and tells the energy of every frame that they end.
    pub fn add(&mut self, channels: &[Vec<f32>], mut told: impl FnMut(f64)) {
        let energy = |x: &[f32]| x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
        let len = channels.iter().map(Vec::len).min().unwrap_or(0);
        let mut at = 0;
        while at < len {
            let end = len.min(at + self.frame - self.samples);
            self.sum += channels.iter().map(|c| energy(&c[at..end])).sum::<f64>();
            self.samples += end - at;
            at = end;
            if self.samples == self.frame {
                told(std::mem::take(&mut self.sum));
                self.samples = 0;
            }
        }
    }
}

/// Frames of a recording before and after, sorted by how loud they were. Those that differ by less than 0.02 dB count as equally
/// loud, so that an hour takes no more room than a minute.
#[derive(Default)]
pub struct Frames {
    levels: BTreeMap<u64, Level>,
    count: usize,
}

/// Frames that were equally loud.
#[derive(Default)]
struct Level {
    count: usize,
    before: f64,
    after: f64,
}

impl Frames {
    /// Adds one, by its energy before and after. One of digital silence counts for nothing.
    pub fn add(&mut self, before: f64, after: f64) {
        if before > 0.0 {
            // The exponent and eight bits behind the point: positive numbers are in the order of their bits.
            let level = self.levels.entry(before.to_bits() >> 44).or_default();
            level.count += 1;
            level.before += before;
            level.after += after;
            self.count += 1;
        }
    }

    /// 10·log10 of the energy before over that after in the quietest 20 % of the frames; none if there are none.
    pub fn noise_taken_db(&self) -> Option<f64> {
        let mut left = (self.count as f64 * QUIET_SHARE).ceil();
        let (mut before, mut after) = (0.0, 0.0);
        for level in self.levels.values() {
            let share = (left / level.count as f64).min(1.0);
            before += share * level.before;
            after += share * level.after;
            left -= share * level.count as f64;
        }
        (before > 0.0).then(|| {
            if after > 0.0 {
                (10.0 * (before / after).log10()).min(MOST_DB)
            } else {
                MOST_DB
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is taken of a mono recording at 48 kHz that comes in pieces.
    fn taken_db(input: &[f32], output: &[f32]) -> Option<f64> {
        let energies = |x: &[f32], piece| {
            let (mut energies, mut found) = (Energies::new(48_000), Vec::new());
            x.chunks(piece)
                .for_each(|x| energies.add(&[x.to_vec()], |e| found.push(e)));
            found
        };
        let mut frames = Frames::default();
        for (before, after) in energies(input, 1000).into_iter().zip(energies(output, 777)) {
            frames.add(before, after);
        }
        frames.noise_taken_db()
    }

    #[test]
    fn a_tenth_in_the_quiet_frames_is_twenty_db() {
        let loud = |k: usize| (k / 960).is_multiple_of(2);
        let input: Vec<f32> = (0..48_000)
            .map(|k| if loud(k) { 0.5 } else { 0.01 })
            .collect();
        let output: Vec<f32> = (0..48_000)
            .map(|k| if loud(k) { 0.5 } else { 0.001 })
            .collect();
        let db = taken_db(&input, &output).unwrap();
        assert!((db - 20.0).abs() < 1e-4, "{db}");
    }

    #[test]
    fn sorted_by_levels_is_as_good_as_sorted_one_by_one() {
        // Frames of all levels from -80 to -20 dB, each changed by another amount.
        let frames: Vec<(f64, f64)> = (0..10_000)
            .map(|k| {
                let x = (f64::from(k) * 0.618_034).fract();
                (10f64.powf(-8.0 + 6.0 * x), 10f64.powf(-9.0 + 4.0 * x * x))
            })
            .collect();
        let mut sorted = frames.clone();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let quiet = &sorted[..2000];
        let sum = |of: fn(&(f64, f64)) -> f64| quiet.iter().map(of).sum::<f64>();
        let truth = 10.0 * (sum(|f| f.0) / sum(|f| f.1)).log10();
        let mut levels = Frames::default();
        frames.iter().for_each(|&(e, f)| levels.add(e, f));
        let db = levels.noise_taken_db().unwrap();
        assert!((db - truth).abs() < 0.01, "{db} dB, {truth} dB");
    }

    #[test]
    fn silence_has_no_noise_to_measure() {
        for len in [4800, 0] {
            let silence = vec![0.0; len];
            assert_eq!(taken_db(&silence, &silence), None);
        }
    }
}
