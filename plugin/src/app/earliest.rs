//! A clock seen through blocks that come late and in bursts.
//!
//! A block can be late, but not early. So of all moments `t` at which `n` frames had passed, those with the least
//! `t - n / rate` lie on the clock's own line, however the others scatter above it.

/// Length of a piece: each has its own least offset, seconds.
const PIECE_SECONDS: f64 = 0.5;

/// Pieces that are looked back on; the middle one of their offsets counts, so that one piece that is wrong does not.
const PIECES: usize = 15;

/// Pieces without which nothing is said.
const LEAST_PIECES: usize = 4;

/// The newest pieces are that far from the line, both to one side, where the clock has jumped: clocks that differ by 1000
/// ppm are not, seconds.
const JUMP_SECONDS: f64 = 0.005;

/// See the module. Real-time safe.
#[derive(Debug, Clone)]
pub struct Earliest {
    /// Least offsets of the pieces, the newest at `(count - 1) % PIECES`.
    least: [f64; PIECES],
    count: usize,
    /// The piece that is not over yet: its end and its least offset so far, if it has begun.
    piece: Option<(f64, f64)>,
}

impl Default for Earliest {
    fn default() -> Self {
        Self {
            least: [0.0; PIECES],
            count: 0,
            piece: None,
        }
    }
}

impl Earliest {
    /// Forgets everything: frames were lost.
    pub fn restart(&mut self) {
        *self = Self::default();
    }

    /// Takes `offset`, which is `now` less the seconds that the frames passed so far are worth. Gives true when a piece is over.
    pub fn tell(&mut self, now: f64, offset: f64) -> bool {
        let Some((end, least)) = &mut self.piece else {
            self.piece = Some((now + PIECE_SECONDS, offset));
            return false;
        };
        *least = least.min(offset);
        if now < *end {
            return false;
        }
        self.least[self.count % PIECES] = *least;
        self.count += 1;
        self.piece = None;
        true
    }

    /// The clock goes on beside its line: a server ran empty and played silence instead, or frames were lost before us.
    pub fn has_jumped(&self) -> bool {
        let Some(line) = self.line() else {
            return false;
        };
        let newest = [1, 2].map(|back| self.least[(self.count - back) % PIECES] - line);
        newest.iter().all(|&off| off > JUMP_SECONDS)
            || newest.iter().all(|&off| off < -JUMP_SECONDS)
    }

    /// Where the clock's line lies, seconds; `None` until enough is known.
    pub fn line(&self) -> Option<f64> {
        let known = self.count.min(PIECES);
        if known < LEAST_PIECES {
            return None;
        }
        let mut sorted = self.least;
        sorted[..known].sort_unstable_by(f64::total_cmp);
        Some(sorted[known / 2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_blocks_do_not_move_the_line() {
        let mut earliest = Earliest::default();
        for block in 0..1_000_u32 {
            let due = f64::from(block) * 0.01;
            // Four of five come late, by up to 40 ms, and one of a thousand wrongly early.
            let late = f64::from(block % 5) * 0.01;
            let wrong = if block == 700 { 0.02 } else { 0.0 };
            earliest.tell(due + late, 0.003 + late - wrong);
        }
        let line = earliest.line().expect("ten seconds are enough");
        assert!((line - 0.003).abs() < 1e-12, "{line} s");
    }

    #[test]
    fn a_jump_is_seen_and_a_clock_that_is_off_is_none() {
        let jumped = |offset: &dyn Fn(f64) -> f64| {
            let mut earliest = Earliest::default();
            let mut moments = (0..2_000).map(|block| f64::from(block) * 0.01);
            moments.find(|&now| {
                earliest.tell(now, offset(now));
                earliest.has_jumped()
            })
        };
        let silence = |now: f64| if now < 12.0 { 0.0 } else { 0.014 };
        let seen = jumped(&silence).expect("a jump");
        assert!((12.5..14.0).contains(&seen), "{seen} s");
        assert_eq!(jumped(&|now| 1e-3 * now), None, "1000 ppm");
        assert_eq!(jumped(&|now| -1e-3 * now), None, "-1000 ppm");
    }

    #[test]
    fn nothing_is_said_too_soon() {
        let mut earliest = Earliest::default();
        let mut said = Vec::new();
        for block in 0..300_u32 {
            earliest.tell(f64::from(block) * 0.01, 0.0);
            said.push(earliest.line().is_some());
        }
        assert!(!said[150] && said[299]);
        earliest.restart();
        assert_eq!(earliest.line(), None);
    }
}
