//! The instrument's parameters, and what else a project holds of it.
//!
//! Ids are for ever. Instruments are held by their place in the shipped model, whose order is for ever too.

use std::sync::Arc;

use nice_plug::prelude::*;
use parking_lot::RwLock;
use statewave::instrument::InstrumentControls;

use super::{Slots, shipped};
use crate::params::{StateParams, decibels, output_gain, share};
use crate::state::{StateVersion, StatesField, WindowState};
use crate::unheard::Unheard;

/// Longest attack and release, seconds, and those in the middle of the knobs' travel.
const ATTACK_SECONDS: (f32, f32) = (2.0, 0.2);
const RELEASE_SECONDS: (f32, f32) = (10.0, 1.5);

/// Brightness either way, dB an octave.
const BRIGHTNESS_DB: f32 = 6.0;

/// Widest vibrato and pitch bend, semitones.
const VIBRATO_SEMITONES: f32 = 2.0;
const BEND_SEMITONES: i32 = 48;

/// See the module.
#[derive(Params)]
pub struct InstrumentParams {
    /// The instrument at a morph of 0.
    #[id = "a"]
    pub a: IntParam,
    /// The instrument at a morph of 1.
    #[id = "b"]
    pub b: IntParam,
    /// Between them.
    #[id = "morph"]
    pub morph: FloatParam,
    /// A rise laid over the instrument's own.
    #[id = "attack"]
    pub attack: FloatParam,
    /// How long a note may sound once it is let go.
    #[id = "release"]
    pub release: FloatParam,
    /// dB an octave over the fundamental.
    #[id = "brightness"]
    pub brightness: FloatParam,
    /// How far the mod wheel goes.
    #[id = "vibrato"]
    pub vibrato: FloatParam,
    /// How far the pitch wheel goes.
    #[id = "bend"]
    pub bend: IntParam,
    /// How far low and high notes stand apart.
    #[id = "width"]
    pub width: FloatParam,
    /// Gain behind everything.
    #[id = "gain"]
    pub output_gain: FloatParam,
    /// A channel a note.
    #[id = "mpe"]
    pub mpe: BoolParam,
    /// Of what the notes remember.
    #[nested(group = "State")]
    pub state: StateParams,
    /// The states that its slots keep. Set by the host when it restores a project; filled while it plays.
    #[persist = "states"]
    pub states: StatesField<Slots>,
    /// The same for all others.
    pub slots: Arc<Slots>,
    /// What the panel has set and no block has brought back yet.
    #[persist = "unheard"]
    pub unheard: Unheard,
    /// How the window looked last. The panel's thread only.
    #[persist = "window"]
    pub window: Arc<RwLock<WindowState>>,
    /// The form this state is saved in.
    #[persist = "state-version"]
    pub version: StateVersion,
}

impl Default for InstrumentParams {
    fn default() -> Self {
        let names: Arc<[String]> = shipped()
            .map(|model| model.facts().instruments.as_slice().into())
            .unwrap_or_default();
        let instrument = |label: &str, default: usize| {
            let last = names.len().saturating_sub(1);
            let range = IntRange::Linear {
                min: 0,
                max: last.max(1) as i32,
            };
            let (of_place, of_name) = (Arc::clone(&names), Arc::clone(&names));
            IntParam::new(label, default.min(last) as i32, range)
                .with_value_to_string(Arc::new(move |place| {
                    of_place.get(place as usize).cloned().unwrap_or_default()
                }))
                .with_string_to_value(Arc::new(move |text: &str| {
                    let named = |name: &String| name.eq_ignore_ascii_case(text.trim());
                    of_name.iter().position(named).map(|place| place as i32)
                }))
        };
        let time = |label: &str, default: f32, least: f32, (most, middle): (f32, f32)| {
            let factor = 0.5_f32.ln() / ((middle - least) / (most - least)).ln();
            let range = FloatRange::Skewed {
                min: least,
                max: most,
                factor,
            };
            FloatParam::new(label, default, range)
                .with_value_to_string(Arc::new(time_text))
                .with_string_to_value(Arc::new(time_of_text))
        };
        let brightness = FloatRange::Linear {
            min: -BRIGHTNESS_DB,
            max: BRIGHTNESS_DB,
        };
        let vibrato = FloatRange::Linear {
            min: 0.0,
            max: VIBRATO_SEMITONES,
        };
        let bend = IntRange::Linear {
            min: 0,
            max: BEND_SEMITONES,
        };
        let usual = InstrumentControls::default();
        let slots = Arc::<Slots>::default();
        Self {
            a: instrument("Instrument A", 0),
            b: instrument("Instrument B", 9),
            morph: share("Morph", usual.morph),
            attack: time("Attack", usual.attack_seconds, 0.0, ATTACK_SECONDS),
            release: time("Release", usual.release_seconds, 0.02, RELEASE_SECONDS),
            brightness: FloatParam::new("Brightness", usual.brightness_db, brightness)
                .with_unit(" dB/oct")
                .with_value_to_string(formatters::v2s_f32_rounded(1))
                .with_string_to_value(Arc::new(|text: &str| {
                    decibels(text.trim().trim_end_matches("/oct"))
                })),
            vibrato: FloatParam::new("Vibrato", usual.vibrato_semitones, vibrato)
                .with_unit(" st")
                .with_value_to_string(formatters::v2s_f32_rounded(2)),
            bend: IntParam::new("Bend Range", usual.bend_semitones as i32, bend).with_unit(" st"),
            width: share("Width", usual.width),
            output_gain: output_gain(),
            mpe: BoolParam::new("MPE", usual.mpe),
            state: StateParams::default(),
            states: StatesField::new(Arc::clone(&slots)),
            slots,
            unheard: Unheard::default(),
            window: Arc::default(),
            version: StateVersion,
        }
    }
}

impl InstrumentParams {
    /// The values now, for the samples up to the next change. Real-time safe.
    pub fn controls(&self) -> InstrumentControls {
        InstrumentControls {
            a: self.a.value().max(0) as usize,
            b: self.b.value().max(0) as usize,
            morph: self.morph.value(),
            attack_seconds: self.attack.value(),
            release_seconds: self.release.value(),
            brightness_db: self.brightness.value(),
            vibrato_semitones: self.vibrato.value(),
            bend_semitones: self.bend.value() as f32,
            mpe: self.mpe.value(),
            width: self.width.value(),
            gain: util::db_to_gain(self.output_gain.value()),
            state: self.state.controls(),
        }
    }

    /// The page of a control surface.
    pub fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        context.add_section("Statewave Instrument", |section| {
            section.add_page("Main", |page| {
                page.add_param(&self.a);
                page.add_param(&self.morph);
                page.add_param(&self.b);
                page.add_param(&self.brightness);
                page.add_param(&self.attack);
                page.add_param(&self.release);
                page.add_param(&self.vibrato);
                page.add_param(&self.output_gain);
            });
            section.add_page("State", |page| self.state.page(page));
        });
    }
}

fn time_text(seconds: f32) -> String {
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1000.0)
    } else {
        format!("{seconds:.2} s")
    }
}

/// Milliseconds or seconds; milliseconds where no unit is said.
fn time_of_text(text: &str) -> Option<f32> {
    let text = text.trim().to_lowercase();
    let (number, scale) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => match text.strip_suffix('s') {
            Some(number) => (number, 1.0),
            None => (text.as_str(), 0.001),
        },
    };
    let seconds = number.trim().parse::<f32>().ok()? * scale;
    seconds.is_finite().then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for seconds in [0.0, 0.02, 0.25, 1.0, 1.5, 10.0] {
            let back = time_of_text(&time_text(seconds)).expect("it is a time");
            assert!(
                (back - seconds).abs() < 1e-6,
                "{seconds} came back as {back}"
            );
        }
        assert_eq!(time_of_text("250"), Some(0.25));
        assert_eq!(time_of_text("soon"), None);
        assert_eq!(time_of_text("NaN s"), None);
    }

    #[test]
    fn instruments_have_names() {
        let params = InstrumentParams::default();
        let last = params.a.step_count().expect("it has steps") as i32;
        for place in 0..=last {
            let text = params
                .a
                .normalized_value_to_string(params.a.preview_normalized(place), true);
            assert!(!text.is_empty(), "{place} has no name");
            let back = params
                .a
                .string_to_normalized_value(&text)
                .expect("it is a name");
            assert_eq!(params.a.preview_plain(back), place);
        }
        assert_eq!(params.a.string_to_normalized_value("kazoo"), None);
    }
}
