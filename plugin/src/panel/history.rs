//! Undo, redo, and the two settings A and B that are compared.
//!
//! A scene is what a person sets: the parameters, the model and the impulse response. A step is one gesture; the wheel and the keys make many
//! small ones, which count as one while they follow each other on the same control.

use std::path::PathBuf;

use super::host::Param;
use super::patch::{Patch, change};

/// Steps that are kept.
const DEPTH: usize = 100;

/// Gestures on one control within this time are one step, seconds.
const MERGE_SECONDS: f64 = 0.7;

/// What a person sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Normalised, in the order of [`Patch::params`].
    pub values: Vec<f32>,
    /// The model's name.
    pub model: String,
    /// The file of the impulse response.
    pub cabinet: Option<PathBuf>,
}

impl Scene {
    /// As it is now.
    pub fn of(host: &(impl Patch + ?Sized)) -> Self {
        let params = host.params().into_iter();
        Self {
            values: params.map(|param| host.value(param)).collect(),
            model: host.model().to_owned(),
            cabinet: host.cabinet().map(PathBuf::from),
        }
    }

    /// Sets everything that differs.
    pub fn apply(&self, host: &mut (impl Patch + ?Sized)) {
        for (param, &value) in host.params().into_iter().zip(&self.values) {
            if host.value(param) != value {
                change(host, param, value);
            }
        }
        if host.model() != self.model {
            host.recall_model(&self.model, "");
        }
        if host.cabinet() != self.cabinet.as_deref() {
            host.load_cabinet(self.cabinet.as_deref());
        }
    }
}

/// What was done, and what was taken back; `P` are parameters.
#[derive(Debug)]
pub struct History<P = Param> {
    done: Vec<Scene>,
    undone: Vec<Scene>,
    /// The scene before the gesture that is under way.
    open: Option<Scene>,
    /// The control and the time of the last step.
    last: Option<(P, f64)>,
}

impl<P> Default for History<P> {
    fn default() -> Self {
        Self {
            done: Vec::new(),
            undone: Vec::new(),
            open: None,
            last: None,
        }
    }
}

impl<P: Copy + PartialEq> History<P> {
    /// Something is about to change. Nested gestures belong to the first.
    pub fn begin(&mut self, host: &(impl Patch<Param = P> + ?Sized)) {
        self.open.get_or_insert_with(|| Scene::of(host));
    }

    /// It has changed; `param` if by the gesture of one control. `now` is in seconds.
    pub fn end(&mut self, host: &(impl Patch<Param = P> + ?Sized), param: Option<P>, now: f64) {
        let Some(before) = self.open.take() else {
            return;
        };
        if before == Scene::of(host) {
            return;
        }
        let merged = matches!((param, self.last), (Some(a), Some((b, then)))
            if a == b && now - then < MERGE_SECONDS);
        if !merged {
            self.done.push(before);
            if self.done.len() > DEPTH {
                self.done.remove(0);
            }
        }
        self.undone.clear();
        self.last = param.map(|param| (param, now));
    }

    /// The panel is closed: a gesture that is under way ends here, and none goes on from here.
    pub fn pause(&mut self) {
        self.done.extend(self.open.take());
        self.last = None;
    }

    /// Whether there is a step to take back.
    pub fn can_undo(&self) -> bool {
        !self.done.is_empty()
    }

    /// Whether there is a step to do again.
    pub fn can_redo(&self) -> bool {
        !self.undone.is_empty()
    }

    /// Takes the last step back.
    pub fn undo(&mut self, host: &mut (impl Patch<Param = P> + ?Sized)) {
        if let Some(before) = self.done.pop() {
            self.undone.push(Scene::of(host));
            before.apply(host);
            self.last = None;
        }
    }

    /// Does the step again that was taken back last.
    pub fn redo(&mut self, host: &mut (impl Patch<Param = P> + ?Sized)) {
        if let Some(after) = self.undone.pop() {
            self.done.push(Scene::of(host));
            after.apply(host);
            self.last = None;
        }
    }
}

/// Two scenes, one of which is heard.
#[derive(Debug, Default)]
pub struct Compare {
    /// B is heard.
    pub on_b: bool,
    other: Option<Scene>,
}

impl Compare {
    /// Lets the other one be heard; at first both are alike.
    pub fn switch(&mut self, host: &mut (impl Patch + ?Sized)) {
        let here = Scene::of(host);
        if let Some(other) = self.other.replace(here) {
            other.apply(host);
        }
        self.on_b = !self.on_b;
    }

    /// Makes the other one like this.
    pub fn copy(&mut self, host: &(impl Patch + ?Sized)) {
        self.other = Some(Scene::of(host));
    }
}
