//! Offline use of a chain: whole files, aligned with their input.
//!
//! Flows in: a whole recording. Flows out: the same recording processed, of the same length, in place, so that a long
//! one is held in memory once.

use super::Chain;
use crate::controls::Controls;

/// Samples a channel processed at a time.
const PIECE_SAMPLES: usize = 4096;

/// Replaces `audio`, a channel each, by the chain's output without its delay, from a fresh start.
///
/// Runs on after the end until the last sample has come through. `on_progress` is called now and then with the number
/// of samples a channel that are finished. Channels should be equally long; see [`Chain::process`] otherwise.
///
/// ```no_run
/// # fn chain() -> statewave::chain::Chain { unimplemented!() }
/// use statewave::{chain::render, controls::Controls};
///
/// let mut audio = vec![vec![0.0; 48_000 * 60]; 2];
/// render(&mut chain(), &mut audio, &Controls::default(), |finished| println!("{finished} samples"));
/// ```
pub fn render(
    chain: &mut Chain,
    audio: &mut [Vec<f32>],
    controls: &Controls,
    mut on_progress: impl FnMut(usize),
) {
    let mut pass = Pass::begin(chain, audio);
    while !pass.is_done() {
        pass.piece(audio, controls, true);
        on_progress(pass.finished());
    }
}

/// A chain's way through a recording, a piece at a time, and on after its end until the last sample has come through.
struct Pass<'a> {
    chain: &'a mut Chain,
    pieces: Vec<Vec<f32>>,
    delay: usize,
    len: usize,
    at: usize,
}

impl<'a> Pass<'a> {
    fn begin(chain: &'a mut Chain, audio: &[Vec<f32>]) -> Pass<'a> {
        chain.reset();
        let channels = audio.len().min(chain.channels());
        Pass {
            delay: chain.latency().total(),
            pieces: vec![vec![0.0; PIECE_SAMPLES]; channels],
            len: audio[..channels].iter().map(Vec::len).min().unwrap_or(0),
            at: 0,
            chain,
        }
    }

    fn is_done(&self) -> bool {
        self.at >= self.len + self.delay
    }

    /// Samples a channel that have come through.
    fn finished(&self) -> usize {
        self.at.saturating_sub(self.delay)
    }

    /// Processes a piece, and puts what comes of it into `audio` if it is to be `kept`.
    fn piece(&mut self, audio: &mut [Vec<f32>], controls: &Controls, kept: bool) {
        let (at, delay) = (self.at, self.delay);
        let piece = PIECE_SAMPLES.min(self.len + delay - at);
        // Behind the end there is silence, which brings out what is still in the chain.
        let (from_input, to_input) = (at.min(self.len), (at + piece).min(self.len));
        for (piece, audio) in self.pieces.iter_mut().zip(audio.iter()) {
            piece.fill(0.0);
            piece[..to_input - from_input].copy_from_slice(&audio[from_input..to_input]);
        }
        let mut blocks: Vec<&mut [f32]> = self
            .pieces
            .iter_mut()
            .map(|samples| &mut samples[..piece])
            .collect();
        self.chain.process(&mut blocks, controls);
        self.at += piece;
        if !kept {
            return;
        }
        // Output falls behind the input that was read, so nothing unread is overwritten.
        let skipped = delay.saturating_sub(at).min(piece);
        let finished = (at + skipped).saturating_sub(delay);
        for (piece_of, audio) in self.pieces.iter().zip(audio.iter_mut()) {
            audio[finished..finished + piece - skipped].copy_from_slice(&piece_of[skipped..piece]);
        }
    }
}
