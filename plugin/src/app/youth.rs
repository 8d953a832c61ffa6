//! The first second after the ring was filled, or after a clock jumped: what it needs to hold is found out.

/// Devices that start bring bursts, and one that stood still leaves us with what it did not take. After so long, what was
/// never needed of it is thrown away once, and what was lacking is waited for once, seconds ...
const YOUNG_SECONDS: f64 = 1.0;
/// ... if it is more than this: draining it by reading faster takes minutes, seconds.
const YOUNG_SURPLUS_SECONDS: f64 = 0.008;
/// ... or if it is more than this.
const YOUNG_LACK_SECONDS: f64 = 0.002;

/// See the module. Real-time safe.
pub struct Youth {
    /// What is thrown away or waited for is a gap, rather than part of the start.
    pub is_gap: bool,
    /// When it ends, seconds.
    end: f64,
    /// The least and the most that was left after a block, seconds.
    least: f64,
    most: f64,
}

impl Youth {
    /// Begins at the moment `now`, seconds.
    pub fn begin(now: f64, is_gap: bool) -> Self {
        Self {
            is_gap,
            end: now + YOUNG_SECONDS,
            least: f64::MAX,
            most: f64::MIN,
        }
    }

    /// Takes what is left after a block at the moment `now`; when it is over, gives by how much that swung and its least,
    /// all in seconds, and whether what follows of it is a gap.
    pub fn judge(&mut self, now: f64, spare: f64) -> Option<(f64, f64, bool)> {
        self.least = self.least.min(spare);
        self.most = self.most.max(spare);
        (now >= self.end).then_some((self.most - self.least, self.least, self.is_gap))
    }
}

/// What of `left`, the least that was left beyond what is wanted, is worth a gap, seconds.
pub fn surplus(left: f64) -> f64 {
    if (-YOUNG_LACK_SECONDS..=YOUNG_SURPLUS_SECONDS).contains(&left) {
        0.0
    } else {
        left
    }
}
