//! The instrument's panel while a chord sounds, note by note, two of whose moments were kept.

use statewave::instrument::{Event, Happening, Instrument};
use statewave_plugin::fault::Fault;
use statewave_plugin::instrument::hands::Direct;
use statewave_plugin::instrument::panel::InstrumentPanel;
use statewave_plugin::instrument::shown::Shown;
use statewave_plugin::instrument::{InstrumentParams, shipped};
use statewave_plugin::panel::presets::{Shelf, Side};
use statewave_plugin::state::KeepsStates as _;

use super::Shot;
use super::compare::Pixels;

/// Notes, and how many of them sound together.
const CHORD: [u8; 8] = [48, 60, 64, 67, 72, 67, 64, 60];
const VOICES: usize = 4;

const RATE: u32 = 48_000;

/// Samples between two looks of the panel, and looks from one note to the next.
const BLOCK: usize = 320;
const PACE: usize = 120;

pub fn take(shot: &Shot) -> Result<Pixels, Fault> {
    let model = shipped().map_err(|e| Fault {
        what: e.to_string(),
        remedy: e.remedy().into(),
    })?;
    let (params, shown) = (InstrumentParams::default(), Shown::default());
    let controls = params.controls();
    let mut instrument = Instrument::new(model, RATE, VOICES);
    params.slots.settle(&mut instrument);
    let bank = instrument.bank();
    shown.watch(true);
    let mut panel = InstrumentPanel::new(shot.settings.shade);
    panel.set_shelf(Shelf::at(Side::Instrument, "presets/instrument".into()));
    let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
    for (i, key) in CHORD.into_iter().enumerate() {
        let what = Happening::On {
            id: None,
            channel: 0,
            key,
            velocity: 0.8,
        };
        if (1..3).contains(&i) {
            bank.want(i - 1);
        }
        for look in 0..PACE {
            let note = [Event { sample: 0, what }];
            let events: &[Event] = if look == 0 { &note } else { &[] };
            instrument.process(&controls, events, &mut left, &mut right);
            shown.write(&mut instrument, controls.gain, [&left, &right]);
            panel.listen(&shown);
        }
    }
    if shot.fault {
        // Any bytes that are no states will do.
        params.slots.restore_states(None);
    }
    shot.draw(|ui| {
        // The last moment sounds on.
        shown.write(&mut instrument, controls.gain, [&left, &right]);
        panel.ui(ui, &params, &shown, Some(&Direct));
    })
}
