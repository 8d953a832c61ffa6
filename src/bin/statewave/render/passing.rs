//! What is measured of a recording while it passes: on the reader's thread what goes in, on the writer's what comes out.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::figures::{Energies, Frames};
use crate::spectrogram::{Analysis, Levels};
use crate::streamed::Piece;

/// What there is to measure.
pub struct Wanted {
    /// How much noise is taken away.
    pub noise: bool,
    /// Levels before and after, in the making.
    pub levels: Option<[Analysis; 2]>,
    /// What is written is what was taken away, so what was kept is the input less that.
    pub removed: bool,
}

/// Two ends for a recording at `rate` Hz.
pub fn ends(wanted: Wanted, rate: u32) -> (Incoming, Outgoing) {
    let (energies_in, energies_out) = channel();
    let (pieces_in, pieces_out) = channel();
    let [before, after] = wanted.levels.map_or([None, None], |both| both.map(Some));
    let energies = || wanted.noise.then(|| Energies::new(rate));
    let is_measured = wanted.noise || before.is_some();
    let incoming = Incoming {
        samples: 0,
        energies: energies().map(|energies| (energies, energies_in)),
        levels: before,
        pieces: (wanted.removed && is_measured).then_some(pieces_in),
    };
    let outgoing = Outgoing {
        samples: 0,
        energies: energies().map(|energies| (energies, energies_out)),
        frames: Frames::default(),
        levels: after,
        removed: (wanted.removed && is_measured).then_some(Removed {
            pieces: pieces_out,
            input: Piece::new(),
        }),
    };
    (incoming, outgoing)
}

/// Hears the input. What it sends waits as long as the recording is between the two threads, which is never long.
pub struct Incoming {
    /// Samples a channel so far.
    pub samples: usize,
    energies: Option<(Energies, Sender<f64>)>,
    levels: Option<Analysis>,
    pieces: Option<Sender<Piece>>,
}

impl Incoming {
    /// Hears the next samples.
    pub fn hear(&mut self, piece: &[Vec<f32>]) {
        self.samples += piece[0].len();
        // If nobody listens the writer has failed, and says why.
        if let Some((energies, to)) = &mut self.energies {
            energies.add(piece, |energy| {
                let _ = to.send(energy);
            });
        }
        if let Some(levels) = &mut self.levels {
            levels.add(piece);
        }
        if let Some(to) = &self.pieces {
            let _ = to.send(piece.to_vec());
        }
    }
}

/// Hears the output, later than the input.
pub struct Outgoing {
    /// Samples a channel so far.
    pub samples: usize,
    energies: Option<(Energies, Receiver<f64>)>,
    frames: Frames,
    levels: Option<Analysis>,
    removed: Option<Removed>,
}

impl Outgoing {
    /// Hears the next samples.
    pub fn hear(&mut self, piece: &[Vec<f32>]) {
        self.samples += piece[0].len();
        let kept = self.removed.as_mut().map(|removed| removed.kept(piece));
        let kept = kept.as_deref().unwrap_or(piece);
        if let Some((energies, before)) = &mut self.energies {
            energies.add(kept, |after| {
                // The input has been heard before its output was there.
                if let Ok(before) = before.try_recv() {
                    self.frames.add(before, after);
                }
            });
        }
        if let Some(levels) = &mut self.levels {
            levels.add(kept);
        }
    }
}

/// What was kept of a recording of which the rest is written.
struct Removed {
    pieces: Receiver<Piece>,
    /// Input whose output has not come yet.
    input: Piece,
}

impl Removed {
    /// Input less what was taken away.
    fn kept(&mut self, removed: &[Vec<f32>]) -> Piece {
        let len = removed[0].len();
        while self.input.first().map_or(0, Vec::len) < len {
            let Ok(piece) = self.pieces.try_recv() else {
                break;
            };
            self.input.resize(piece.len(), Vec::new());
            for (input, piece) in self.input.iter_mut().zip(&piece) {
                input.extend_from_slice(piece);
            }
        }
        let inputs = self.input.iter_mut().zip(removed);
        inputs
            .map(|(input, removed)| {
                let gone = input.drain(..len.min(input.len()));
                gone.zip(removed).map(|(x, removed)| x - removed).collect()
            })
            .collect()
    }
}

/// What was measured of all of a recording.
pub struct Measured {
    /// Samples a channel, in and out.
    pub samples: [usize; 2],
    /// If it was to be measured: how much noise was taken away, if there was any.
    pub noise_db: Option<Option<f64>>,
    /// Before and after.
    pub levels: Option<[Levels; 2]>,
}

impl Measured {
    /// When all has passed.
    pub fn new(incoming: Incoming, outgoing: Outgoing) -> Self {
        let noise_db = outgoing.energies.map(|_| outgoing.frames.noise_taken_db());
        let levels = incoming.levels.zip(outgoing.levels);
        Self {
            samples: [incoming.samples, outgoing.samples],
            noise_db,
            levels: levels.map(|(before, after)| [before.finish(), after.finish()]),
        }
    }
}
