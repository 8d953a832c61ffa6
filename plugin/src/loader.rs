//! Models on a thread of their own: found, read, verified, made ready, and freed, while another one plays.
//!
//! Flows in: the model a project or a person wants. Flows out: engines for the audio thread, and a [`Status`] for people.
//! The audio thread is never waited for, and never waits: engines go through a slot, and come back to be freed here.

mod cabinet;
mod chains;
mod choice;
mod cost;
mod device;
mod error;
mod shared;
mod shelf;
mod states;
#[cfg(test)]
mod tests;
mod thread;

pub use cabinet::may_be_response;
pub use choice::ModelChoice;
pub use device::Stream;
pub use error::LoadError;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use statewave::model::Model;
use statewave::model::effect::Knob;
use statewave::model::spec::Task;
use statewave::model::streams::StreamModel;
use statewave::state::Bank;

use crate::engine::{EngineChoice, EngineKind, EngineStatus};
use crate::fault::Fault;
use crate::processor::Processor;
use crate::state::KeepsStates;
use chains::MadeChain;
use device::Device;
use shared::{Shared, lock};
use shelf::resolve;
pub(crate) use states::States;

/// The knobs of the model that plays; none where it has none. For whoever shows them, never for the audio thread.
pub type ModelKnobs = Arc<RwLock<Vec<Knob>>>;

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
    /// What went wrong with the cabinet; stays until another one is chosen.
    pub cabinet_fault: Option<Fault>,
    /// What went wrong with the states that a project kept; stays until others are taken, or another model plays.
    pub state_fault: Option<Fault>,
    /// What runs models.
    pub engine: EngineStatus,
    /// Engines and chains that took over while audio was running.
    pub swaps: u64,
}

impl Status {
    /// The fault to show.
    pub fn worst(&self) -> Option<&Fault> {
        let faults = [
            &self.fault,
            &self.engine_fault,
            &self.cost_fault,
            &self.cabinet_fault,
            &self.state_fault,
        ];
        faults.into_iter().find_map(Option::as_ref)
    }
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
            knobs: ModelKnobs::default(),
            cabinet: None,
            response: None,
            states: States::default(),
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
        // A GPU waits while something plays that only this processor can.
        let playing = shared.ready.as_ref().map(StreamModel::task);
        if matches!(playing, None | Some(Task::Denoise)) {
            status.engine.opening = matches!(shared.device, Device::Opening);
            status.engine.gpu = shared.device.facts();
        } else {
            status.engine.only_here = !matches!(shared.device, Device::None);
        }
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
    pub fn ready(&self) -> Option<StreamModel> {
        let shared = lock(&self.shared);
        let settled = || shared.settled.as_ref().map(|(_, model)| model);
        shared.ready.as_ref().or_else(settled).cloned()
    }

    /// The knobs of the model that plays, kept up to date.
    pub fn knobs(&self) -> ModelKnobs {
        Arc::clone(&lock(&self.shared).knobs)
    }

    /// Asks for an impulse response behind effects, or none, and returns at once. One that cannot be used is remembered
    /// and not heard.
    pub fn choose_cabinet(&self, path: Option<PathBuf>) {
        let mut shared = lock(&self.shared);
        shared.cabinet = path;
        shared.response = None;
        shared.status.cabinet_fault = None;
        let _ = self.commands.send(thread::Command::Cabinet);
    }

    /// The impulse response asked for last, as a project should remember it.
    pub fn cabinet(&self) -> Option<PathBuf> {
        lock(&self.shared).cabinet.clone()
    }

    /// The slots of what plays, or will when the audio starts.
    pub fn bank(&self) -> Option<Arc<Bank>> {
        lock(&self.shared).states.bank()
    }

    /// The model to begin with, read now if it has to be. Not for the audio thread.
    ///
    /// # Errors
    /// No model at all can be played.
    pub fn model(&self) -> Result<StreamModel, LoadError> {
        let mut shared = lock(&self.shared);
        self.restart_wanted.store(false, Ordering::Relaxed);
        if let Some(model) = &shared.ready {
            return Ok(model.clone());
        }
        match resolve(&shared.choice) {
            Ok(resolved) => shared.accept(resolved),
            Err(error) => shared.refuse(error),
        }
        if let Some(model) = &shared.ready {
            return Ok(model.clone());
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
        shared::read_cabinet(&self.shared);
        if stream.offline
            && let StreamModel::Denoise(model) = &model
        {
            self.await_device(model, stream);
        }
        let (device, name, response) = {
            let shared = lock(&self.shared);
            let response = shared.response.clone();
            (
                shared.device.clone(),
                shared.status.playing.clone(),
                response,
            )
        };
        let MadeChain {
            mut chain,
            on,
            error,
            handoff,
            cost,
        } = chains::made(&model, &name, &device, stream)?;
        let cabinet_fault = chains::furnish(&mut chain, &model, response.as_deref(), stream);
        lock(&self.shared).note(on.is_some(), error.as_ref(), cost, cabinet_fault);
        states::settle(&self.shared, &mut chain);
        let latency = chain.latency();
        let (processor, ends) = Processor::around(chain, stream.mode);
        let link = thread::Link {
            ends,
            stream: *stream,
            playing: model,
            on,
            handoff,
            latency,
            response,
        };
        let _ = self.commands.send(thread::Command::Connect(link));
        Ok(processor)
    }

    /// Waits until the device that was chosen is ready, or cannot be had.
    fn await_device(&self, model: &Arc<Model>, stream: &Stream) {
        let _ = self.commands.send(thread::Command::Engine);
        let since = Instant::now();
        while lock(&self.shared).device.is_coming(model, Some(stream)) && since.elapsed() < PATIENCE
        {
            std::thread::sleep(LOOK);
        }
    }

    /// Whether the model that plays, or will, is to be made anew for another latency mode.
    pub fn has_modes(&self) -> bool {
        matches!(self.ready(), None | Some(StreamModel::Denoise(_)))
    }

    /// Whether a model or an engine waits for the audio to be started anew. Real-time safe.
    pub fn restart_wanted(&self) -> bool {
        self.restart_wanted.load(Ordering::Relaxed)
    }
}

impl KeepsStates for Loader {
    fn restore_states(&self, bytes: Option<Vec<u8>>) {
        lock(&self.shared).restore_states(bytes);
    }

    fn kept_states(&self) -> Vec<u8> {
        lock(&self.shared).states.kept()
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
