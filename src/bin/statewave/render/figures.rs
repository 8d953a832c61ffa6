//! How much noise was taken away.

/// Length of the frames that are compared.
const FRAME_MS: usize = 20;

/// The quietest frames of a recording of a voice hold noise alone: the share of them that is compared.
const QUIET_SHARE: f64 = 0.2;

/// Noise is not said to be taken away further than this.
const MOST_DB: f64 = 120.0;

/// 10·log10 of input energy over output energy in the quietest 20 % of the input's 20 ms frames, all channels
/// together. Frames of digital silence count for nothing; none if no others are there.
pub fn noise_taken_db(input: &[Vec<f32>], output: &[Vec<f32>], rate: u32) -> Option<f64> {
    let frame = (rate as usize * FRAME_MS / 1000).max(1);
    let (before, after) = (energies(input, frame), energies(output, frame));
    let mut pairs: Vec<_> = before
        .into_iter()
        .zip(after)
        .filter(|(e, _)| *e > 0.0)
        .collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    pairs.truncate((pairs.len() as f64 * QUIET_SHARE).ceil() as usize);
    let (before, after) = pairs
        .iter()
        .fold((0.0, 0.0), |(x, y), (a, b)| (x + a, y + b));
    (before > 0.0).then(|| {
        if after > 0.0 {
            (10.0 * (before / after).log10()).min(MOST_DB)
        } else {
            MOST_DB
        }
    })
}

/// Energy of each whole frame, summed over channels.
fn energies(channels: &[Vec<f32>], frame: usize) -> Vec<f64> {
    let frames = channels.iter().map(|c| c.len() / frame).min().unwrap_or(0);
    let energy = |x: &[f32]| x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
    (0..frames)
        .map(|k| {
            channels
                .iter()
                .map(|c| energy(&c[k * frame..(k + 1) * frame]))
                .sum()
        })
        .collect()
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
        let db = noise_taken_db(&[input], &[output], 48_000).unwrap();
        assert!((db - 20.0).abs() < 1e-4, "{db}");
    }

    #[test]
    fn silence_has_no_noise_to_measure() {
        assert_eq!(
            noise_taken_db(&[vec![0.0; 4800]], &[vec![0.0; 4800]], 48_000),
            None
        );
        assert_eq!(noise_taken_db(&[vec![]], &[vec![]], 48_000), None);
    }
}
