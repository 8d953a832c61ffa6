//! By how much two clocks differ, from what is seen of them piece by piece: a Kalman filter of phase and pace.
//!
//! The phase is measured once a piece, with scatter; the pace is a random walk, as that of a crystal that warms up. So
//! the filter is a fit of a straight line that at first looks back on everything and, once it knows the line, over a
//! window of some ten seconds (R. E. Kalman, *A New Approach to Linear Filtering and Prediction Problems*, 1960). What
//! lies far off the line pulls no harder than what lies three standard deviations off (P. J. Huber, *Robust Estimation
//! of a Location Parameter*, 1964), and what lies milliseconds beside it not at all: twice so to the same side is a clock
//! that jumped.

/// Standard deviation of what a piece says of the phase, where it is not known to be more, seconds.
const SCATTER: f64 = 2e-4;

/// Standard deviation of the pace before anything is known of it, as a share: crystals are 100 ppm off at most.
const PACE: f64 = 2e-4;

/// By how much the pace walks in a second, squared: with [`SCATTER`] and pieces of half a second, a window of 10 s.
const WALK: f64 = 5e-12;

/// Standard deviations beyond which a piece pulls no harder.
const FAR: f64 = 3.0;

/// That far off the line, twice to one side, is a jump: clocks that differ by 1000 ppm are not, seconds.
const JUMP_SECONDS: f64 = 0.005;

/// Pieces without which nothing is said.
const LEAST_PIECES: u32 = 4;

/// Pieces in which the phase still settles.
const NEW_PIECES: u32 = 16;

/// See the module. Real-time safe.
#[derive(Debug, Clone)]
pub struct Difference {
    /// When the last piece was.
    at: f64,
    /// Seconds.
    phase: f64,
    /// Seconds a second.
    pace: f64,
    /// Variances of phase and pace, and their covariance.
    phase_variance: f64,
    pace_variance: f64,
    covariance: f64,
    /// Pieces since the start or the last jump.
    pieces: u32,
    /// How far the last two were off the line, the newest first, seconds.
    off: [f64; 2],
}

impl Default for Difference {
    fn default() -> Self {
        Self {
            at: 0.0,
            phase: 0.0,
            pace: 0.0,
            phase_variance: 0.0,
            pace_variance: PACE * PACE,
            covariance: 0.0,
            pieces: 0,
            off: [0.0; 2],
        }
    }
}

impl Difference {
    /// Takes the `phase` that a piece has shown at the moment `now`, and by how much it `scatters`; gives by how much the phase
    /// is another than was thought. All in seconds.
    pub fn tell(&mut self, now: f64, phase: f64, scatters: f64) -> f64 {
        let scatter = SCATTER * SCATTER + scatters * scatters;
        if self.pieces == 0 {
            (self.at, self.phase, self.pieces) = (now, phase, 1);
            (self.phase_variance, self.covariance) = (scatter, 0.0);
            return 0.0;
        }
        let passed = now - self.at;
        self.at = now;
        self.phase += self.pace * passed;
        self.phase_variance +=
            passed * (2.0 * self.covariance + passed * (self.pace_variance + WALK * passed / 3.0));
        self.covariance += passed * (self.pace_variance + WALK * passed / 2.0);
        self.pace_variance += WALK * passed;

        let off = phase - self.phase;
        self.off = [off, self.off[0]];
        let variance = self.phase_variance + scatter;
        if off.abs() > JUMP_SECONDS {
            return 0.0;
        }
        let most = FAR * variance.sqrt();
        let pull = off.clamp(-most, most);
        let gain = [self.phase_variance / variance, self.covariance / variance];
        self.phase += gain[0] * pull;
        self.pace += gain[1] * pull;
        self.pace_variance -= gain[1] * self.covariance;
        self.covariance -= gain[0] * self.covariance;
        self.phase_variance -= gain[0] * self.phase_variance;
        self.pieces = self.pieces.saturating_add(1);
        gain[0] * pull
    }

    /// One of the clocks goes on beside its line: a server ran empty and played silence instead, or frames were lost before us.
    pub fn has_jumped(&self) -> bool {
        self.off.iter().all(|&off| off > JUMP_SECONDS)
            || self.off.iter().all(|&off| off < -JUMP_SECONDS)
    }

    /// Forgets the phase, but not the pace.
    pub fn restart(&mut self) {
        self.pieces = 0;
        self.off = [0.0; 2];
    }

    /// The phase is still being found out.
    pub fn is_new(&self) -> bool {
        self.pieces < NEW_PIECES
    }

    /// Where the phase is at the moment `now`, seconds; `None` until enough is known.
    pub fn phase(&self, now: f64) -> Option<f64> {
        (self.pieces >= LEAST_PIECES).then_some(self.phase + self.pace * (now - self.at))
    }

    /// By how much it grows, seconds a second.
    pub fn pace(&self) -> f64 {
        self.pace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces of half a second with `phase(now)`; gives what is known after each.
    fn told(pieces: u32, phase: impl Fn(f64) -> f64) -> Vec<Difference> {
        let mut difference = Difference::default();
        let step = |piece| {
            let now = 0.5 * f64::from(piece);
            difference.tell(now, phase(now), 0.0);
            difference.clone()
        };
        (0..pieces).map(step).collect()
    }

    #[test]
    fn the_line_is_found_through_scatter_and_outliers() {
        for ppm in [-300.0, -50.0, 0.0, 50.0, 300.0] {
            let known = told(240, |now| {
                let piece = (2.0 * now) as u32;
                let scatter = 4e-4 * (f64::from(piece * 37 % 101) / 101.0 - 0.5);
                let outlier = if piece % 23 == 11 { 0.03 } else { 0.0 };
                0.01 + ppm * 1e-6 * now + scatter + outlier
            });
            for difference in &known[120..] {
                let off = difference.pace() * 1e6 - ppm;
                assert!(off.abs() < 20.0, "{ppm} ppm: {off} ppm off");
                let now = difference.at;
                let phase = difference.phase(now).expect("enough is known");
                let off = phase - 0.01 - ppm * 1e-6 * now;
                assert!(off.abs() < 3e-4, "{ppm} ppm: {off} s off");
            }
        }
    }

    #[test]
    fn a_pace_that_changes_is_followed() {
        // As that of a null sink of PulseAudio's when something begins to play.
        let known = told(400, |now| 85e-6 * now.min(100.0));
        let off = known[200..].iter().map(|d| (d.phase - 85e-4).abs());
        let most = off.fold(0.0, f64::max);
        assert!(most < 6e-4, "{most} s off");
        assert!(known[399].pace().abs() < 5e-6);
    }

    #[test]
    fn a_jump_is_seen_and_a_clock_that_is_off_is_none() {
        let jumped = |phase: &dyn Fn(f64) -> f64| {
            let known = told(400, phase);
            known.iter().find(|d| d.has_jumped()).map(|d| d.at)
        };
        let silence = |now: f64| if now < 12.0 { 0.0 } else { 0.014 };
        assert_eq!(jumped(&silence), Some(12.5));
        assert_eq!(jumped(&|now| 1e-3 * now), None, "1000 ppm");
        assert_eq!(jumped(&|now| -1e-3 * now), None, "-1000 ppm");
    }

    #[test]
    fn nothing_is_said_too_soon_and_the_pace_outlasts_a_jump() {
        let known = told(60, |now| 100e-6 * now);
        assert!(known[2].phase(1.0).is_none() && known[3].phase(1.5).is_some());
        let mut difference = known[59].clone();
        difference.restart();
        assert_eq!(difference.phase(30.0), None);
        difference.tell(30.0, 5.0, 0.0);
        assert!((difference.pace() * 1e6 - 100.0).abs() < 5.0);
    }
}
