//! What the slots keep, remembered by the app: a file beside its settings, which would not hold megabytes.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use statewave::state::{Bank, BankKey};

use crate::fault::Fault;
use crate::files::replace;
use crate::panel::presets::config_folder;
use crate::state::KeepsStates;

/// The file, and what lies in it.
#[derive(Debug, Default)]
pub struct KeptStates {
    path: Option<PathBuf>,
    /// What the states there belong to; `None` of a file that cannot be read, which must not be lost.
    written: Option<BankKey>,
    is_there: bool,
    /// The bank that was looked at last, and its changes then.
    seen: Option<(Arc<Bank>, u64)>,
}

impl KeptStates {
    /// Where those of that name are: beside the settings.
    pub fn path(name: &str) -> Option<PathBuf> {
        config_folder().map(|folder| folder.join(format!("{name}.states")))
    }

    /// Reads them and puts them back into the slots that `keeper` has, with the fault to tell where they cannot be used.
    pub fn recall(path: Option<PathBuf>, keeper: &impl KeepsStates) -> (Self, Option<Fault>) {
        let (kept, bytes, fault) = Self::load(path);
        if bytes.is_some() {
            keeper.restore_states(bytes);
        }
        (kept, fault)
    }

    /// Reads the bytes that are to be put back, if there are any, with the fault to tell where they cannot be used.
    pub fn load(path: Option<PathBuf>) -> (Self, Option<Vec<u8>>, Option<Fault>) {
        let mut kept = Self {
            path,
            ..Self::default()
        };
        let Some(path) = &kept.path else {
            return (kept, None, None);
        };
        let fault = |why: String| Fault {
            what: format!("{} cannot be read: {why}", path.display()),
            remedy: "store the states again; the old file is kept beside the new one".into(),
        };
        match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => (kept, None, None),
            Err(error) => {
                let fault = fault(error.to_string());
                kept.is_there = true;
                (kept, None, Some(fault))
            }
            Ok(bytes) => {
                let key = BankKey::of_bytes(&bytes);
                let fault = key.as_ref().err().map(|error| fault(error.to_string()));
                kept.is_there = true;
                kept.written = key.ok();
                let sound = kept.written.is_some().then_some(bytes);
                (kept, sound, fault)
            }
        }
    }

    /// Writes what `kept` gives, whole or not at all, if a slot of the `bank` that plays was filled since the last look. A file
    /// that could not be read, or of something else, stays beside it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(
        &mut self,
        bank: Option<Arc<Bank>>,
        kept: impl FnOnce() -> Vec<u8>,
    ) -> Result<(), Fault> {
        let (Some(path), Some(bank)) = (&self.path, bank) else {
            return Ok(());
        };
        let changes = bank.changes();
        let same = |(seen, then): &(Arc<Bank>, u64)| Arc::ptr_eq(seen, &bank) && *then == changes;
        if self.seen.as_ref().is_some_and(same) || !bank.filled().contains(&true) {
            return Ok(());
        }
        let keep_old = self.is_there && self.written.as_ref() != Some(bank.key());
        let fault = |error: std::io::Error| Fault {
            what: format!(
                "the kept states cannot be written to {}: {error}",
                path.display()
            ),
            remedy: "check that you may write there, and that there is room on the disk".into(),
        };
        replace(path, &kept(), keep_old).map_err(fault)?;
        self.is_there = true;
        self.written = Some(bank.key().clone());
        self.seen = Some((bank, changes));
        Ok(())
    }
}
