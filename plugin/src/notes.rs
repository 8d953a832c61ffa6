//! Notes that let sound go on by itself: it does so while one is held.

use nice_plug::prelude::NoteEvent;

/// The keys that are held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held(u128);

impl Held {
    /// Whether any is.
    pub fn any(self) -> bool {
        self.0 != 0
    }

    /// Takes in what a host says. Real-time safe.
    pub fn hear(&mut self, event: &NoteEvent<()>) {
        match *event {
            NoteEvent::NoteOn { key, .. } => self.0 |= bit(key.number()),
            // One that names no key means all of them.
            NoteEvent::NoteOff { key, .. } | NoteEvent::Choke { key, .. } => {
                self.0 &= !key.number().map_or(u128::MAX, |key| bit(Some(key)));
            }
            _ => {}
        }
    }
}

fn bit(key: Option<u8>) -> u128 {
    key.map_or(0, |key| 1 << (key & 127))
}
