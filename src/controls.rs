//! The plain values a shell gives the chain with each block.
//!
//! Flows in: whatever a host, a program or a test sets. Flows out: weights of the dry and the wet signal, made safe
//! here so that no value a shell can send, NaN included, reaches the audio.

use crate::engine::continuation::Continue;
use crate::model::effect::MAX_KNOBS;
use crate::state::StateControls;

/// Amount from which nothing limits what is removed, in dB.
pub const UNLIMITED_AMOUNT_DB: f32 = 100.0;

/// Largest output gain either way, in dB.
pub const MAX_OUTPUT_GAIN_DB: f32 = 60.0;

/// Threshold of the noise gate, in dBFS, up to which there is none.
pub const NO_GATE_DB: f32 = -100.0;

/// What is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listen {
    /// The processed signal.
    #[default]
    Out,
    /// What processing takes away: the delayed input less the signal processed at full mix.
    Removed,
    /// The delayed input.
    Dry,
}

/// How the channels share the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stereo {
    /// One gain a bin for all channels, decided by all: the image stays where it is.
    Link,
    /// Every channel on its own.
    #[default]
    Dual,
    /// Middle and side of two channels, each on its own; other counts are as [`Stereo::Dual`].
    MidSide,
}

/// What the user set, read once a block. Changes are faded in by the chain, so any value may jump at any block.
///
/// Out of range values are brought into range and NaN counts as the default.
///
/// ```
/// use statewave::controls::{Controls, Listen};
///
/// let gentle = Controls { amount_db: 12.0, ..Controls::default() };
/// assert_eq!(gentle.mix, 1.0);
/// assert_eq!(gentle.listen, Listen::Out);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Controls {
    /// Of denoisers: the most that is taken away, in dB: 0 takes nothing, [`UNLIMITED_AMOUNT_DB`] and more sets no limit.
    pub amount_db: f32,
    /// Share of the processed signal, 0 (delayed input, bit for bit) to 1.
    pub mix: f32,
    /// What is heard.
    pub listen: Listen,
    /// Gain after the mix, in dB, within ±[`MAX_OUTPUT_GAIN_DB`].
    pub output_gain_db: f32,
    /// How the channels share the model; a change is heard from the next frame on.
    pub stereo: Stereo,
    /// Hear the delayed input, bit for bit, while the model keeps following the signal.
    pub bypass: bool,
    /// Of effects: how far up each knob is, 0 to 1.
    pub knobs: [f32; MAX_KNOBS],
    /// Of effects: gain in front of the device, in dB, within ±[`MAX_OUTPUT_GAIN_DB`]: what makes an interface's level that of
    /// the recordings that the device was learnt from.
    pub input_gain_db: f32,
    /// Of effects: below this level of the input, in dBFS, nothing reaches the device; [`NO_GATE_DB`] and less for no gate.
    pub gate_db: f32,
    /// Of effects: the cabinet behind the device is heard, if there is one.
    pub cabinet: bool,
    /// Of models that go on by themselves: whether, and how. Its own `mix` stands at 1, for [`Controls::mix`] does the same.
    pub continuation: Continue,
    /// What is done to the model's state.
    pub state: StateControls,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            amount_db: UNLIMITED_AMOUNT_DB,
            mix: 1.0,
            listen: Listen::Out,
            output_gain_db: 0.0,
            stereo: Stereo::default(),
            bypass: false,
            knobs: [0.5; MAX_KNOBS],
            input_gain_db: 0.0,
            gate_db: NO_GATE_DB,
            cabinet: true,
            continuation: Continue::default(),
            state: StateControls::default(),
        }
    }
}

/// The controls as the mixer uses them: `gain · (dry · d + wet · w)`, then `bypass` of the way to `d`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Weights {
    pub dry: f32,
    pub wet: f32,
    pub gain: f32,
    pub bypass: f32,
}

impl Controls {
    /// Share of the model's signal in what is heard as [`Listen::Out`], 0 to 1; the rest is the delayed input.
    pub fn wet_share(&self) -> f32 {
        finite_or(self.mix, Self::default().mix).clamp(0.0, 1.0) * self.processed()
    }

    /// The same at full mix.
    fn processed(&self) -> f32 {
        let amount_db = finite_or(self.amount_db, Self::default().amount_db).max(0.0);
        // An amount of A dB leaves 10^(-A/20) of the input beside the model's signal.
        if amount_db >= UNLIMITED_AMOUNT_DB {
            1.0
        } else {
            1.0 - db_to_gain(-amount_db)
        }
    }

    /// Gain in front of an effect.
    pub(crate) fn input_gain(&self) -> f32 {
        gain_of(self.input_gain_db)
    }

    pub(crate) fn weights(&self) -> Weights {
        let (processed, mixed) = (self.processed(), self.wet_share());
        let (dry, wet) = match self.listen {
            Listen::Out => (1.0 - mixed, mixed),
            Listen::Removed => (processed, -processed),
            Listen::Dry => (1.0, 0.0),
        };
        Weights {
            dry,
            wet,
            gain: gain_of(self.output_gain_db),
            bypass: if self.bypass { 1.0 } else { 0.0 },
        }
    }
}

fn finite_or(value: f32, default: f32) -> f32 {
    // An infinite amount is a fair way to say "no limit"; only NaN says nothing.
    if value.is_nan() { default } else { value }
}

/// A gain in dB, within what is allowed.
fn gain_of(db: f32) -> f32 {
    db_to_gain(finite_or(db, 0.0).clamp(-MAX_OUTPUT_GAIN_DB, MAX_OUTPUT_GAIN_DB))
}

pub(crate) fn db_to_gain(db: f32) -> f32 {
    10.0_f32.powf(db / 20.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_every_range_are_exact() {
        let dry = Weights {
            dry: 1.0,
            wet: 0.0,
            gain: 1.0,
            bypass: 0.0,
        };
        let wet = Weights {
            dry: 0.0,
            wet: 1.0,
            gain: 1.0,
            bypass: 0.0,
        };
        assert_eq!(Controls::default().weights(), wet);
        assert_eq!(
            Controls {
                mix: 0.0,
                ..Controls::default()
            }
            .weights(),
            dry
        );
        assert_eq!(
            Controls {
                amount_db: 0.0,
                ..Controls::default()
            }
            .weights(),
            dry
        );
        assert_eq!(
            Controls {
                listen: Listen::Dry,
                ..Controls::default()
            }
            .weights(),
            dry
        );
    }

    #[test]
    fn values_that_are_no_numbers_count_as_defaults() {
        let nan = Controls {
            amount_db: f32::NAN,
            mix: f32::NAN,
            output_gain_db: f32::NAN,
            ..Controls::default()
        };
        assert_eq!(nan.weights(), Controls::default().weights());
        let infinite = Controls {
            amount_db: f32::INFINITY,
            mix: f32::INFINITY,
            ..Controls::default()
        };
        assert_eq!(infinite.weights(), Controls::default().weights());
    }
}
