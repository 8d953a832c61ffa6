//! Values that a person has set and that no block has brought back yet.
//!
//! A host is told of a value and passes it on with its next block. Until then the parameter has its old value, and where
//! no block runs, such as in a project whose audio is stopped, that may last. So the panel notes what it sets, shows it, and
//! a project that is saved meanwhile holds it beside the parameters.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use nice_plug::params::internals::ParamPtr;
use nice_plug::params::persist::PersistentField;
use nice_plug::prelude::{Params, PluginState};
use parking_lot::Mutex;

use crate::params::stored;

/// The key of the field in a saved state.
const KEY: &str = "unheard";

/// What was set last, normalised.
struct Note {
    id: String,
    param: ParamPtr,
    value: f32,
    /// What the parameter was.
    before: f32,
    /// The block that had run last.
    block: u32,
}

/// See the module. It is a field of the parameters that it notes.
#[derive(Default)]
pub struct Unheard {
    blocks: AtomicU32,
    /// Not for the audio thread.
    notes: Mutex<Vec<Note>>,
}

impl Unheard {
    /// A block runs: whatever was set before it has come, or never will. Real-time safe.
    pub fn block(&self) {
        self.blocks.fetch_add(1, Ordering::Relaxed);
    }

    /// A person sets one of `params`, normalised.
    ///
    /// # Safety
    /// `params` are there as long as this is.
    pub unsafe fn note(&self, params: &dyn Params, param: ParamPtr, value: f32) {
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

/// What a parameter that is noted has now.
fn now(param: ParamPtr) -> f32 {
    // SAFETY: whoever had it noted vouched that it is there as long as its note.
    unsafe { param.unmodulated_normalized_value() }
}

impl PersistentField<'_, BTreeMap<String, f32>> for Unheard {
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

/// Puts what was not heard when `state` was saved into its parameters, which are like `params`, before they are read.
pub fn merge(state: &mut PluginState, params: &dyn Params) {
    let saved = state.fields.get(KEY);
    let Some(values) =
        saved.and_then(|json| serde_json::from_str::<BTreeMap<String, f32>>(json).ok())
    else {
        return;
    };
    for (id, param, _) in params.param_map() {
        if let Some(value) = values.get(&id).filter(|value| value.is_finite()) {
            // SAFETY: the parameter is one of those that are borrowed here.
            let value = unsafe { stored(param, value.clamp(0.0, 1.0)) };
            state.params.insert(id, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::plugin::ParamValue;
    use nice_plug::prelude::Param as _;

    use super::*;
    use crate::instrument::InstrumentParams;
    use crate::instrument::hands::{Direct, Hands as _};
    use crate::params::ParamList;

    /// A person sets a value on the instrument's panel.
    fn set(params: &InstrumentParams, param: ParamPtr, value: f32) {
        // SAFETY: the notes are a field of the parameters.
        unsafe { params.unheard.note(params, param, value) };
    }

    fn state(id: &str, value: f32, field: Option<String>) -> PluginState {
        PluginState {
            version: String::new(),
            params: BTreeMap::from([(id.into(), ParamValue::F32(value))]),
            fields: field.map(|json| (KEY.into(), json)).into_iter().collect(),
        }
    }

    fn saved(unheard: &Unheard) -> String {
        unheard.map(|values| serde_json::to_string(values).expect("it is JSON"))
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
            set(&params, param, value);
        }
        assert_eq!(params.unheard.get(morph), Some(0.75));
        assert_eq!(params.morph.value(), 0.0, "the host has not said it yet");
        let mut state = state("morph", 0.0, Some(saved(&params.unheard)));
        merge(&mut state, &InstrumentParams::default());
        assert!(matches!(state.params["morph"], ParamValue::F32(0.75)));
        assert!(matches!(state.params["mpe"], ParamValue::Bool(true)));
        assert!(matches!(state.params["a"], ParamValue::I32(15)));
    }

    #[test]
    fn parameters_of_every_type_find_their_way_into_a_state() {
        let list = ParamList::default();
        let unheard = Unheard::default();
        let set = [
            (list.mix.as_ptr(), 0.25),
            (list.stereo.as_ptr(), 1.0),
            (list.bypass.as_ptr(), 1.0),
            (list.state.from.as_ptr(), 1.0),
        ];
        for (param, value) in set {
            // SAFETY: both are on this stack, and the list is dropped last.
            unsafe { unheard.note(&list, param, value) };
        }
        let mut state = state("amount", 12.0, Some(saved(&unheard)));
        merge(&mut state, &ParamList::default());
        assert!(matches!(state.params["mix"], ParamValue::F32(0.25)));
        assert!(matches!(state.params["stereo"], ParamValue::I32(2)));
        assert!(matches!(state.params["bypass"], ParamValue::Bool(true)));
        assert!(matches!(state.params["amount"], ParamValue::F32(12.0)));
        assert_eq!(state.params.len(), 5, "and a slot");
    }

    #[test]
    fn a_block_has_brought_it_back_and_others_may_change_it() {
        let params = InstrumentParams::default();
        let (morph, width) = (params.morph.as_ptr(), params.width.as_ptr());
        set(&params, morph, 0.5);
        set(&params, width, 0.5);
        // SAFETY: the parameters are on this stack.
        unsafe { Direct.set(width, 0.9) };
        assert_eq!(params.unheard.get(width), None, "another was nearer");
        assert_eq!(params.unheard.get(morph), Some(0.5));
        params.unheard.block();
        assert_eq!(params.unheard.get(morph), None);
        assert_eq!(saved(&params.unheard), "{}");
    }

    #[test]
    fn states_without_it_and_rubbish_in_its_place_are_left_alone() {
        let rubbish = ["17", r#"{"nobody":1.0}"#, r#"{"morph":"much"}"#].map(Some);
        for json in rubbish.into_iter().chain([None]) {
            let mut state = state("morph", 0.5, json.map(str::to_owned));
            merge(&mut state, &InstrumentParams::default());
            assert!(matches!(state.params["morph"], ParamValue::F32(0.5)));
            assert_eq!(state.params.len(), 1);
        }
    }
}
