//! Plugin and app as the panel sees them: where they differ is where the values are kept, and that is [`Values`].
//!
//! Flows in: the loader's status, telemetry, the delays of what runs. Flows out: gestures, models to the loader.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use statewave::latency::{Latency, LatencyMode};
use statewave::model::catalogue::{self, Found};
use statewave::model::effect::Knob;
use statewave::model::spec::Task;
use statewave::model::streams::StreamModel;
use statewave::state::{Bank, SLOTS};
use statewave::telemetry::{Reader, Snapshot};

use crate::engine::{EngineChoice, EngineStatus};
use crate::fault::Fault;
use crate::loader::{Loader, ModelChoice};
use crate::panel::host::{Listed, PanelHost, Param, choice_value};
use crate::params::ParamList;

/// Where the parameters' values are kept.
pub trait Values {
    /// What they are.
    fn list(&self) -> &ParamList;
    /// The value now, or soon.
    fn get(&self, param: Param) -> f32;
    /// A gesture begins.
    fn begin(&mut self, param: Param);
    /// The value within a gesture.
    fn set(&mut self, param: Param, value: f32);
    /// The gesture ends.
    fn end(&mut self, param: Param);
}

/// See the module. Everything but the values is brought up to date by [`Desk::refresh`], once a frame.
pub struct Desk<V> {
    /// Where the parameters' values are kept.
    pub values: V,
    loader: Arc<Loader>,
    /// Models that are not among those found by name.
    files: Vec<Found>,
    /// All that can be chosen, by what they are for.
    models: Vec<Listed>,
    /// What the model that plays is for.
    task: Task,
    /// Its knobs.
    knobs: Vec<Knob>,
    /// The file of the impulse response.
    cabinet: Option<PathBuf>,
    /// The slots of what plays.
    bank: Option<Arc<Bank>>,
    /// Name of the model that was asked for last, and SHA-256 of its file once that was read.
    name: String,
    sha256: String,
    /// Delay of the model that plays, milliseconds, by [`LatencyMode::Live`].
    live_ms: Option<f64>,
    /// Delays of what runs.
    pub latency: Option<Latency>,
    /// The way snapshots come.
    pub reader: Option<Reader>,
    /// What runs models.
    engine: EngineStatus,
    fault: Option<Fault>,
    /// What the loader said last.
    loader_fault: Option<Fault>,
}

impl<V: Values> Desk<V> {
    /// With nothing running.
    pub fn new(values: V, loader: Arc<Loader>) -> Self {
        let mut desk = Self {
            values,
            loader,
            files: Vec::new(),
            models: Vec::new(),
            task: Task::Denoise,
            knobs: Vec::new(),
            cabinet: None,
            bank: None,
            name: String::new(),
            sha256: String::new(),
            live_ms: None,
            latency: None,
            reader: None,
            engine: EngineStatus::default(),
            fault: None,
            loader_fault: None,
        };
        desk.find();
        desk.refresh();
        desk
    }

    /// Looks for models.
    pub fn find(&mut self) {
        let files = self
            .files
            .iter()
            .map(|found| (found.clone(), found.task().ok()));
        self.models.clear();
        for (Found { name, .. }, task) in catalogue::of_streams().into_iter().chain(files) {
            if !self.models.iter().any(|listed| listed.name == name) {
                self.models.push(Listed { name, task });
            }
        }
        self.models.sort_by_key(Listed::group);
    }

    /// Takes in what the loader says. Gives the fault that is new.
    pub fn refresh(&mut self) -> Option<Fault> {
        // Asked before the choice: a fault takes the choice back, so one that is told here has done so.
        let status = self.loader.status();
        let choice = self.loader.choice();
        if let Some(path) = choice.path {
            self.add(path);
        }
        (self.name, self.sha256) = (choice.name, choice.sha256);
        let ready = self.loader.ready();
        self.task = ready.as_ref().map_or(Task::Denoise, StreamModel::task);
        self.knobs.clone_from(&self.loader.knobs().read());
        self.cabinet = self.loader.cabinet();
        self.bank = self.loader.bank();
        self.live_ms = ready.and_then(|model| live_ms(&model));
        let said = status.worst().cloned();
        self.engine = status.engine;
        if said == self.loader_fault {
            return None;
        }
        if self.fault == self.loader_fault {
            self.fault = None;
        }
        self.loader_fault.clone_from(&said);
        if said.is_some() {
            self.fault.clone_from(&said);
        }
        said
    }

    /// The model that is asked for, as it is to be remembered.
    pub fn choice(&self) -> ModelChoice {
        self.loader.choice()
    }

    /// Where models come from.
    pub fn loader(&self) -> &Arc<Loader> {
        &self.loader
    }

    /// Says whether anybody looks.
    pub fn watch(&mut self, on: bool) {
        if let Some(reader) = &mut self.reader {
            reader.watch(on);
        }
    }

    fn add(&mut self, path: PathBuf) {
        let known = |found: &Found| found.path() == Some(&path);
        if !self.files.iter().any(known) {
            let new = Found::file(path);
            self.files.retain(|found| found.name != new.name);
            self.files.push(new);
            self.find();
        }
    }

    fn choose(&mut self, choice: ModelChoice) {
        self.name.clone_from(&choice.name);
        self.sha256.clone_from(&choice.sha256);
        // The same fault is told again when it comes again.
        self.loader_fault = None;
        self.loader.choose(choice);
    }
}

impl<V: Values> PanelHost for Desk<V> {
    fn value(&self, param: Param) -> f32 {
        self.values.get(param)
    }

    fn begin(&mut self, param: Param) {
        self.values.begin(param);
    }

    fn set(&mut self, param: Param, value: f32) {
        self.values.set(param, value);
    }

    fn end(&mut self, param: Param) {
        self.values.end(param);
    }

    fn list(&self) -> &ParamList {
        self.values.list()
    }

    fn latency(&self) -> Option<Latency> {
        self.latency
    }

    fn mode_ms(&self, mode: usize) -> Option<f64> {
        let list = self.values.list();
        let value = choice_value(mode, list.choices(Param::LatencyMode));
        match list.mode(value) {
            LatencyMode::Zero => Some(0.0),
            LatencyMode::Live => self.live_ms,
        }
    }

    fn models(&self) -> &[Listed] {
        &self.models
    }

    fn task(&self) -> Task {
        self.task
    }

    fn knobs(&self) -> &[Knob] {
        &self.knobs
    }

    fn cabinet(&self) -> Option<&Path> {
        self.cabinet.as_deref()
    }

    fn load_cabinet(&mut self, path: Option<&Path>) {
        self.cabinet = path.map(PathBuf::from);
        // The same fault is told again when it comes again.
        self.loader_fault = None;
        self.loader.choose_cabinet(self.cabinet.clone());
    }

    fn slots(&self) -> Option<[bool; SLOTS]> {
        self.bank.as_ref().map(|bank| bank.filled())
    }

    fn keep_state(&mut self, slot: usize) {
        if let Some(bank) = &self.bank {
            bank.want(slot);
        }
    }

    fn model(&self) -> &str {
        &self.name
    }

    fn model_sha256(&self) -> &str {
        &self.sha256
    }

    fn recall_model(&mut self, name: &str, sha256: &str) {
        let file = self.files.iter().find(|found| found.name == name);
        let choice = match file.and_then(Found::path) {
            Some(path) => ModelChoice::file(path),
            None => ModelChoice::named(name),
        };
        self.choose(ModelChoice {
            sha256: sha256.into(),
            ..choice
        });
    }

    fn load_file(&mut self, path: &Path) {
        self.add(path.to_owned());
        self.choose(ModelChoice::file(path));
    }

    fn engine(&self) -> &EngineStatus {
        &self.engine
    }

    fn choose_engine(&mut self, choice: EngineChoice) {
        // The same fault is told again when it comes again.
        self.loader_fault = None;
        self.loader.choose_engine(choice);
    }

    fn find_adapters(&mut self) {
        self.loader.find_adapters();
    }

    fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    fn report(&mut self, fault: Fault) {
        self.fault = Some(fault);
    }

    fn dismiss(&mut self) {
        self.fault = None;
    }

    fn snapshot(&mut self) -> Option<Snapshot> {
        self.reader.as_mut()?.read()
    }
}

/// Milliseconds of a denoiser by [`LatencyMode::Live`].
fn live_ms(model: &StreamModel) -> Option<f64> {
    let StreamModel::Denoise(model) = model else {
        return None;
    };
    let spec = model.spec();
    Some(spec.front_end.latency() as f64 * 1000.0 / f64::from(spec.sample_rate))
}
