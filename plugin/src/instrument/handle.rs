//! A parameter of the instrument, of whatever type.

use std::marker::PhantomData;

use nice_plug::params::internals::ParamPtr;
use nice_plug::prelude::{Param, Params};

use super::InstrumentParams;
use super::hands::Hands;
use crate::panel::host::{choice_index, choice_value};
use crate::params::{parsed, suggested};

/// One of the parameters that are borrowed as long as this is. Values are normalised, 0 to 1, unless called plain.
#[derive(Debug, Clone, Copy)]
pub struct Handle<'a> {
    pointer: ParamPtr,
    owner: PhantomData<&'a InstrumentParams>,
}

impl InstrumentParams {
    /// All parameters with their ids, in an order that never changes.
    pub fn handles(&self) -> Vec<(String, Handle<'_>)> {
        let all = self.param_map().into_iter();
        all.map(|(id, pointer, _)| (id, Handle::new(pointer)))
            .collect()
    }
}

impl<'a> Handle<'a> {
    fn new(pointer: ParamPtr) -> Self {
        Self {
            pointer,
            owner: PhantomData,
        }
    }

    /// That parameter.
    pub fn of(param: &'a impl Param) -> Self {
        Self::new(param.as_ptr())
    }

    /// What it is found by.
    pub fn pointer(self) -> ParamPtr {
        self.pointer
    }

    /// What hosts call it.
    pub fn name(&self) -> &str {
        // SAFETY: the parameter is borrowed.
        unsafe { self.pointer.name() }
    }

    /// The value now, without a host's modulation.
    pub fn value(self) -> f32 {
        // SAFETY: the parameter is borrowed.
        unsafe { self.pointer.unmodulated_normalized_value() }
    }

    /// What a reset sets.
    pub fn default_value(self) -> f32 {
        // SAFETY: the parameter is borrowed.
        unsafe { self.pointer.default_normalized_value() }
    }

    /// Number of choices of a stepped parameter; 0 for one that glides.
    pub fn choices(self) -> usize {
        // SAFETY: the parameter is borrowed.
        unsafe { self.pointer.step_count() }.map_or(0, |steps| steps + 1)
    }

    /// A value with its unit.
    pub fn text(self, value: f32) -> String {
        // SAFETY: the parameter is borrowed.
        unsafe { self.pointer.normalized_value_to_string(value, true) }
    }

    /// The value that a person typed: with the unit or without, a comma for a point, small letters for large ones.
    pub fn parse(self, text: &str) -> Option<f32> {
        // SAFETY: the parameter is borrowed.
        let read = |text: &str| unsafe { self.pointer.string_to_normalized_value(text) };
        parsed(self.choices(), |value| self.text(value), read, text)
    }

    /// What a person might have meant who typed what [`Self::parse`] does not read.
    pub fn suggestion(self) -> String {
        suggested(
            self.choices(),
            |value| self.text(value),
            self.default_value(),
        )
    }

    /// A value in its unit; the number of a step.
    pub fn plain(self, value: f32) -> f32 {
        // SAFETY: the parameter is borrowed.
        unsafe { self.pointer.preview_plain(value) }
    }

    /// The way back from [`Self::plain`], brought into range.
    pub fn normalised(self, plain: f32) -> f32 {
        // SAFETY: the parameter is borrowed.
        let value = unsafe { self.pointer.preview_normalized(plain) };
        match plain.is_finite() && value.is_finite() {
            true => value.clamp(0.0, 1.0),
            false => self.default_value(),
        }
    }

    /// The value within range, on a step where there are steps.
    pub fn snapped(self, value: f32) -> f32 {
        match self.choices() {
            _ if !value.is_finite() => self.default_value(),
            0 => value.clamp(0.0, 1.0),
            count => choice_value(choice_index(value, count), count),
        }
    }

    /// A gesture on it begins.
    pub fn begin(self, hands: &dyn Hands) {
        // SAFETY: the parameter is borrowed.
        unsafe { hands.begin(self.pointer) }
    }

    /// It is to have this value.
    pub fn set(self, hands: &dyn Hands, value: f32) {
        // SAFETY: the parameter is borrowed.
        unsafe { hands.set(self.pointer, value) }
    }

    /// The gesture ends.
    pub fn end(self, hands: &dyn Hands) {
        // SAFETY: the parameter is borrowed.
        unsafe { hands.end(self.pointer) }
    }
}
