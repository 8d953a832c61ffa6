//! The list as the panel asks for it: a parameter by its name, values normalised.

use nice_plug::prelude::{FloatParam, Param as _, Params};

use super::ParamList;
use crate::panel::host::{Param, choice_index, choice_value};

/// Does the same with whichever parameter is meant: they are of several types.
macro_rules! with {
    ($list:expr, $param:expr, $p:ident => $result:expr) => {
        with!(@ $list, $param, $p => $result; Amount amount, Mix mix, Listen listen, LatencyMode mode,
            OutputGain output_gain, Stereo stereo, Bypass bypass, Knob1 tone.knob1, Knob2 tone.knob2,
            Knob3 tone.knob3, Knob4 tone.knob4, InputGain tone.input_gain, Gate tone.gate, Cabinet tone.cabinet,
            GoOn continuing.go_on, Temperature continuing.temperature, TopP continuing.top_p,
            Density continuing.density, Seed continuing.seed, Freeze state.freeze, Memory state.memory,
            Store state.store, Recall state.recall, From state.from, To state.to, Morph state.morph,
            ResetOnStart state.reset_on_start)
    };
    (@ $list:expr, $param:expr, $p:ident => $result:expr; $($name:ident $($field:ident).+),*) => {
        match $param {
            $(Param::$name => {
                let $p = &$list.$($field).+;
                $result
            })*
        }
    };
}
pub(crate) use with;

impl ParamList {
    /// The value now, without a host's modulation. Real-time safe.
    pub fn value(&self, param: Param) -> f32 {
        with!(self, param, p => p.unmodulated_normalized_value())
    }

    /// What a reset sets.
    pub fn default_value(&self, param: Param) -> f32 {
        with!(self, param, p => p.default_normalized_value())
    }

    /// Number of choices of a stepped parameter; 0 for one that glides.
    pub fn choices(&self, param: Param) -> usize {
        with!(self, param, p => p.step_count().map_or(0, |steps| steps + 1))
    }

    /// A value with its unit.
    pub fn text(&self, param: Param, value: f32) -> String {
        with!(self, param, p => p.normalized_value_to_string(value, true))
    }

    /// The value that a person typed: with the unit or without, a comma for a point, small letters for large ones.
    pub fn parse(&self, param: Param, text: &str) -> Option<f32> {
        let read = |text: &str| with!(self, param, p => p.string_to_normalized_value(text));
        parsed(
            self.choices(param),
            |value| self.text(param, value),
            read,
            text,
        )
    }

    /// What a person might have meant who typed what [`Self::parse`] does not read.
    pub fn suggestion(&self, param: Param) -> String {
        let usual = self.default_value(param);
        suggested(self.choices(param), |value| self.text(param, value), usual)
    }

    /// The parameter of a name: its id in projects, that in preset files, or what panel and hosts call it, in any case, with spaces, hyphens
    /// or underscores between words.
    pub fn named(&self, name: &str) -> Option<Param> {
        let ids = self.param_map();
        Param::ALL.into_iter().find(|&param| {
            let (hosts, pointer) = with!(self, param, p => (p.name(), p.as_ptr()));
            let id = ids.iter().find(|(_, other, _)| *other == pointer);
            [hosts, param.key(), param.label()]
                .into_iter()
                .chain(id.map(|(id, ..)| id.as_str()))
                .any(|other| same_name(other, name))
        })
    }

    /// A value in its unit; the index of a choice.
    pub fn plain(&self, param: Param, value: f32) -> f32 {
        match self.gliding(param) {
            Some(p) => p.preview_plain(value),
            None => choice_index(value, self.choices(param)) as f32,
        }
    }

    /// The way back from [`Self::plain`], brought into range.
    pub fn normalised(&self, param: Param, plain: f32) -> f32 {
        let value = match self.gliding(param) {
            Some(p) => p.preview_normalized(plain),
            None => plain / (self.choices(param) - 1) as f32,
        };
        if value.is_finite() {
            value.clamp(0.0, 1.0)
        } else {
            self.default_value(param)
        }
    }

    /// The value within range, on a step where there are steps.
    pub fn snapped(&self, param: Param, value: f32) -> f32 {
        match self.choices(param) {
            _ if !value.is_finite() => self.default_value(param),
            0 => value.clamp(0.0, 1.0),
            count => choice_value(choice_index(value, count), count),
        }
    }

    fn gliding(&self, param: Param) -> Option<&FloatParam> {
        match param {
            Param::Amount => Some(&self.amount),
            Param::Mix => Some(&self.mix),
            Param::OutputGain => Some(&self.output_gain),
            Param::Knob1 => Some(&self.tone.knob1),
            Param::Knob2 => Some(&self.tone.knob2),
            Param::Knob3 => Some(&self.tone.knob3),
            Param::Knob4 => Some(&self.tone.knob4),
            Param::InputGain => Some(&self.tone.input_gain),
            Param::Gate => Some(&self.tone.gate),
            Param::Temperature => Some(&self.continuing.temperature),
            Param::TopP => Some(&self.continuing.top_p),
            Param::Density => Some(&self.continuing.density),
            Param::Freeze => Some(&self.state.freeze),
            Param::Memory => Some(&self.state.memory),
            Param::Morph => Some(&self.state.morph),
            Param::Listen | Param::LatencyMode | Param::Stereo | Param::Bypass => None,
            Param::Cabinet | Param::GoOn | Param::Seed => None,
            Param::Store | Param::Recall | Param::From | Param::To | Param::ResetOnStart => None,
        }
    }
}

/// Whether two names of a parameter are the same: in any case, with spaces, hyphens or underscores between words.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.trim().to_lowercase().replace([' ', '_'], "-");
    plain(a) == plain(b)
}

/// The value that a person typed for a parameter of so many choices (0 for one that glides), whose values have texts and
/// which can `read` them.
pub(crate) fn parsed(
    choices: usize,
    text_of: impl Fn(f32) -> String,
    read: impl Fn(&str) -> Option<f32>,
    text: &str,
) -> Option<f32> {
    let text = text.trim().replace('−', "-").replace(',', ".");
    let named = (0..choices)
        .map(|i| choice_value(i, choices))
        .find(|&value| text_of(value).eq_ignore_ascii_case(&text));
    named
        .or_else(|| read(&text))
        .filter(|value| value.is_finite())
        .map(|value| value.clamp(0.0, 1.0))
}

/// The most choices that are all named to who has typed none of them.
const NAMED: usize = 20;

/// What could be typed for such a parameter.
pub(crate) fn suggested(choices: usize, text_of: impl Fn(f32) -> String, usual: f32) -> String {
    match choices {
        1..=NAMED => {
            let names = (0..choices).map(|i| text_of(choice_value(i, choices)));
            let names: Vec<_> = names.collect();
            format!("one of {}", names.join(", ").to_lowercase())
        }
        _ => format!("try {}", text_of(usual)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_is_found_by_each_of_its_names() {
        let list = ParamList::default();
        let ids = list.param_map();
        assert_eq!(ids.len(), Param::ALL.len());
        for param in Param::ALL {
            let (name, pointer) = with!(list, param, p => (p.name(), p.as_ptr()));
            let (id, ..) = ids
                .iter()
                .find(|(_, other, _)| *other == pointer)
                .expect("it has an id");
            for name in [name, id, param.key(), param.label()] {
                assert_eq!(list.named(name), Some(param), "{name}");
                let other = name.to_uppercase().replace([' ', '-'], "_");
                assert_eq!(list.named(&other), Some(param), "{other}");
            }
        }
        assert_eq!(list.named("colour"), None);
    }
}
