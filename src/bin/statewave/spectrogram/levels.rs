//! Sound to a grid of levels: a short-time Fourier transform, resampled to the pixels of a panel.

use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

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
    /// Level at a pixel; row 0 is the top of the panel.
    pub fn db(&self, x: usize, y: usize) -> f32 {
        self.db[y * self.width + x]
    }

    /// Level of the loudest pixel, dB.
    pub fn loudest_db(&self) -> f32 {
        self.db.iter().copied().fold(FLOOR_DB, f32::max)
    }
}

/// A recording's levels in the making: of what has passed, no more is kept than the next transform reaches back for.
pub struct Analysis {
    rate: u32,
    height: usize,
    /// Samples of a column; the recording's length says how many.
    column_len: f64,
    /// Transforms that are averaged for a column.
    frames: usize,
    window: Vec<f32>,
    fft: Arc<dyn RealToComplex<f32>>,
    frame: Vec<f32>,
    bins: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// The newest samples, a channel each, and which of the recording comes first.
    newest: Vec<Vec<f32>>,
    first: usize,
    /// Transforms that are done, and what those of this column sum up to.
    done: usize,
    power: Vec<f32>,
    levels: Levels,
}

impl Analysis {
    /// Of `samples` a channel at `rate` Hz, all channels together, for a panel of `width` times `height` pixels.
    pub fn new(
        (rate, channels): (u32, usize),
        samples: usize,
        (width, height): (usize, usize),
    ) -> Self {
        let window_len = ((f64::from(rate) * WINDOW_SECONDS) as usize)
            .max(64)
            .next_multiple_of(2);
        let window = (0..window_len)
            .map(|k| {
                0.5 - 0.5 * (std::f32::consts::TAU * (k as f32 + 0.5) / window_len as f32).cos()
            })
            .collect();
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(window_len);
        let column_len = samples as f64 / width as f64;
        let frames =
            ((column_len / (window_len as f64 / 4.0)).ceil() as usize).clamp(1, FRAMES_PER_COLUMN);
        Self {
            rate,
            height,
            column_len,
            frames,
            window,
            frame: fft.make_input_vec(),
            bins: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            power: vec![0.0; fft.make_output_vec().len()],
            fft,
            newest: vec![Vec::new(); channels],
            first: 0,
            done: 0,
            levels: Levels {
                width,
                db: vec![FLOOR_DB; width * height],
            },
        }
    }

    /// Takes the next samples of every channel.
    pub fn add(&mut self, channels: &[Vec<f32>]) {
        for (newest, channel) in self.newest.iter_mut().zip(channels) {
            newest.extend_from_slice(channel);
        }
        let end = self.first + self.newest.first().map_or(0, Vec::len);
        while self.is_wanting() && self.start() + self.window.len() as isize <= end as isize {
            self.transform();
        }
        let wanted = match self.is_wanting() {
            true => usize::try_from(self.start()).unwrap_or(0).min(end),
            false => end,
        };
        if wanted > self.first {
            for newest in &mut self.newest {
                newest.drain(..wanted - self.first);
            }
            self.first = wanted;
        }
    }

    /// The levels; behind the recording's end there is silence.
    pub fn finish(mut self) -> Levels {
        while self.is_wanting() {
            self.transform();
        }
        self.levels
    }

    /// Whether there is a transform left to do.
    fn is_wanting(&self) -> bool {
        self.done < self.levels.width * self.frames
    }

    /// Where the next window begins, which may be in front of the recording.
    fn start(&self) -> isize {
        let (x, k) = (self.done / self.frames, self.done % self.frames);
        let centre = (x as f64 + (k as f64 + 0.5) / self.frames as f64) * self.column_len;
        centre as isize - self.window.len() as isize / 2
    }

    fn transform(&mut self) {
        let start = self.start() - self.first as isize;
        for channel in &self.newest {
            for (i, (slot, w)) in self.frame.iter_mut().zip(&self.window).enumerate() {
                let sample = usize::try_from(start + i as isize)
                    .ok()
                    .and_then(|i| channel.get(i));
                *slot = w * sample.copied().unwrap_or(0.0);
            }
            self.fft
                .process_with_scratch(&mut self.frame, &mut self.bins, &mut self.scratch)
                .expect("the buffers are the plan's own");
            let powers = self.power.iter_mut().zip(&self.bins);
            powers.for_each(|(p, bin)| *p += bin.norm_sqr());
        }
        self.done += 1;
        if self.done.is_multiple_of(self.frames) {
            self.draw(self.done / self.frames - 1);
            self.power.fill(0.0);
        }
    }

    /// A column of pixels from what its transforms sum up to.
    fn draw(&mut self, x: usize) {
        // A full-scale sine has 0 dB: its peak bin holds half the sum of the window.
        let scale = 4.0 / self.window.iter().sum::<f32>().powi(2);
        let share = scale / (self.frames * self.newest.len().max(1)) as f32;
        for y in 0..self.height {
            let bin_at = |edge: f32| {
                let up = 1.0 - (y as f32 + edge) / self.height as f32;
                frequency_at(up, self.rate) * self.window.len() as f32 / self.rate as f32
            };
            let power = share * band(&self.power, bin_at(1.0), bin_at(0.0));
            self.levels.db[y * self.levels.width + x] = (10.0 * power.log10()).max(FLOOR_DB);
        }
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
        let mut analysis = Analysis::new((rate, 1), sine.len(), (40, 400));
        analysis.add(&[sine]);
        let levels = analysis.finish();
        assert!(levels.loudest_db().abs() < 0.5, "{}", levels.loudest_db());
        let row = ((1.0 - height_of(frequency, rate)) * 400.0) as usize;
        assert!(levels.db(20, row) > -1.5 && levels.db(20, row / 2) < -60.0);
    }

    #[test]
    fn levels_are_the_same_however_a_recording_is_cut() {
        // Windows that overlap from column to column, and that lie far apart; with the end missing, or more than was said.
        for (said, len) in [
            (3_000, 3_000),
            (200_000, 200_000),
            (200_000, 150_000),
            (9_000, 20_000),
        ] {
            let channel = |seed: usize| {
                (0..len)
                    .map(|t| ((t * t + seed) % 97) as f32 / 97.0)
                    .collect()
            };
            let sound: [Vec<f32>; 2] = [channel(1), channel(2)];
            let levels = |piece: usize| {
                let mut analysis = Analysis::new((8_000, 2), said, (50, 40));
                for at in (0..len).step_by(piece) {
                    analysis.add(
                        &sound
                            .each_ref()
                            .map(|c| c[at..len.min(at + piece)].to_vec()),
                    );
                    let kept = analysis.newest[0].len();
                    assert!(
                        kept <= piece.max(analysis.window.len()),
                        "{kept} are kept of {piece}"
                    );
                }
                analysis.finish().db
            };
            let whole = levels(len);
            assert!(whole.iter().any(|db| *db > -40.0), "there is sound");
            assert!(
                [1, 77, 4_096].iter().all(|piece| levels(*piece) == whole),
                "{said}, {len}"
            );
        }
    }

    #[test]
    fn the_frequency_axis_inverts() {
        for f in [20.0, 440.0, 8000.0] {
            assert!((frequency_at(height_of(f, 16_000), 16_000) / f - 1.0).abs() < 1e-4);
        }
    }
}
