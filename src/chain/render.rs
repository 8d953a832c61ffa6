//! Offline use of a chain: recordings, aligned with their input.
//!
//! Flows in: a recording, piece by piece or whole. Flows out: the same recording processed, of the same length and in time with
//! it. Of one that comes in pieces no more is in memory than a piece and what the chain holds.

use std::convert::Infallible;

use super::Chain;
use crate::controls::Controls;
use crate::tape::{InPlace, Tape};

/// Samples a channel processed at a time.
const PIECE_SAMPLES: usize = 4096;

/// Runs what is on `tape` through `chain` from a fresh start, and writes the output without its delay: as many samples.
///
/// # Errors
/// Those of the tape; a part has been written then.
pub fn run<T: Tape>(chain: &mut Chain, controls: &Controls, tape: &mut T) -> Result<(), T::Error> {
    chain.reset();
    let delay = chain.latency().total();
    let mut late = delay;
    let mut piece = vec![Vec::new(); chain.channels()];
    loop {
        piece.iter_mut().for_each(Vec::clear);
        let mut len = tape.read(&mut piece, PIECE_SAMPLES)?;
        let is_end = len == 0;
        if is_end {
            // Silence brings out what is still in the chain.
            len = delay;
            piece
                .iter_mut()
                .for_each(|channel| channel.resize(len, 0.0));
        }
        let mut blocks: Vec<&mut [f32]> = piece.iter_mut().map(Vec::as_mut_slice).collect();
        chain.process(&mut blocks, controls);
        let skipped = late.min(len);
        late -= skipped;
        if skipped < len {
            piece
                .iter_mut()
                .for_each(|channel| drop(channel.drain(..skipped)));
            tape.write(&mut piece)?;
        }
        if is_end {
            return Ok(());
        }
    }
}

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
    on_progress: impl FnMut(usize),
) {
    let channels = audio.len().min(chain.channels());
    let mut tape = InPlace::<_, Infallible>::new(&mut audio[..channels], on_progress);
    let Ok(()) = run(chain, controls, &mut tape);
}
