//! Parameters by their names, as `--set` names them: of what sound goes through, or of the instrument.

use statewave::model::streams::StreamModel;

use super::values::Values;
use crate::fault::Fault;
use crate::instrument::InstrumentParams;
use crate::instrument::hands::Direct;
use crate::panel::host::Param;
use crate::params::same_name;

/// A name and the text of a value.
pub type Setting = (String, String);

/// Takes `NAME=VALUE` apart.
///
/// # Errors
/// When there is no `=` in it.
pub fn setting(text: &str) -> Result<Setting, String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("NAME=VALUE is needed, such as freeze=\"100 %\"")?;
    Ok((name.trim().into(), value.trim().into()))
}

/// Sets parameters of what sound goes through; the texts of knobs are those of the model that was read last.
///
/// # Errors
/// When there is none of a name, or it has no such value; those before it are set.
pub fn values(values: &Values, settings: &[Setting]) -> Result<(), Fault> {
    let list = values.list();
    for (name, text) in settings {
        let Some(param) = list.named(name) else {
            return Err(unknown(name, Param::ALL.map(Param::key).map(String::from)));
        };
        let value = list
            .parse(param, text)
            .ok_or_else(|| unread(name, text, list.suggestion(param)))?;
        values.set(param, value);
    }
    Ok(())
}

/// Turns the knobs of those names, by values in their units, on `model`.
///
/// # Errors
/// A knob that it does not have, or a value beyond its range; those before it are turned.
pub fn knobs(values: &Values, model: &StreamModel, knobs: &[(String, f32)]) -> Result<(), Fault> {
    for (name, value) in knobs {
        let StreamModel::Effect(effect) = model else {
            return Err(Fault {
                what: format!("--knob {name}: the model is no effect and has no knobs"),
                remedy: "name an effect by --model, such as tone-drive".into(),
            });
        };
        let set = effect.spec().knob_share(name, *value);
        let (index, share) = set.map_err(|e| Fault {
            what: e.to_string(),
            remedy: e.remedy(),
        })?;
        values.set(Param::KNOBS[index], share);
    }
    Ok(())
}

/// Sets parameters of the instrument.
///
/// # Errors
/// As [`values`].
pub fn instrument(params: &InstrumentParams, settings: &[Setting]) -> Result<(), Fault> {
    let all = params.handles();
    for (name, text) in settings {
        let found = all
            .iter()
            .find(|(id, param)| same_name(id, name) || same_name(param.name(), name));
        let Some((_, param)) = found else {
            return Err(unknown(name, all.into_iter().map(|(id, _)| id)));
        };
        let value = param
            .parse(text)
            .ok_or_else(|| unread(name, text, param.suggestion()))?;
        param.set(&Direct, value);
    }
    Ok(())
}

fn unknown(name: &str, there: impl IntoIterator<Item = String>) -> Fault {
    let there: Vec<_> = there.into_iter().collect();
    Fault {
        what: format!("--set {name}: there is no such parameter"),
        remedy: format!("one of {}", there.join(", ")),
    }
}

fn unread(name: &str, text: &str, suggestion: String) -> Fault {
    Fault {
        what: format!("--set {name}: {text} is no value of it"),
        remedy: suggestion,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::host::choice_value;

    fn settings(all: &[&str]) -> Vec<Setting> {
        let read = |text: &&str| setting(text).expect("it is a setting");
        all.iter().map(read).collect()
    }

    #[test]
    fn every_parameter_is_set_by_its_name_and_the_text_on_the_panel() {
        for param in Param::ALL {
            let (here, list) = (Values::default(), Values::default());
            let list = list.list();
            let other = match list.choices(param) {
                0 => 0.25,
                count if list.default_value(param) > 0.5 => choice_value(0, count),
                count => choice_value(count - 1, count),
            };
            let text = list.text(param, other);
            let set = settings(&[&format!("{}={text}", param.label())]);
            assert_eq!(values(&here, &set), Ok(()), "{text}");
            assert_eq!(list.text(param, here.get(param)), text, "{param:?}");
        }
    }

    #[test]
    fn what_there_is_not_is_answered_by_what_there_is() {
        let here = Values::default();
        let fault = |text| values(&here, &settings(&[text])).expect_err("it cannot be set");
        let unknown = fault("colour=red").remedy;
        for param in Param::ALL {
            assert!(unknown.contains(param.key()), "{unknown}");
        }
        assert_eq!(fault("stereo=triple").remedy, "one of link, dual, mid-side");
        assert_eq!(fault("mix=loud").remedy, "try 100.0 %");
        assert!(setting("freeze").is_err());
    }

    #[test]
    fn parameters_of_the_instrument_are_set_by_id_or_name() {
        let params = InstrumentParams::default();
        let set = settings(&[
            "b=cello",
            "Morph=30 %",
            "release=250 ms",
            "MPE=on",
            "bend=12",
        ]);
        assert_eq!(instrument(&params, &set), Ok(()));
        let controls = params.controls();
        assert!((controls.morph - 0.3).abs() < 1e-6 && controls.mpe);
        assert!((controls.release_seconds - 0.25).abs() < 1e-4);
        assert_eq!(controls.bend_semitones, 12.0);
        assert_ne!(controls.b, InstrumentParams::default().controls().b);
        let fault = |text| instrument(&params, &settings(&[text])).expect_err("it cannot be set");
        assert!(fault("amount=3 dB").remedy.contains("brightness, vibrato"));
        assert!(fault("a=kazoo").remedy.contains("cello"));
    }
}
