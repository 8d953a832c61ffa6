//! The app as the panel sees it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rtrb::Consumer;
use statewave::latency::Latency;
use statewave::model::Model;
use statewave::telemetry::Snapshot;

use super::models::Models;
use super::values::{self, LIVE_MODE, Values};
use crate::panel::host::{Fault, PanelHost, Param};

/// Endings of files that are played rather than taken for models.
const SOUND: [&str; 6] = ["wav", "flac", "mp3", "ogg", "aiff", "m4a"];

/// Values, models and telemetry, on the thread that draws.
pub struct Desk {
    values: Arc<Values>,
    models: Models,
    /// Name of the model that plays.
    name: String,
    model: Arc<Model>,
    /// Counts the models that were chosen, so that whoever plays them sees a change.
    chosen: u64,
    /// Delays of what runs.
    pub latency: Option<Latency>,
    /// Snapshots of what runs.
    pub snapshots: Option<Consumer<Snapshot>>,
    fault: Option<Fault>,
    /// A sound file that was dropped, to be played.
    pub dropped_sound: Option<PathBuf>,
}

impl Desk {
    /// With the model of that name, or else the one compiled in and the fault to tell.
    ///
    /// # Errors
    /// When even the model that is compiled in cannot be read.
    pub fn new(values: Arc<Values>, wanted: &str) -> Result<Self, Fault> {
        let mut models = Models::find();
        let mut fault = None;
        let wanted = if wanted.ends_with(".safetensors") {
            models.add(Path::new(wanted))
        } else {
            wanted.to_owned()
        };
        let loaded = models.load(&wanted).map(|model| (wanted, model));
        let (name, model) = match loaded {
            Ok(found) => found,
            Err(missing) => {
                fault = Some(missing);
                let name = models.names()[0].clone();
                let model = models.load(&name)?;
                (name, model)
            }
        };
        Ok(Self {
            values,
            models,
            name,
            model,
            chosen: 0,
            latency: None,
            snapshots: None,
            fault,
            dropped_sound: None,
        })
    }

    /// The values that the audio thread reads too.
    pub fn values(&self) -> &Arc<Values> {
        &self.values
    }

    /// What finds the model again: its name, or the path of its file.
    pub fn place(&self) -> String {
        self.models.place(&self.name)
    }

    /// The model to play, and a number that is another for each that was chosen.
    pub fn chosen(&self) -> (u64, &Arc<Model>) {
        (self.chosen, &self.model)
    }
}

impl PanelHost for Desk {
    fn value(&self, param: Param) -> f32 {
        self.values.get(param)
    }

    fn begin(&mut self, _: Param) {}

    fn set(&mut self, param: Param, value: f32) {
        self.values.set(param, value);
    }

    fn end(&mut self, _: Param) {}

    fn default_value(&self, param: Param) -> f32 {
        values::default(param)
    }

    fn choices(&self, param: Param) -> usize {
        values::choices(param).len()
    }

    fn text(&self, param: Param, value: f32) -> String {
        values::text(param, value)
    }

    fn parse(&self, param: Param, text: &str) -> Option<f32> {
        values::parse(param, text)
    }

    fn plain(&self, param: Param, value: f32) -> f32 {
        values::plain(param, value)
    }

    fn normalised(&self, param: Param, plain: f32) -> f32 {
        values::normalised(param, plain)
    }

    fn latency(&self) -> Option<Latency> {
        self.latency
    }

    fn mode_ms(&self, mode: usize) -> Option<f64> {
        let spec = self.model.spec();
        let ms = spec.front_end.latency() as f64 * 1000.0 / f64::from(spec.sample_rate);
        (mode == LIVE_MODE).then_some(ms)
    }

    fn models(&self) -> &[String] {
        self.models.names()
    }

    fn model(&self) -> &str {
        &self.name
    }

    fn select_model(&mut self, name: &str) {
        match self.models.load(name) {
            Ok(model) => {
                self.model = model;
                name.clone_into(&mut self.name);
                self.chosen += 1;
            }
            // The one that plays plays on.
            Err(fault) => self.report(fault),
        }
    }

    fn load_file(&mut self, path: &Path) {
        if path
            .extension()
            .is_some_and(|ending| SOUND.iter().any(|s| ending.eq_ignore_ascii_case(s)))
        {
            self.dropped_sound = Some(path.to_owned());
            return;
        }
        let name = self.models.add(path);
        self.select_model(&name);
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
        self.snapshots.as_mut()?.pop().ok()
    }
}
