//! The app's parameters: set by the panel, MIDI and flags, read by the audio thread once a block.

use std::sync::atomic::{AtomicU32, Ordering};

use statewave::controls::{Controls, Listen, UNLIMITED_AMOUNT_DB};

use crate::panel::host::{Param, choice_index};

/// The last stop of the amount but for "all", dB.
const MOST_AMOUNT_DB: f32 = 60.0;

/// Output gain either way, dB.
const MOST_GAIN_DB: f32 = 24.0;

const LISTEN: [&str; 3] = ["Output", "Removed", "Input"];
const MODES: [&str; 3] = ["Zero", "Live", "Studio"];
const STEREO: [&str; 3] = ["Link", "Dual", "Mid-side"];

/// Index of the mode whose model is shipped.
pub const LIVE_MODE: usize = 1;

/// Normalised values, each on its own: no order between them matters.
pub struct Values([AtomicU32; Param::ALL.len()]);

impl Default for Values {
    fn default() -> Self {
        Self(Param::ALL.map(|param| AtomicU32::new(default(param).to_bits())))
    }
}

impl Values {
    /// The value now, 0 to 1. Real-time safe.
    pub fn get(&self, param: Param) -> f32 {
        f32::from_bits(self.0[param as usize].load(Ordering::Relaxed))
    }

    /// Changes it; stepped ones go to the nearest step. Real-time safe.
    pub fn set(&self, param: Param, value: f32) {
        let mut value = if value.is_finite() {
            value.clamp(0.0, 1.0)
        } else {
            default(param)
        };
        let steps = choices(param).len();
        if steps > 0 {
            value = choice_index(value, steps) as f32 / (steps - 1) as f32;
        }
        self.0[param as usize].store(value.to_bits(), Ordering::Relaxed);
    }

    /// What the chain is given. Real-time safe.
    pub fn controls(&self) -> Controls {
        let of = |param| plain(param, self.get(param));
        Controls {
            amount_db: of(Param::Amount),
            mix: of(Param::Mix),
            listen: match of(Param::Listen) as usize {
                0 => Listen::Out,
                1 => Listen::Removed,
                _ => Listen::Dry,
            },
            output_gain_db: of(Param::OutputGain),
            bypass: of(Param::Bypass) >= 0.5,
        }
    }
}

/// The choices of a stepped parameter; none for one that glides.
pub fn choices(param: Param) -> &'static [&'static str] {
    match param {
        Param::Listen => &LISTEN,
        Param::LatencyMode => &MODES,
        Param::Stereo => &STEREO,
        Param::Bypass => &["Off", "On"],
        Param::Amount | Param::Mix | Param::OutputGain => &[],
    }
}

/// What a reset sets.
pub fn default(param: Param) -> f32 {
    match param {
        Param::Amount | Param::Mix => 1.0,
        Param::OutputGain | Param::LatencyMode => 0.5,
        Param::Listen | Param::Stereo | Param::Bypass => 0.0,
    }
}

/// A value in its unit. The amount's last stop sets no limit.
pub fn plain(param: Param, value: f32) -> f32 {
    match param {
        Param::Amount if value >= 0.9999 => UNLIMITED_AMOUNT_DB,
        Param::Amount => value * MOST_AMOUNT_DB,
        Param::Mix => value,
        Param::OutputGain => (2.0 * value - 1.0) * MOST_GAIN_DB,
        _ => choice_index(value, choices(param).len()) as f32,
    }
}

/// The way back from [`plain`].
pub fn normalised(param: Param, plain: f32) -> f32 {
    let value = match param {
        Param::Amount => plain / MOST_AMOUNT_DB,
        Param::Mix => plain,
        Param::OutputGain => (plain / MOST_GAIN_DB + 1.0) / 2.0,
        _ => plain / (choices(param).len() - 1) as f32,
    };
    if value.is_finite() {
        value.clamp(0.0, 1.0)
    } else {
        default(param)
    }
}

/// A value with its unit.
pub fn text(param: Param, value: f32) -> String {
    let plain = plain(param, value);
    match param {
        Param::Amount if plain >= UNLIMITED_AMOUNT_DB => "All".into(),
        Param::Amount => format!("{plain:.1} dB"),
        Param::Mix => format!("{:.0} %", 100.0 * plain),
        Param::OutputGain if plain.abs() < 0.05 => "0.0 dB".into(),
        Param::OutputGain => format!("{plain:+.1} dB"),
        _ => choices(param)[plain as usize].into(),
    }
}

/// The way back from [`text`], with the unit or without.
pub fn parse(param: Param, text: &str) -> Option<f32> {
    let text = text
        .trim()
        .replace('−', "-")
        .replace(',', ".")
        .to_lowercase();
    if let Some(i) = choices(param).iter().position(|c| c.to_lowercase() == text) {
        return Some(normalised(param, i as f32));
    }
    if param == Param::Amount && text == "all" {
        return Some(1.0);
    }
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c)));
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let number: f32 = number.parse().ok()?;
    match (param, unit.trim()) {
        (Param::Mix, "%" | "") => Some(normalised(param, number / 100.0)),
        (Param::Amount | Param::OutputGain, "db" | "") => Some(normalised(param, number)),
        _ => None,
    }
}
