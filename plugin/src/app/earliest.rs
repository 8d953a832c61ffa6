//! A clock seen through blocks that come late and in bursts.
//!
//! A block can be late, but not early. So of all moments `t` at which `n` frames had passed, those with the least
//! `t - n / rate` lie on the clock's own line, however the others scatter above it.

use std::sync::atomic::{AtomicI64, Ordering};

/// The least offset since it was taken last, nanoseconds. One thread tells, another may take. Real-time safe.
#[derive(Debug)]
pub struct Earliest(AtomicI64);

/// What it holds where nothing was told.
const NOTHING: i64 = i64::MAX;

impl Default for Earliest {
    fn default() -> Self {
        Self(AtomicI64::new(NOTHING))
    }
}

impl Earliest {
    /// Takes note of `offset`: this moment, less the seconds that the frames passed so far are worth.
    pub fn tell(&self, offset: f64) {
        self.0.fetch_min((offset * 1e9) as i64, Ordering::Relaxed);
    }

    /// The least that was told, seconds; it begins anew.
    pub fn take(&self) -> Option<f64> {
        let least = self.0.swap(NOTHING, Ordering::Relaxed);
        (least != NOTHING).then_some(least as f64 * 1e-9)
    }
}

/// Pieces that are looked back on at most.
const PIECES: usize = 16;

/// One piece more is looked back on for so much from piece to piece, seconds.
const GRAIN: f64 = 1.5e-4;

/// The share of a piece in what is known of the unrest.
const RENEWAL: f64 = 0.1;

/// The unrest before anything is known of it, seconds. Blocks of a device that are asked for in blocks of another length
/// come later and later, and then earlier, by some milliseconds: within seconds nothing tells that from a clock that is
/// far off.
const UNREST_AT_FIRST: f64 = 3e-3;

/// The line beneath pieces. Where bursts hide it, since even the last block of each is late by some part of a block, only
/// some pieces touch it: then many are looked back on, and few where all of them lie on it, so that it is followed at once.
#[derive(Debug, Clone)]
pub struct Line {
    /// The newest at `(count - 1) % PIECES`.
    least: [f64; PIECES],
    count: usize,
    /// How far a piece is from the one before it, on average, seconds.
    unrest: f64,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            least: [0.0; PIECES],
            count: 0,
            unrest: UNREST_AT_FIRST,
        }
    }
}

impl Line {
    /// Forgets all pieces, but not how restless they are.
    pub fn restart(&mut self) {
        self.count = 0;
    }

    /// How far a piece is from the one before it, on average, seconds.
    pub fn unrest(&self) -> f64 {
        self.unrest
    }

    /// Takes the least offset of a piece; gives where the line lies, seconds.
    pub fn tell(&mut self, least: f64) -> f64 {
        if self.count > 0 {
            let step = (least - self.least[(self.count - 1) % PIECES]).abs();
            // A clock that jumps once is not restless.
            let step = step.min(3.0 * self.unrest + GRAIN);
            self.unrest += RENEWAL * (step - self.unrest);
        }
        self.least[self.count % PIECES] = least;
        self.count += 1;
        let back = (1 + (self.unrest / GRAIN) as usize)
            .min(PIECES)
            .min(self.count);
        let newest = (1..=back).map(|back| self.least[(self.count - back) % PIECES]);
        newest.fold(least, f64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_blocks_do_not_move_the_line() {
        let earliest = Earliest::default();
        assert_eq!(earliest.take(), None);
        for block in 0..50_u32 {
            earliest.tell(-0.003 + f64::from((block + 1) % 5) * 0.01);
        }
        let least = earliest.take().expect("an offset");
        assert!((least + 0.003).abs() < 1e-9, "{least} s");
        assert_eq!(earliest.take(), None);
    }
}
