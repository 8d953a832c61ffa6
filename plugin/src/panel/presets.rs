//! Presets: those of the house, compiled in, and the person's own, a file each.

mod house;
mod shelf;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};
use statewave::model::spec::Task;

use super::patch::{Patch, change};

pub use house::{factory, named};
pub use shelf::{PresetError, Shelf};
/// Presets lie beside the other settings.
pub use statewave::folders::config as config_folder;

/// The format that is written; newer ones are refused.
const FORMAT: u32 = 1;

/// Whose presets: each plugin has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What sound goes through.
    Effect,
    /// What plays notes.
    Instrument,
}

impl Side {
    /// Whether what is for that task is on this side.
    pub fn has(self, task: Task) -> bool {
        (self == Self::Instrument) == (task == Task::Generate)
    }
}

/// A preset file. Parameters that it does not name are reset, but for those that presets leave alone ([`Patch::is_kept`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// Version of the format.
    pub format: u32,
    /// As in the menu.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// What the models are for that it is meant for.
    #[serde(default = "denoise")]
    pub task: Task,
    /// The model's name; that which plays is kept where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// SHA-256 of the model's file; without it, whatever has that name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// The file of the impulse response behind an effect, or that there is to be none; the one there is is kept where it says
    /// nothing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "said"
    )]
    pub cabinet: Option<Option<PathBuf>>,
    /// Plain values by [`Patch::key`].
    pub values: BTreeMap<String, f32>,
}

/// A field that is there, even if it is null.
fn said<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<PathBuf>>, D::Error> {
    Deserialize::deserialize(field).map(Some)
}

impl Preset {
    /// What is set now, under a name.
    pub fn of(host: &(impl Patch + ?Sized), name: &str) -> Self {
        let plain = |p| (host.key(p).into_owned(), host.plain(p, host.value(p)));
        Self {
            format: FORMAT,
            name: name.trim().to_owned(),
            about: String::new(),
            task: host.task(),
            model: Some(host.model().to_owned()),
            sha256: host.model_sha256().to_owned(),
            cabinet: (host.task() == Task::Effect).then(|| host.cabinet().map(PathBuf::from)),
            values: kept(host).map(plain).collect(),
        }
    }

    /// What it sets: normalised values.
    fn wanted<H: Patch + ?Sized>(&self, host: &H) -> Vec<(H::Param, f32)> {
        let wanted = |param| {
            let value = match self.values.get(&*host.key(param)) {
                Some(&plain) => host.normalised(param, plain),
                None => host.default_value(param),
            };
            (param, value)
        };
        kept(host).map(wanted).collect()
    }

    /// Whether everything is as it sets it.
    pub fn is_set<H: Patch + ?Sized>(&self, host: &H) -> bool {
        let same = |(param, value): (H::Param, f32)| {
            host.text(param, host.value(param)) == host.text(param, value)
        };
        self.other_model(host).is_none()
            && self.other_cabinet(host).is_none()
            && self.wanted(host).into_iter().all(same)
    }

    /// The model it sets, if it is not the one that plays. What is not read yet counts as what it is called.
    fn other_model(&self, host: &(impl Patch + ?Sized)) -> Option<&str> {
        let now = host.model_sha256();
        let same_file = self.sha256.is_empty() || now.is_empty() || self.sha256 == now;
        self.model
            .as_deref()
            .filter(|&model| model != host.model() || !same_file)
    }

    /// The impulse response it sets, or none, if another is set.
    fn other_cabinet(&self, host: &(impl Patch + ?Sized)) -> Option<Option<&Path>> {
        let cabinet = self.cabinet.as_ref().map(Option::as_deref);
        cabinet.filter(|&cabinet| cabinet != host.cabinet())
    }

    /// Sets it.
    pub fn apply(&self, host: &mut (impl Patch + ?Sized)) {
        for (param, value) in self.wanted(host) {
            if host.value(param) != value {
                change(host, param, value);
            }
        }
        if let Some(model) = self.other_model(host) {
            host.recall_model(model, &self.sha256);
        }
        if let Some(cabinet) = self.other_cabinet(host) {
            host.load_cabinet(cabinet);
        }
    }
}

/// The parameters that presets set.
fn kept<H: Patch + ?Sized>(host: &H) -> impl Iterator<Item = H::Param> {
    let all = host.params().into_iter();
    all.filter(|&param| host.is_kept(param))
}

/// Presets were for nothing else once.
fn denoise() -> Task {
    Task::Denoise
}
