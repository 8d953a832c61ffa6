//! Who takes what is done on the instrument's panel: a host, or the app.

use nice_plug::context::gui::GuiContext;
use nice_plug::params::internals::ParamPtr;

/// See the module. A value is set between a beginning and an end.
pub trait Hands {
    /// A gesture on the parameter begins.
    ///
    /// # Safety
    /// What the pointer was made of is still there.
    unsafe fn begin(&self, param: ParamPtr);

    /// The parameter is to have this value, 0 to 1.
    ///
    /// # Safety
    /// What the pointer was made of is still there.
    unsafe fn set(&self, param: ParamPtr, value: f32);

    /// The gesture ends.
    ///
    /// # Safety
    /// What the pointer was made of is still there.
    unsafe fn end(&self, param: ParamPtr);
}

/// A host records gestures, and gives values back with its next block.
impl Hands for GuiContext {
    unsafe fn begin(&self, param: ParamPtr) {
        // SAFETY: the caller's.
        unsafe { self.raw_begin_set_parameter(param) }
    }

    unsafe fn set(&self, param: ParamPtr, value: f32) {
        // SAFETY: the caller's.
        unsafe { self.raw_set_parameter_normalized(param, value) }
    }

    unsafe fn end(&self, param: ParamPtr) {
        // SAFETY: the caller's.
        unsafe { self.raw_end_set_parameter(param) }
    }
}

/// Without a host, what is set holds at once.
pub struct Direct;

impl Hands for Direct {
    unsafe fn begin(&self, _: ParamPtr) {}

    unsafe fn set(&self, param: ParamPtr, value: f32) {
        // SAFETY: the caller's.
        unsafe { param._internal_set_normalized_value(value) };
    }

    unsafe fn end(&self, _: ParamPtr) {}
}
