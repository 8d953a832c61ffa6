//! Slots that keep the states of one stream, shared by the thread that plays it and the one that saves projects.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::handoff::exclusive::Exclusive;

/// Slots of a bank.
pub const SLOTS: usize = 4;

/// What a state belongs to. A state means nothing to another model, nor to the same one at another rate: the unit of an S4D
/// state is its step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankKey {
    /// SHA-256 of the model's file, in lower-case hexadecimal.
    pub model: String,
    /// The rate that the states run at, Hz.
    pub sample_rate: u32,
    /// Streams side by side: channels, or 1 where they are mixed, and of an instrument, whose notes each are a stream.
    pub streams: usize,
    /// Floats of all of their states.
    pub len: usize,
}

/// Four states of a stream. An empty slot is a stream at its start: all zeros.
///
/// All memory is there from the beginning, so that storing allocates nothing; systems hand out what was never written to as
/// nothing but a promise.
#[derive(Debug)]
pub struct Bank {
    key: BankKey,
    slots: [Exclusive<Slot>; SLOTS],
    /// For what lies between two slots.
    between: Exclusive<Vec<f32>>,
    /// Counts what was stored.
    changes: AtomicU64,
    /// A bit for each slot that is filled, and for each that a shell wants to be.
    filled: AtomicU64,
    wanted: AtomicU64,
}

#[derive(Debug)]
struct Slot {
    filled: bool,
    values: Vec<f32>,
}

impl Bank {
    /// An empty bank. Allocates.
    pub fn new(key: BankKey) -> Bank {
        let slot = |_| {
            Exclusive::new(Slot {
                filled: false,
                values: vec![0.0; key.len],
            })
        };
        Bank {
            slots: std::array::from_fn(slot),
            between: Exclusive::new(vec![0.0; key.len]),
            changes: AtomicU64::new(0),
            filled: AtomicU64::new(0),
            wanted: AtomicU64::new(0),
            key,
        }
    }

    /// What its states belong to.
    pub fn key(&self) -> &BankKey {
        &self.key
    }

    /// How often a slot was changed: what a shell looks at to know that a project has.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Which slots are filled. Real-time safe.
    pub fn filled(&self) -> [bool; SLOTS] {
        let bits = self.filled.load(Ordering::Acquire);
        std::array::from_fn(|slot| bits >> slot & 1 == 1)
    }

    /// Has the state stored in a slot before the next step, as [`StateControls::store`](super::StateControls) does: for panels, which
    /// press a button where hosts move a value.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn want(&self, slot: usize) {
        assert!(slot < SLOTS, "slot {slot} of {SLOTS}");
        self.wanted.fetch_or(1 << slot, Ordering::AcqRel);
    }

    /// A slot that is wanted, which it is no longer.
    pub(super) fn take_wanted(&self) -> Option<usize> {
        let bits = self.wanted.load(Ordering::Acquire);
        let slot = (0..SLOTS).find(|slot| bits >> slot & 1 == 1)?;
        self.wanted.fetch_and(!(1 << slot), Ordering::AcqRel);
        Some(slot)
    }

    /// Lets `save` write a state to a slot; what is not all numbers empties it. False, and nothing is done, while another thread
    /// has the slot. Real-time safe where `save` is.
    pub(super) fn store(&self, slot: usize, save: impl FnOnce(&mut [f32])) -> bool {
        let stored = self.slots[slot].try_with(|slot| {
            save(&mut slot.values);
            slot.filled = is_finite(&slot.values);
            if !slot.filled {
                slot.values.fill(0.0);
            }
            slot.filled
        });
        if let Some(filled) = stored {
            self.mark(slot, filled);
        }
        stored.is_some()
    }

    /// Lets `restore` have the state that lies `morph`, 0 to 1, of the way from one slot to another: at the ends the slots'
    /// own to the bit, between them the straight line, so never beyond the larger of both. False, and nothing is done, while
    /// another thread has a slot. Real-time safe where `restore` is.
    pub(super) fn morph(
        &self,
        from: usize,
        to: usize,
        morph: f32,
        restore: impl FnOnce(&[f32]),
    ) -> bool {
        let only = match morph {
            0.0 => Some(from),
            1.0 => Some(to),
            _ if from == to => Some(from),
            _ => None,
        };
        if let Some(only) = only {
            let done = self.slots[only].try_with(|slot| restore(&slot.values));
            return done.is_some();
        }
        let done = self.slots[from].try_with(|from| {
            self.slots[to].try_with(|to| {
                self.between.try_with(|between| {
                    let ends = from.values.iter().zip(&to.values);
                    for (x, (from, to)) in between.iter_mut().zip(ends) {
                        *x = (1.0 - morph) * from + morph * to;
                    }
                    restore(between);
                })
            })
        });
        done.flatten().flatten().is_some()
    }

    /// Empties a slot. Waits for the audio thread, which has a slot for some microseconds.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn clear(&self, slot: usize) {
        self.patiently(slot, |slot| {
            slot.filled = false;
            slot.values.fill(0.0);
        });
        self.mark(slot, false);
    }

    /// The state in a slot, if there is one. Waits and allocates.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn state(&self, slot: usize) -> Option<Vec<f32>> {
        self.patiently(slot, |slot| slot.filled.then(|| slot.values.clone()))
    }

    /// Fills a slot. False if it is not a state of this bank: of another length, or not all numbers. Waits.
    ///
    /// # Panics
    /// If there is no such slot.
    pub fn fill(&self, slot: usize, values: &[f32]) -> bool {
        if values.len() != self.key.len || !is_finite(values) {
            return false;
        }
        self.patiently(slot, |slot| {
            slot.filled = true;
            slot.values.copy_from_slice(values);
        });
        self.mark(slot, true);
        true
    }

    fn patiently<R>(&self, slot: usize, mut f: impl FnMut(&mut Slot) -> R) -> R {
        loop {
            if let Some(done) = self.slots[slot].try_with(&mut f) {
                return done;
            }
            std::thread::yield_now();
        }
    }

    fn mark(&self, slot: usize, filled: bool) {
        let bit = 1 << slot;
        if filled {
            self.filled.fetch_or(bit, Ordering::AcqRel);
        } else {
            self.filled.fetch_and(!bit, Ordering::AcqRel);
        }
        self.changes.fetch_add(1, Ordering::AcqRel);
    }
}

/// Whether all are numbers, and so small that no sum over them can be anything else.
pub(super) fn is_finite(values: &[f32]) -> bool {
    values.iter().map(|v| v.abs()).sum::<f32>().is_finite()
}
