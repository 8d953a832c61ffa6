//! Parameters of sound that goes on by itself.

use std::sync::Arc;

use nice_plug::prelude::*;
use statewave::engine::continuation::{Continue, Sampling};
use statewave::model::generate::Density;

use super::source::Source;
use crate::panel::host;

/// The hottest temperature.
const TEMPERATURE: f32 = 2.0;

/// The last seed.
const SEEDS: i32 = 9_999;

/// Text of the density that is left to what was heard.
const AS_HEARD: &str = "as heard";

/// See the module.
#[derive(Params)]
pub struct ContinueParams {
    /// It goes on by itself, or listens.
    #[id = "go-on"]
    pub go_on: BoolParam,
    /// How far from the likeliest sample it strays.
    #[id = "temperature"]
    pub temperature: FloatParam,
    /// Share of the probability that is drawn from.
    #[id = "top-p"]
    pub top_p: FloatParam,
    /// How dense what comes should be; at 0 as what was heard.
    #[id = "density"]
    pub density: FloatParam,
    /// Where random numbers begin.
    #[id = "seed"]
    pub seed: IntParam,
}

impl Default for ContinueParams {
    fn default() -> Self {
        let usual = Continue::default();
        let Sampling { temperature, top_p } = usual.sampling;
        let share = FloatRange::Linear { min: 0.0, max: 1.0 };
        let hot = FloatRange::Linear {
            min: 0.0,
            max: TEMPERATURE,
        };
        let seeds = IntRange::Linear { min: 0, max: SEEDS };
        Self {
            go_on: BoolParam::new("Go On", usual.go_on),
            temperature: FloatParam::new("Temperature", temperature, hot)
                .with_value_to_string(formatters::v2s_f32_rounded(2)),
            top_p: FloatParam::new("Top-p", top_p, share)
                .with_value_to_string(formatters::v2s_f32_rounded(3)),
            density: FloatParam::new("Density", 0.0, share)
                .with_value_to_string(Arc::new(density_text))
                .with_string_to_value(Arc::new(density_of_text)),
            seed: IntParam::new("Seed", usual.seed as i32, seeds),
        }
    }
}

impl ContinueParams {
    /// What `source` says.
    pub(super) fn read(&self, source: &impl Source) -> Continue {
        let share = source.of(&self.density, host::Param::Density);
        Continue {
            go_on: source.of(&self.go_on, host::Param::GoOn),
            sampling: Sampling {
                temperature: source.of(&self.temperature, host::Param::Temperature),
                top_p: source.of(&self.top_p, host::Param::TopP),
            },
            density: if share > 0.0 {
                Density { share, weight: 1.0 }
            } else {
                Density::default()
            },
            seed: source.of(&self.seed, host::Param::Seed).max(0) as u64,
            ..Continue::default()
        }
    }

    /// The page of a control surface.
    pub(super) fn page(
        &self,
        page: &mut impl RemoteControlsPage,
        mix: &FloatParam,
        output_gain: &FloatParam,
    ) {
        page.add_param(&self.go_on);
        page.add_param(&self.temperature);
        page.add_param(&self.top_p);
        page.add_param(&self.density);
        page.add_param(&self.seed);
        page.add_param(mix);
        page.add_param(output_gain);
    }
}

/// The unit is part of the text, because the end of the range has none.
fn density_text(share: f32) -> String {
    if share > 0.0 {
        format!("{:.1} %", 100.0 * share)
    } else {
        AS_HEARD.into()
    }
}

fn density_of_text(text: &str) -> Option<f32> {
    let text = text.trim().to_lowercase();
    if text == AS_HEARD {
        return Some(0.0);
    }
    let percent: f32 = text.trim_end_matches('%').trim().parse().ok()?;
    percent.is_finite().then_some(percent / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn densities_are_read_as_they_are_written() {
        for share in [0.0, 0.125, 1.0] {
            assert_eq!(density_of_text(&density_text(share)), Some(share));
        }
        assert_eq!(density_of_text("As heard"), Some(0.0));
        assert_eq!(density_of_text("50"), Some(0.5));
        assert_eq!(density_of_text("busy"), None);
    }
}
