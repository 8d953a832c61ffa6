//! What the app remembers: a JSON file in the folder of the person's settings.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use statewave::model::catalogue::DEFAULT;

use super::devices::INSTRUMENT;
use super::midi::MidiSettings;
use super::values::Values;
use crate::engine::EngineChoice;
use crate::fault::Fault;
use crate::files::replace;
use crate::loader::ModelChoice;
use crate::panel::PanelSettings;
use crate::panel::host::Param;
use crate::panel::layout::USUAL;
use crate::panel::presets::config_folder;

/// The version that is written. An older file is read as far as its names are the same; a newer one is left alone.
const VERSION: u32 = 1;

/// Devices and how they are opened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choice {
    /// Id or name, or [`INSTRUMENT`]; the system's own where there is none.
    pub input: Option<String>,
    /// The same of the output.
    pub output: Option<String>,
    /// Hz; the device's own where there is none.
    pub rate: Option<u32>,
    /// Frames; 512, as far as the device has it, where there is none.
    pub buffer: Option<u32>,
    /// The cleaned input is heard.
    pub monitor: bool,
}

impl Choice {
    /// The instrument is played, instead of an input.
    pub fn is_instrument(&self) -> bool {
        self.input.as_deref() == Some(INSTRUMENT)
    }
}

/// Everything that is remembered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Version of the format.
    pub version: u32,
    /// Devices.
    pub choice: Choice,
    /// Name of the model, or the path of its file.
    pub model: String,
    /// The file of the impulse response behind effects.
    pub cabinet: Option<PathBuf>,
    /// What runs it.
    pub engine: EngineChoice,
    /// Plain values by [`Param::key`].
    pub values: BTreeMap<String, f32>,
    /// Values of the instrument, 0 to 1, by their ids.
    pub instrument: BTreeMap<String, f32>,
    /// The panel's own.
    pub panel: PanelSettings,
    /// Size of the window, points.
    pub size: [f32; 2],
    /// Controllers that were learned.
    pub midi: MidiSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            choice: Choice::default(),
            model: DEFAULT.into(),
            cabinet: None,
            engine: EngineChoice::default(),
            values: BTreeMap::new(),
            instrument: BTreeMap::new(),
            panel: PanelSettings::default(),
            size: [USUAL.x, USUAL.y],
            midi: MidiSettings::default(),
        }
    }
}

impl Settings {
    /// Where they are.
    pub fn path() -> Option<PathBuf> {
        config_folder().map(|folder| folder.join("app.json"))
    }

    /// Reads them; those of a fresh start where there are none, with the fault to tell where they cannot be read.
    pub fn load(path: Option<&Path>) -> (Self, Option<Fault>) {
        let Some(text) = path.and_then(|path| fs::read_to_string(path).ok()) else {
            return (Self::default(), None);
        };
        let fault = |why: String| Fault {
            what: format!("the settings cannot be read: {why}"),
            remedy: "they start afresh; the old file is kept beside the new one".into(),
        };
        match serde_json::from_str::<Self>(&text) {
            Ok(settings) if settings.version <= VERSION => (settings, None),
            Ok(newer) => (
                Self::default(),
                Some(fault(format!(
                    "they are of version {}, newer than this program",
                    newer.version
                ))),
            ),
            Err(error) => (Self::default(), Some(fault(error.to_string()))),
        }
    }

    /// Writes them whole or not at all. `keep_old` leaves a file that could not be read beside it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self, path: &Path, keep_old: bool) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        replace(path, text.as_bytes(), keep_old)
    }

    /// Sets the parameters as they were left; bypass and going on are off at a start.
    pub fn restore(&self, values: &Values) {
        for param in Param::ALL.into_iter().filter(|&p| !p.is_played()) {
            if let Some(&plain) = self.values.get(param.key()) {
                values.set(param, values.list().normalised(param, plain));
            }
        }
    }

    /// Takes the parameters as they are.
    pub fn remember(&mut self, values: &Values) {
        self.values = Param::ALL
            .into_iter()
            .map(|p| (p.key().to_owned(), values.list().plain(p, values.get(p))))
            .collect();
    }
}

/// The model that a name or the path of its file stands for.
pub fn model_of(place: &str) -> ModelChoice {
    if place.ends_with(".safetensors") {
        ModelChoice::file(place)
    } else {
        ModelChoice::named(place)
    }
}

/// The way back: what finds the model again after a restart.
pub fn place_of(choice: &ModelChoice) -> String {
    choice
        .path
        .as_ref()
        .map_or_else(|| choice.name.clone(), |path| path.display().to_string())
}
