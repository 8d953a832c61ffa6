//! The app's values: set by the panel, MIDI and flags, read by the audio thread once a block.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::desk;
use crate::loader::ModelKnobs;
use crate::panel::host::Param;
use crate::params::ParamList;
use crate::processor::Settings;

/// Normalised values, each on its own: no order between them matters.
pub struct Values {
    list: ParamList,
    bits: [AtomicU32; Param::ALL.len()],
}

impl Default for Values {
    fn default() -> Self {
        Self::new(&ModelKnobs::default())
    }
}

impl Values {
    /// The defaults; texts of knobs follow `knobs`.
    pub fn new(knobs: &ModelKnobs) -> Self {
        let list = ParamList::new(knobs);
        let bits = Param::ALL.map(|param| AtomicU32::new(list.default_value(param).to_bits()));
        Self { list, bits }
    }

    /// What they are.
    pub fn list(&self) -> &ParamList {
        &self.list
    }

    /// The value now, 0 to 1. Real-time safe.
    pub fn get(&self, param: Param) -> f32 {
        f32::from_bits(self.bits[param as usize].load(Ordering::Relaxed))
    }

    /// Changes it; stepped ones go to the nearest step. Real-time safe.
    pub fn set(&self, param: Param, value: f32) {
        let value = self.list.snapped(param, value);
        self.bits[param as usize].store(value.to_bits(), Ordering::Relaxed);
    }

    /// What the processor is given. Real-time safe.
    pub fn settings(&self) -> Settings {
        self.list.settings_of(|param| self.get(param))
    }
}

impl desk::Values for Arc<Values> {
    fn list(&self) -> &ParamList {
        &self.list
    }

    fn get(&self, param: Param) -> f32 {
        Values::get(self, param)
    }

    fn begin(&mut self, _: Param) {}

    fn set(&mut self, param: Param, value: f32) {
        Values::set(self, param, value);
    }

    fn end(&mut self, _: Param) {}
}
