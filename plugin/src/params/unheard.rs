//! Values that a person has set and that no block has brought back yet.
//!
//! A VST3 host is told of a value and passes it on with its next block. Until then the parameter has its old value, and
//! where no block runs, such as in a project whose audio is stopped, that lasts. So the panel notes what it sets, and a
//! project that is saved meanwhile holds it beside the parameters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use nice_plug::params::persist::PersistentField;
use nice_plug::prelude::PluginState;
use parking_lot::Mutex;

use super::ParamList;
use super::complete::stored;
use crate::panel::host::Param;

/// The key of the field in a saved state.
pub(super) const KEY: &str = "unheard";

/// What was set last, normalised.
#[derive(Debug, Clone, Copy)]
struct Note {
    value: f32,
    /// What the parameter was.
    before: f32,
    /// The block that had run last.
    block: u32,
}

/// See the module.
pub struct Unheard {
    list: Arc<ParamList>,
    blocks: AtomicU32,
    /// Not for the audio thread.
    notes: Mutex<[Option<Note>; Param::ALL.len()]>,
}

impl Unheard {
    /// Nothing set yet.
    pub fn new(list: Arc<ParamList>) -> Self {
        Self {
            list,
            blocks: AtomicU32::new(0),
            notes: Mutex::default(),
        }
    }

    /// A block runs: whatever was set before it has come, or never will. Real-time safe.
    pub fn block(&self) {
        self.blocks.fetch_add(1, Ordering::Relaxed);
    }

    /// A person sets a value, normalised.
    pub fn note(&self, param: Param, value: f32) {
        self.notes.lock()[param as usize] = Some(Note {
            value,
            before: self.list.value(param),
            block: self.blocks.load(Ordering::Relaxed),
        });
    }

    /// What was set, as long as no block has run since and nobody else has changed it.
    pub fn get(&self, param: Param) -> Option<f32> {
        let note = self.notes.lock()[param as usize]?;
        let waits = note.block == self.blocks.load(Ordering::Relaxed)
            && note.before == self.list.value(param);
        waits.then_some(note.value)
    }
}

impl PersistentField<'_, BTreeMap<String, f32>> for Unheard {
    /// [`merge`] has put them into the parameters already.
    fn set(&self, _: BTreeMap<String, f32>) {}

    fn map<F, R>(&self, f: F) -> R
    where
        F: Fn(&BTreeMap<String, f32>) -> R,
    {
        let waiting = Param::ALL
            .into_iter()
            .filter_map(|param| Some((param.key().to_owned(), self.get(param)?)));
        f(&waiting.collect())
    }
}

/// Puts what was not heard when `state` was saved into its parameters, before they are read.
pub fn merge(state: &mut PluginState) {
    let saved = state.fields.get(KEY);
    let Some(values) =
        saved.and_then(|json| serde_json::from_str::<BTreeMap<String, f32>>(json).ok())
    else {
        return;
    };
    let list = Arc::new(ParamList::default());
    for param in Param::ALL {
        let Some(&value) = values.get(param.key()) else {
            continue;
        };
        if let Some((id, value)) = stored(&list, param, value) {
            state.params.insert(id, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use nice_plug::plugin::ParamValue;

    use super::*;

    fn fields(unheard: &Unheard) -> BTreeMap<String, String> {
        let json = unheard.map(|values| serde_json::to_string(values).expect("it is JSON"));
        BTreeMap::from([(KEY.to_string(), json)])
    }

    #[test]
    fn what_was_set_while_no_block_ran_is_in_the_state() {
        let unheard = Unheard::new(Arc::default());
        unheard.note(Param::Mix, 0.25);
        unheard.note(Param::Stereo, 1.0);
        unheard.note(Param::Bypass, 1.0);
        let mut state = PluginState {
            version: String::new(),
            params: BTreeMap::from([
                ("mix".into(), ParamValue::F32(1.0)),
                ("amount".into(), ParamValue::F32(12.0)),
            ]),
            fields: fields(&unheard),
        };
        merge(&mut state);
        assert!(matches!(state.params["mix"], ParamValue::F32(0.25)));
        assert!(matches!(state.params["amount"], ParamValue::F32(12.0)));
        assert!(matches!(state.params["stereo"], ParamValue::I32(2)));
        assert!(matches!(state.params["bypass"], ParamValue::Bool(true)));
    }

    #[test]
    fn a_block_has_brought_it_back_or_it_is_forgotten() {
        let unheard = Unheard::new(Arc::default());
        unheard.note(Param::Mix, 0.25);
        assert_eq!(unheard.get(Param::Mix), Some(0.25));
        unheard.block();
        assert_eq!(unheard.get(Param::Mix), None);
        assert_eq!(fields(&unheard)[KEY], "{}");
    }

    #[test]
    fn states_without_it_and_rubbish_in_its_place_are_left_alone() {
        for json in [None, Some("17"), Some(r#"{"nobody":1.0}"#)] {
            let mut state = PluginState {
                version: String::new(),
                params: BTreeMap::from([("mix".into(), ParamValue::F32(0.5))]),
                fields: json
                    .map(|json| (KEY.to_string(), json.to_string()))
                    .into_iter()
                    .collect(),
            };
            merge(&mut state);
            assert_eq!(state.params.len(), 1);
            assert!(matches!(state.params["mix"], ParamValue::F32(0.5)));
        }
    }
}
