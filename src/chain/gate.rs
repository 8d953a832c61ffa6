//! A noise gate: closed while the loudest channel stays under a threshold, so that a loud device does not raise hum and hiss.

use crate::controls::{NO_GATE_DB, db_to_gain};

/// What opens and what closes it lie so far apart.
const HYSTERESIS_DB: f32 = 6.0;
/// The level falls by 1/e in this time behind a peak, and the gate waits as long again below the threshold.
const RELEASE_S: f32 = 0.02;
const HOLD_S: f32 = 0.04;
/// Time constants of its gain.
const OPEN_S: f32 = 0.001;
const CLOSE_S: f32 = 0.06;

/// The gate of a stream, one for all channels.
pub(super) struct Gate {
    /// Levels that open and that keep it open; 0 for no gate.
    open: f32,
    keep: f32,
    level: f32,
    gain: f32,
    is_open: bool,
    /// Samples that it still waits below the threshold.
    held: u32,
    hold: u32,
    fall: f32,
    opening: f32,
    closing: f32,
}

impl Gate {
    pub(super) fn new(sample_rate: u32) -> Self {
        let share = |seconds: f32| (-1.0 / (seconds * sample_rate as f32)).exp();
        Self {
            open: 0.0,
            keep: 0.0,
            level: 0.0,
            gain: 1.0,
            is_open: true,
            held: 0,
            hold: (HOLD_S * sample_rate as f32) as u32,
            fall: share(RELEASE_S),
            opening: 1.0 - share(OPEN_S),
            closing: 1.0 - share(CLOSE_S),
        }
    }

    /// The threshold in dBFS; [`NO_GATE_DB`] and less opens it for good.
    pub(super) fn set(&mut self, threshold_db: f32) {
        let on = threshold_db > NO_GATE_DB;
        self.open = if on {
            db_to_gain(threshold_db.min(0.0))
        } else {
            0.0
        };
        self.keep = self.open * db_to_gain(-HYSTERESIS_DB);
    }

    /// Multiplies the first `len` samples of every channel by the gate.
    pub(super) fn process(&mut self, audio: &mut [Vec<f32>], len: usize) {
        if self.open == 0.0 && self.gain == 1.0 {
            return;
        }
        for i in 0..len {
            let loudest = audio
                .iter()
                .fold(0.0f32, |m, channel| m.max(channel[i].abs()));
            self.level = loudest.max(self.level * self.fall);
            if self.level >= self.open {
                (self.is_open, self.held) = (true, self.hold);
            } else if self.level >= self.keep && self.is_open {
                self.held = self.hold;
            } else if self.held > 0 {
                self.held -= 1;
            } else {
                self.is_open = false;
            }
            let (target, share) = match self.is_open {
                true => (1.0, self.opening),
                false => (0.0, self.closing),
            };
            self.gain += share * (target - self.gain);
            // Open is 1 and closed 0, exactly.
            if (target - self.gain).abs() < 1e-5 {
                self.gain = target;
            }
            for channel in audio.iter_mut() {
                channel[i] *= self.gain;
            }
        }
    }

    pub(super) fn reset(&mut self) {
        (self.level, self.gain, self.is_open, self.held) = (0.0, 1.0, true, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rms(samples: &[f32]) -> f32 {
        (samples.iter().map(|x| x * x).sum::<f32>() / samples.len() as f32).sqrt()
    }

    #[test]
    fn hiss_is_silent_between_notes_and_notes_pass_bit_for_bit() {
        let mut gate = Gate::new(48_000);
        gate.set(-50.0);
        let tone = |i: usize, level: f32| level * (0.1 * i as f32).sin();
        let quiet: Vec<f32> = (0..48_000).map(|i| tone(i, 0.001)).collect();
        let note: Vec<f32> = (0..48_000).map(|i| tone(i, 0.3)).collect();
        let mut audio = vec![quiet.clone()];
        gate.process(&mut audio, 48_000);
        assert_eq!(rms(&audio[0][40_000..]), 0.0, "closed");
        let mut audio = vec![note.clone()];
        gate.process(&mut audio, 48_000);
        assert!((audio[0][200] - note[200]).abs() < 0.02, "open within 4 ms");
        assert_eq!(audio[0][2_000..], note[2_000..]);
        gate.set(NO_GATE_DB);
        let mut audio = vec![quiet.clone()];
        gate.process(&mut audio, 48_000);
        assert_eq!(audio[0][24_000..], quiet[24_000..], "no gate");
    }
}
