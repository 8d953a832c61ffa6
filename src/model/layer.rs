//! What every layer and every stack of layers is to those who run it: pieces of work over a residual stream.

use crate::kernels::Path;

/// Packed weights that update a residual stream. Immutable; streams bring their own state.
pub trait Layer {
    /// Pieces that a call to [`Self::forward`] is made of.
    fn pieces(&self) -> usize;

    /// Floats of state for `batch` streams.
    fn state_len(&self, batch: usize) -> usize;

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
