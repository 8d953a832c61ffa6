//! What recordings come from and go to, piece by piece, so that none need be in memory as a whole.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Range;

/// What a recording comes from and goes to.
pub trait Tape {
    /// What can be wrong with it.
    type Error;

    /// Appends up to `most` samples, as many to every channel, and says how many; 0 at the end.
    ///
    /// # Errors
    /// Where it cannot be read.
    fn read(&mut self, channels: &mut [Vec<f32>], most: usize) -> Result<usize, Self::Error>;

    /// Takes the next samples of every channel; it may have the vectors as well, and leave others.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn write(&mut self, channels: &mut [Vec<f32>]) -> Result<(), Self::Error>;
}

/// A recording in memory, whose output takes its place. Nothing can be wrong with it, so `E` is whatever its user asks of a tape.
pub struct InPlace<'a, F, E = Infallible> {
    audio: &'a mut [Vec<f32>],
    told_of: F,
    read: usize,
    written: usize,
    error: PhantomData<E>,
}

impl<'a, F: FnMut(usize), E> InPlace<'a, F, E> {
    /// `audio`, a channel each, as long as the shortest; `told_of` hears how many samples a channel are finished.
    pub fn new(audio: &'a mut [Vec<f32>], told_of: F) -> Self {
        InPlace {
            audio,
            told_of,
            read: 0,
            written: 0,
            error: PhantomData,
        }
    }

    fn take(at: &mut usize, most: usize, len: usize) -> Range<usize> {
        let begin = *at;
        *at = len.min(begin + most);
        begin..*at
    }
}

impl<F: FnMut(usize), E> Tape for InPlace<'_, F, E> {
    type Error = E;

    /// Channels that the recording has not are silent.
    fn read(&mut self, channels: &mut [Vec<f32>], most: usize) -> Result<usize, E> {
        let len = self.audio.iter().map(Vec::len).min().unwrap_or(0);
        let piece = Self::take(&mut self.read, most, len);
        for (i, to) in channels.iter_mut().enumerate() {
            match self.audio.get(i) {
                Some(from) => to.extend_from_slice(&from[piece.clone()]),
                None => to.resize(to.len() + piece.len(), 0.0),
            }
        }
        Ok(piece.len())
    }

    fn write(&mut self, channels: &mut [Vec<f32>]) -> Result<(), E> {
        // What is written has been read, so nothing unread is overwritten.
        let count = channels.first().map_or(0, Vec::len);
        let piece = Self::take(&mut self.written, count, self.read);
        for (to, from) in self.audio.iter_mut().zip(channels.iter()) {
            to[piece.clone()].copy_from_slice(from);
        }
        (self.told_of)(self.written);
        Ok(())
    }
}
