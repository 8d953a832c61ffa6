//! What the loader's thread and everybody else know together.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use statewave::engine::gpu::GpuError;
use statewave::model::streams::StreamModel;

use super::cabinet::{self, Response};
use super::device::{self, Device};
use super::shelf::Resolved;
use super::states::States;
use super::{LoadError, ModelChoice, ModelKnobs, Status};
use crate::fault::Fault;

/// What both threads see. Held for moments, never by the audio thread.
pub(super) struct Shared {
    pub choice: ModelChoice,
    /// The model of `choice`, or what plays in its place, once it was read.
    pub ready: Option<StreamModel>,
    /// The last choice that could be played, and what it plays.
    pub settled: Option<(ModelChoice, StreamModel)>,
    /// The knobs of what plays.
    pub knobs: ModelKnobs,
    /// The impulse response that was chosen, and what it is once it was read.
    pub cabinet: Option<PathBuf>,
    pub response: Option<Arc<Response>>,
    /// The slots of models.
    pub states: States,
    /// The GPU that was chosen.
    pub device: Device,
    pub status: Status,
}

impl Shared {
    /// Notes what was found for the choice, which remembers from now on what exactly that is.
    pub(super) fn accept(&mut self, resolved: Resolved) {
        if self.choice.sha256.is_empty() && resolved.fault.is_none() {
            self.choice.sha256 = resolved.model.sha256().into();
        }
        self.status.fault = resolved.fault.map(Fault::from);
        let model = self.play(resolved.name, resolved.model);
        self.settled = Some((self.choice.clone(), model));
    }

    /// Notes that the choice cannot be had: what played before plays on. A project goes on remembering what it was made
    /// with; what a person has only tried is forgotten.
    pub(super) fn refuse(&mut self, error: LoadError) {
        self.status.loading = false;
        self.status.fault = Some(error.into());
        let (choice, model) = self.settled.clone().unzip();
        self.ready = model;
        if self.choice.sha256.is_empty() {
            self.choice = choice.unwrap_or_default();
        }
    }

    /// Notes what is wrong with a chain that was made, and whether a GPU runs it.
    pub(super) fn note(
        &mut self,
        on_gpu: bool,
        error: Option<&GpuError>,
        cost: Option<Fault>,
        cabinet: Option<Fault>,
    ) {
        self.status.cabinet_fault = cabinet.or(self.status.cabinet_fault.take());
        if let Some(error) = error {
            self.status.engine_fault = Some(device::fault(error));
        } else if on_gpu {
            self.status.engine_fault = None;
        }
        self.status.cost_fault = cost;
    }

    fn is_cabinet_unread(&self) -> bool {
        self.response.is_none() && self.status.cabinet_fault.is_none()
    }

    /// Notes what became of the impulse response at `path`, if it is still the one that is wanted.
    fn accept_cabinet(&mut self, path: &Path, read: Result<Response, Fault>) {
        // The other thread may have read the same file meanwhile.
        if self.cabinet.as_deref() != Some(path) || !self.is_cabinet_unread() {
            return;
        }
        match read {
            Ok(response) => self.response = Some(Arc::new(response)),
            Err(fault) => self.status.cabinet_fault = Some(fault),
        }
    }

    pub(super) fn play(&mut self, name: String, model: StreamModel) -> StreamModel {
        self.status.loading = false;
        self.status.playing = name;
        self.status.sha256 = model.sha256().into();
        *self.knobs.write() = match &model {
            StreamModel::Effect(model) => model.spec().knobs.clone(),
            StreamModel::Denoise(_) | StreamModel::Continue(_) => Vec::new(),
        };
        self.ready = Some(model.clone());
        model
    }
}

pub(super) fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the impulse response that was chosen, if it is still to be read: the loader's thread and the host's main thread both
/// come here, and neither holds the other up meanwhile.
pub(super) fn read_cabinet(shared: &Mutex<Shared>) {
    let unread = {
        let shared = lock(shared);
        let unread = shared.is_cabinet_unread();
        shared.cabinet.clone().filter(|_| unread)
    };
    if let Some(path) = unread {
        let read = cabinet::read(&path);
        lock(shared).accept_cabinet(&path, read);
    }
}
