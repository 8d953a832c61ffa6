//! A host that remembers what it was told.

#![allow(dead_code)]

pub mod headless;
pub mod instrument;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use statewave::latency::Latency;
use statewave::model::effect::Knob;
use statewave::model::spec::Task;
use statewave::state::SLOTS;
use statewave::telemetry::Snapshot;
use statewave_plugin::app::values::Values;
use statewave_plugin::engine::{EngineChoice, EngineStatus};
use statewave_plugin::panel::host::{Fault, Listed, PanelHost, Param};
use statewave_plugin::params::ParamList;

#[derive(Default)]
pub struct TestHost {
    pub values: Values,
    pub models: Vec<Listed>,
    pub task: Option<Task>,
    pub knobs: Vec<Knob>,
    pub cabinet: Option<PathBuf>,
    pub slots: Option<[bool; SLOTS]>,
    pub model: String,
    pub sha256: String,
    pub files: Vec<PathBuf>,
    pub engine: EngineStatus,
    pub fault: Option<Fault>,
    pub snapshots: VecDeque<Snapshot>,
    /// Parameters within a gesture.
    pub open: Vec<Param>,
    /// Every call that changes a parameter.
    pub calls: Vec<(Param, &'static str)>,
}

fn listed(name: &str) -> Listed {
    Listed {
        name: name.into(),
        task: Some(Task::Denoise),
    }
}

impl TestHost {
    pub fn new() -> Self {
        Self {
            models: ["one", "two"].map(listed).into(),
            model: "one".into(),
            ..Self::default()
        }
    }

    pub fn plain_of(&self, param: Param) -> f32 {
        self.list().plain(param, self.value(param))
    }
}

impl PanelHost for TestHost {
    fn value(&self, param: Param) -> f32 {
        self.values.get(param)
    }
    fn begin(&mut self, param: Param) {
        assert!(!self.open.contains(&param), "a gesture began twice");
        self.open.push(param);
        self.calls.push((param, "begin"));
    }
    fn set(&mut self, param: Param, value: f32) {
        assert!(self.open.contains(&param), "set outside of a gesture");
        self.values.set(param, value);
        self.calls.push((param, "set"));
    }
    fn end(&mut self, param: Param) {
        assert!(
            self.open.contains(&param),
            "a gesture ended that had not begun"
        );
        self.open.retain(|&p| p != param);
        self.calls.push((param, "end"));
    }
    fn list(&self) -> &ParamList {
        self.values.list()
    }
    fn latency(&self) -> Option<Latency> {
        Some(Latency {
            sample_rate: 48_000,
            framing_samples: 320,
            overlap_samples: 128,
            look_ahead_samples: 0,
            spread_samples: 32,
            resampling_samples: 0,
            engine_samples: 0,
        })
    }
    fn mode_ms(&self, mode: usize) -> Option<f64> {
        Some([0.0, 10.0][mode])
    }
    fn models(&self) -> &[Listed] {
        &self.models
    }
    fn task(&self) -> Task {
        self.task.unwrap_or(Task::Denoise)
    }
    fn knobs(&self) -> &[Knob] {
        &self.knobs
    }
    fn cabinet(&self) -> Option<&Path> {
        self.cabinet.as_deref()
    }
    fn load_cabinet(&mut self, path: Option<&Path>) {
        self.cabinet = path.map(PathBuf::from);
    }
    fn slots(&self) -> Option<[bool; SLOTS]> {
        self.slots
    }
    fn keep_state(&mut self, slot: usize) {
        self.slots.get_or_insert_default()[slot] = true;
    }
    fn model(&self) -> &str {
        &self.model
    }
    fn model_sha256(&self) -> &str {
        &self.sha256
    }
    fn recall_model(&mut self, name: &str, sha256: &str) {
        name.clone_into(&mut self.model);
        sha256.clone_into(&mut self.sha256);
    }
    fn load_file(&mut self, path: &Path) {
        self.files.push(path.to_owned());
    }
    fn engine(&self) -> &EngineStatus {
        &self.engine
    }
    fn choose_engine(&mut self, choice: EngineChoice) {
        self.engine.choice = choice;
    }
    fn find_adapters(&mut self) {
        self.engine.adapters = vec!["Card".into(), "Other card".into()];
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
        self.snapshots.pop_front()
    }
}
