//! The parameters themselves: ids, names, units, ranges, defaults, and text both ways.
//!
//! Ids are for ever, as are those of the choices: projects hold both. What has to be renamed is told to
//! [`state::RENAMED`](crate::state::RENAMED).

use std::sync::Arc;

use nice_plug::prelude::*;
use statewave::controls::{Controls, Listen, Stereo, UNLIMITED_AMOUNT_DB};
use statewave::latency::LatencyMode;

use super::continuing::ContinueParams;
use super::source::{Kept, Own, Source};
use super::state::StateParams;
use super::tone::ToneParams;
use crate::loader::ModelKnobs;
use crate::panel::host;
use crate::processor::Settings;

/// Largest output gain either way, in dB: a trim, not an amplifier.
const OUTPUT_GAIN_DB: f32 = 24.0;

/// Amount in the middle of its travel, in dB: above it, what is left is hardly heard.
const MIDDLE_AMOUNT_DB: f32 = 24.0;

/// Text of the amount that sets no limit.
const NO_LIMIT: &str = "no limit";

/// What hosts may automate and a person may move.
#[derive(Params)]
pub struct ParamList {
    /// The most that is taken away.
    #[id = "amount"]
    pub amount: FloatParam,
    /// Share of the processed signal.
    #[id = "mix"]
    pub mix: FloatParam,
    /// What is heard.
    #[id = "listen"]
    pub listen: EnumParam<ListenChoice>,
    /// Which latency; the host starts anew when it changes.
    #[id = "mode"]
    pub mode: EnumParam<ModeChoice>,
    /// Gain behind the mix.
    #[id = "gain"]
    pub output_gain: FloatParam,
    /// How two channels share the model.
    #[id = "stereo"]
    pub stereo: EnumParam<StereoChoice>,
    /// The host's bypass: the delayed input, bit for bit.
    #[id = "bypass"]
    pub bypass: BoolParam,
    /// Of effects.
    #[nested(group = "Tone")]
    pub tone: ToneParams,
    /// Of sound that goes on by itself.
    #[nested(group = "Continue")]
    pub continuing: ContinueParams,
    /// Of what a model remembers.
    #[nested(group = "State")]
    pub state: StateParams,
}

/// [`Listen`] as hosts show it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenChoice {
    /// The processed signal.
    #[id = "out"]
    #[name = "Output"]
    Out,
    /// What is taken away.
    #[id = "removed"]
    Removed,
    /// The delayed input.
    #[id = "dry"]
    Dry,
}

/// [`LatencyMode`] as hosts show it, the shortest first.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModeChoice {
    /// Not a sample.
    #[id = "zero"]
    Zero,
    /// The model's own.
    #[id = "live"]
    Live,
}

/// [`Stereo`] as hosts show it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum StereoChoice {
    /// One decision for both channels.
    #[id = "link"]
    Link,
    /// Every channel on its own.
    #[id = "dual"]
    Dual,
    /// Middle and side.
    #[id = "mid-side"]
    #[name = "Mid-side"]
    MidSide,
}

impl From<ListenChoice> for Listen {
    fn from(choice: ListenChoice) -> Self {
        match choice {
            ListenChoice::Out => Self::Out,
            ListenChoice::Removed => Self::Removed,
            ListenChoice::Dry => Self::Dry,
        }
    }
}

impl From<ModeChoice> for LatencyMode {
    fn from(choice: ModeChoice) -> Self {
        match choice {
            ModeChoice::Zero => Self::Zero,
            ModeChoice::Live => Self::Live,
        }
    }
}

impl From<StereoChoice> for Stereo {
    fn from(choice: StereoChoice) -> Self {
        match choice {
            StereoChoice::Link => Self::Link,
            StereoChoice::Dual => Self::Dual,
            StereoChoice::MidSide => Self::MidSide,
        }
    }
}

impl Default for ParamList {
    fn default() -> Self {
        Self::new(&ModelKnobs::default())
    }
}

impl ParamList {
    /// The defaults; texts of knobs follow `knobs`.
    pub fn new(knobs: &ModelKnobs) -> Self {
        let amount = FloatRange::Skewed {
            min: 0.0,
            max: UNLIMITED_AMOUNT_DB,
            factor: 0.5_f32.ln() / (MIDDLE_AMOUNT_DB / UNLIMITED_AMOUNT_DB).ln(),
        };
        Self {
            amount: FloatParam::new("Amount", UNLIMITED_AMOUNT_DB, amount)
                .with_value_to_string(Arc::new(amount_text))
                .with_string_to_value(Arc::new(amount_of_text)),
            mix: FloatParam::new("Mix", 1.0, FloatRange::Linear { min: 0.0, max: 1.0 })
                .with_unit(" %")
                .with_value_to_string(formatters::v2s_f32_percentage(1))
                .with_string_to_value(formatters::s2v_f32_percentage()),
            listen: EnumParam::new("Listen", ListenChoice::Out),
            mode: EnumParam::new("Latency", ModeChoice::Live),
            output_gain: output_gain(),
            stereo: EnumParam::new("Stereo", StereoChoice::Link),
            bypass: BoolParam::new("Bypass", false)
                .with_value_to_string(formatters::v2s_bool_bypass())
                .with_string_to_value(formatters::s2v_bool_bypass())
                .make_bypass(),
            tone: ToneParams::new(knobs),
            continuing: ContinueParams::default(),
            state: StateParams::default(),
        }
    }

    /// The values now, for the samples up to the next change. Real-time safe.
    pub fn settings(&self) -> Settings {
        self.read(&Own)
    }

    /// The same of values that are kept elsewhere, normalised. Real-time safe.
    pub fn settings_of(&self, value: impl Fn(host::Param) -> f32) -> Settings {
        self.read(&Kept(value))
    }

    fn read(&self, source: &impl Source) -> Settings {
        let mut controls = Controls {
            amount_db: source.of(&self.amount, host::Param::Amount),
            mix: source.of(&self.mix, host::Param::Mix),
            listen: source.of(&self.listen, host::Param::Listen).into(),
            output_gain_db: source.of(&self.output_gain, host::Param::OutputGain),
            stereo: source.of(&self.stereo, host::Param::Stereo).into(),
            bypass: source.of(&self.bypass, host::Param::Bypass),
            continuation: self.continuing.read(source),
            state: self.state.read(source),
            ..Controls::default()
        };
        self.tone.write(source, &mut controls);
        Settings {
            mode: source.of(&self.mode, host::Param::LatencyMode).into(),
            reset_on_start: source.of(&self.state.reset_on_start, host::Param::ResetOnStart),
            controls,
        }
    }

    /// The latency mode of a normalised value.
    pub fn mode(&self, value: f32) -> LatencyMode {
        self.mode.preview_plain(value).into()
    }

    /// The pages of a control surface.
    pub fn remote_controls(&self, context: &mut impl RemoteControlsContext) {
        context.add_section("Statewave", |section| {
            section.add_page("Main", |page| {
                page.add_param(&self.amount);
                page.add_param(&self.mix);
                page.add_param(&self.listen);
                page.add_param(&self.output_gain);
                page.add_param(&self.stereo);
                page.add_param(&self.mode);
                page.add_spacer();
                page.add_param(&self.bypass);
            });
            section.add_page("Tone", |page| self.tone.page(page, &self.output_gain));
            section.add_page("Continue", |page| {
                self.continuing.page(page, &self.mix, &self.output_gain);
            });
            section.add_page("State", |page| self.state.page(page));
        });
    }
}

/// The gain behind everything, as the plugins have it.
pub(crate) fn output_gain() -> FloatParam {
    let range = FloatRange::Linear {
        min: -OUTPUT_GAIN_DB,
        max: OUTPUT_GAIN_DB,
    };
    FloatParam::new("Output Gain", 0.0, range)
        .with_unit(" dB")
        .with_value_to_string(formatters::v2s_f32_rounded(1))
        .with_string_to_value(Arc::new(decibels))
}

/// The unit is part of the text, because the end of the range has none.
fn amount_text(db: f32) -> String {
    if db >= UNLIMITED_AMOUNT_DB {
        NO_LIMIT.into()
    } else {
        format!("{db:.1} dB")
    }
}

fn amount_of_text(text: &str) -> Option<f32> {
    let text = text.trim().to_lowercase();
    if [NO_LIMIT, "all", "none", "inf", "max"].contains(&text.as_str()) {
        return Some(UNLIMITED_AMOUNT_DB);
    }
    // A limit of 12 dB is often written as -12 dB.
    decibels(&text).map(f32::abs)
}

/// A level with its unit or without.
pub(crate) fn decibels(text: &str) -> Option<f32> {
    let text = text.trim().to_lowercase();
    let number: f32 = text.trim_end_matches("db").trim_end().parse().ok()?;
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for db in [0.0, 0.1, 12.0, 99.9, 100.0] {
            assert_eq!(amount_of_text(&amount_text(db)), Some(db));
        }
        assert_eq!(amount_of_text("-12"), Some(12.0));
        assert_eq!(amount_of_text("No limit "), Some(100.0));
        assert_eq!(amount_of_text("loud"), None);
        assert_eq!(amount_of_text("NaN"), None);
    }
}
