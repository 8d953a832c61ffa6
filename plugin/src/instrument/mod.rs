//! The second plugin of the library: notes in, sound out.
//!
//! ```text
//! host ─► plugin ─► events ─► statewave::instrument ─► sound
//!           │                        │
//!         params ◄─► panel ◄──── shown (what sounds)
//! ```

mod editor;
mod events;
pub mod handle;
pub mod hands;
pub mod midi;
pub mod panel;
mod params;
mod plugin;
pub mod seated;
pub mod shown;
mod slots;

use std::sync::{Arc, OnceLock};

use statewave::model::catalogue;
use statewave::model::file::ModelError;
use statewave::model::instrument::InstrumentModel;

pub use params::InstrumentParams;
pub use plugin::StatewaveInstrument;
pub use slots::Slots;

/// Notes that sound at once.
pub(crate) const VOICES: usize = 32;

/// The shipped instruments, read once for all instances.
///
/// # Errors
/// That of a library that was built with a broken model.
pub fn shipped() -> Result<Arc<InstrumentModel>, &'static ModelError> {
    static MODEL: OnceLock<Result<Arc<InstrumentModel>, ModelError>> = OnceLock::new();
    let read = || {
        let found = catalogue::instruments().next().ok_or(ModelError::NoSpec)?;
        InstrumentModel::from_bytes(&found.bytes()?).map(Arc::new)
    };
    MODEL.get_or_init(read).as_ref().map(Arc::clone)
}
