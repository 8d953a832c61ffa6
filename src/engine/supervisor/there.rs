//! The worker's side: frames to it, and what comes back.

use super::Supervisor;
use crate::frame::peak;
use crate::handoff::job::{Job, Outcome, StateOrder};
use crate::state::Memory;

impl Supervisor {
    /// Takes in what came back.
    pub(super) fn drain(&mut self) {
        while let Some(mut job) = self.desk.take() {
            let of_now = job.epoch() == self.epoch && self.first > 0;
            if of_now {
                self.returned = self.returned.max(job.seq());
            }
            let done = of_now && job.outcome == Outcome::Done;
            if of_now && job.outcome == Outcome::Failed {
                self.stats.lost += 1;
                self.in_step = false;
            }
            // What is due is yet to be played; the rest has been, here.
            let wanted = done && job.seq() + self.behind >= self.newest;
            if wanted && self.came.len() < self.came.capacity() {
                self.came.push(job);
            } else {
                self.take_state(&mut job, done);
                self.desk.put(job);
            }
        }
    }

    /// Takes the state out of a job, and keeps it if it is the newest and sound, and the result with it: behind a frame that is to be
    /// run here it would be of no use, and the one before would be gone.
    pub(super) fn take_state(&mut self, job: &mut Job, done: bool) {
        let mut state = std::mem::take(&mut job.state);
        if state.is_empty() {
            return;
        }
        let newer = done && job.order() == StateOrder::Save && job.seq() > self.saved.seq;
        if newer && self.is_sound(job) && peak(&state).is_finite() {
            std::mem::swap(&mut self.saved.values, &mut state);
            self.saved.seq = job.seq();
        } else if newer {
            // What it makes of that will be as broken.
            self.in_step = false;
        }
        self.rooms.push(state);
    }

    /// Sends frame `seq`, with `state` if the order has to do with one; false where it cannot be.
    pub(super) fn send(&mut self, seq: u64, order: StateOrder, state: Vec<f32>) -> bool {
        let at = self.slot(seq);
        let (epoch, values, watched) = (self.epoch, &self.kept[at].values, self.watched);
        let unsent = self.desk.send(state, |job| {
            job.address(epoch, seq, order);
            job.values.copy_from_slice(values);
            job.watched = watched;
        });
        match unsent {
            Ok(()) => {
                self.sent = seq;
                true
            }
            Err(state) => {
                if !state.is_empty() {
                    self.rooms.push(state);
                }
                false
            }
        }
    }

    /// Sends frame `seq` to a worker that has had all before.
    pub(super) fn send_next(&mut self, seq: u64) {
        let sent = match seq - self.first + 1 {
            1 => self.send(seq, StateOrder::Reset, Vec::new()),
            n if self.saves.at(n) => match self.rooms.pop() {
                Some(room) => self.send(seq, StateOrder::Save, room),
                None => self.send(seq, StateOrder::Leave, Vec::new()),
            },
            _ => self.send(seq, StateOrder::Leave, Vec::new()),
        };
        if !sent {
            self.stats.lost += 1;
            self.in_step = false;
        }
    }

    /// Gives the worker this thread's state, and the frames behind it up to the newest.
    pub(super) fn bring_in_step(&mut self) {
        let first = self.cpu_at + 1;
        let wanted = (self.newest + 1).saturating_sub(first);
        if !self.is_kept(first) || (self.desk.idle() as u64) < wanted {
            return;
        }
        // The worker knows no pace but the model's.
        if !(first..=self.newest).all(|seq| self.kept[self.slot(seq)].pace == 1.0) {
            return;
        }
        let Some(mut state) = self.rooms.pop() else {
            return;
        };
        self.cpu.save(&mut state);
        // What is still on its way from before is of no use.
        self.epoch += 1;
        (self.sent, self.returned) = (first - 1, first - 1);
        self.in_step = self.send(first, StateOrder::Restore, state);
        for seq in first + 1..=self.newest {
            if self.in_step {
                self.send_next(seq);
            }
        }
        self.punctual = 0;
    }

    /// The worker's result for `seq`, if it is there; what is older is put by.
    pub(super) fn result(&mut self, seq: u64) -> Option<Job> {
        let mut found = None;
        let mut at = 0;
        while at < self.came.len() {
            if self.came[at].seq() > seq {
                at += 1;
                continue;
            }
            let mut job = self.came.swap_remove(at);
            // One that came before the worker was given another state is of no use, even if it was not due till now.
            let of_now = job.epoch() == self.epoch;
            self.take_state(&mut job, of_now);
            if of_now && job.seq() == seq {
                found = Some(job);
            } else {
                self.desk.put(job);
            }
        }
        found
    }
}
