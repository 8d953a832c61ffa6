//! The presets that come with the program: files of assets/presets, compiled in.

use super::{Preset, PresetError, Shelf, Side};

/// What sound goes through.
const EFFECT: [&str; 10] = [
    include_str!("../../../../assets/presets/clean.json"),
    include_str!("../../../../assets/presets/gentle.json"),
    include_str!("../../../../assets/presets/call.json"),
    include_str!("../../../../assets/presets/half.json"),
    include_str!("../../../../assets/presets/noise.json"),
    include_str!("../../../../assets/presets/edge.json"),
    include_str!("../../../../assets/presets/crunch.json"),
    include_str!("../../../../assets/presets/level.json"),
    include_str!("../../../../assets/presets/drummer.json"),
    include_str!("../../../../assets/presets/pianist.json"),
];

/// The instrument's, in the order of its menu.
const INSTRUMENT: [&str; 14] = [
    include_str!("../../../../assets/presets/instrument/piano.json"),
    include_str!("../../../../assets/presets/instrument/felt.json"),
    include_str!("../../../../assets/presets/instrument/glass-keys.json"),
    include_str!("../../../../assets/presets/instrument/log-drum.json"),
    include_str!("../../../../assets/presets/instrument/round-bass.json"),
    include_str!("../../../../assets/presets/instrument/nylon.json"),
    include_str!("../../../../assets/presets/instrument/bowed.json"),
    include_str!("../../../../assets/presets/instrument/slow-strings.json"),
    include_str!("../../../../assets/presets/instrument/breath.json"),
    include_str!("../../../../assets/presets/instrument/reeds.json"),
    include_str!("../../../../assets/presets/instrument/brass.json"),
    include_str!("../../../../assets/presets/instrument/choir.json"),
    include_str!("../../../../assets/presets/instrument/struck-air.json"),
    include_str!("../../../../assets/presets/instrument/long-bells.json"),
];

/// Those of a side, in the order of its menu.
pub fn factory(side: Side) -> Vec<Preset> {
    let files: &[&str] = match side {
        Side::Effect => &EFFECT,
        Side::Instrument => &INSTRUMENT,
    };
    files
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect()
}

/// The preset of that name, in any case: one's own first, which are on the `shelf`, else that of the house for the same side.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn named(name: &str, shelf: &Shelf) -> Result<Preset, PresetError> {
    let is_named = |other: &str| other.to_lowercase() == name.trim().to_lowercase();
    let (own, house) = (shelf.names(), factory(shelf.side()));
    if let Some(own) = own.iter().find(|own| is_named(own)) {
        return shelf.load(own);
    }
    if let Some(preset) = house.iter().find(|preset| is_named(&preset.name)) {
        return Ok(preset.clone());
    }
    let there = own.into_iter().chain(house.into_iter().map(|p| p.name));
    Err(PresetError::Unknown(name.into(), there.collect()))
}
