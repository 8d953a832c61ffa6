//! Parameters of effects: the device's knobs, what leads to it, what follows.

use std::sync::Arc;

use nice_plug::prelude::*;
use statewave::controls::{Controls, NO_GATE_DB};
use statewave::model::effect::MAX_KNOBS;

use super::decibels;
use super::source::Source;
use crate::loader::ModelKnobs;
use crate::panel::host;

/// Largest gain in front of a device either way, in dB: what lies between an interface's level and a pedal's.
const INPUT_GAIN_DB: f32 = 24.0;

/// Text of the gate that is always open.
const NO_GATE: &str = "off";

/// See the module. A knob is a share of the way up, 0 to 1; what it does, and what it is called, is up to the model.
#[derive(Params)]
pub struct ToneParams {
    /// The device's first knob.
    #[id = "knob1"]
    pub knob1: FloatParam,
    /// The second.
    #[id = "knob2"]
    pub knob2: FloatParam,
    /// The third.
    #[id = "knob3"]
    pub knob3: FloatParam,
    /// The fourth.
    #[id = "knob4"]
    pub knob4: FloatParam,
    /// Gain in front of the device.
    #[id = "input-gain"]
    pub input_gain: FloatParam,
    /// Level of the input below which nothing reaches the device.
    #[id = "gate"]
    pub gate: FloatParam,
    /// The cabinet is heard, if there is one.
    #[id = "cabinet"]
    pub cabinet: BoolParam,
}

impl ToneParams {
    /// The defaults; texts of knobs follow `knobs`.
    pub fn new(knobs: &ModelKnobs) -> Self {
        let gain = FloatRange::Linear {
            min: -INPUT_GAIN_DB,
            max: INPUT_GAIN_DB,
        };
        let gate = FloatRange::Linear {
            min: NO_GATE_DB,
            max: 0.0,
        };
        Self {
            knob1: knob(0, knobs),
            knob2: knob(1, knobs),
            knob3: knob(2, knobs),
            knob4: knob(3, knobs),
            input_gain: FloatParam::new("Input Gain", 0.0, gain)
                .with_unit(" dB")
                .with_value_to_string(formatters::v2s_f32_rounded(1))
                .with_string_to_value(Arc::new(decibels)),
            gate: FloatParam::new("Gate", NO_GATE_DB, gate)
                .with_value_to_string(Arc::new(gate_text))
                .with_string_to_value(Arc::new(gate_of_text)),
            cabinet: BoolParam::new("Cabinet", true),
        }
    }

    /// Writes what `source` says.
    pub(super) fn write(&self, source: &impl Source, controls: &mut Controls) {
        controls.knobs = [
            source.of(&self.knob1, host::Param::Knob1),
            source.of(&self.knob2, host::Param::Knob2),
            source.of(&self.knob3, host::Param::Knob3),
            source.of(&self.knob4, host::Param::Knob4),
        ];
        controls.input_gain_db = source.of(&self.input_gain, host::Param::InputGain);
        controls.gate_db = source.of(&self.gate, host::Param::Gate);
        controls.cabinet = source.of(&self.cabinet, host::Param::Cabinet);
    }

    /// The page of a control surface.
    pub(super) fn page(&self, page: &mut impl RemoteControlsPage, output_gain: &FloatParam) {
        for knob in [&self.knob1, &self.knob2, &self.knob3, &self.knob4] {
            page.add_param(knob);
        }
        page.add_param(&self.input_gain);
        page.add_param(&self.gate);
        page.add_param(&self.cabinet);
        page.add_param(output_gain);
    }
}

/// A knob whose text is that of the model's knob of that index, with its name: the name of a parameter is one for life.
fn knob(index: usize, knobs: &ModelKnobs) -> FloatParam {
    const NAMES: [&str; MAX_KNOBS] = ["Knob 1", "Knob 2", "Knob 3", "Knob 4"];
    let (of_value, of_text) = (Arc::clone(knobs), Arc::clone(knobs));
    let range = FloatRange::Linear { min: 0.0, max: 1.0 };
    FloatParam::new(NAMES[index], 0.5, range)
        .with_value_to_string(Arc::new(move |share| match of_value.read().get(index) {
            Some(knob) => format!("{} {:.2}", knob.name, knob.at(share)),
            None => format!("{share:.2}"),
        }))
        .with_string_to_value(Arc::new(move |text: &str| {
            let knobs = of_text.read();
            let knob = knobs.get(index);
            let name = knob.map_or("", |knob| &knob.name);
            let text = text.trim();
            let number: f32 = text
                .strip_prefix(name)
                .unwrap_or(text)
                .trim()
                .parse()
                .ok()?;
            let share = knob.map_or(number, |knob| knob.share(number));
            share.is_finite().then_some(share)
        }))
}

/// The unit is part of the text, because the end of the range has none.
fn gate_text(db: f32) -> String {
    if db <= NO_GATE_DB {
        NO_GATE.into()
    } else {
        format!("{db:.1} dB")
    }
}

fn gate_of_text(text: &str) -> Option<f32> {
    let text = text.trim().to_lowercase();
    if [NO_GATE, "none", "no", "-inf"].contains(&text.as_str()) {
        return Some(NO_GATE_DB);
    }
    decibels(text.trim_end_matches("fs"))
}

#[cfg(test)]
mod tests {
    use statewave::model::effect::Knob;

    use super::*;

    #[test]
    fn a_knobs_text_is_that_of_the_model_and_read_as_it_is_written() {
        let knobs = ModelKnobs::default();
        let params = ToneParams::new(&knobs);
        let text = |share| params.knob2.normalized_value_to_string(share, true);
        let back = |text: &str| params.knob2.string_to_normalized_value(text);
        assert_eq!((text(0.25).as_str(), back("0.25")), ("0.25", Some(0.25)));
        let knob = |name: &str, min, max| Knob {
            name: name.into(),
            min,
            max,
            default: max,
        };
        *knobs.write() = vec![knob("drive", 0.0, 1.0), knob("tone", -10.0, 10.0)];
        assert_eq!(text(0.25), "tone -5.00");
        assert_eq!(back("tone -5.00"), Some(0.25));
        assert_eq!(back(" 10 "), Some(1.0));
        assert_eq!(back("loud"), None);
    }

    #[test]
    fn gates_are_read_as_they_are_written() {
        for db in [-100.0, -60.5, 0.0] {
            assert_eq!(gate_of_text(&gate_text(db)), Some(db));
        }
        assert_eq!(gate_of_text("-40 dBFS"), Some(-40.0));
        assert_eq!(gate_of_text("Off"), Some(NO_GATE_DB));
        assert_eq!(gate_of_text("shut"), None);
    }
}
