//! Models on a thread of their own: found, read, verified, made ready, and freed, while another one plays.
//!
//! Flows in: the model a project or a person wants. Flows out: engines for the audio thread, and a [`Status`] for people.
//! The audio thread is never waited for, and never waits: engines go through a slot, and come back to be freed here.

mod choice;
mod device;
mod error;
mod thread;

pub use choice::ModelChoice;
pub use device::Stream;
pub use error::LoadError;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use statewave::model::Model;
use statewave::model::catalogue::{self, DEFAULT, Found, Recalled};
use statewave::model::file::sha256;

use crate::engine::{EngineChoice, EngineKind, EngineStatus};
use crate::fault::Fault;
use crate::processor::Processor;
use device::{Device, Made};

/// What the loader knows, for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The model that plays, or will when the audio starts; empty before the first was read.
    pub playing: String,
    /// SHA-256 of its file.
    pub sha256: String,
    /// Another one is on its way.
    pub loading: bool,
    /// What went wrong with the model; stays until the next one is asked for.
    pub fault: Option<Fault>,
    /// What went wrong with the engine; stays until it is chosen anew.
    pub engine_fault: Option<Fault>,
    /// What plays is too much for this processor.
    pub cost_fault: Option<Fault>,
    /// What runs models.
    pub engine: EngineStatus,
    /// Engines that took over while audio was running.
    pub swaps: u64,
}

impl Status {
    /// The fault to show.
    pub fn worst(&self) -> Option<&Fault> {
        let faults = [&self.fault, &self.engine_fault, &self.cost_fault];
        faults.into_iter().find_map(Option::as_ref)
    }
}

/// What both threads see. Held for moments, never by the audio thread.
struct Shared {
    choice: ModelChoice,
    /// The model of `choice`, or what plays in its place, once it was read.
    ready: Option<Arc<Model>>,
    /// The last choice that could be played, and what it plays.
    settled: Option<(ModelChoice, Arc<Model>)>,
    /// The GPU that was chosen.
    device: Device,
    status: Status,
}

/// A model that was asked for, and what there is to say about it.
struct Resolved {
    model: Arc<Model>,
    name: String,
    fault: Option<LoadError>,
}

/// How long a bounce waits for a device before it begins without.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks whether it has come.
const LOOK: Duration = Duration::from_millis(10);

/// Loads models for one processor.
pub struct Loader {
    shared: Arc<Mutex<Shared>>,
    /// A model or an engine waits that cannot take over while audio runs, because its delay is another.
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
            device: Device::None,
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
        let wants_gpu = shared.status.engine.choice.kind == EngineKind::Gpu;
        if wants_gpu && matches!(shared.device, Device::None) {
            // It may have been the model that was in the way.
            shared.device = Device::Opening;
            shared.status.engine_fault = None;
        }
        // A thread that is gone is found by `model`, which reads the file itself.
        let _ = self.commands.send(thread::Command::Load);
    }

    /// The model asked for last, as a project should remember it.
    pub fn choice(&self) -> ModelChoice {
        lock(&self.shared).choice.clone()
    }

    /// What there is to say.
    pub fn status(&self) -> Status {
        let shared = lock(&self.shared);
        let mut status = shared.status.clone();
        status.engine.opening = matches!(shared.device, Device::Opening);
        status.engine.gpu = shared.device.facts();
        status
    }

    /// Says what is to run models, and returns at once. A device is opened on the loader's thread; until it is ready, and
    /// if it cannot be had, the CPU plays.
    pub fn choose_engine(&self, choice: EngineChoice) {
        let mut shared = lock(&self.shared);
        let settled = !matches!(shared.device, Device::None) || choice.kind == EngineKind::Cpu;
        if shared.status.engine.choice == choice && settled {
            return;
        }
        shared.device = match choice.kind {
            EngineKind::Cpu => Device::None,
            EngineKind::Gpu => Device::Opening,
        };
        shared.status.engine.choice = choice;
        shared.status.engine_fault = None;
        let _ = self.commands.send(thread::Command::Engine);
    }

    /// What is to run models, as a project should remember it.
    pub fn engine_choice(&self) -> EngineChoice {
        lock(&self.shared).status.engine.choice.clone()
    }

    /// Has the names of adapters looked for.
    pub fn find_adapters(&self) {
        let _ = self.commands.send(thread::Command::Adapters);
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

    /// A processor for `stream` with the model and the engine that were chosen, as far as they are here, and supplied with
    /// others from then on. Not for the audio thread.
    ///
    /// # Errors
    /// No model at all can be played, or none at that rate.
    pub fn processor(&self, stream: &Stream) -> Result<Processor, Fault> {
        let model = self.model()?;
        if stream.offline {
            self.await_device(&model);
        }
        let (device, name) = {
            let shared = lock(&self.shared);
            (shared.device.clone(), shared.status.playing.clone())
        };
        let made = device.engine(&model, stream, 0);
        let handoff = made.engine.handoff();
        let cost = match made.on {
            Some(_) => None,
            None => device::cost(&model, &name, stream),
        };
        lock(&self.shared).note(&made, cost);
        let made_of = Processor::with_engine(made.engine, &model, stream.config, stream.mode);
        let (processor, ends) = made_of.map_err(|e| Fault {
            what: e.to_string(),
            remedy: "set the audio to a rate from 8 to 192 kHz".into(),
        })?;
        let link = thread::Link {
            ends,
            stream: *stream,
            playing: model,
            on: made.on,
            handoff,
        };
        let _ = self.commands.send(thread::Command::Connect(link));
        Ok(processor)
    }

    /// Waits until the device that was chosen is ready, or cannot be had.
    fn await_device(&self, model: &Model) {
        let _ = self.commands.send(thread::Command::Engine);
        let since = Instant::now();
        while lock(&self.shared).device.is_coming(model) && since.elapsed() < PATIENCE {
            std::thread::sleep(LOOK);
        }
    }

    /// Whether a model or an engine waits for the audio to be started anew. Real-time safe.
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

    /// Notes what is wrong with an engine that was made.
    fn note(&mut self, made: &Made, cost: Option<Fault>) {
        if let Some(error) = &made.error {
            self.status.engine_fault = Some(device::fault(error));
        } else if made.on.is_some() {
            self.status.engine_fault = None;
        }
        self.status.cost_fault = cost;
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
