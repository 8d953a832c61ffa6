//! States of older versions, which lack what has been added since: it stands where it does at first.

use nice_plug::params::Params;
use nice_plug::params::internals::ParamPtr;
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::{Param as _, PluginState};

/// Fields that an older state may lack, and what stands in them then.
const FIELDS: [(&str, &str); 2] = [("cabinet", "null"), ("states", "\"\"")];

/// Brings a state to what this version saves of a plugin with parameters like those of `list`, before it is read: an instance that
/// was used before keeps nothing of that. A field that the plugin has not is passed over.
pub fn complete(state: &mut PluginState, list: &dyn Params) {
    for (id, param, _) in list.param_map() {
        // SAFETY: the parameter is one of the list's.
        let value = unsafe { stored(param, param.default_normalized_value()) };
        state.params.entry(id).or_insert(value);
    }
    for (field, json) in FIELDS {
        let fields = &mut state.fields;
        fields.entry(field.into()).or_insert_with(|| json.into());
    }
}

/// A normalised value as a state holds it.
///
/// # Safety
/// What the pointer was made of is still there.
pub(crate) unsafe fn stored(param: ParamPtr, value: f32) -> ParamValue {
    // SAFETY: the caller's.
    unsafe {
        match param {
            ParamPtr::FloatParam(p) => ParamValue::F32((*p).preview_plain(value)),
            ParamPtr::IntParam(p) => ParamValue::I32((*p).preview_plain(value)),
            ParamPtr::BoolParam(p) => ParamValue::Bool((*p).preview_plain(value)),
            ParamPtr::EnumParam(p) => ParamValue::I32((*p).preview_plain(value)),
        }
    }
}
