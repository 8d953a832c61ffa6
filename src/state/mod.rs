//! The state as an instrument: time that runs slower, faster or not at all for it, slots that keep it, and ways between them.
//!
//! Flows in: [`StateControls`] with each block, and [`Bank`]s of a project. Flows out: what a session remembers, changed
//! between two of its steps. docs/state.md says what each control means by the maths, model by model.
//!
//! ```text
//! shell ── StateControls ─► Hand ─► Memory (a session's states) ◄─► Bank, four slots ◄── shell: projects
//! ```
//! Nothing here allocates, locks or waits on the audio thread.

mod bank;
mod file;
mod hand;

pub use bank::{Bank, BankKey, SLOTS};
pub use file::StateError;
pub use hand::Hand;

use std::sync::Arc;

use crate::model::pace::FASTEST;

/// The longest memory, as a factor on every time constant; the shortest is 1 / [`FASTEST`].
pub const LONGEST: f32 = 64.0;

/// What a musician does to a state. Read once a block, acted upon between two steps of the session: frames of a denoiser, runs
/// of 32 samples of an effect, rows of the middle tier of a continuation, frames and beginnings of an instrument's notes.
///
/// Values out of range are brought into it, and NaN counts as the default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StateControls {
    /// How far the state is kept from changing: 1 stops it, 0 leaves it alone.
    pub freeze: f32,
    /// Factor on every time constant, 1 / [`FASTEST`] to [`LONGEST`].
    pub memory: f32,
    /// The slot, 0 to [`SLOTS`] − 1, that the state goes to when this changes to it; the value of the first block stores nothing.
    pub store: Option<usize>,
    /// When this comes on the state becomes what lies `morph` of the way between the slots; while it is on, it is there again
    /// whenever one of the three moves, and goes on from there when they rest.
    pub recall: bool,
    /// The slot at 0.
    pub from: usize,
    /// The slot at 1.
    pub to: usize,
    /// Where between the slots, 0 to 1; it is there within 0.1 s.
    pub morph: f32,
}

impl Default for StateControls {
    fn default() -> StateControls {
        StateControls::USUAL
    }
}

impl StateControls {
    /// Nothing is done to the state.
    pub const USUAL: StateControls = StateControls {
        freeze: 0.0,
        memory: 1.0,
        store: None,
        recall: false,
        from: 0,
        to: 1,
        morph: 0.0,
    };

    /// The factor on every Δ, 0 to [`FASTEST`]: (1 − freeze) / memory.
    ///
    /// ```
    /// use statewave::state::StateControls;
    /// let usual = StateControls::default();
    /// assert_eq!(usual.scale(), 1.0);
    /// assert_eq!(StateControls { freeze: 1.0, ..usual }.scale(), 0.0);
    /// assert_eq!(StateControls { memory: 2.0, ..usual }.scale(), 0.5);
    /// ```
    pub fn scale(&self) -> f32 {
        let sane = self.sane();
        ((1.0 - sane.freeze) / sane.memory).clamp(0.0, FASTEST)
    }

    fn sane(&self) -> StateControls {
        let or = |value: f32, default: f32| if value.is_nan() { default } else { value };
        let default = StateControls::default();
        StateControls {
            freeze: or(self.freeze, default.freeze).clamp(0.0, 1.0),
            memory: or(self.memory, default.memory).clamp(1.0 / FASTEST, LONGEST),
            store: self.store.filter(|slot| *slot < SLOTS),
            from: self.from.min(SLOTS - 1),
            to: self.to.min(SLOTS - 1),
            morph: or(self.morph, default.morph).clamp(0.0, 1.0),
            recall: self.recall,
        }
    }
}

/// What [`Memory::adopt`] does to the bank that is `kept`.
pub(crate) fn adopt(kept: &mut Arc<Bank>, bank: Arc<Bank>) -> Arc<Bank> {
    if bank.key() == kept.key() {
        std::mem::replace(kept, bank)
    } else {
        bank
    }
}

/// What a session remembers, to be held, kept and put back between two of its steps. All of it is real-time safe.
pub trait Memory {
    /// Where its states are kept.
    fn bank(&self) -> &Arc<Bank>;
    /// Has it keep its states in another bank, and returns the one there was. One of another key comes back.
    fn adopt(&mut self, bank: Arc<Bank>) -> Arc<Bank>;
    /// Writes the state, as long as the bank's key says.
    fn save(&mut self, to: &mut [f32]);
    /// Goes on from a state that [`Memory::save`] has written, or from one between two of them.
    fn restore(&mut self, from: &[f32]);
    /// Takes every Δ times `scale` from the next step on.
    fn set_pace(&mut self, scale: f32);
    /// Back to the start of a stream, at the same pace.
    fn forget(&mut self);
}
