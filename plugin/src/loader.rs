//! Models on a thread of their own: found, read, verified, made ready, and freed, while another one plays.
//!
//! Flows in: the model a project or a person wants. Flows out: engines for the audio thread, and a [`Status`] for people.
//! The audio thread is never waited for, and never waits: engines go through a slot, and come back to be freed here.

mod thread;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use statewave::model::Model;
use statewave::model::catalogue::{self, DEFAULT, Found, Recalled};
use statewave::model::file::{ModelError, sha256};

use crate::fault::Fault;
use crate::processor::EngineEnds;

/// Which model: what a project remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelChoice {
    /// Its name.
    pub name: String,
    /// SHA-256 of its file; empty for whatever has that name.
    #[serde(default)]
    pub sha256: String,
    /// Where its file was, if it was not among those that are found by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
}

impl Default for ModelChoice {
    /// The usual model, as compiled in.
    fn default() -> Self {
        static HASH: LazyLock<String> = LazyLock::new(|| {
            let usual = catalogue::built_in().find(|found| found.name == DEFAULT);
            usual
                .and_then(|found| found.bytes().ok())
                .map(|bytes| sha256(&bytes))
                .unwrap_or_default()
        });
        Self {
            name: DEFAULT.into(),
            sha256: HASH.clone(),
            path: None,
        }
    }
}

impl ModelChoice {
    /// The model of that name, whatever its contents.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            sha256: String::new(),
            path: None,
        }
    }

    /// The model in a file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: Found::file(&path).name,
            sha256: String::new(),
            path: Some(path),
        }
    }
}

/// Why a model does not play. The message says what is wrong, [`LoadError::remedy`] what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It was found and cannot be used.
    #[error("{place}: {source}")]
    Broken {
        /// Where it is, for people.
        place: String,
        /// What is wrong with it.
        source: ModelError,
    },
    /// It is not here, and another one plays.
    #[error("the model {name} of this project is not here; {DEFAULT} plays instead")]
    Missing {
        /// The name the project remembers.
        name: String,
    },
    /// One of that name is here, and not the one the project was made with.
    #[error(
        "the model {name} is not the one this project was made with; the one here plays instead"
    )]
    Changed {
        /// The name of both.
        name: String,
    },
    /// Not even the usual model is here.
    #[error("no model is here")]
    None,
}

impl LoadError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        let folder = || {
            catalogue::user_folder().map_or_else(
                || format!("a folder named by ${}", catalogue::VARIABLE),
                |f| f.display().to_string(),
            )
        };
        match self {
            Self::Broken { source, .. } => source.remedy().into(),
            Self::Missing { name } => format!(
                "put {name}.safetensors in {} and open the project again, or choose another model",
                folder()
            ),
            Self::Changed { .. } => {
                format!(
                    "put the old file in {} under another name, or save the project to keep this one",
                    folder()
                )
            }
            Self::None => format!("put a model in {}", folder()),
        }
    }
}

impl From<LoadError> for Fault {
    fn from(error: LoadError) -> Self {
        Self {
            what: error.to_string(),
            remedy: error.remedy(),
        }
    }
}

/// What the loader knows, for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The model that plays, or will when the audio starts; empty before the first was read.
    pub playing: String,
    /// SHA-256 of its file.
    pub sha256: String,
    /// Another one is on its way.
    pub loading: bool,
    /// What went wrong last; stays until the next model is asked for.
    pub fault: Option<Fault>,
    /// Models that took over while audio was running.
    pub swaps: u64,
}

/// What both threads see. Held for moments, never by the audio thread.
struct Shared {
    choice: ModelChoice,
    /// The model of `choice`, or what plays in its place, once it was read.
    ready: Option<Arc<Model>>,
    /// The last choice that could be played, and what it plays.
    settled: Option<(ModelChoice, Arc<Model>)>,
    status: Status,
}

/// A model that was asked for, and what there is to say about it.
struct Resolved {
    model: Arc<Model>,
    name: String,
    fault: Option<LoadError>,
}

/// Loads models for one processor.
pub struct Loader {
    shared: Arc<Mutex<Shared>>,
    /// A model waits that cannot take over while audio runs, because its delay is another.
    restart_wanted: Arc<AtomicBool>,
    commands: mpsc::Sender<thread::Command>,
    thread: Option<JoinHandle<()>>,
}

impl Default for Loader {
    fn default() -> Self {
        Self::new()
    }
}

impl Loader {
    /// Starts the thread; nothing is read yet.
    pub fn new() -> Self {
        let shared = Arc::new(Mutex::new(Shared {
            choice: ModelChoice::default(),
            ready: None,
            settled: None,
            status: Status::default(),
        }));
        let restart_wanted = Arc::new(AtomicBool::new(false));
        let (commands, received) = mpsc::channel();
        let worker =
            thread::Worker::new(Arc::clone(&shared), Arc::clone(&restart_wanted), received);
        let thread = std::thread::Builder::new()
            .name("statewave models".into())
            .spawn(move || worker.run())
            .ok();
        Self {
            shared,
            restart_wanted,
            commands,
            thread,
        }
    }

    /// Asks for a model and returns at once. It plays as soon as it is ready; until then, and if it is broken, the one
    /// that plays plays on.
    pub fn choose(&self, choice: ModelChoice) {
        let mut shared = lock(&self.shared);
        shared.choice = choice;
        shared.ready = None;
        shared.status.loading = true;
        shared.status.fault = None;
        // A thread that is gone is found by `model`, which reads the file itself.
        let _ = self.commands.send(thread::Command::Load);
    }

    /// The model asked for last, as a project should remember it.
    pub fn choice(&self) -> ModelChoice {
        lock(&self.shared).choice.clone()
    }

    /// What there is to say.
    pub fn status(&self) -> Status {
        lock(&self.shared).status.clone()
    }

    /// The model that plays, or will when the audio starts; `None` before the first was read.
    pub fn ready(&self) -> Option<Arc<Model>> {
        let shared = lock(&self.shared);
        let settled = || shared.settled.as_ref().map(|(_, model)| model);
        shared.ready.as_ref().or_else(settled).cloned()
    }

    /// The model to begin with, read now if it has to be. Not for the audio thread.
    ///
    /// # Errors
    /// No model at all can be played.
    pub fn model(&self) -> Result<Arc<Model>, LoadError> {
        let mut shared = lock(&self.shared);
        self.restart_wanted.store(false, Ordering::Relaxed);
        if let Some(model) = &shared.ready {
            return Ok(Arc::clone(model));
        }
        match resolve(&shared.choice) {
            Ok(resolved) => shared.accept(resolved),
            Err(error) => shared.refuse(error),
        }
        if let Some(model) = &shared.ready {
            return Ok(Arc::clone(model));
        }
        // A model that is broken must not keep the audio from starting.
        let usual = resolve(&ModelChoice::default())?;
        Ok(shared.play(usual.name, usual.model))
    }

    /// Takes over the ends of a processor that plays `model` on `channels` channels.
    pub fn connect(&self, ends: EngineEnds, model: &Arc<Model>, channels: usize) {
        let _ = self.commands.send(thread::Command::Connect(thread::Link {
            ends,
            channels,
            playing: Arc::clone(model),
        }));
    }

    /// Whether a model waits for the audio to be started anew. Real-time safe.
    pub fn restart_wanted(&self) -> bool {
        self.restart_wanted.load(Ordering::Relaxed)
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        let _ = self.commands.send(thread::Command::Quit);
        // The code the thread runs may be unloaded next.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Notes what was found for the choice, which remembers from now on what exactly that is.
    fn accept(&mut self, resolved: Resolved) {
        if self.choice.sha256.is_empty() && resolved.fault.is_none() {
            self.choice.sha256 = resolved.model.sha256().into();
        }
        self.status.fault = resolved.fault.map(Fault::from);
        let model = self.play(resolved.name, resolved.model);
        self.settled = Some((self.choice.clone(), model));
    }

    /// Notes that the choice cannot be had: what played before plays on. A project goes on remembering what it was made
    /// with; what a person has only tried is forgotten.
    fn refuse(&mut self, error: LoadError) {
        self.status.loading = false;
        self.status.fault = Some(error.into());
        let (choice, model) = self.settled.clone().unzip();
        self.ready = model;
        if self.choice.sha256.is_empty() {
            self.choice = choice.unwrap_or_default();
        }
    }

    fn play(&mut self, name: String, model: Arc<Model>) -> Arc<Model> {
        self.status.loading = false;
        self.status.playing = name;
        self.status.sha256 = model.sha256().into();
        self.ready = Some(Arc::clone(&model));
        model
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Finds and reads what was asked for, or what plays in its place.
fn resolve(choice: &ModelChoice) -> Result<Resolved, LoadError> {
    let named = || {
        choice
            .path
            .clone()
            .map(Found::file)
            .or_else(|| catalogue::find(&choice.name))
    };
    let missing = || LoadError::Missing {
        name: choice.name.clone(),
    };
    let (found, fault) = if choice.sha256.is_empty() {
        match named() {
            Some(found) => (Some(found), None),
            None => (None, Some(missing())),
        }
    } else {
        match catalogue::recall(&choice.name, &choice.sha256, choice.path.as_deref()) {
            Recalled::Same(found) => (Some(found), None),
            Recalled::Changed(found) => {
                let name = choice.name.clone();
                (Some(found), Some(LoadError::Changed { name }))
            }
            Recalled::Missing => (None, Some(missing())),
        }
    };
    let found = found
        .or_else(|| catalogue::find(DEFAULT))
        .ok_or(LoadError::None)?;
    Ok(Resolved {
        model: read(&found)?,
        name: found.name,
        fault,
    })
}

/// Reads a model, or shares it with whoever plays it already.
fn read(found: &Found) -> Result<Arc<Model>, LoadError> {
    static PLAYED: Mutex<Vec<Weak<Model>>> = Mutex::new(Vec::new());
    let broken = |source| LoadError::Broken {
        place: found.place(),
        source,
    };
    let bytes = found.bytes().map_err(broken)?;
    let hash = sha256(&bytes);
    let played = || PLAYED.lock().unwrap_or_else(PoisonError::into_inner);
    let shared = played()
        .iter()
        .filter_map(Weak::upgrade)
        .find(|model| model.sha256() == hash);
    if let Some(model) = shared {
        return Ok(model);
    }
    let model = Arc::new(Model::from_bytes(&bytes).map_err(broken)?);
    let mut played = played();
    played.retain(|model| model.strong_count() > 0);
    played.push(Arc::downgrade(&model));
    Ok(model)
}
