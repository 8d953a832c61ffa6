//! Parameters of the state as an instrument: stopped, slowed, kept, put back.

use std::sync::Arc;

use nice_plug::params::internals::ParamPtr;
use nice_plug::prelude::*;
use statewave::model::pace::FASTEST;
use statewave::state::{LONGEST, SLOTS, StateControls};

use super::source::{Own, Source};
use crate::panel::host;

/// Text of the store that is off.
const OFF: &str = "Off";

/// See the module.
#[derive(Params)]
pub struct StateParams {
    /// How far the state is kept from changing.
    #[id = "freeze"]
    pub freeze: FloatParam,
    /// Factor on time constants, in octaves: 0 leaves them as they are.
    #[id = "memory"]
    pub memory: FloatParam,
    /// The state goes to the slot that this changes to; 0 for none.
    #[id = "store"]
    pub store: IntParam,
    /// The state is what lies between two slots.
    #[id = "recall"]
    pub recall: BoolParam,
    /// The slot at a morph of 0; they are counted from 0 on, and shown from 1.
    #[id = "recall-from"]
    pub from: IntParam,
    /// The slot at 1.
    #[id = "recall-to"]
    pub to: IntParam,
    /// Where between them.
    #[id = "state-morph"]
    pub morph: FloatParam,
    /// The state begins anew when the host's transport starts.
    #[id = "reset-on-start"]
    pub reset_on_start: BoolParam,
}

impl Default for StateParams {
    fn default() -> Self {
        let usual = StateControls::default();
        let slot = |name: &str, default: usize| {
            let range = IntRange::Linear {
                min: 0,
                max: SLOTS as i32 - 1,
            };
            IntParam::new(name, default as i32, range)
                .with_value_to_string(Arc::new(|slot| (slot + 1).to_string()))
                .with_string_to_value(Arc::new(|text: &str| {
                    text.trim().parse::<i32>().ok()?.checked_sub(1)
                }))
        };
        let store = IntRange::Linear {
            min: 0,
            max: SLOTS as i32,
        };
        Self {
            freeze: share("Freeze", usual.freeze),
            memory: memory("Memory Time"),
            store: IntParam::new("Store State", 0, store)
                .with_value_to_string(Arc::new(store_text))
                .with_string_to_value(Arc::new(store_of_text)),
            recall: BoolParam::new("Recall State", usual.recall),
            from: slot("Recall From", usual.from),
            to: slot("Recall To", usual.to),
            morph: share("State Morph", usual.morph),
            reset_on_start: BoolParam::new("Reset On Start", false),
        }
    }
}

impl StateParams {
    /// The values now. Real-time safe.
    pub(crate) fn controls(&self) -> StateControls {
        self.read(&Own)
    }

    /// Those of [`host::Param::is_played`].
    pub(crate) fn played(&self) -> [ParamPtr; 6] {
        [
            self.freeze.as_ptr(),
            self.store.as_ptr(),
            self.recall.as_ptr(),
            self.from.as_ptr(),
            self.to.as_ptr(),
            self.morph.as_ptr(),
        ]
    }

    /// What `source` says.
    pub(super) fn read(&self, source: &impl Source) -> StateControls {
        let slot = |number: i32| number.max(0) as usize;
        let store = source.of(&self.store, host::Param::Store);
        StateControls {
            freeze: source.of(&self.freeze, host::Param::Freeze),
            memory: source.of(&self.memory, host::Param::Memory).exp2(),
            store: (store > 0).then(|| slot(store - 1)),
            recall: source.of(&self.recall, host::Param::Recall),
            from: slot(source.of(&self.from, host::Param::From)),
            to: slot(source.of(&self.to, host::Param::To)),
            morph: source.of(&self.morph, host::Param::Morph),
        }
    }

    /// The page of a control surface.
    pub(crate) fn page(&self, page: &mut impl RemoteControlsPage) {
        page.add_param(&self.freeze);
        page.add_param(&self.memory);
        page.add_param(&self.morph);
        page.add_param(&self.recall);
        page.add_param(&self.from);
        page.add_param(&self.to);
        page.add_param(&self.store);
        page.add_param(&self.reset_on_start);
    }
}

/// A share, shown in per cent.
pub(crate) fn share(name: &str, default: f32) -> FloatParam {
    FloatParam::new(name, default, FloatRange::Linear { min: 0.0, max: 1.0 })
        .with_unit(" %")
        .with_value_to_string(formatters::v2s_f32_percentage(1))
        .with_string_to_value(formatters::s2v_f32_percentage())
}

/// The memory time, in octaves.
fn memory(name: &str) -> FloatParam {
    let range = FloatRange::Linear {
        min: -FASTEST.log2(),
        max: LONGEST.log2(),
    };
    FloatParam::new(name, 0.0, range)
        .with_value_to_string(Arc::new(memory_text))
        .with_string_to_value(Arc::new(memory_of_text))
}

fn memory_text(octaves: f32) -> String {
    format!("{:.2} ×", octaves.exp2())
}

fn memory_of_text(text: &str) -> Option<f32> {
    let text = text.trim().trim_matches(['×', 'x']).trim();
    let factor: f32 = text.parse().ok()?;
    (factor.is_finite() && factor > 0.0).then(|| factor.log2())
}

fn store_text(slot: i32) -> String {
    if slot > 0 {
        slot.to_string()
    } else {
        OFF.into()
    }
}

fn store_of_text(text: &str) -> Option<i32> {
    let text = text.trim();
    if text.eq_ignore_ascii_case(OFF) {
        return Some(0);
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_times_and_slots_are_read_as_they_are_written() {
        for octaves in [-2.0f32, -0.5, 0.0, 1.0, 6.0] {
            let back = memory_of_text(&memory_text(octaves)).unwrap();
            assert!((back - octaves).abs() < 0.02, "{octaves}: {back}");
        }
        assert_eq!(memory_of_text("x2"), Some(1.0));
        assert_eq!(memory_of_text("-1"), None);
        assert_eq!(memory_of_text("long"), None);
        for slot in 0..=4 {
            assert_eq!(store_of_text(&store_text(slot)), Some(slot));
        }
    }
}
