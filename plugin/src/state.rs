//! What a project holds beside the parameters, and how older projects are read.
//!
//! Flows in: state as some version saved it. Flows out: state as this version means it. Nothing a project held is lost:
//! a model that is not here is remembered until it is.

use std::path::PathBuf;
use std::sync::Arc;

use nice_plug::params::persist::PersistentField;
use nice_plug::prelude::PluginState;
use serde::{Deserialize, Serialize};

use crate::base64;
use crate::engine::EngineChoice;
use crate::loader::{Loader, ModelChoice};
use crate::panel::PanelSettings;
use crate::panel::layout::{LEAST, USUAL};

/// The form of state this version saves. Goes up when an id is renamed or changes its meaning.
pub const STATE_VERSION: u32 = 1;

/// A parameter or field that had another id before.
#[derive(Debug, Clone, Copy)]
pub struct Renamed {
    /// States saved in an older form than this have the old id.
    pub since: u32,
    /// The old id.
    pub from: &'static str,
    /// The id now.
    pub to: &'static str,
}

/// Every id that was ever renamed, the oldest first.
pub const RENAMED: &[Renamed] = &[];

/// The key of [`StateVersion`].
const VERSION_KEY: &str = "state-version";

/// Brings `state` from the form it was saved in to this one's, before it is read.
pub fn migrate(state: &mut PluginState, renamed: &[Renamed]) {
    let saved_by = state
        .fields
        .get(VERSION_KEY)
        .and_then(|json| json.parse().ok())
        .unwrap_or(0);
    for Renamed { from, to, .. } in renamed.iter().filter(|r| saved_by < r.since) {
        if let Some(value) = state.params.remove(*from) {
            state.params.entry((*to).into()).or_insert(value);
        }
        if let Some(value) = state.fields.remove(*from) {
            state.fields.entry((*to).into()).or_insert(value);
        }
    }
}

/// Always saves [`STATE_VERSION`], whatever was read: what is saved has this version's form.
#[derive(Debug, Clone, Copy)]
pub struct StateVersion;

impl PersistentField<'_, u32> for StateVersion {
    fn set(&self, _saved_by: u32) {}

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&u32) -> R,
    {
        f(&STATE_VERSION)
    }
}

/// The model a project plays: read and set by whoever has the state, played by the loader.
pub struct ModelField(Arc<Loader>);

impl ModelField {
    /// The model that `loader` is asked for.
    pub fn new(loader: Arc<Loader>) -> Self {
        Self(loader)
    }
}

impl PersistentField<'_, ModelChoice> for ModelField {
    fn set(&self, choice: ModelChoice) {
        self.0.choose(choice);
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&ModelChoice) -> R,
    {
        f(&self.0.choice())
    }
}

/// The file of the impulse response behind effects: kept as [`ModelField`] is.
pub struct CabinetField(Arc<Loader>);

impl CabinetField {
    /// The file that `loader` is asked for.
    pub fn new(loader: Arc<Loader>) -> Self {
        Self(loader)
    }
}

impl PersistentField<'_, Option<PathBuf>> for CabinetField {
    fn set(&self, path: Option<PathBuf>) {
        self.0.choose_cabinet(path);
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&Option<PathBuf>) -> R,
    {
        f(&self.0.cabinet())
    }
}

/// Who has the states that slots keep.
pub trait KeepsStates {
    /// Puts a project's kept states into the slots of their model, now or when that plays; `None` for what could not be read.
    fn restore_states(&self, bytes: Option<Vec<u8>>);

    /// The states that are kept, as a project should remember them.
    fn kept_states(&self) -> Vec<u8>;
}

/// The states that slots keep, as text: read and set by whoever has the state, kept by a [`KeepsStates`].
pub struct StatesField<K>(Arc<K>);

impl<K> StatesField<K> {
    /// Those that `keeper` has.
    pub fn new(keeper: Arc<K>) -> Self {
        Self(keeper)
    }
}

impl<K: KeepsStates + Send + Sync> PersistentField<'_, String> for StatesField<K> {
    /// What is no base64 is told of as damaged.
    fn set(&self, text: String) {
        self.0.restore_states(base64::decode(&text));
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&String) -> R,
    {
        f(&base64::encode(&self.0.kept_states()))
    }
}

/// What a project has its models run by: kept as [`ModelField`] is.
pub struct EngineField(Arc<Loader>);

impl EngineField {
    /// The engine that `loader` is asked for.
    pub fn new(loader: Arc<Loader>) -> Self {
        Self(loader)
    }
}

impl PersistentField<'_, EngineChoice> for EngineField {
    fn set(&self, choice: EngineChoice) {
        self.0.choose_engine(choice);
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&EngineChoice) -> R,
    {
        f(&self.0.engine_choice())
    }
}

/// How the window looked last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct WindowState {
    /// Width in logical pixels.
    pub width: f32,
    /// Height in logical pixels.
    pub height: f32,
    /// Colours, and the picture in the middle.
    pub panel: PanelSettings,
}

impl WindowState {
    /// Largest width and height a project may ask for.
    const MOST: (f32, f32) = (3840.0, 2160.0);

    /// The size within what a screen can show, whatever the project says.
    pub fn size(&self) -> (f32, f32) {
        let within = |x: f32, least: f32, most: f32| x.max(least).min(most);
        (
            within(self.width, LEAST.x, Self::MOST.0),
            within(self.height, LEAST.y, Self::MOST.1),
        )
    }
}

impl Default for WindowState {
    fn default() -> Self {
        Self {
            width: USUAL.x,
            height: USUAL.y,
            panel: PanelSettings::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use nice_plug::plugin::ParamValue;

    use super::*;

    fn state(version: Option<&str>) -> PluginState {
        PluginState {
            version: String::new(),
            params: BTreeMap::from([("depth".into(), ParamValue::F32(12.0))]),
            fields: version
                .map(|v| (VERSION_KEY.to_string(), v.to_string()))
                .into_iter()
                .collect(),
        }
    }

    const DEPTH: &[Renamed] = &[Renamed {
        since: 2,
        from: "depth",
        to: "amount",
    }];

    #[test]
    fn old_ids_are_read_as_new_ones_and_new_states_are_left_alone() {
        for version in [None, Some("1"), Some("nonsense")] {
            let mut old = state(version);
            migrate(&mut old, DEPTH);
            assert!(matches!(old.params["amount"], ParamValue::F32(12.0)));
            assert!(!old.params.contains_key("depth"));
        }
        let mut new = state(Some("2"));
        migrate(&mut new, DEPTH);
        assert!(new.params.contains_key("depth"));
    }
}
