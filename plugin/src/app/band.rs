//! The instrument in the app: keys from MIDI, values from its panel, sound to the output.
//!
//! ```text
//! MIDI's thread ─► Band::hear ─► ring ─► Seat::play, in the output's callback
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use rtrb::{Consumer, Producer, RingBuffer};
use statewave::instrument::{Event, Happening, Instrument};

use crate::fault::Fault;
use crate::instrument::handle::Handle;
use crate::instrument::hands::Direct;
use crate::instrument::seated::{Doing, Seated};
use crate::instrument::shown::Shown;
use crate::instrument::{InstrumentParams, VOICES, midi, shipped};

use crate::panel::presets::Preset;

/// Messages for which there is room between two blocks: MIDI sends three a millisecond at most.
const CAPACITY: usize = 1024;

/// A key that was pressed, or a wheel that was turned.
struct Press {
    at: Instant,
    what: Happening,
}

/// What plays the instrument; clones are the same.
#[derive(Clone, Default)]
pub struct Band {
    /// The values.
    pub params: Arc<InstrumentParams>,
    /// What sounds.
    pub shown: Arc<Shown>,
    /// To the output, while one is open. Not for the audio thread.
    keys: Arc<Mutex<Option<Producer<Press>>>>,
}

impl Band {
    /// Takes a MIDI message that has just come.
    pub fn hear(&self, message: &[u8]) {
        let Some(what) = midi::heard(message) else {
            return;
        };
        if let Some(keys) = &mut *self.keys.lock() {
            let at = Instant::now();
            // An output that stands still has no use for more.
            let _ = keys.push(Press { at, what });
        }
    }

    /// The end for an output at `rate`, Hz, that begins now; from here on it is the one that is played.
    ///
    /// # Errors
    /// That of a library that was built with a broken model.
    pub fn seat(&self, rate: u32) -> Result<Seat, Fault> {
        let model = shipped().map_err(|e| Fault {
            what: e.to_string(),
            remedy: e.remedy().into(),
        })?;
        let mut instrument = Instrument::new(model, rate, VOICES);
        self.params.slots.settle(&mut instrument);
        let (keys, ring) = RingBuffer::new(CAPACITY);
        *self.keys.lock() = Some(keys);
        Ok(Seat {
            instrument,
            band: self.clone(),
            ring,
            events: Vec::with_capacity(CAPACITY),
            last: Instant::now(),
        })
    }

    /// Chooses the instrument of that name, alone.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn choose(&self, name: &str) -> Result<(), Fault> {
        let a = Handle::of(&self.params.a);
        let value = a.parse(name).ok_or_else(|| Fault {
            what: format!("there is no instrument {name}"),
            remedy: a.suggestion(),
        })?;
        a.set(&Direct, value);
        Handle::of(&self.params.morph).set(&Direct, 0.0);
        Ok(())
    }

    /// Sets a preset, with the fault to tell where it was made with other instruments: those that are here play all the same.
    pub fn set(&self, preset: &Preset) -> Option<Fault> {
        let mut doing = Doing::default();
        preset.apply(&mut Seated::new(&self.params, Some(&Direct), &mut doing));
        doing.fault()
    }

    /// What is to be remembered: values 0 to 1 by their ids.
    pub fn values(&self) -> BTreeMap<String, f32> {
        let kept = self.kept();
        kept.map(|(id, param)| (id, param.value())).collect()
    }

    /// Sets the values that are there as they were left.
    pub fn restore(&self, values: &BTreeMap<String, f32>) {
        for (id, param) in self.kept() {
            if let Some(value) = values.get(&id).filter(|value| value.is_finite()) {
                param.set(&Direct, value.clamp(0.0, 1.0));
            }
        }
    }

    /// The parameters that are set rather than played with: an app begins with its notes let go.
    fn kept(&self) -> impl Iterator<Item = (String, Handle<'_>)> {
        let played = self.params.state.played();
        let all = self.params.handles().into_iter();
        all.filter(move |(_, param)| !played.contains(&param.pointer()))
    }
}

/// The end in the output's callback.
pub struct Seat {
    instrument: Instrument,
    band: Band,
    ring: Consumer<Press>,
    events: Vec<Event>,
    /// When the block before was asked for.
    last: Instant,
}

impl Seat {
    /// Plays a block that is asked for now. What came while the block before was played comes at the same places of this
    /// one: a block later, and none sooner than another. Real-time safe.
    pub fn play(&mut self, now: Instant, left: &mut [f32], right: &mut [f32]) {
        let last = std::mem::replace(&mut self.last, now);
        let per_second = left.len() as f64 / (now - last).as_secs_f64().max(1e-6);
        self.events.clear();
        while self.events.len() < CAPACITY
            && let Ok(Press { at, what }) = self.ring.pop()
        {
            let into = at.saturating_duration_since(last).as_secs_f64();
            let sample = ((into * per_second) as usize).min(left.len().saturating_sub(1));
            self.events.push(Event { sample, what });
        }
        let controls = self.band.params.controls();
        self.instrument
            .process(&controls, &self.events, left, right);
        self.band
            .shown
            .write(&mut self.instrument, controls.gain, [left, right]);
    }
}
