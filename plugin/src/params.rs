//! Everything a project holds: the one list of parameters, the model, the window.
//!
//! Flows in: what a host automates or a person moves. Flows out: [`Settings`](crate::processor::Settings), the plain
//! values of a run of samples. Nothing is smoothed here: the chain fades every control, and fading twice would only
//! make it late.

mod complete;
mod continuing;
mod list;
mod source;
mod state;
mod tone;
mod view;

#[cfg(feature = "app")]
pub(crate) use view::same_name;
pub(crate) use view::{parsed, suggested, with};

pub use complete::complete;
pub(crate) use complete::stored;
pub use continuing::ContinueParams;
pub use list::{ListenChoice, ModeChoice, ParamList, StereoChoice};
pub(crate) use list::{decibels, output_gain};
pub use state::StateParams;
pub(crate) use state::share;
pub use tone::ToneParams;

use std::sync::Arc;

use nice_plug::prelude::*;
use parking_lot::RwLock;

use crate::loader::Loader;
use crate::state::{CabinetField, EngineField, ModelField, StateVersion, StatesField, WindowState};
use crate::unheard::Unheard;

/// See the module.
#[derive(Params)]
pub struct StatewaveParams {
    /// What hosts may automate and a person may move.
    #[nested]
    pub list: Arc<ParamList>,
    /// Which model plays, by name and hash. Set by the host when it restores a project, and by the panel.
    #[persist = "model"]
    pub model: ModelField,
    /// The impulse response behind effects. Set by the host when it restores a project, and by the panel.
    #[persist = "cabinet"]
    pub cabinet: CabinetField,
    /// The states that its slots keep. Set by the host when it restores a project; filled while it plays.
    #[persist = "states"]
    pub states: StatesField<Loader>,
    /// What runs it. No parameter, since a host must not automate it.
    #[persist = "engine"]
    pub engine: EngineField,
    /// What the panel has set and no block has brought back yet.
    #[persist = "unheard"]
    pub unheard: Unheard,
    /// How the window looked last. The panel's thread only.
    #[persist = "window"]
    pub window: Arc<RwLock<WindowState>>,
    /// The form this state is saved in.
    #[persist = "state-version"]
    pub version: StateVersion,
}

impl StatewaveParams {
    /// The defaults, with `loader` to be told of the model.
    pub fn new(loader: Arc<Loader>) -> Self {
        let list = Arc::new(ParamList::new(&loader.knobs()));
        Self {
            unheard: Unheard::default(),
            list,
            model: ModelField::new(Arc::clone(&loader)),
            cabinet: CabinetField::new(Arc::clone(&loader)),
            states: StatesField::new(Arc::clone(&loader)),
            engine: EngineField::new(loader),
            window: Arc::default(),
            version: StateVersion,
        }
    }
}
