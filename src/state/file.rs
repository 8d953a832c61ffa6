//! A bank as bytes, for projects.
//!
//! `SWSTATE`, the form's version, a byte each; then, little-endian: length of the model's hash (u32) and the hash, the rate
//! (u32), streams (u32), floats of a state (u64), a bit a filled slot (u32); then each filled slot's floats.

use super::bank::{Bank, BankKey, SLOTS};

const MAGIC: &[u8; 7] = b"SWSTATE";

/// The form that is written.
const VERSION: u8 = 1;

/// The most floats of a state that is read: 64 MiB.
const MOST: u64 = 1 << 24;

/// Why kept states cannot be put back. The message says what is wrong; [`StateError::remedy`] what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The bytes are not those of kept states, or not all of them.
    #[error("the kept states are damaged: {0}")]
    Damaged(&'static str),
    /// A later version has written them.
    #[error("the kept states have form {0}, and this version reads form {VERSION}")]
    Version(u8),
    /// Of another model.
    #[error("the kept states are of another model (SHA-256 {found}, this one's is {own})")]
    Model {
        /// Theirs.
        found: String,
        /// The one that plays.
        own: String,
    },
    /// Of another sample rate.
    #[error("the kept states were made at {found} Hz, and the model runs at {own} Hz here")]
    Rate {
        /// Theirs.
        found: u32,
        /// The one that plays.
        own: u32,
    },
    /// Of another number of channels.
    #[error("the kept states are of {found} channels, and {own} play here")]
    Streams {
        /// Theirs.
        found: usize,
        /// Those that play.
        own: usize,
    },
}

impl StateError {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            StateError::Damaged(_) => "store the states again and save the project",
            StateError::Version(_) => "open the project with a later version of Statewave",
            StateError::Model { .. } => "choose the model they were made with, or store new ones",
            StateError::Rate { .. } => "set that sample rate, or store new ones",
            StateError::Streams { .. } => {
                "put it on a track of as many channels, or store new ones"
            }
        }
    }
}

impl Bank {
    /// The states that are kept, for [`Bank::read`]; empty if there are none. Waits for the audio thread, which has a slot for some
    /// microseconds, and allocates.
    pub fn to_bytes(&self) -> Vec<u8> {
        let states: [_; SLOTS] = std::array::from_fn(|slot| self.state(slot));
        if states.iter().all(Option::is_none) {
            return Vec::new();
        }
        let key = self.key();
        let mut bytes = MAGIC.to_vec();
        bytes.push(VERSION);
        bytes.extend((key.model.len() as u32).to_le_bytes());
        bytes.extend(key.model.as_bytes());
        bytes.extend(key.sample_rate.to_le_bytes());
        bytes.extend((key.streams as u32).to_le_bytes());
        bytes.extend((key.len as u64).to_le_bytes());
        let filled = states
            .iter()
            .rev()
            .fold(0, |bits, s| bits << 1 | u32::from(s.is_some()));
        bytes.extend(filled.to_le_bytes());
        for value in states.iter().flatten().flatten() {
            bytes.extend(value.to_le_bytes());
        }
        bytes
    }

    /// Fills the slots with what [`Bank::to_bytes`] gave, and empties the others. All or nothing. Waits.
    ///
    /// # Errors
    /// What cannot be put back, and why: see [`StateError`]. No bytes at all are an empty bank.
    pub fn read(&self, bytes: &[u8]) -> Result<(), StateError> {
        if bytes.is_empty() {
            (0..SLOTS).for_each(|slot| self.clear(slot));
            return Ok(());
        }
        let (found, filled, values) = parsed(bytes)?;
        fits(&found, self.key())?;
        let mut states = values.chunks_exact(found.len.max(1));
        for slot in 0..SLOTS {
            match states.next_if_bit(filled, slot) {
                Some(state) => drop(self.fill(slot, state)),
                None => self.clear(slot),
            }
        }
        Ok(())
    }
}

impl BankKey {
    /// What the states belong to that [`Bank::to_bytes`] gave. Allocates.
    ///
    /// # Errors
    /// [`StateError::Damaged`] and [`StateError::Version`]: no bank at all can read them.
    pub fn of_bytes(bytes: &[u8]) -> Result<BankKey, StateError> {
        parsed(bytes).map(|(key, ..)| key)
    }
}

/// The next item, if the bit is set.
trait NextIfBit: Iterator {
    fn next_if_bit(&mut self, bits: u32, bit: usize) -> Option<Self::Item> {
        (bits >> bit & 1 == 1).then(|| self.next()).flatten()
    }
}

impl<I: Iterator> NextIfBit for I {}

/// What the bytes belong to, which slots are filled, and their values.
fn parsed(bytes: &[u8]) -> Result<(BankKey, u32, Vec<f32>), StateError> {
    let mut rest = bytes;
    let mut take = |len: usize| -> Result<&[u8], StateError> {
        let (part, later) = rest
            .split_at_checked(len)
            .ok_or(StateError::Damaged("they end early"))?;
        rest = later;
        Ok(part)
    };
    if take(MAGIC.len())? != MAGIC {
        return Err(StateError::Damaged("they do not begin as such"));
    }
    let version = take(1)?[0];
    if version != VERSION {
        return Err(StateError::Version(version));
    }
    let number = |bytes: &[u8]| {
        let whole = bytes.iter().rev();
        whole.fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
    };
    let hash_len = number(take(4)?);
    if hash_len > 128 {
        return Err(StateError::Damaged("a hash is too long"));
    }
    let model = String::from_utf8_lossy(take(hash_len as usize)?).into_owned();
    let sample_rate = number(take(4)?) as u32;
    let streams = number(take(4)?) as usize;
    let len = number(take(8)?);
    let filled = number(take(4)?) as u32;
    if len > MOST || filled >> SLOTS != 0 {
        return Err(StateError::Damaged("they are too many"));
    }
    if rest.len() as u64 != len * 4 * u64::from(filled.count_ones()) {
        return Err(StateError::Damaged(
            "they have another length than they say",
        ));
    }
    let key = BankKey {
        model,
        sample_rate,
        streams,
        len: len as usize,
    };
    let values: Vec<f32> = rest
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    let mut states = values.chunks_exact(key.len.max(1));
    if !states.all(super::bank::is_finite) {
        return Err(StateError::Damaged("a value is not a number"));
    }
    Ok((key, filled, values))
}

fn fits(found: &BankKey, own: &BankKey) -> Result<(), StateError> {
    if found.model != own.model {
        return Err(StateError::Model {
            found: found.model.clone(),
            own: own.model.clone(),
        });
    }
    if found.sample_rate != own.sample_rate {
        return Err(StateError::Rate {
            found: found.sample_rate,
            own: own.sample_rate,
        });
    }
    if found.streams != own.streams {
        return Err(StateError::Streams {
            found: found.streams,
            own: own.streams,
        });
    }
    if found.len != own.len {
        return Err(StateError::Damaged("their length is not this model's"));
    }
    Ok(())
}
