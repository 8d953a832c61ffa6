//! What a person sets as a whole, of an effect or of the instrument: undo, A and B and presets are the same over both.

use std::borrow::Cow;
use std::path::Path;

use statewave::model::spec::Task;

use super::host::{self, PanelHost};
use super::presets::Side;
use crate::fault::Fault;

/// Parameters, the model, and what lies behind it. Values are normalised, 0 to 1, unless called plain. A gesture is `begin`, any
/// number of `set`, `end`.
pub trait Patch {
    /// One of the parameters.
    type Param: Copy + PartialEq;

    /// Whose presets it takes.
    const SIDE: Side;

    /// All parameters, in an order that never changes.
    fn params(&self) -> Vec<Self::Param>;
    /// The name in preset files. Never changes.
    fn key(&self, param: Self::Param) -> Cow<'_, str>;
    /// Whether presets set it: what is played with rather than set, they leave as it is.
    fn is_kept(&self, param: Self::Param) -> bool;
    /// The value now.
    fn value(&self, param: Self::Param) -> f32;
    /// A gesture begins.
    fn begin(&mut self, param: Self::Param);
    /// The value within a gesture.
    fn set(&mut self, param: Self::Param, value: f32);
    /// The gesture ends.
    fn end(&mut self, param: Self::Param);
    /// What a reset sets.
    fn default_value(&self, param: Self::Param) -> f32;
    /// A value with its unit.
    fn text(&self, param: Self::Param, value: f32) -> String;
    /// The value that a person typed.
    fn parse(&self, param: Self::Param, text: &str) -> Option<f32>;
    /// A value in its unit; the index of a choice.
    fn plain(&self, param: Self::Param, value: f32) -> f32;
    /// The way back from [`Self::plain`], brought into range.
    fn normalised(&self, param: Self::Param, plain: f32) -> f32;

    /// What the model that plays is for.
    fn task(&self) -> Task;
    /// Its name.
    fn model(&self) -> &str;
    /// SHA-256 of its file; empty until it was read.
    fn model_sha256(&self) -> &str;
    /// Plays the model whose file has that SHA-256, under whatever name; one of that name if there is none, and says so.
    fn recall_model(&mut self, name: &str, sha256: &str);
    /// The file of the impulse response behind it.
    fn cabinet(&self) -> Option<&Path> {
        None
    }
    /// Reads an impulse response and plays it, or none.
    fn load_cabinet(&mut self, _path: Option<&Path>) {}
    /// Something is wrong that a person has to know.
    fn report(&mut self, fault: Fault);
}

impl<H: PanelHost + ?Sized> Patch for H {
    type Param = host::Param;

    const SIDE: Side = Side::Effect;

    fn params(&self) -> Vec<host::Param> {
        host::Param::ALL.to_vec()
    }
    fn key(&self, param: host::Param) -> Cow<'_, str> {
        param.key().into()
    }
    fn is_kept(&self, param: host::Param) -> bool {
        !param.is_played()
    }
    fn value(&self, param: host::Param) -> f32 {
        PanelHost::value(self, param)
    }
    fn begin(&mut self, param: host::Param) {
        PanelHost::begin(self, param);
    }
    fn set(&mut self, param: host::Param, value: f32) {
        PanelHost::set(self, param, value);
    }
    fn end(&mut self, param: host::Param) {
        PanelHost::end(self, param);
    }
    fn default_value(&self, param: host::Param) -> f32 {
        self.list().default_value(param)
    }
    fn text(&self, param: host::Param, value: f32) -> String {
        self.list().text(param, value)
    }
    fn parse(&self, param: host::Param, text: &str) -> Option<f32> {
        self.list().parse(param, text)
    }
    fn plain(&self, param: host::Param, value: f32) -> f32 {
        self.list().plain(param, value)
    }
    fn normalised(&self, param: host::Param, plain: f32) -> f32 {
        self.list().normalised(param, plain)
    }
    fn task(&self) -> Task {
        PanelHost::task(self)
    }
    fn model(&self) -> &str {
        PanelHost::model(self)
    }
    fn model_sha256(&self) -> &str {
        PanelHost::model_sha256(self)
    }
    fn recall_model(&mut self, name: &str, sha256: &str) {
        PanelHost::recall_model(self, name, sha256);
    }
    fn cabinet(&self) -> Option<&Path> {
        PanelHost::cabinet(self)
    }
    fn load_cabinet(&mut self, path: Option<&Path>) {
        PanelHost::load_cabinet(self, path);
    }
    fn report(&mut self, fault: Fault) {
        PanelHost::report(self, fault);
    }
}

/// A whole gesture at once.
pub fn change<H: Patch + ?Sized>(host: &mut H, param: H::Param, value: f32) {
    host.begin(param);
    host.set(param, value);
    host.end(param);
}
