//! Watches what is generated: silence where there was sound, the roar of a state gone astray, and loops without an end.
//!
//! Flows in: every token that was drawn. Flows out: what is wrong, once a check. All in samples of the model's rate.

use crate::model::generate::mu_law::{SILENCE, decode};

/// Why the generator was taken back to where it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Astray {
    /// Nothing was heard for [`SILENT_SECONDS`], though there was something to go on from.
    Silent,
    /// It was as loud as it can be for [`LOUD_SECONDS`], or was no number any more.
    BlownUp,
    /// The very same samples came again and again for [`STUCK_SECONDS`].
    Stuck,
}

/// How long it may be silent.
pub const SILENT_SECONDS: f32 = 2.0;
/// How long it may be as loud as noise at full scale.
pub const LOUD_SECONDS: f32 = 0.5;
/// How long it may repeat itself to the bit.
pub const STUCK_SECONDS: f32 = 2.0;
/// The longest loop that is looked for.
const LOOP_SECONDS: f32 = 2.0;

/// Mean square of what counts as silence, -55 dBFS.
const SILENT: f32 = 3.2e-6;
/// Mean square of what is too loud, -5.2 dBFS: uniform noise at full scale has 1/3.
const LOUD: f32 = 0.3;

/// Samples between checks.
const CHECK: usize = 256;

/// Places in the table of what was heard when, a power of two. A loop longer than that is found a little later, when one of
/// its sixteens has not been written over yet.
const PLACES: usize = 4096;

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    rate: f32,
    /// The last tokens, a ring.
    tokens: Vec<u8>,
    heard: usize,
    /// The last sixteen tokens, and where sixteens were heard last.
    sixteen: u128,
    places: Vec<usize>,
    /// A loop that is followed, and for how many samples it has held.
    period: usize,
    held: usize,
    /// The sum of squares since the last check.
    energy: f32,
    silent_checks: usize,
    loud_checks: usize,
}

impl Watch {
    pub(super) fn new(rate: u32) -> Watch {
        let rate = rate as f32;
        Watch {
            rate,
            tokens: vec![SILENCE; (LOOP_SECONDS * rate) as usize],
            heard: 0,
            sixteen: 0,
            places: vec![0; PLACES],
            period: 0,
            held: 0,
            energy: 0.0,
            silent_checks: 0,
            loud_checks: 0,
        }
    }

    /// Forgets what it has heard.
    pub(super) fn reset(&mut self) {
        self.heard = 0;
        self.places.fill(0);
        self.period = 0;
        self.held = 0;
        self.energy = 0.0;
        self.silent_checks = 0;
        self.loud_checks = 0;
    }

    /// Takes a token; says what is wrong, if it is. `expects_sound` is whether silence would be.
    pub(super) fn hear(&mut self, token: u8, expects_sound: bool) -> Option<Astray> {
        self.follow_loops(token);
        let x = decode(token);
        self.energy += x * x;
        if !self.heard.is_multiple_of(CHECK) {
            return None;
        }
        let power = std::mem::take(&mut self.energy) / CHECK as f32;
        let counted = |checks: usize, on: bool| if on { checks + 1 } else { 0 };
        self.silent_checks = counted(self.silent_checks, power < SILENT);
        self.loud_checks = counted(self.loud_checks, power > LOUD);
        let seconds = |samples: usize| samples as f32 / self.rate;
        if expects_sound && seconds(self.silent_checks * CHECK) >= SILENT_SECONDS {
            Some(Astray::Silent)
        } else if seconds(self.loud_checks * CHECK) >= LOUD_SECONDS {
            Some(Astray::BlownUp)
        } else if seconds(self.held) >= STUCK_SECONDS && self.silent_checks == 0 {
            // Silence repeats itself as well, and is looked after above.
            Some(Astray::Stuck)
        } else {
            None
        }
    }

    fn follow_loops(&mut self, token: u8) {
        let len = self.tokens.len();
        if self.period > 0 {
            let before = self.tokens[(self.heard + len - self.period) % len];
            if before == token {
                self.held += 1;
            } else {
                (self.period, self.held) = (0, 0);
            }
        }
        self.tokens[self.heard % len] = token;
        self.heard += 1;
        self.sixteen = self.sixteen << 8 | u128::from(token);
        let folded = (self.sixteen >> 64) as u64 ^ self.sixteen as u64;
        let place = folded.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
        let place = place as usize % PLACES;
        let last = std::mem::replace(&mut self.places[place], self.heard);
        if self.period == 0 && last > 0 && self.heard - last < len {
            self.period = self.heard - last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::generate::mu_law::encode;

    const RATE: u32 = 16_000;

    /// Seconds until something was found wrong with a sound, and what, within ten seconds.
    fn found(expects_sound: bool, mut sound: impl FnMut(usize) -> u8) -> Option<(Astray, f32)> {
        let mut watch = Watch::new(RATE);
        let at = |t: usize| t as f32 / RATE as f32;
        (0..10 * RATE as usize).find_map(|t| Some((watch.hear(sound(t), expects_sound)?, at(t))))
    }

    fn noise(t: usize) -> f32 {
        let z = (t as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((z ^ (z >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    #[test]
    fn each_fault_is_found_in_time() {
        let (what, when) = found(true, |t| {
            if t < 8000 {
                encode(0.3 * noise(t))
            } else {
                SILENCE
            }
        })
        .unwrap();
        assert_eq!(what, Astray::Silent);
        assert!((2.4..2.7).contains(&when), "{when}");
        let (what, when) = found(true, |t| if noise(t) < 0.0 { 0 } else { 255 }).unwrap();
        assert_eq!(what, Astray::BlownUp);
        assert!((0.4..0.6).contains(&when), "{when}");
        // A loop of 1234 samples of noise, behind a second without.
        let looped = |t: usize| encode(0.3 * noise(if t < 16_000 { t } else { 16_000 + t % 1234 }));
        let (what, when) = found(true, looped).unwrap();
        assert_eq!(what, Astray::Stuck);
        assert!((3.0..3.4).contains(&when), "{when}");
        let (what, _) = found(true, |_| 200).unwrap();
        assert_eq!(what, Astray::Stuck, "a constant is a loop of one sample");
    }

    #[test]
    fn music_and_wanted_silence_are_left_alone() {
        assert_eq!(found(true, |t| encode(0.5 * noise(t))), None);
        assert_eq!(found(false, |_| SILENCE), None);
        // A second of sound, a second without.
        assert_eq!(
            found(true, |t| encode(if t / 16_000 % 2 == 0 {
                noise(t) * 0.2
            } else {
                0.0
            })),
            None
        );
    }
}
