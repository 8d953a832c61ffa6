//! The slots of the instrument: those of what plays, and a project's that wait for it or are of another model.

use std::sync::Arc;

use parking_lot::Mutex;
use statewave::instrument::Instrument;
use statewave::state::Bank;

use crate::fault::Fault;
use crate::loader::States;
use crate::state::KeepsStates;

/// See the module. Not for the audio thread, which has the bank.
#[derive(Default)]
pub struct Slots(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    states: States,
    /// What went wrong with the states of a project.
    fault: Option<Fault>,
}

impl Slots {
    /// Has an instrument that nobody plays yet keep its notes where they belong.
    pub fn settle(&self, instrument: &mut Instrument) {
        let mut kept = self.0.lock();
        let (bank, fault) = kept.states.settle(instrument.bank());
        instrument.adopt_bank(bank);
        kept.fault = fault;
    }

    /// The slots of what plays.
    pub fn bank(&self) -> Option<Arc<Bank>> {
        self.0.lock().states.bank()
    }

    /// Why those of a project cannot be put back, until it is dismissed.
    pub fn fault(&self) -> Option<Fault> {
        self.0.lock().fault.clone()
    }

    /// The person has read it.
    pub fn dismiss(&self) {
        self.0.lock().fault = None;
    }
}

impl KeepsStates for Slots {
    fn restore_states(&self, bytes: Option<Vec<u8>>) {
        let mut kept = self.0.lock();
        kept.fault = kept.states.restore(bytes);
    }

    fn kept_states(&self) -> Vec<u8> {
        self.0.lock().states.kept()
    }
}
