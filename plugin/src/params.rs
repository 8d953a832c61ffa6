//! The one list of parameters: ids, names, units, ranges, defaults, and text both ways.
//!
//! Flows in: what a host automates or a person moves. Flows out: [`Settings`], the plain values of a run of samples.
//! Nothing is smoothed here: the chain fades every control, and fading twice would only make it late.
//!
//! Ids are for ever, as are those of the choices: projects hold both. What has to be renamed is told to
//! [`state::RENAMED`](crate::state::RENAMED).

use std::sync::Arc;

use nice_plug::prelude::*;
use parking_lot::RwLock;
use statewave::controls::{Controls, Listen, Stereo, UNLIMITED_AMOUNT_DB};
use statewave::latency::LatencyMode;

use crate::loader::Loader;
use crate::processor::Settings;
use crate::state::{ModelField, StateVersion, WindowState};

/// Largest output gain either way, in dB: a trim, not an amplifier.
const OUTPUT_GAIN_DB: f32 = 24.0;

/// Amount in the middle of its travel, in dB: above it, what is left is hardly heard.
const MIDDLE_AMOUNT_DB: f32 = 24.0;

/// Text of the amount that sets no limit.
const NO_LIMIT: &str = "no limit";

/// Everything a project holds.
#[derive(Params)]
pub struct StatewaveParams {
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
    /// Which model plays, by name and hash. Set by the host when it restores a project, and by the panel.
    #[persist = "model"]
    pub model: ModelField,
    /// How the window looked last. The panel's thread only.
    #[persist = "window"]
    pub window: Arc<RwLock<WindowState>>,
    /// The form this state is saved in.
    #[persist = "state-version"]
    pub version: StateVersion,
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

impl StatewaveParams {
    /// The defaults, with `loader` to be told of the model.
    pub fn new(loader: Arc<Loader>) -> Self {
        let amount = FloatRange::Skewed {
            min: 0.0,
            max: UNLIMITED_AMOUNT_DB,
            factor: 0.5_f32.ln() / (MIDDLE_AMOUNT_DB / UNLIMITED_AMOUNT_DB).ln(),
        };
        let gain = FloatRange::Linear {
            min: -OUTPUT_GAIN_DB,
            max: OUTPUT_GAIN_DB,
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
            output_gain: FloatParam::new("Output Gain", 0.0, gain)
                .with_unit(" dB")
                .with_value_to_string(formatters::v2s_f32_rounded(1)),
            stereo: EnumParam::new("Stereo", StereoChoice::Link),
            bypass: BoolParam::new("Bypass", false)
                .with_value_to_string(formatters::v2s_bool_bypass())
                .with_string_to_value(formatters::s2v_bool_bypass())
                .make_bypass(),
            model: ModelField::new(loader),
            window: Arc::default(),
            version: StateVersion,
        }
    }

    /// The values now, for the samples up to the next change. Real-time safe.
    pub fn settings(&self) -> Settings {
        Settings {
            mode: match self.mode.value() {
                ModeChoice::Zero => LatencyMode::Zero,
                ModeChoice::Live => LatencyMode::Live,
            },
            controls: Controls {
                amount_db: self.amount.value(),
                mix: self.mix.value(),
                listen: match self.listen.value() {
                    ListenChoice::Out => Listen::Out,
                    ListenChoice::Removed => Listen::Removed,
                    ListenChoice::Dry => Listen::Dry,
                },
                output_gain_db: self.output_gain.value(),
                stereo: match self.stereo.value() {
                    StereoChoice::Link => Stereo::Link,
                    StereoChoice::Dual => Stereo::Dual,
                    StereoChoice::MidSide => Stereo::MidSide,
                },
                bypass: self.bypass.value(),
            },
        }
    }

    /// The page of a control surface.
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
        });
    }
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
    if [NO_LIMIT, "none", "inf", "max"].contains(&text.as_str()) {
        return Some(UNLIMITED_AMOUNT_DB);
    }
    // A limit of 12 dB is often written as -12 dB.
    let number: f32 = text.trim_end_matches("db").trim_end().parse().ok()?;
    number.is_finite().then_some(number.abs())
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
