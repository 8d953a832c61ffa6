//! Values that a person has set on the panel and that no block has brought back yet.
//!
//! A host is told of a value and passes it on with its next block. Until then the parameter has its old value, and where
//! no block runs, such as in a project whose audio is stopped, that may last. So the panel notes what it sets, shows it,
//! and a project that is saved meanwhile holds it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use nice_plug::params::internals::ParamPtr;
use nice_plug::params::persist::PersistentField;
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::{Param as _, Params, PluginState};
use parking_lot::Mutex;

/// The key of the field in a saved state.
pub(super) const KEY: &str = "waiting";

/// What was set last, 0 to 1.
struct Note {
    id: String,
    param: ParamPtr,
    value: f32,
    /// What the parameter was.
    before: f32,
    /// The block that had run last.
    block: u32,
}

/// See the module. It belongs to the parameters that it notes.
#[derive(Default)]
pub struct Waiting {
    blocks: AtomicU32,
    /// Not for the audio thread.
    notes: Mutex<Vec<Note>>,
}

impl Waiting {
    /// A block runs: whatever was set before it has come, or never will. Real-time safe.
    pub fn block(&self) {
        self.blocks.fetch_add(1, Ordering::Relaxed);
    }

    /// A person sets one of `params`.
    pub fn note(&self, params: &dyn Params, param: ParamPtr, value: f32) {
        let all = params.param_map().into_iter();
        let Some((id, ..)) = all.into_iter().find(|(_, other, _)| *other == param) else {
            return;
        };
        let block = self.blocks.load(Ordering::Relaxed);
        let mut notes = self.notes.lock();
        notes.retain(|note| note.block == block && note.param != param);
        notes.push(Note {
            id,
            param,
            value,
            before: now(param),
            block,
        });
    }

    /// What was set, as long as no block has run since and nobody else has changed it.
    pub fn get(&self, param: ParamPtr) -> Option<f32> {
        let notes = self.notes.lock();
        let note = notes.iter().find(|note| note.param == param)?;
        self.waits(note).then_some(note.value)
    }

    fn waits(&self, note: &Note) -> bool {
        note.block == self.blocks.load(Ordering::Relaxed) && note.before == now(note.param)
    }
}

fn now(param: ParamPtr) -> f32 {
    // SAFETY: what is noted is a parameter of those that the notes are part of, so it is there as long as they are.
    unsafe { param.unmodulated_normalized_value() }
}

impl PersistentField<'_, BTreeMap<String, f32>> for Waiting {
    /// [`merge`] has put them into the parameters already; what was noted before is of another project.
    fn set(&self, _: BTreeMap<String, f32>) {
        self.notes.lock().clear();
    }

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&BTreeMap<String, f32>) -> R,
    {
        let notes = self.notes.lock();
        let waiting = notes.iter().filter(|note| self.waits(note));
        f(&waiting.map(|note| (note.id.clone(), note.value)).collect())
    }
}

/// Puts what waited when `state` was saved into its parameters, which are like `params`, before they are read.
pub fn merge(state: &mut PluginState, params: &dyn Params) {
    let saved = state.fields.get(KEY);
    let Some(values) =
        saved.and_then(|json| serde_json::from_str::<BTreeMap<String, f32>>(json).ok())
    else {
        return;
    };
    for (id, param, _) in params.param_map() {
        let value = values.get(&id).filter(|value| value.is_finite());
        if let Some(plain) = value.and_then(|value| plain(param, value.clamp(0.0, 1.0))) {
            state.params.insert(id, plain);
        }
    }
}

/// The value as a state holds it; a choice among names has none.
fn plain(param: ParamPtr, value: f32) -> Option<ParamValue> {
    // SAFETY: the parameter is one of those that are borrowed by the caller.
    unsafe {
        match param {
            ParamPtr::FloatParam(p) => Some(ParamValue::F32((*p).preview_plain(value))),
            ParamPtr::IntParam(p) => Some(ParamValue::I32((*p).preview_plain(value))),
            ParamPtr::BoolParam(p) => Some(ParamValue::Bool((*p).preview_plain(value))),
            ParamPtr::EnumParam(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::InstrumentParams;
    use crate::instrument::hands::{Direct, Hands as _};

    fn saved(params: &InstrumentParams) -> PluginState {
        let json = params
            .waiting
            .map(|values| serde_json::to_string(values).expect("it is JSON"));
        PluginState {
            version: String::new(),
            params: BTreeMap::from([("morph".into(), ParamValue::F32(0.0))]),
            fields: BTreeMap::from([(KEY.to_string(), json)]),
        }
    }

    #[test]
    fn what_is_set_while_no_block_runs_is_shown_and_saved() {
        let params = InstrumentParams::default();
        let (morph, mpe, a) = (
            params.morph.as_ptr(),
            params.mpe.as_ptr(),
            params.a.as_ptr(),
        );
        for (param, value) in [(morph, 0.25), (morph, 0.75), (mpe, 1.0), (a, 1.0)] {
            params.waiting.note(&params, param, value);
        }
        assert_eq!(params.waiting.get(morph), Some(0.75));
        assert_eq!(params.morph.value(), 0.0, "the host has not said it yet");
        let mut state = saved(&params);
        merge(&mut state, &InstrumentParams::default());
        assert!(matches!(state.params["morph"], ParamValue::F32(0.75)));
        assert!(matches!(state.params["mpe"], ParamValue::Bool(true)));
        assert!(matches!(state.params["a"], ParamValue::I32(15)));
    }

    #[test]
    fn a_block_has_brought_it_back_and_others_may_change_it() {
        let params = InstrumentParams::default();
        let (morph, width) = (params.morph.as_ptr(), params.width.as_ptr());
        params.waiting.note(&params, morph, 0.5);
        params.waiting.note(&params, width, 0.5);
        // SAFETY: the parameters are on this stack.
        unsafe { Direct.set(width, 0.9) };
        assert_eq!(params.waiting.get(width), None, "another was nearer");
        params.waiting.block();
        assert_eq!(params.waiting.get(morph), None);
        assert_eq!(saved(&params).fields[KEY], "{}");
    }

    #[test]
    fn rubbish_in_its_place_is_left_alone() {
        for json in ["17", r#"{"nobody":1.0}"#, r#"{"morph":"much"}"#] {
            let mut state = PluginState {
                version: String::new(),
                params: BTreeMap::from([("morph".into(), ParamValue::F32(0.5))]),
                fields: BTreeMap::from([(KEY.to_string(), json.to_string())]),
            };
            merge(&mut state, &InstrumentParams::default());
            assert!(matches!(state.params["morph"], ParamValue::F32(0.5)));
            assert_eq!(state.params.len(), 1);
        }
    }
}
