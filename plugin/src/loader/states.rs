//! The slots of models: of the one that plays, of those that played before, and a project's that wait for theirs.

use std::sync::Arc;

use statewave::chain::Chain;
use statewave::state::{Bank, StateError};

use super::shared::{Shared, lock};
use crate::fault::Fault;

/// See the module.
#[derive(Default)]
pub(crate) struct States {
    /// Of what was made last.
    bank: Option<Arc<Bank>>,
    /// Of what was made before, those that keep anything, the newest last.
    before: Vec<Arc<Bank>>,
    /// A project's that are of something else.
    waiting: Vec<u8>,
}

impl States {
    /// The slots of what plays.
    pub(crate) fn bank(&self) -> Option<Arc<Bank>> {
        self.bank.clone()
    }

    /// What is to stand in the place of a bank of its `own` that something new came with; gives what is wrong as well.
    pub(crate) fn settle(&mut self, own: Arc<Bank>) -> (Arc<Bank>, Option<Fault>) {
        let fits = |bank: &&Arc<Bank>| bank.key() == own.key();
        let known = self.before.iter().chain(&self.bank).find(fits).cloned();
        let bank = known.unwrap_or(own);
        if let Some(old) = self.bank.replace(Arc::clone(&bank)) {
            self.before.push(old);
        }
        self.before
            .retain(|old| old.key() != bank.key() && keeps(old));
        let fault = self.read(&bank);
        (bank, fault)
    }

    /// Puts what waits into a bank, if it is for that.
    fn read(&mut self, bank: &Bank) -> Option<Fault> {
        if self.waiting.is_empty() {
            return None;
        }
        match bank.read(&self.waiting) {
            Ok(()) => {
                self.waiting.clear();
                None
            }
            Err(error) => Some(fault(&error)),
        }
    }

    /// Takes those of a project, or none that can be read; gives what is wrong.
    pub(crate) fn restore(&mut self, bytes: Option<Vec<u8>>) -> Option<Fault> {
        self.before.clear();
        let unread = bytes.is_none();
        self.waiting = bytes.unwrap_or_default();
        let bank = self.bank.clone();
        let wrong = bank.and_then(|bank| {
            // What the project before kept is no part of this one.
            (0..bank.filled().len()).for_each(|slot| bank.clear(slot));
            self.read(&bank)
        });
        let damaged = StateError::Damaged("they are no text of bytes");
        wrong.or_else(|| unread.then(|| fault(&damaged)))
    }

    /// What a project should hold: of what plays, else what waits, else of what played last.
    pub(crate) fn kept(&self) -> Vec<u8> {
        let bank = self.bank.iter().find(|bank| keeps(bank));
        match (bank, self.waiting.is_empty()) {
            (Some(bank), _) => bank.to_bytes(),
            (None, false) => self.waiting.clone(),
            (None, true) => self.before.last().map_or_else(Vec::new, |b| b.to_bytes()),
        }
    }
}

fn keeps(bank: &Arc<Bank>) -> bool {
    bank.filled().contains(&true)
}

fn fault(error: &StateError) -> Fault {
    Fault {
        what: error.to_string(),
        remedy: error.remedy().into(),
    }
}

impl Shared {
    /// The bank for something new that came with its `own`.
    pub(super) fn settle(&mut self, own: Arc<Bank>) -> Arc<Bank> {
        let (bank, fault) = self.states.settle(own);
        self.status.state_fault = fault;
        bank
    }

    /// Takes the kept states of a project.
    pub(super) fn restore_states(&mut self, bytes: Option<Vec<u8>>) {
        self.status.state_fault = self.states.restore(bytes);
    }
}

/// Has a chain that nobody plays yet keep its states where they belong.
pub(super) fn settle(shared: &std::sync::Mutex<Shared>, chain: &mut Chain) {
    if let Some(own) = chain.bank() {
        let bank = lock(shared).settle(own);
        chain.adopt_bank(bank);
    }
}
