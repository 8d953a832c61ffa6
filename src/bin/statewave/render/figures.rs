//! How much noise was taken away.

/// Length of the frames that are compared.
const FRAME_MS: usize = 20;

/// The quietest frames of a recording of a voice hold noise alone: the share of them that is compared.
const QUIET_SHARE: f64 = 0.2;

/// Noise is not said to be taken away further than this.
const MOST_DB: f64 = 120.0;

/// Energies of a recording's frames, all channels together, as it comes in pieces.
pub struct Energies {
    frame: usize,
    /// Of whole frames.
    energies: Vec<f64>,
    /// Of the one that is not, and its samples.
    sum: f64,
    samples: usize,
}

impl Energies {
    /// Of nothing yet, at `rate` Hz.
    pub fn new(rate: u32) -> Self {
        Self {
            frame: (rate as usize * FRAME_MS / 1000).max(1),
            energies: Vec::new(),
            sum: 0.0,
            samples: 0,
        }
    }

    /// Of a whole recording.
    pub fn of(channels: &[Vec<f32>], rate: u32) -> Self {
        let mut energies = Self::new(rate);
        energies.add(channels);
        energies
    }

    /// Of the next samples as well.
    pub fn add(&mut self, channels: &[Vec<f32>]) {
        let energy = |x: &[f32]| x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
        let len = channels.iter().map(Vec::len).min().unwrap_or(0);
        let mut at = 0;
        while at < len {
            let end = len.min(at + self.frame - self.samples);
            self.sum += channels.iter().map(|c| energy(&c[at..end])).sum::<f64>();
            self.samples += end - at;
            at = end;
            if self.samples == self.frame {
                self.energies.push(std::mem::take(&mut self.sum));
                self.samples = 0;
            }
        }
    }
}

/// 10·log10 of input energy over output energy in the quietest 20 % of the input's 20 ms frames, all channels
/// together. Frames of digital silence count for nothing; none if no others are there.
pub fn noise_taken_db(input: &Energies, output: &Energies) -> Option<f64> {
    let pairs = input.energies.iter().zip(&output.energies);
    let mut pairs: Vec<_> = pairs.filter(|(e, _)| **e > 0.0).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(b.0));
    pairs.truncate((pairs.len() as f64 * QUIET_SHARE).ceil() as usize);
    let (before, after) = pairs
        .iter()
        .fold((0.0, 0.0), |(x, y), (a, b)| (x + **a, y + **b));
    (before > 0.0).then(|| {
        if after > 0.0 {
            (10.0 * (before / after).log10()).min(MOST_DB)
        } else {
            MOST_DB
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_in_the_quiet_frames_is_twenty_db() {
        let loud = |k: usize| (k / 960).is_multiple_of(2);
        let input: Vec<f32> = (0..48_000)
            .map(|k| if loud(k) { 0.5 } else { 0.01 })
            .collect();
        let output: Vec<f32> = (0..48_000)
            .map(|k| if loud(k) { 0.5 } else { 0.001 })
            .collect();
        // In pieces or at once.
        let mut pieces = Energies::new(48_000);
        input.chunks(1000).for_each(|x| pieces.add(&[x.to_vec()]));
        let db = noise_taken_db(&pieces, &Energies::of(&[output], 48_000)).unwrap();
        assert!((db - 20.0).abs() < 1e-4, "{db}");
    }

    #[test]
    fn silence_has_no_noise_to_measure() {
        for len in [4800, 0] {
            let silence = Energies::of(&[vec![0.0; len]], 48_000);
            assert_eq!(noise_taken_db(&silence, &silence), None);
        }
    }
}
