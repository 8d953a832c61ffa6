//! What every layer and every stack of layers is to those who run it: pieces of work over a residual stream.

use crate::kernels::Path;

/// Packed weights that update a residual stream. Immutable; streams bring their own state.
pub trait Layer {
    /// Pieces that a call to [`Self::forward`] is made of.
    fn pieces(&self) -> usize;

    /// Tells, in order, the parts that a state is made of.
    fn state_parts(&self, part: &mut dyn FnMut(Part));

    /// Floats of state for `batch` streams.
    fn state_len(&self, batch: usize) -> usize {
        let mut len = 0;
        self.state_parts(&mut |part| len += part.len(batch));
        len
    }

    /// Floats of scratch for `batch` streams of `time` steps.
    fn scratch_len(&self, batch: usize, time: usize) -> usize;

    /// Piece `k` of [`Self::pieces`] on `x`, `[batch][time][D]`. `scratch` carries what is between two pieces of one call.
    ///
    /// # Panics
    /// If a slice is shorter than `state_len` and `scratch_len` say, or `k` is no piece.
    #[allow(clippy::too_many_arguments)]
    fn piece(
        &self,
        path: Path,
        k: usize,
        x: &mut [f32],
        batch: usize,
        time: usize,
        state: &mut [f32],
        scratch: &mut [f32],
    );

    /// All pieces in order: `x` is the residual stream and is updated in place.
    ///
    /// # Panics
    /// As [`Self::piece`].
    fn forward(
        &self,
        path: Path,
        x: &mut [f32],
        batch: usize,
        time: usize,
        state: &mut [f32],
        scratch: &mut [f32],
    ) {
        for k in 0..self.pieces() {
            self.piece(path, k, x, batch, time, state, scratch);
        }
    }
}

/// A part of the state of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// `[batch][floats]`, so many floats a stream.
    Each(usize),
    /// `[floats]` that all streams share, such as a condition's slot.
    Shared(usize),
}

impl Part {
    /// Floats of it for `batch` streams.
    fn len(self, batch: usize) -> usize {
        match self {
            Part::Each(floats) => batch * floats,
            Part::Shared(floats) => floats,
        }
    }
}

/// One of the streams of a batch: how many there are, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Streams of the batch.
    pub batch: usize,
    /// From 0 on.
    pub stream: usize,
}

/// Copies the state of the stream at `from_seat` of one batch to `to_seat` of another. What streams share stays as it is.
///
/// # Panics
/// If a state is not one of `layer` and of its seat's batch.
pub fn copy_state(
    layer: &impl Layer,
    from: &[f32],
    from_seat: Seat,
    to: &mut [f32],
    to_seat: Seat,
) {
    let (mut i, mut j) = (0, 0);
    layer.state_parts(&mut |part| {
        if let Part::Each(floats) = part {
            let source = &from[i + from_seat.stream * floats..][..floats];
            to[j + to_seat.stream * floats..][..floats].copy_from_slice(source);
        }
        i += part.len(from_seat.batch);
        j += part.len(to_seat.batch);
    });
}
