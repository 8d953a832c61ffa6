//! States of older versions, which lack what has been added since: it stands where it does at first.

use std::sync::Arc;

use nice_plug::params::Params;
use nice_plug::params::internals::ParamPtr;
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::{Param as _, PluginState};

use super::{ParamList, with};
use crate::panel::host::{Param, choice_index};

/// Fields that an older state may lack, and what stands in them then.
const FIELDS: [(&str, &str); 2] = [("cabinet", "null"), ("states", "\"\"")];

/// Brings a state to what this version saves, before it is read: an instance that was used before keeps nothing of that.
pub fn complete(state: &mut PluginState) {
    let list = Arc::new(ParamList::default());
    for param in Param::ALL {
        if let Some((id, value)) = stored(&list, param, list.default_value(param)) {
            state.params.entry(id).or_insert(value);
        }
    }
    for (field, json) in FIELDS {
        let fields = &mut state.fields;
        fields.entry(field.into()).or_insert_with(|| json.into());
    }
}

/// The id of a parameter, and a normalised value of it as a state holds it.
pub(super) fn stored(
    list: &Arc<ParamList>,
    param: Param,
    value: f32,
) -> Option<(String, ParamValue)> {
    let pointer = with!(list, param, p => p.as_ptr());
    let map = list.param_map();
    let (id, ..) = map.into_iter().find(|(_, other, _)| *other == pointer)?;
    let value = list.snapped(param, value);
    let value = match pointer {
        ParamPtr::FloatParam(_) => ParamValue::F32(list.plain(param, value)),
        ParamPtr::BoolParam(_) => ParamValue::Bool(value >= 0.5),
        ParamPtr::IntParam(_) | ParamPtr::EnumParam(_) => {
            ParamValue::I32(choice_index(value, list.choices(param)) as i32)
        }
    };
    Some((id, value))
}
