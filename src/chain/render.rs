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
    chain.reset();
    let delay = chain.latency().total();
    let channels = audio.len().min(chain.channels());
    let len = audio[..channels].iter().map(Vec::len).min().unwrap_or(0);
    let mut pieces = vec![vec![0.0; PIECE_SAMPLES]; channels];
    let mut at = 0;
    while at < len + delay {
        let piece = PIECE_SAMPLES.min(len + delay - at);
        // Behind the end there is silence, which brings out what is still in the chain.
        let (from_input, to_input) = (at.min(len), (at + piece).min(len));
        for (piece, audio) in pieces.iter_mut().zip(audio.iter()) {
            piece.fill(0.0);
            piece[..to_input - from_input].copy_from_slice(&audio[from_input..to_input]);
        }
        let mut blocks: Vec<&mut [f32]> = pieces
            .iter_mut()
            .map(|samples| &mut samples[..piece])
            .collect();
        chain.process(&mut blocks, controls);
        // Output falls behind the input that was read, so nothing unread is overwritten.
        let skipped = delay.saturating_sub(at).min(piece);
        let finished = (at + skipped).saturating_sub(delay);
        for (piece_of, audio) in pieces.iter().zip(audio.iter_mut()) {
            audio[finished..finished + piece - skipped].copy_from_slice(&piece_of[skipped..piece]);
        }
        at += piece;
        on_progress(at.saturating_sub(delay));
    }
}
