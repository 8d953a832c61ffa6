//! Opens models by name or path for the program; where they are found is the library's knowledge.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use statewave::model::Model;
use statewave::model::catalogue::{self, Found, VARIABLE, user_folder};
use statewave::model::effect::EffectModel;
use statewave::model::file::{ModelFile, sha256};
use statewave::model::spec::Task;

use crate::failure::{Failure, Result};

/// A model that was read and verified.
pub struct Loaded {
    /// Its name: the file's without the ending.
    pub name: String,
    /// Where it is, for people.
    pub place: String,
    /// Its file, unless it is compiled in.
    path: Option<PathBuf>,
    /// The file's bytes.
    pub bytes: Cow<'static, [u8]>,
    /// What they hold.
    pub file: ModelFile,
    model: OnceLock<Arc<Model>>,
}

impl Loaded {
    /// The model ready to play, made on first use.
    pub fn model(&self) -> Result<Arc<Model>> {
        if let Some(model) = self.model.get() {
            return Ok(Arc::clone(model));
        }
        let model = Arc::new(Model::from_bytes(&self.bytes)?);
        Ok(Arc::clone(self.model.get_or_init(|| model)))
    }

    /// What it is for; `None` where it does not say.
    pub fn task(&self) -> Option<Task> {
        let task = self.file.spec_json.get("task").cloned().unwrap_or_default();
        serde_json::from_value(task).ok()
    }

    /// The effect that it is; `None` where it is something else.
    pub fn effect(&self) -> Result<Option<EffectModel>> {
        match self.task() {
            Some(Task::Effect) => Ok(Some(EffectModel::from_bytes(&self.bytes)?)),
            _ => Ok(None),
        }
    }

    /// That recordings cannot be sent through it, and which command plays it; `None` of what they can be sent through, and of what
    /// no command plays.
    pub fn played_elsewhere(&self) -> Option<Failure> {
        let file = self.path.as_ref().map(|path| path.display().to_string());
        let named = file.as_ref().unwrap_or(&self.name);
        let (what, command) = match self.task()? {
            Task::Continue => (
                "goes on by itself from what it heard",
                format!("statewave continue IN.wav -o OUT.wav --model {named}"),
            ),
            Task::Generate => {
                let model = file.map_or_else(String::new, |file| format!(" --model {file}"));
                let command = format!("statewave play NOTES.mid -o OUT.wav{model}");
                ("is an instrument", command)
            }
            Task::Denoise | Task::Effect | Task::Sequence => return None,
        };
        Some(Failure::new(
            format!("{} {what}: recordings are not sent through it", self.name),
            format!("play it with `{command}`, or name another model with --model"),
        ))
    }

    /// The model's identity.
    pub fn sha256(&self) -> String {
        sha256(&self.bytes)
    }
}

/// Read and verify a model that was found.
pub fn load(found: Found) -> Result<Loaded> {
    let (place, path) = (found.place(), found.path().map(PathBuf::from));
    let bytes = found.bytes()?;
    let file = ModelFile::from_bytes(&bytes).map_err(|e| {
        let what = format!("model {} ({place}): {e}", found.name);
        Failure::new(what, e.remedy())
    })?;
    Ok(Loaded {
        name: found.name,
        place,
        path,
        bytes,
        file,
        model: OnceLock::new(),
    })
}

/// Find and read the model of that name or path.
pub fn open(wanted: &str) -> Result<Loaded> {
    let path = Path::new(wanted);
    let is_path = wanted.ends_with(".safetensors") || wanted.contains(['/', '\\']);
    if is_path {
        return load(Found::file(path));
    }
    match catalogue::find(wanted) {
        Some(found) => load(found),
        None => {
            let names: Vec<_> = catalogue::all()
                .into_iter()
                .chain(catalogue::others())
                .map(|found| found.name)
                .collect();
            let there = if names.is_empty() {
                "none were found".into()
            } else {
                names.join(", ")
            };
            let help = format!(
                "models here: {there}; give the path of a .safetensors file, or put it in {}",
                user_folder().map_or_else(
                    || format!("a folder named by ${VARIABLE}"),
                    |f| f.display().to_string()
                )
            );
            Err(Failure::new(
                format!("there is no model called {wanted}"),
                help,
            ))
        }
    }
}
