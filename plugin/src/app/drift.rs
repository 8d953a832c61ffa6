//! The pace of reading between two clocks: faster where the input gains on the output, slower where it loses.
//!
//! Both clocks are seen through [`Earliest`], and their [`Difference`] is found from frames that came and frames that
//! were asked for alone: neither bursts nor the pace of reading move it. It is read at the pace of that difference, and a
//! little faster or slower as long as the *lead*, by how much the input is ahead of what was read, is not the one that is
//! aimed at: a loop of first order, which cannot swing. The *spare* is what was left after a block was read. Its least
//! says whether the lead is enough: where it is not, or is far too much, another lead is aimed at, in a glide.

use super::difference::Difference;
use super::earliest::{Earliest, Line};

/// How often the clocks are compared, seconds.
const PIECE_SECONDS: f64 = 0.5;

/// The share of a wrong lead that is made up for in a second.
const PULL: f64 = 0.05;

/// The lead that is aimed at rises and falls by so much a second.
const RISE: f64 = 4e-4;
const FALL: f64 = 2e-5;

/// A spare is too much beyond twice what is wanted, and this, seconds ...
const SLACK_SECONDS: f64 = 0.005;
/// ... for so many pieces.
const PATIENCE: u32 = 30;

/// The most that reading is bent, as a share: 5 per mille, a twelfth of a semitone.
pub const MOST_BEND: f64 = 0.005;

/// What is known when a block is read. All in seconds.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The moment.
    pub now: f64,
    /// What will have been read after this block, by the input's nominal rate, less what will have been asked for.
    pub ahead: f64,
    /// What will be left after this block.
    pub spare: f64,
    /// What should at least be left after any block.
    pub wanted_spare: f64,
}

/// See the module. Real-time safe.
#[derive(Debug, Default)]
pub struct DriftControl {
    output: Earliest,
    /// Of the input and of the output.
    lines: [Line; 2],
    difference: Difference,
    /// When the piece that runs ends.
    end: Option<f64>,
    piece_is_over: bool,
    spare: Spare,
    aim: Option<Aim>,
    last: f64,
}

impl DriftControl {
    /// Looks at the clocks whenever the output asks, at the moment `now`; `asked` is what it had asked for before, seconds.
    pub fn observe(&mut self, now: f64, input: &Earliest, asked: f64) {
        self.output.tell(now - asked);
        self.piece_is_over = now >= *self.end.get_or_insert(now + PIECE_SECONDS);
        if self.piece_is_over {
            self.end = Some(now + PIECE_SECONDS);
            // An input from which nothing came has stopped, and says nothing of its clock.
            if let (Some(input), Some(output)) = (input.take(), self.output.take()) {
                let lines = [self.lines[0].tell(input), self.lines[1].tell(output)];
                let unrest = self.lines[0].unrest() + self.lines[1].unrest();
                let found = self.difference.tell(now, lines[1] - lines[0], 0.5 * unrest);
                // What is still being found out about the lead is no change of it.
                if self.difference.is_new()
                    && let Some(aim) = &mut self.aim
                {
                    aim.wanted += found;
                    aim.goal += found;
                }
            }
        }
    }

    /// One of the clocks went on beside its line, and what is held is another, though the clocks do not differ: they are
    /// looked at anew, their difference is still known.
    pub fn has_jumped(&mut self) -> bool {
        let jumped = self.difference.has_jumped();
        if jumped {
            self.difference.restart();
            self.lines.iter_mut().for_each(Line::restart);
            self.release();
        }
        jumped
    }

    /// Aims at the lead there is, whatever it is: frames were thrown away or waited for.
    pub fn release(&mut self) {
        (self.aim, self.spare) = (None, Spare::default());
    }

    /// By how much faster to read from now on, as a share.
    pub fn bend(&mut self, look: &Look) -> f64 {
        let passed = look.now - std::mem::replace(&mut self.last, look.now);
        self.spare.tell(look.spare);
        let pace = self.difference.pace();
        let Some(phase) = self.difference.phase(look.now) else {
            return pace.clamp(-MOST_BEND, MOST_BEND);
        };
        let lead = phase - look.ahead;
        let aim = self.aim.get_or_insert(Aim::at(lead));
        if self.piece_is_over
            && let Some(more) = self.spare.lacking(look.wanted_spare)
        {
            aim.goal = lead + more;
        }
        let bend = pace + PULL * (lead - aim.glide(passed));
        bend.clamp(-MOST_BEND, MOST_BEND)
    }

    /// By how much the input's clock is faster than the output's, parts per million.
    pub fn drift_ppm(&self) -> f64 {
        self.difference.pace() * 1e6
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
        let too_little = least < 0.25 * wanted;
        if !too_little && self.pieces < PATIENCE {
            return None;
        }
        let long = if too_little { least } else { self.long };
        (self.long, self.pieces) = (f64::MAX, 0);
        let too_much = long > 2.0 * wanted + SLACK_SECONDS;
        (too_little || too_much).then_some(wanted - long)
    }
}
