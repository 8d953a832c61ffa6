//! Where models are found: `$STATEWAVE_MODELS`, the ones compiled in, the user's data folder.
//!
//! Flows in: a name, or the name and hash a project remembers. Flows out: what was found, and how sure it is to be the
//! same. Nothing is kept open or in memory between two questions.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::file::{Limits, ModelError, read_bytes, sha256, task_of};
use super::spec::Task;
use crate::folders;

/// The model used when none is named.
pub const DEFAULT: &str = "denoise-live";

/// The variable that names folders of models, separated as in `PATH`.
pub const VARIABLE: &str = "STATEWAVE_MODELS";

// `BUILT_IN: &[(&str, &[u8])]` and `EFFECTS`, the name and bytes of every model in assets/models and assets/models/tone; written
// by build.rs.
include!(concat!(env!("OUT_DIR"), "/built_in_models.rs"));
// `CONTINUE_MODELS`, the same of assets/models/continue.
include!(concat!(env!("OUT_DIR"), "/continue_models.rs"));

// `INSTRUMENTS: &[(&str, &[u8])]`, the same of assets/models/instruments.
include!(concat!(env!("OUT_DIR"), "/instruments.rs"));

/// A model that was found, not yet read.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its name: the file's without the ending.
    pub name: String,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    BuiltIn(&'static [u8]),
    File(PathBuf),
}

impl Found {
    /// A file that may or may not be there.
    pub fn file(path: impl Into<PathBuf>) -> Found {
        let path = path.into();
        let name = path
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default();
        Found {
            name,
            source: Source::File(path),
        }
    }

    /// Where it is, for people.
    pub fn place(&self) -> String {
        match &self.source {
            Source::BuiltIn(_) => "compiled in".into(),
            Source::File(path) => path.display().to_string(),
        }
    }

    /// Its file; `None` if it is compiled in.
    pub fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::BuiltIn(_) => None,
            Source::File(path) => Some(path),
        }
    }

    /// The file's bytes, never more than [`Limits::MODEL`].
    ///
    /// # Errors
    /// A file that cannot be read or is too large.
    pub fn bytes(&self) -> Result<Cow<'static, [u8]>, ModelError> {
        match &self.source {
            Source::BuiltIn(bytes) => Ok(Cow::Borrowed(bytes)),
            Source::File(path) => read_bytes(path, Limits::MODEL).map(Cow::Owned),
        }
    }
}

impl Found {
    /// What it is for, by its header alone.
    ///
    /// # Errors
    /// A file that cannot be read or is no model.
    pub fn task(&self) -> Result<Task, ModelError> {
        match &self.source {
            Source::BuiltIn(bytes) => task_of(*bytes),
            Source::File(path) => {
                let io = |source| ModelError::Io {
                    path: path.clone(),
                    source,
                };
                task_of(std::fs::File::open(path).map_err(io)?)
            }
        }
    }
}

/// How a model that a project remembers was found again.
#[derive(Debug, Clone)]
pub enum Recalled {
    /// The very file, wherever it lies now.
    Same(Found),
    /// One of that name, with other contents.
    Changed(Found),
    /// Neither.
    Missing,
}

/// Every model found, in the order in which they are looked for; of two with one name the first is used.
pub fn all() -> Vec<Found> {
    let mut found = Vec::new();
    for folder in folders_of_variable() {
        found.extend(in_folder(&folder));
    }
    found.extend(built_in());
    found.extend(user_folder().iter().flat_map(|folder| in_folder(folder)));
    found
}

/// The first model of that name, one of [`others`] if there is none among [`all`].
pub fn find(name: &str) -> Option<Found> {
    let mut found = all().into_iter().chain(others());
    found.find(|found| found.name == name)
}

/// The models compiled in that no stream of frames is sent through: [`effects`], [`continuations`], [`instruments`].
pub fn others() -> impl Iterator<Item = Found> {
    effects().chain(continuations()).chain(instruments())
}

/// Every model that sound can be sent through, and what it is for: those of [`all`], [`effects`] and [`continuations`], the
/// denoisers first, then the effects, then those that go on by themselves. Files that are no models at all come last, without a
/// task: whoever chooses one is told what is wrong with it.
pub fn of_streams() -> Vec<(Found, Option<Task>)> {
    const ORDER: [Option<Task>; 4] = [
        Some(Task::Denoise),
        Some(Task::Effect),
        Some(Task::Continue),
        None,
    ];
    let place = |task: &Option<Task>| ORDER.iter().position(|other| other == task);
    let found = all().into_iter().chain(effects()).chain(continuations());
    let mut found: Vec<_> = found
        .map(|found| {
            let task = found.task().ok();
            (found, task)
        })
        .filter(|(_, task)| place(task).is_some())
        .collect();
    found.sort_by_key(|(_, task)| place(task));
    found
}

/// The models compiled in, but for [`effects`].
pub fn built_in() -> impl Iterator<Item = Found> {
    BUILT_IN.iter().map(compiled_in)
}

/// The effects compiled in: not among [`all`], for whoever chooses from those plays frames.
pub fn effects() -> impl Iterator<Item = Found> {
    EFFECTS.iter().map(compiled_in)
}

/// The instruments compiled in, the one that is played when none is named first.
pub fn instruments() -> impl Iterator<Item = Found> {
    INSTRUMENTS.iter().map(compiled_in)
}

/// The models compiled in that go on by themselves: none for a stream of voices, so they are not among [`all`].
pub fn continuations() -> impl Iterator<Item = Found> {
    CONTINUE_MODELS.iter().map(compiled_in)
}

fn compiled_in((name, bytes): &(&str, &'static [u8])) -> Found {
    Found {
        name: (*name).into(),
        source: Source::BuiltIn(bytes),
    }
}

/// Finds a model by its name and the SHA-256 of its file in lower-case hexadecimal, also under another name. `hint` is
/// where its file was last seen.
///
/// ```
/// use statewave::model::catalogue::{self, Recalled};
///
/// assert!(matches!(catalogue::recall("no-such-model", "00", None), Recalled::Missing));
/// ```
pub fn recall(name: &str, hash: &str, hint: Option<&Path>) -> Recalled {
    let hinted = hint
        .map(Found::file)
        .filter(|found| found.path().is_some_and(Path::is_file));
    let found = all().into_iter().chain(others());
    let mut candidates: Vec<Found> = hinted.into_iter().chain(found).collect();
    // Those of that name first: they are the likely ones, and hashing reads the file.
    candidates.sort_by_key(|found| found.name != name);
    let same = candidates
        .iter()
        .find(|found| found.bytes().is_ok_and(|bytes| sha256(&bytes) == hash));
    match (same, candidates.first()) {
        (Some(same), _) => Recalled::Same(same.clone()),
        (None, Some(named)) if named.name == name => Recalled::Changed(named.clone()),
        _ => Recalled::Missing,
    }
}

/// Folders named by the variable that are not there.
pub fn missing_folders() -> Vec<PathBuf> {
    folders_of_variable()
        .filter(|folder| !folder.is_dir())
        .collect()
}

/// The folder where the user's own models are looked for, by the custom of the system.
pub fn user_folder() -> Option<PathBuf> {
    folders::data().map(|folder| folder.join("models"))
}

fn folders_of_variable() -> impl Iterator<Item = PathBuf> {
    let folders = std::env::var_os(VARIABLE).unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&folders).collect();
    folders
        .into_iter()
        .filter(|folder| !folder.as_os_str().is_empty())
}

fn in_folder(folder: &Path) -> Vec<Found> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "safetensors"));
    paths.sort();
    paths.into_iter().map(Found::file).collect()
}
