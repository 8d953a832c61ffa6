//! An instrument that is looked at frame by frame.

use std::sync::Arc;

use assert_no_alloc::assert_no_alloc;
use statewave::instrument::{Event, Instrument, InstrumentControls};
use statewave::model::instrument::InstrumentModel;
use statewave::state::StateControls;

use super::{held, of, on};

/// Nothing is done to what notes remember.
pub const USUAL: StateControls = StateControls::USUAL;

/// It is put back.
pub const RECALL: StateControls = StateControls {
    recall: true,
    ..USUAL
};

/// Samples of a frame of 4 ms.
fn frame(rate: u32) -> usize {
    rate as usize / 250
}

/// An instrument whose blocks are frames.
pub struct Player {
    pub instrument: Instrument,
    rate: u32,
    usual: InstrumentControls,
}

impl Player {
    pub fn new(model: &Arc<InstrumentModel>, rate: u32, name: &str) -> Player {
        Player {
            instrument: Instrument::new(Arc::clone(model), rate, 16),
            rate,
            usual: of(model, name),
        }
    }

    /// So many frames, and the partials of the note on `key` at the end of each.
    pub fn frames(
        &mut self,
        state: StateControls,
        events: &[Event],
        count: usize,
        key: u8,
    ) -> Vec<Vec<f32>> {
        let len = frame(self.rate);
        let (mut left, mut right) = (vec![0.0; len], vec![0.0; len]);
        let controls = held(&self.usual, state);
        let mut all = Vec::new();
        for i in 0..count {
            let events = if i == 0 { events } else { &[] };
            assert_no_alloc(|| {
                self.instrument
                    .process(&controls, events, &mut left, &mut right);
            });
            let note = self.instrument.notes().find(|note| note.key == key);
            all.push(note.map_or_else(Vec::new, |note| note.partials.to_vec()));
        }
        all
    }

    /// Half a frame.
    pub fn half(&mut self, state: StateControls, events: &[Event]) {
        let len = frame(self.rate) / 2;
        let (mut left, mut right) = (vec![0.0; len], vec![0.0; len]);
        let controls = held(&self.usual, state);
        self.instrument
            .process(&controls, events, &mut left, &mut right);
    }

    /// A note of half a second, of which two moments are kept in the first two slots, and how it went on from each.
    pub fn kept(&mut self, key: u8) -> [Vec<Vec<f32>>; 2] {
        let bank = self.instrument.bank();
        self.frames(USUAL, &[on(0, key, 0.8)], 20, key);
        [0, 1].map(|slot| {
            bank.want(slot);
            let went_on = self.frames(USUAL, &[], 60, key);
            assert!(
                went_on.iter().all(|frame| !frame.is_empty()),
                "it has ended"
            );
            went_on
        })
    }
}
