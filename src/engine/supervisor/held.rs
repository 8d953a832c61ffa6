//! A state that is held, put back or run at a pace of its own: this thread plays it, for the worker knows only what the model
//! was trained for.

use std::sync::Arc;

use super::{Playing, Supervisor};
use crate::engine::Engine;
use crate::state::{Bank, Memory};

impl Supervisor {
    /// Plays here, because of what is done to the state; what the worker has is of no use any more.
    pub(super) fn hold_here(&mut self) {
        self.playing = Playing::Here;
        self.in_step = false;
        self.punctual = 0;
    }
}

impl Memory for Supervisor {
    fn bank(&self) -> &Arc<Bank> {
        self.cpu.bank()
    }

    fn adopt(&mut self, bank: Arc<Bank>) -> Arc<Bank> {
        self.cpu.adopt(bank)
    }

    /// The state behind the frame that is due: where the worker plays, the frames since its last state are run here first.
    fn save(&mut self, to: &mut [f32]) {
        if self.newest >= self.first + self.behind && self.first > 0 {
            self.drain();
            let ran = self.catch_up(self.newest + 1 - self.behind);
            self.note_at_once(ran);
        }
        self.cpu.save(to);
    }

    /// Heard from the next frame that is due, which was given before those in flight.
    fn restore(&mut self, from: &[f32]) {
        self.hold_here();
        // No state from before may come in the place of this one.
        self.epoch += 1;
        self.saved.seq = 0;
        self.cpu.restore(from);
        if self.first > 0 {
            let due = (self.newest + 1).saturating_sub(self.behind);
            self.cpu_at = due.max(self.first) - 1;
        }
    }

    fn set_pace(&mut self, scale: f32) {
        self.pace = scale;
    }

    fn forget(&mut self) {
        self.reset();
    }
}
