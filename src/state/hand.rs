//! Does to a state what the controls say, between two of its steps.

use super::{Memory, StateControls};

/// How long the pace takes to change by 1.
const PACE_SECONDS: f32 = 0.02;

/// How long a morph takes from one slot to the other.
const MORPH_SECONDS: f32 = 0.1;

/// For how long a state that was put back, held or hurried counts as not yet the stream's own.
const OWN_SECONDS: f32 = 10.0;

/// The controls' way to a state, one for each stream. Real-time safe.
#[derive(Debug, Clone)]
pub struct Hand {
    controls: StateControls,
    /// No block has come yet: there is nothing to glide from.
    fresh: bool,
    /// What the pace is, and what the memory was told.
    pace: f32,
    told: f32,
    /// Where between the slots the state was put last.
    position: f32,
    store_due: Option<usize>,
    recall_due: bool,
    restart_due: bool,
    /// Seconds since a state was put back or ran at a pace of its own, up to [`OWN_SECONDS`].
    since: f32,
}

impl Default for Hand {
    fn default() -> Hand {
        Hand {
            controls: StateControls::default(),
            fresh: true,
            pace: 1.0,
            told: 1.0,
            position: 0.0,
            store_due: None,
            recall_due: false,
            restart_due: false,
            since: OWN_SECONDS,
        }
    }
}

impl Hand {
    /// What is to be done from the next step on.
    pub fn set(&mut self, controls: &StateControls) {
        let new = controls.sane();
        let old = std::mem::replace(&mut self.controls, new);
        if self.fresh {
            self.fresh = false;
            self.pace = new.scale();
            self.recall_due = new.recall;
            return;
        }
        if new.store != old.store && new.store.is_some() {
            self.store_due = new.store;
        }
        if !new.recall {
            self.recall_due = false;
        } else if !old.recall || (new.from, new.to) != (old.from, old.to) {
            self.recall_due = true;
        }
    }

    /// Has the state begin anew before the next step: from what is recalled, if anything is, else from nothing.
    pub fn restart(&mut self) {
        self.restart_due = true;
    }

    /// The stream begins anew, and all there is to glide from is gone.
    pub fn reset(&mut self) {
        *self = Hand {
            told: self.told,
            ..Hand::default()
        };
    }

    /// Another memory has taken the place of the one there was.
    pub fn renew(&mut self) {
        self.told = f32::NAN;
        self.recall_due |= self.controls.recall;
    }

    /// The factor on Δ now.
    pub fn pace(&self) -> f32 {
        self.pace
    }

    /// Whether the state is not, or was not lately, what the stream alone has made it.
    pub fn is_at_work(&self) -> bool {
        self.pace != 1.0 || self.controls.recall || self.since < OWN_SECONDS
    }

    /// Before a step, `seconds` behind the one before. True if the state may have leapt, so that what comes has to be joined to
    /// what was.
    pub fn step(&mut self, memory: &mut dyn Memory, seconds: f32) -> bool {
        self.since = (self.since + seconds).min(OWN_SECONDS);
        self.store_due = self.store_due.or_else(|| memory.bank().take_wanted());
        if let Some(slot) = self.store_due
            && store(memory, slot)
        {
            self.store_due = None;
        }
        let mut leapt = std::mem::take(&mut self.restart_due);
        if leapt {
            memory.forget();
            self.recall_due = self.controls.recall;
        }
        leapt |= self.recall(memory, seconds);
        if self.pace != 1.0 {
            self.since = 0.0;
        }
        let most = seconds / PACE_SECONDS;
        self.pace += (self.controls.scale() - self.pace).clamp(-most, most);
        // Not a number, behind another memory, is unlike anything.
        if self.told != self.pace {
            memory.set_pace(self.pace);
            self.told = self.pace;
        }
        leapt
    }

    /// Puts back what is recalled, if it is to be there anew. True if the state may have leapt.
    fn recall(&mut self, memory: &mut dyn Memory, seconds: f32) -> bool {
        let StateControls {
            recall,
            from,
            to,
            morph,
            ..
        } = self.controls;
        if !recall || !(self.recall_due || self.position != morph) {
            return false;
        }
        let most = seconds / MORPH_SECONDS;
        let position = match self.recall_due {
            true => morph,
            false => self.position + (morph - self.position).clamp(-most, most),
        };
        let bank = std::sync::Arc::clone(memory.bank());
        if !bank.morph(from, to, position, |state| memory.restore(state)) {
            // The shell has a slot; at the next step it will not.
            return false;
        }
        self.position = position;
        self.since = 0.0;
        std::mem::take(&mut self.recall_due)
    }
}

fn store(memory: &mut dyn Memory, slot: usize) -> bool {
    let bank = std::sync::Arc::clone(memory.bank());
    bank.store(slot, |to| memory.save(to))
}
