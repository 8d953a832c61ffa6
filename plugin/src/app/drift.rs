//! The pace of reading between two clocks: faster where the input gains on the output, slower where it loses.
//!
//! Two things are looked at. The *lead* is by how much the line of the input's clock is ahead of the output's, both
//! seen through [`Earliest`]: bursts and blocks do not move it, only clocks that differ do. A proportional and integral
//! controller holds it; settled, the integral is the difference of the clocks. The *spare* is what was left after a
//! block was read. Its least says whether the lead is enough: where it is not, or is far too much, another lead is
//! aimed at, in a glide.

use super::earliest::Earliest;

/// Natural frequency of the loop, radians a second: settled it hears nothing of what a server's timers do ...
const SPEED: f64 = 0.02;
/// ... and while the clocks are not known yet, or the lead is far off.
const FAST_SPEED: f64 = 0.1;

/// The clocks are not known for so long after the first look, seconds.
const LEARNING_SECONDS: f64 = 40.0;

/// A lead is far off from here on, seconds.
const FAR_SECONDS: f64 = 0.004;

/// The lead that is aimed at rises and falls by so much a second.
const RISE: f64 = 4e-4;
const FALL: f64 = 1e-4;

/// A spare is too much beyond twice what is wanted, and this, seconds ...
const SLACK_SECONDS: f64 = 0.005;
/// ... for so many pieces of [`Earliest`].
const PATIENCE: u32 = 30;

/// The most that reading is bent, as a share: 5 per mille, a twelfth of a semitone.
pub const MOST_BEND: f64 = 0.005;

/// What is known when the output asks for a block. All in seconds, for frames those of the input's nominal rate.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The moment.
    pub now: f64,
    /// The moment at which the input's last block came, less what had come by then.
    pub input_offset: f64,
    /// This moment, less what will have been read after this block.
    pub output_offset: f64,
    /// What will be left after this block.
    pub spare: f64,
    /// What should at least be left after any block.
    pub wanted_spare: f64,
}

/// See the module. Real-time safe.
#[derive(Debug, Clone, Default)]
pub struct DriftControl {
    input: Earliest,
    output: Earliest,
    spare: Spare,
    aim: Option<Aim>,
    /// The difference of the clocks, as a share.
    integral: f64,
    /// Since the first look, seconds.
    age: f64,
    last: Option<f64>,
}

impl DriftControl {
    /// After a gap: the clocks' lines are others, their difference is still known.
    pub fn restart(&mut self) {
        *self = Self {
            integral: self.integral,
            age: self.age,
            ..Self::default()
        };
    }

    /// One of the clocks goes on beside its line: what is held is another, though the clocks do not differ.
    pub fn has_jumped(&self) -> bool {
        self.input.has_jumped() || self.output.has_jumped()
    }

    /// By how much faster to read from now on, as a share.
    pub fn update(&mut self, look: &Look) -> f64 {
        let passed = look.now - self.last.replace(look.now).unwrap_or(look.now);
        self.age += passed;
        self.input.tell(look.now, look.input_offset);
        let piece_is_over = self.output.tell(look.now, look.output_offset);
        let (Some(input), Some(output)) = (self.input.line(), self.output.line()) else {
            self.spare.tell(look.spare);
            return self.integral;
        };
        let lead = output - input;
        let aim = self.aim.get_or_insert(Aim::at(lead));
        self.spare.tell(look.spare);
        if piece_is_over && let Some(more) = self.spare.lacking(look.wanted_spare) {
            aim.goal = lead + more;
        }
        let error = lead - aim.glide(passed);
        let speed = if self.age < LEARNING_SECONDS || error.abs() > FAR_SECONDS {
            FAST_SPEED
        } else {
            SPEED
        };
        let wanted = 2.0 * speed * error + self.integral;
        // Not while at the stop, where it would wind up.
        if wanted.abs() < MOST_BEND {
            self.integral += speed * speed * error * passed;
        }
        wanted.clamp(-MOST_BEND, MOST_BEND)
    }

    /// By how much the input's clock is faster than the output's, parts per million.
    pub fn drift_ppm(&self) -> f64 {
        self.integral * 1e6
    }
}

/// The lead that is wanted, on its way to the one that is aimed at, seconds.
#[derive(Debug, Clone, Copy)]
struct Aim {
    wanted: f64,
    goal: f64,
}

impl Aim {
    fn at(lead: f64) -> Self {
        Self {
            wanted: lead,
            goal: lead,
        }
    }

    fn glide(&mut self, passed: f64) -> f64 {
        self.wanted += (self.goal - self.wanted).clamp(-FALL * passed, RISE * passed);
        self.wanted
    }
}

/// The least that was left after a block, seconds: in the piece that runs, and since patience began.
#[derive(Debug, Clone, Copy)]
struct Spare {
    piece: f64,
    long: f64,
    pieces: u32,
}

impl Default for Spare {
    fn default() -> Self {
        Self {
            piece: f64::MAX,
            long: f64::MAX,
            pieces: 0,
        }
    }
}

impl Spare {
    fn tell(&mut self, spare: f64) {
        self.piece = self.piece.min(spare);
    }

    /// At the end of a piece: what the lead lacks, less than nothing where it is too much; `None` where it is right.
    fn lacking(&mut self, wanted: f64) -> Option<f64> {
        let least = std::mem::replace(&mut self.piece, f64::MAX);
        self.long = self.long.min(least);
        self.pieces += 1;
        let too_little = least < 0.5 * wanted;
        if !too_little && self.pieces < PATIENCE {
            return None;
        }
        let long = if too_little { least } else { self.long };
        (self.long, self.pieces) = (f64::MAX, 0);
        let too_much = long > 2.0 * wanted + SLACK_SECONDS;
        (too_little || too_much).then_some(wanted - long)
    }
}
