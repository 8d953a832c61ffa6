//! This thread's side: taking over from the newest state there is.

use super::{Playing, Supervisor};
use crate::engine::Engine;
use crate::state::Memory;

impl Supervisor {
    /// Brings this thread's state behind the frame before `seq`, from the newest state there is.
    pub(super) fn catch_up(&mut self, seq: u64) {
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
        while self.cpu_at + 1 < seq {
            self.run_here(self.cpu_at + 1);
            self.cpu.work(1, 1);
            self.stats.replayed += 1;
        }
    }

    /// Begins a frame here.
    pub(super) fn run_here(&mut self, seq: u64) {
        let at = self.slot(seq);
        self.cpu.set_pace(self.kept[at].pace);
        self.cpu.submit(seq, &self.kept[at].values);
        self.cpu_at = seq;
    }

    /// Whether the frames kept reach no further back than the newest state: one more, and nobody could take over.
    pub(super) fn is_at_the_brink(&self) -> bool {
        let stands_at = self.saved.seq.max(self.cpu_at);
        self.newest.saturating_sub(stands_at) >= self.kept.len() as u64
    }

    /// Plays here from now on.
    pub(super) fn take_over(&mut self) {
        self.playing = Playing::Here;
        self.stats.taken_over += 1;
        self.punctual = 0;
    }
}
