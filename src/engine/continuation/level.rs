//! How loud the input is: whether there is something to go on from, and what brings it to the level that the model knows.
//!
//! A model falls back to the level of what it was trained on within seconds, whatever it was primed with. So it hears the
//! input at that level, and what it makes is brought back by as much: it goes on as loud as it was played.

use crate::frame::FULL_SCALE;

/// Seconds of input whose level says whether there is something to go on from, or a pause.
const NOW_SECONDS: f32 = 0.3;

/// Seconds of input whose level the model's is brought in line with: a bar or two.
const MATCHED_SECONDS: f32 = 4.0;

/// Mean square from which there is something, -50 dBFS.
const AUDIBLE: f32 = 1e-5;

/// Share of the mean square below which the input pauses, -25 dB.
const PAUSE: f32 = 3e-3;

/// The most by which the input is made louder or quieter for the model: 30 dB.
const MOST: f32 = 32.0;

/// What is made may be so many times as loud as the input at its peak: 6 dB.
const OVER: f32 = 2.0;

/// Samples between two looks at the level.
const LOOK: usize = 64;

/// Flows in: samples of the input, and of the model. Flows out: the same at the other's level.
#[derive(Debug)]
pub(super) struct Level {
    /// Mean square of what the model knows; `None` where it does not say: nothing is changed then.
    known: Option<f32>,
    /// Mean squares of now, and of the last seconds without pauses.
    now: f32,
    matched: f32,
    now_share: f32,
    matched_share: f32,
    /// Peak of the same seconds; 0 where nothing was heard in them.
    peak: f32,
    gain: f32,
    samples: usize,
}

impl Level {
    /// For a model of that rate in Hz, trained on sound of `known_db` for the most part, RMS in dBFS.
    pub(super) fn new(rate: u32, known_db: Option<f32>) -> Level {
        let share = |seconds: f32| 1.0 / (seconds * rate as f32);
        let mut level = Level {
            known: known_db.map(|db| 10f32.powf(0.1 * db)),
            now: 0.0,
            matched: 0.0,
            now_share: share(NOW_SECONDS),
            matched_share: share(MATCHED_SECONDS),
            peak: 0.0,
            gain: 1.0,
            samples: 0,
        };
        level.reset();
        level
    }

    /// A sample of the input as the model is to hear it.
    pub(super) fn hear(&mut self, x: f32) -> f32 {
        self.now += (x * x - self.now) * self.now_share;
        if let Some(known) = self.known {
            // Pauses do not count, so that what comes after one is not too loud.
            if self.now > AUDIBLE && self.now > PAUSE * self.matched {
                self.matched += (x * x - self.matched) * self.matched_share;
                self.peak = (self.peak * (1.0 - self.matched_share)).max(x.abs());
            }
            self.samples = (self.samples + 1) % LOOK;
            if self.samples == 0 {
                let gain = (known / self.matched.max(f32::MIN_POSITIVE)).sqrt();
                self.gain = gain.clamp(1.0 / MOST, MOST);
            }
        }
        x * self.gain
    }

    /// A sample of the model as it is to be heard.
    pub(super) fn speak(&self, x: f32) -> f32 {
        let most = self.most();
        (x / self.gain).clamp(-most, most)
    }

    /// The most that is said: [`OVER`] times the input's peak, but full scale at the most, and where nothing was heard.
    pub(super) fn most(&self) -> f32 {
        match self.peak {
            0.0 => FULL_SCALE,
            peak => (OVER * peak).min(FULL_SCALE),
        }
    }

    /// Whether there is something now.
    pub(super) fn is_audible(&self) -> bool {
        self.now > AUDIBLE
    }

    /// At the start of a stream.
    pub(super) fn reset(&mut self) {
        self.now = 0.0;
        self.matched = self.known.unwrap_or_default();
        self.peak = 0.0;
        self.gain = 1.0;
        self.samples = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 16_000;

    fn sine(amplitude: f32, seconds: usize) -> impl Iterator<Item = f32> {
        let samples = 0..seconds * RATE as usize;
        samples.map(move |t| amplitude * (0.3 * t as f32).sin())
    }

    /// RMS of what the model hears in the last second, in dBFS.
    fn heard_db(level: &mut Level, input: impl Iterator<Item = f32>) -> f32 {
        let heard: Vec<f32> = input.map(|x| level.hear(x)).collect();
        let last = &heard[heard.len() - RATE as usize..];
        10.0 * (last.iter().map(|x| x * x).sum::<f32>() / last.len() as f32).log10()
    }

    #[test]
    fn the_model_hears_the_level_it_knows_and_is_heard_at_the_inputs() {
        for amplitude in [0.02, 0.1, 0.9] {
            let mut level = Level::new(RATE, Some(-30.0));
            let db = heard_db(&mut level, sine(amplitude, 30));
            assert!((db + 30.0).abs() < 0.5, "{amplitude}: {db} dB");
            let x = 1e-3;
            let there_and_back = level.hear(level.speak(x));
            assert!((there_and_back / x - 1.0).abs() < 0.01, "{there_and_back}");
            let most = level.speak(9.0);
            assert!(
                most >= amplitude && most <= (2.01 * amplitude).min(1.0),
                "{most}"
            );
            assert_eq!(level.speak(-9.0), -most);
        }
    }

    #[test]
    fn a_pause_changes_nothing_but_that_nothing_is_heard() {
        let mut level = Level::new(RATE, Some(-30.0));
        let _ = heard_db(&mut level, sine(0.5, 20));
        let before = level.gain;
        assert!(level.is_audible());
        let _ = heard_db(&mut level, sine(0.0, 60));
        assert!(!level.is_audible());
        // A second or two pass until a pause is one.
        assert!(level.gain / before < 1.3, "{before} and {}", level.gain);
        level.reset();
        assert_eq!(level.gain, 1.0);
    }

    #[test]
    fn a_model_that_does_not_say_hears_what_is_played() {
        let mut level = Level::new(RATE, None);
        assert!(sine(0.7, 9).all(|x| level.hear(x) == x && level.speak(x) == x));
    }

    #[test]
    fn what_was_heard_for_a_moment_bounds_what_is_said_and_nothing_bounds_nothing() {
        let mut level = Level::new(RATE, Some(-30.0));
        assert_eq!(level.speak(9.0), 1.0);
        let _ = heard_db(&mut level, sine(0.0, 1));
        assert_eq!(level.speak(-9.0), -1.0);
        // A tenth of a second.
        sine(0.02, 1).take(1_600).for_each(|x| {
            level.hear(x);
        });
        assert!((0.038..=0.04).contains(&level.speak(9.0)));
    }

    #[test]
    fn no_input_is_made_louder_or_quieter_by_more_than_30_db() {
        let mut level = Level::new(RATE, Some(-50.0));
        let db = heard_db(&mut level, sine(1.0, 60));
        assert!((db + 3.0 + 30.1).abs() < 0.5, "{db} dB");
    }
}
