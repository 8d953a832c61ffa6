//! Sound to a grid of levels: a short-time Fourier transform, resampled to the pixels of a panel.

use realfft::RealFftPlanner;

/// Length of the analysis window: fine enough for the harmonics of a voice, short enough for its consonants.
const WINDOW_SECONDS: f64 = 0.04;

/// The most transforms that are averaged for one column; long files are sampled.
const FRAMES_PER_COLUMN: usize = 4;

/// Where the frequency axis turns from linear to logarithmic, Hz, as hearing does.
const CORNER: f32 = 500.0;

/// The highest frequency shown, Hz.
const HIGHEST: f32 = 20_000.0;

/// Power below this is shown as this, in dB of full scale.
const FLOOR_DB: f32 = -160.0;

/// Levels in dB of a full-scale sine, for each pixel of a panel.
pub struct Levels {
    width: usize,
    db: Vec<f32>,
}

impl Levels {
    /// Analyse all channels together, for a panel of that many pixels.
    pub fn of(channels: &[Vec<f32>], rate: u32, width: usize, height: usize) -> Self {
        let window_len = ((f64::from(rate) * WINDOW_SECONDS) as usize)
            .max(64)
            .next_multiple_of(2);
        let window: Vec<f32> = (0..window_len)
            .map(|k| {
                0.5 - 0.5 * (std::f32::consts::TAU * (k as f32 + 0.5) / window_len as f32).cos()
            })
            .collect();
        // A full-scale sine has 0 dB: its peak bin holds half the sum of the window.
        let scale = 4.0 / window.iter().sum::<f32>().powi(2);
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(window_len);
        let (mut frame, mut bins) = (fft.make_input_vec(), fft.make_output_vec());
        let mut scratch = fft.make_scratch_vec();
        let len = channels.first().map_or(0, Vec::len);
        let mut power = vec![0.0f32; bins.len()];
        let mut db = vec![FLOOR_DB; width * height];
        let column_len = len as f64 / width as f64;
        let frames =
            ((column_len / (window_len as f64 / 4.0)).ceil() as usize).clamp(1, FRAMES_PER_COLUMN);
        for x in 0..width {
            power.fill(0.0);
            for k in 0..frames {
                let centre = (x as f64 + (k as f64 + 0.5) / frames as f64) * column_len;
                let start = centre as isize - window_len as isize / 2;
                for channel in channels {
                    for (i, (slot, w)) in frame.iter_mut().zip(&window).enumerate() {
                        let sample = usize::try_from(start + i as isize)
                            .ok()
                            .and_then(|i| channel.get(i));
                        *slot = w * sample.copied().unwrap_or(0.0);
                    }
                    fft.process_with_scratch(&mut frame, &mut bins, &mut scratch)
                        .expect("the buffers are the plan's own");
                    power
                        .iter_mut()
                        .zip(&bins)
                        .for_each(|(p, bin)| *p += bin.norm_sqr());
                }
            }
            let share = scale / (frames * channels.len().max(1)) as f32;
            for y in 0..height {
                let bin_at = |edge: f32| {
                    let up = 1.0 - (y as f32 + edge) / height as f32;
                    frequency_at(up, rate) * window_len as f32 / rate as f32
                };
                db[y * width + x] =
                    (10.0 * (share * band(&power, bin_at(1.0), bin_at(0.0))).log10()).max(FLOOR_DB);
            }
        }
        Self { width, db }
    }

    /// Level at a pixel; row 0 is the top of the panel.
    pub fn db(&self, x: usize, y: usize) -> f32 {
        self.db[y * self.width + x]
    }

    /// Level of the loudest pixel, dB.
    pub fn loudest_db(&self) -> f32 {
        self.db.iter().copied().fold(FLOOR_DB, f32::max)
    }
}

/// Power between two positions on the axis of bins: the mean of the bins within, or the value between two bins.
fn band(power: &[f32], low: f32, high: f32) -> f32 {
    let (first, last) = (
        low.ceil() as usize,
        (high.floor() as usize).min(power.len() - 1),
    );
    if first < last {
        return power[first..=last].iter().sum::<f32>() / (last - first + 1) as f32;
    }
    let middle = (0.5 * (low + high)).min((power.len() - 1) as f32);
    let (k, share) = (middle as usize, middle.fract());
    let next = power[(k + 1).min(power.len() - 1)];
    power[k] + share * (next - power[k])
}

/// Frequency in Hz at a height between 0 and 1.
pub fn frequency_at(height: f32, rate: u32) -> f32 {
    CORNER * (height * (top_of(rate) / CORNER).asinh()).sinh()
}

/// Height between 0 and 1 of a frequency in Hz; the inverse of [`frequency_at`].
pub fn height_of(frequency: f32, rate: u32) -> f32 {
    (frequency / CORNER).asinh() / (top_of(rate) / CORNER).asinh()
}

fn top_of(rate: u32) -> f32 {
    (rate as f32 / 2.0).min(HIGHEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_scale_sine_is_zero_db_at_its_frequency() {
        let (rate, frequency) = (48_000, 1000.0f32);
        let sine: Vec<f32> = (0..rate)
            .map(|t| (std::f32::consts::TAU * frequency * t as f32 / rate as f32).sin())
            .collect();
        let levels = Levels::of(&[sine], rate, 40, 400);
        assert!(levels.loudest_db().abs() < 0.5, "{}", levels.loudest_db());
        let row = ((1.0 - height_of(frequency, rate)) * 400.0) as usize;
        assert!(levels.db(20, row) > -1.5 && levels.db(20, row / 2) < -60.0);
    }

    #[test]
    fn the_frequency_axis_inverts() {
        for f in [20.0, 440.0, 8000.0] {
            assert!((frequency_at(height_of(f, 16_000), 16_000) / f - 1.0).abs() < 1e-4);
        }
    }
}
