//! The instrument's panel while a chord sounds.

use statewave::instrument::{Event, Happening, Instrument};
use statewave_plugin::fault::Fault;
use statewave_plugin::instrument::panel::InstrumentPanel;
use statewave_plugin::instrument::shown::Shown;
use statewave_plugin::instrument::{InstrumentParams, shipped};

use super::compare::Pixels;
use super::{BLOCK, Shot};

/// Notes of the chord.
const CHORD: [u8; 4] = [48, 60, 64, 67];

/// Blocks that have sounded when the picture is taken.
const BLOCKS: usize = 40;

pub fn take(shot: &Shot) -> Result<Pixels, Fault> {
    let model = shipped().map_err(|e| Fault {
        what: e.to_string(),
        remedy: e.remedy().into(),
    })?;
    let (params, shown) = (InstrumentParams::default(), Shown::default());
    let controls = params.controls();
    let mut instrument = Instrument::new(model, 48_000, CHORD.len());
    let chord = CHORD.map(|key| Event {
        sample: 0,
        what: Happening::On {
            id: None,
            channel: 0,
            key,
            velocity: 0.8,
        },
    });
    let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
    instrument.process(&controls, &chord, &mut left, &mut right);
    for _ in 0..BLOCKS {
        instrument.process(&controls, &[], &mut left, &mut right);
    }
    shown.watch(true);
    shown.write(&instrument, controls.gain);
    let mut panel = InstrumentPanel::new(shot.settings.shade);
    shot.draw(|ui| panel.ui(ui, &params, &shown, None))
}
