//! Controllers for what is played with, learned from the next one that is moved; notes, which let sound go on; and the keys of
//! the instrument.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use midir::{Ignore, MidiInput, MidiInputConnection};
use serde::{Deserialize, Serialize};

use super::band::Band;
use super::values::Values;
use crate::panel::host::{Fault, Param};

/// The parameters that can be learned.
pub const LEARNABLE: [Param; 7] = [
    Param::Amount,
    Param::Bypass,
    Param::Knob1,
    Param::Knob2,
    Param::Knob3,
    Param::Knob4,
    Param::GoOn,
];

/// No controller, or nothing to learn.
const NONE: u32 = u32::MAX;

/// A controller: channel 0 to 15 and number 0 to 127.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controller {
    /// 0 to 15.
    pub channel: u8,
    /// 0 to 127.
    pub number: u8,
}

impl Controller {
    fn packed(self) -> u32 {
        u32::from(self.channel) << 8 | u32::from(self.number)
    }

    fn unpacked(packed: u32) -> Option<Self> {
        (packed != NONE).then_some(Self {
            channel: (packed >> 8) as u8,
            number: packed as u8,
        })
    }
}

/// What is remembered of MIDI.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MidiSettings {
    /// Name of the port that is listened to.
    pub port: Option<String>,
    /// In the order of [`LEARNABLE`], of which an older version had fewer.
    pub controllers: Vec<Option<Controller>>,
}

/// Which controller moves what; shared with the thread of the MIDI system.
struct Map {
    controllers: [AtomicU32; LEARNABLE.len()],
    /// Index of what learns from the next controller.
    learning: AtomicU32,
    /// A bit a key that is held.
    held: [AtomicU64; 2],
}

/// The connection, and what was learned.
pub struct Midi {
    map: Arc<Map>,
    values: Arc<Values>,
    band: Band,
    port: Option<String>,
    connection: Option<MidiInputConnection<()>>,
}

impl Midi {
    /// As it was left; a port that is not there is left alone until it is chosen again.
    pub fn new(settings: &MidiSettings, values: Arc<Values>, band: Band) -> Self {
        let map = Map {
            controllers: std::array::from_fn(|i| {
                let learned = settings.controllers.get(i).copied().flatten();
                AtomicU32::new(learned.map_or(NONE, Controller::packed))
            }),
            learning: AtomicU32::new(NONE),
            held: Default::default(),
        };
        let mut midi = Self {
            map: Arc::new(map),
            values,
            band,
            port: settings.port.clone(),
            connection: None,
        };
        if let Some(port) = settings.port.clone() {
            let _ = midi.connect(&port);
        }
        midi
    }

    /// What is to be remembered.
    pub fn settings(&self) -> MidiSettings {
        MidiSettings {
            port: self.port.clone(),
            controllers: (0..LEARNABLE.len()).map(|i| self.controller(i)).collect(),
        }
    }

    /// Names of the ports.
    pub fn ports() -> Vec<String> {
        let Ok(input) = MidiInput::new("Statewave") else {
            return Vec::new();
        };
        let ports = input.ports();
        ports
            .iter()
            .filter_map(|port| input.port_name(port).ok())
            .collect()
    }

    /// Listens to the first port that a keyboard may be at, if none is listened to.
    ///
    /// # Errors
    /// When there is none.
    pub fn connect_any(&mut self) -> Result<(), Fault> {
        if self.connection.is_some() {
            return Ok(());
        }
        // ALSA's own, which nobody plays.
        let is_keyboard = |port: &String| !port.starts_with("Midi Through");
        let port = Self::ports().into_iter().find(is_keyboard);
        let port = port.ok_or_else(|| Fault {
            what: "there is no MIDI port to play the instrument by".into(),
            remedy:
                "connect a keyboard, and choose it: in the window by MIDI, without one by --midi"
                    .into(),
        })?;
        self.connect(&port)
    }

    /// The port that is listened to.
    pub fn port(&self) -> Option<&str> {
        self.connection.as_ref().and(self.port.as_deref())
    }

    /// The controller of [`LEARNABLE`]'s `index`.
    pub fn controller(&self, index: usize) -> Option<Controller> {
        Controller::unpacked(self.map.controllers[index].load(Ordering::Relaxed))
    }

    /// Which of [`LEARNABLE`] learns now.
    pub fn learning(&self) -> Option<usize> {
        let index = self.map.learning.load(Ordering::Relaxed);
        (index != NONE).then_some(index as usize)
    }

    /// The next controller moves [`LEARNABLE`]'s `index`; `None` ends learning.
    pub fn learn(&self, index: Option<usize>) {
        let index = index.map_or(NONE, |index| index as u32);
        self.map.learning.store(index, Ordering::Relaxed);
    }

    /// Listens to a port.
    ///
    /// # Errors
    /// When it is not there or is taken.
    pub fn connect(&mut self, name: &str) -> Result<(), Fault> {
        self.connection = None;
        self.port = Some(name.to_owned());
        let fault = |why: String| Fault {
            what: format!("the MIDI port {name}: {why}"),
            remedy: "connect it and choose it again".into(),
        };
        let mut input = MidiInput::new("Statewave").map_err(|e| fault(e.to_string()))?;
        input.ignore(Ignore::All);
        let ports = input.ports();
        let port = ports
            .iter()
            .find(|port| input.port_name(port).is_ok_and(|found| found == name))
            .ok_or_else(|| fault("it is not there".into()))?;
        let (map, values) = (Arc::clone(&self.map), Arc::clone(&self.values));
        let band = self.band.clone();
        let heard = move |_: u64, message: &[u8], (): &mut ()| {
            map.hear(message, &values);
            band.hear(message);
        };
        self.connection = Some(
            input
                .connect(port, "in", heard, ())
                .map_err(|e| fault(e.to_string()))?,
        );
        Ok(())
    }
}

impl Map {
    /// Sound goes on while a key is held.
    fn note(&self, key: u8, on: bool, values: &Values) {
        let (place, bit) = (usize::from(key >> 6 & 1), 1u64 << (key & 63));
        match on {
            true => self.held[place].fetch_or(bit, Ordering::Relaxed),
            false => self.held[place].fetch_and(!bit, Ordering::Relaxed),
        };
        let any = self.held.iter().any(|h| h.load(Ordering::Relaxed) != 0);
        values.set(Param::GoOn, f32::from(u8::from(any)));
    }

    fn hear(&self, message: &[u8], values: &Values) {
        let &[status, number, value] = message else {
            return;
        };
        match status & 0xf0 {
            0x80 => return self.note(number, false, values),
            // Softer than any: that is how some keyboards end a note.
            0x90 => return self.note(number, value > 0, values),
            0xb0 => {}
            _ => return,
        }
        let controller = Controller {
            channel: status & 0x0f,
            number: number & 0x7f,
        };
        let learning = self.learning.swap(NONE, Ordering::Relaxed);
        if let Some(slot) = self.controllers.get(learning as usize) {
            slot.store(controller.packed(), Ordering::Relaxed);
        }
        for (param, slot) in LEARNABLE.into_iter().zip(&self.controllers) {
            if slot.load(Ordering::Relaxed) == controller.packed() {
                values.set(param, f32::from(value & 0x7f) / 127.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_goes_on_while_a_key_is_held() {
        let values = Arc::new(Values::default());
        let midi = Midi::new(
            &MidiSettings::default(),
            Arc::clone(&values),
            Band::default(),
        );
        let says = [
            ([0x90, 60, 90], 1.0),
            ([0x93, 100, 1], 1.0),
            ([0x80, 60, 0], 1.0),
            ([0x80, 61, 0], 1.0),
            ([0x90, 100, 0], 0.0),
        ];
        for (message, goes_on) in says {
            midi.map.hear(&message, &values);
            assert_eq!(values.get(Param::GoOn), goes_on, "{message:?}");
        }
    }

    #[test]
    fn a_controller_that_was_learned_moves_its_parameter() {
        let values = Arc::new(Values::default());
        let midi = Midi::new(
            &MidiSettings::default(),
            Arc::clone(&values),
            Band::default(),
        );
        midi.map.hear(&[0xb0, 7, 0], &values);
        assert_eq!(values.get(Param::Amount), 1.0, "nothing was learned yet");
        midi.learn(Some(0));
        midi.map.hear(&[0x90, 60, 100], &values);
        assert_eq!(midi.learning(), Some(0), "a note is no controller");
        midi.map.hear(&[0xb2, 7, 127], &values);
        assert_eq!(midi.learning(), None);
        midi.map.hear(&[0xb2, 7, 0], &values);
        midi.map.hear(&[0xb0, 7, 127], &values);
        assert_eq!(
            values.get(Param::Amount),
            0.0,
            "another channel is another controller"
        );
        let learned = Controller {
            channel: 2,
            number: 7,
        };
        let controllers = midi.settings().controllers;
        assert_eq!(controllers[..2], [Some(learned), None]);
        // A file of a version that knew only these two.
        let older = MidiSettings {
            port: None,
            controllers: controllers[..2].to_vec(),
        };
        let midi = Midi::new(&older, Arc::clone(&values), Band::default());
        assert_eq!(midi.settings().controllers, controllers);
        midi.learn(Some(6));
        midi.map.hear(&[0xb0, 20, 127], &values);
        assert_eq!(values.get(Param::GoOn), 1.0);
    }
}
