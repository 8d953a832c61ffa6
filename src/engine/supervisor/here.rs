//! This thread's side: taking over from the newest state there is.

use super::{Playing, Supervisor};
use crate::engine::Engine;
use crate::state::Memory;

impl Supervisor {
    /// Brings this thread's state behind the frame before `seq`, from the newest state there is; gives how many
    /// frames that took.
    pub(super) fn catch_up(&mut self, seq: u64) -> u64 {
        if self.saved.seq > self.cpu_at && self.saved.seq < seq {
            self.cpu.restore(&self.saved.values);
            self.cpu_at = self.saved.seq;
        }
        if self.cpu_at + 1 < seq && !self.is_kept(self.cpu_at + 1) {
            // Too long ago: what is kept is where it begins anew.
            self.cpu.reset();
            let oldest = (self.newest + 1).saturating_sub(self.kept.len() as u64);
            self.cpu_at = oldest.max(self.first) - 1;
        }
        let mut ran = 0;
        while self.cpu_at + 1 < seq {
            self.run_here(self.cpu_at + 1);
            self.cpu.work(1, 1);
            ran += 1;
        }
        self.stats.replayed += ran;
        ran
    }

    /// Begins a frame here.
    pub(super) fn run_here(&mut self, seq: u64) {
        let at = self.slot(seq);
        self.cpu.set_pace(self.kept[at].pace);
        self.cpu.submit(seq, &self.kept[at].values);
        self.cpu_at = seq;
    }

    /// Notes that so many frames were run at once.
    pub(super) fn note_at_once(&mut self, frames: u64) {
        self.stats.most_at_once = self.stats.most_at_once.max(frames);
    }

    /// Whether the newest state is so old that a take-over at the frame that is due next would ask for more at once than it
    /// may. States of a worker that does as it is told never are.
    pub(super) fn is_at_the_brink(&self) -> bool {
        let stands_at = self.saved.seq.max(self.cpu_at);
        let due = self.newest.saturating_sub(self.behind);
        due.saturating_sub(stands_at) > self.policy.most_at_once()
    }

    /// Plays here from now on.
    pub(super) fn take_over(&mut self) {
        self.playing = Playing::Here;
        self.stats.taken_over += 1;
        self.punctual = 0;
    }
}
