//! Levels made fit for the eye: they fall slowly, peaks are held, and that something clipped stays until it is forgiven.

use super::scope::RATE_HZ;
use crate::widgets::level::{FLOOR_DB, Level};

/// How fast meters fall, dB a second.
const FALL_DB_PER_SECOND: f32 = 36.0;

/// How long a peak is held, seconds.
const HOLD_SECONDS: f32 = 1.5;

/// A level that is held and then falls.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meter {
    db: f32,
    held_db: f32,
    held_for: f32,
    floor: f32,
}

impl Meter {
    pub(super) fn new(floor: f32) -> Self {
        Self {
            db: floor,
            held_db: floor,
            held_for: 0.0,
            floor,
        }
    }

    /// Takes one of [`RATE_HZ`] levels a second.
    pub(super) fn follow(&mut self, db: f32) {
        let fall = FALL_DB_PER_SECOND / RATE_HZ;
        self.db = db.max(self.db - fall).max(self.floor);
        self.held_for += 1.0 / RATE_HZ;
        if db >= self.held_db {
            self.held_db = db;
            self.held_for = 0.0;
        } else if self.held_for > HOLD_SECONDS {
            self.held_db = (self.held_db - fall).max(self.db);
        }
    }

    pub(super) fn now_and_held(&self) -> (f32, f32) {
        (self.db, self.held_db)
    }
}

/// The levels of two channels.
#[derive(Debug, Clone, Copy)]
pub struct Levels {
    channels: [Meter; 2],
    clipped: bool,
}

impl Default for Levels {
    fn default() -> Self {
        Self {
            channels: [Meter::new(FLOOR_DB); 2],
            clipped: false,
        }
    }
}

impl Levels {
    /// Takes the peaks of both since the last, [`RATE_HZ`] times a second.
    pub(crate) fn follow(&mut self, peaks: [f32; 2]) {
        for (meter, peak) in self.channels.iter_mut().zip(peaks) {
            meter.follow(to_db(peak));
            self.clipped |= peak >= 1.0;
        }
    }

    /// The bars.
    pub fn bars(&self) -> [Level; 2] {
        self.channels.map(|meter| Level {
            db: meter.db,
            held_db: meter.held_db,
        })
    }

    /// Whether 0 dBFS was reached since that was last forgiven.
    pub fn clipped(&self) -> bool {
        self.clipped
    }

    /// Puts the clipping lamp out.
    pub fn forgive(&mut self) {
        self.clipped = false;
    }
}

pub(super) fn to_db(gain: f32) -> f32 {
    20.0 * gain.max(1e-7).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bar of the left channel.
    fn left(levels: &Levels) -> Level {
        levels.bars()[0]
    }

    fn silent(levels: &mut Levels, seconds: f32) {
        (0..(seconds * RATE_HZ) as usize).for_each(|_| levels.follow([0.0; 2]));
    }

    #[test]
    fn a_peak_is_held_and_then_falls_with_its_level() {
        let mut levels = Levels::default();
        levels.follow([0.5, 0.0]);
        let half = 20.0 * 0.5_f32.log10();
        assert!((left(&levels).db - half).abs() < 1e-3);
        assert_eq!(levels.bars()[1].db, FLOOR_DB);
        silent(&mut levels, 1.0);
        let (fell, held) = (left(&levels).db, left(&levels).held_db);
        assert!((half - fell - FALL_DB_PER_SECOND).abs() < 1.0, "{fell}");
        assert!((held - half).abs() < 1e-3, "{held}");
        silent(&mut levels, 3.0);
        assert_eq!(left(&levels).db, FLOOR_DB);
        assert_eq!(left(&levels).held_db, FLOOR_DB);
    }

    #[test]
    fn what_clipped_is_told_of_until_it_is_forgiven() {
        let mut levels = Levels::default();
        levels.follow([0.999, 0.9]);
        assert!(!levels.clipped());
        levels.follow([0.1, 1.0]);
        silent(&mut levels, 5.0);
        assert!(levels.clipped());
        levels.forgive();
        levels.follow([0.5; 2]);
        assert!(!levels.clipped());
    }
}
