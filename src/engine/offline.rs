//! Whole files: a scout goes ahead and collects frames, they are run many at once, and a player plays the results.
//!
//! Two chains of one kind read the same recording. The scout's engine only keeps the frames it is given; what its chain
//! puts out is thrown away. When enough are there, something runs them all together, such as a parallel scan, and the
//! player's chain goes over the same samples with their results. Everything around the engine is the live code.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Engine, Exchange};

/// Runs many frames of a stream at once, and keeps its state from one call to the next.
pub trait Whole {
    /// What can go wrong.
    type Error;
    /// Runs `time` frames: `frames` and `out` are `[channels][time][frame_len]`.
    ///
    /// # Errors
    /// Where there is no result.
    fn run(&mut self, time: usize, frames: &[f32], out: &mut [f32]) -> Result<(), Self::Error>;
    /// Forgets the stream.
    fn reset(&mut self);
}

/// A frame of all channels, `[channels][frame_len]`, and then its result.
#[derive(Debug)]
struct Frame {
    seq: u64,
    /// The stream is forgotten before it.
    afresh: bool,
    values: Vec<f32>,
}

/// What the two engines and the batch share.
#[derive(Debug, Default)]
struct Shared {
    /// The next frame is the first of a stream.
    afresh: bool,
    collected: Vec<Frame>,
    results: VecDeque<Frame>,
}

/// Both engines and what stands between them, for frames of `frame_len` floats and `channels` channels.
pub fn engines(frame_len: usize, channels: usize) -> (Scout, Player, Batch) {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let end = End {
        shared: Arc::clone(&shared),
        frame_len,
        channels,
    };
    (Scout(end.clone()), Player(end.clone()), Batch(end))
}

#[derive(Debug, Clone)]
struct End {
    shared: Arc<Mutex<Shared>>,
    frame_len: usize,
    channels: usize,
}

impl End {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Frames are pushed and taken whole, so a panic elsewhere leaves nothing half done.
        self.shared
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Keeps the frames it is given.
#[derive(Debug)]
pub struct Scout(End);

/// Plays results.
#[derive(Debug)]
pub struct Player(End);

/// Where frames become results.
#[derive(Debug)]
pub struct Batch(End);

impl Batch {
    /// Frames that wait.
    pub fn len(&self) -> usize {
        self.0.lock().collected.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs the frames that wait. A stream that gives what is no number is forgotten after it, as a live one is.
    ///
    /// # Errors
    /// Those of `whole`; the frames from the fault on wait no longer, and are heard as they came.
    pub fn run<W: Whole>(&mut self, whole: &mut W) -> Result<(), W::Error> {
        let waiting = std::mem::take(&mut self.0.lock().collected);
        let mut rest = waiting.as_slice();
        while let Some((first, behind)) = rest.split_first() {
            if first.afresh {
                whole.reset();
            }
            let time = 1 + behind.iter().take_while(|frame| !frame.afresh).count();
            let mut results = self.run_piece(whole, &rest[..time])?;
            let sound = |frame: &Frame| frame.values.iter().all(|v| v.is_finite());
            if let Some(broken) = results.iter().position(|frame| !sound(frame)) {
                results.truncate(broken + 1);
                whole.reset();
            }
            rest = &rest[results.len()..];
            self.0.lock().results.extend(results);
        }
        Ok(())
    }

    /// Frames of one stream, from where it is.
    fn run_piece<W: Whole>(&self, whole: &mut W, piece: &[Frame]) -> Result<Vec<Frame>, W::Error> {
        let (time, len) = (piece.len(), self.0.frame_len);
        let mut frames = Vec::with_capacity(time * len * self.0.channels);
        for channel in 0..self.0.channels {
            for frame in piece {
                frames.extend_from_slice(&frame.values[channel * len..][..len]);
            }
        }
        let mut out = vec![0.0; frames.len()];
        whole.run(time, &frames, &mut out)?;
        let result = |(t, frame): (usize, &Frame)| Frame {
            seq: frame.seq,
            afresh: frame.afresh,
            values: (0..self.0.channels)
                .flat_map(|channel| &out[(channel * time + t) * len..][..len])
                .copied()
                .collect(),
        };
        Ok(piece.iter().enumerate().map(result).collect())
    }
}

impl Engine for Scout {
    fn frame_len(&self) -> usize {
        self.0.frame_len
    }

    fn channels(&self) -> usize {
        self.0.channels
    }

    fn submit(&mut self, seq: u64, input: &[f32]) {
        let mut shared = self.0.lock();
        let afresh = std::mem::take(&mut shared.afresh);
        shared.collected.push(Frame {
            seq,
            afresh,
            values: input.to_vec(),
        });
    }

    fn work(&mut self, _: u32, _: u32) {}

    fn collect(&mut self, _: u64, _: &mut [f32]) -> Exchange {
        Exchange::Late
    }

    fn reset(&mut self) {
        self.0.lock().afresh = true;
    }
}

impl Engine for Player {
    fn frame_len(&self) -> usize {
        self.0.frame_len
    }

    fn channels(&self) -> usize {
        self.0.channels
    }

    fn submit(&mut self, _: u64, _: &[f32]) {}

    fn work(&mut self, _: u32, _: u32) {}

    fn collect(&mut self, seq: u64, output: &mut [f32]) -> Exchange {
        let mut shared = self.0.lock();
        while shared.results.front().is_some_and(|frame| frame.seq < seq) {
            shared.results.pop_front();
        }
        match shared.results.front() {
            Some(frame) if frame.seq == seq => {
                output.copy_from_slice(&frame.values);
                Exchange::Ready
            }
            _ => Exchange::Late,
        }
    }

    /// The scout has seen the reset already.
    fn reset(&mut self) {}
}
