//! Where models are found: a file that was named, `$STATEWAVE_MODELS`, the ones compiled in, the user's data folder.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use statewave::model::Model;
use statewave::model::file::{Limits, ModelFile, read_bytes, sha256};

use crate::failure::{Failure, Result};

/// The model used when none is named.
pub const DEFAULT: &str = "denoise-live";

/// Folders of models, separated as in `PATH`.
const VARIABLE: &str = "STATEWAVE_MODELS";

// `BUILT_IN: &[(&str, &[u8])]`, the name and bytes of every model in assets/models; written by build.rs.
include!(concat!(env!("OUT_DIR"), "/built_in_models.rs"));

/// A model that was found, not yet read.
pub struct Found {
    /// Its name: the file's without the ending.
    pub name: String,
    /// Where it is, for people.
    pub place: String,
    source: Source,
}

enum Source {
    BuiltIn(&'static [u8]),
    File(PathBuf),
}

/// A model that was read and verified.
pub struct Loaded {
    /// Its name: the file's without the ending.
    pub name: String,
    /// Where it is, for people.
    pub place: String,
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

    /// The model's identity.
    pub fn sha256(&self) -> String {
        sha256(&self.bytes)
    }
}

impl Found {
    /// Read and verify it.
    pub fn load(self) -> Result<Loaded> {
        let bytes = match &self.source {
            Source::BuiltIn(bytes) => Cow::Borrowed(*bytes),
            Source::File(path) => Cow::Owned(read_bytes(path, Limits::MODEL)?),
        };
        let file = ModelFile::from_bytes(&bytes).map_err(|e| {
            let what = format!("model {} ({}): {e}", self.name, self.place);
            Failure::new(what, e.remedy())
        })?;
        Ok(Loaded {
            name: self.name,
            place: self.place,
            bytes,
            file,
            model: OnceLock::new(),
        })
    }

    fn file(path: PathBuf) -> Self {
        let name = path
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default();
        Self {
            name,
            place: path.display().to_string(),
            source: Source::File(path),
        }
    }
}

/// Find and read the model of that name or path.
pub fn open(wanted: &str) -> Result<Loaded> {
    let path = Path::new(wanted);
    let is_path = wanted.ends_with(".safetensors") || wanted.contains(['/', '\\']);
    if is_path {
        return Found::file(path.into()).load();
    }
    match all().into_iter().find(|found| found.name == wanted) {
        Some(found) => found.load(),
        None => {
            let names: Vec<_> = all().into_iter().map(|found| found.name).collect();
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

/// Every model found; of two with one name the first is used.
pub fn all() -> Vec<Found> {
    let mut found = Vec::new();
    for folder in std::env::var_os(VARIABLE)
        .iter()
        .flat_map(std::env::split_paths)
    {
        found.extend(in_folder(&folder));
    }
    found.extend(BUILT_IN.iter().map(|(name, bytes)| Found {
        name: (*name).into(),
        place: "compiled in".into(),
        source: Source::BuiltIn(bytes),
    }));
    found.extend(user_folder().iter().flat_map(|folder| in_folder(folder)));
    found
}

/// Folders named by the variable that are not there.
pub fn missing_folders() -> Vec<PathBuf> {
    std::env::var_os(VARIABLE)
        .iter()
        .flat_map(std::env::split_paths)
        .filter(|folder| !folder.is_dir())
        .collect()
}

/// The folder where the user's own models are looked for, by the custom of the system.
pub fn user_folder() -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    let base = if cfg!(windows) {
        set("APPDATA")
    } else if cfg!(target_os = "macos") {
        set("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")))
    };
    base.map(|base| base.join("statewave").join("models"))
}

fn in_folder(folder: &Path) -> Vec<Found> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "safetensors"));
    paths.sort();
    paths.into_iter().map(Found::file).collect()
}
