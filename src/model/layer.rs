//! What every layer and every stack of layers is to those who run it: pieces of work over a residual stream.

use super::pace::Pace;
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

    /// Floats of a [`Pace`].
    fn pace_len(&self) -> usize {
        1
    }

    /// Works out the pace at which every Δ is `scale` times its own. Real-time safe; layers whose Δ does not follow their
    /// input work out every mode anew, and are told as seldom as will do.
    ///
    /// # Panics
    /// If `pace` is shorter than [`Self::pace_len`] says.
    fn set_pace(&self, scale: f32, pace: &mut [f32]) {
        pace[0] = scale;
    }

    /// Piece `k` of [`Self::pieces`] on `x`, `[batch][time][D]`. `scratch` carries what is between two pieces of one call.
    ///
    /// # Panics
    /// If a slice is shorter than `state_len` and `scratch_len` say, or `k` is no piece.
    #[allow(clippy::too_many_arguments)]
    fn piece_at(
        &self,
        path: Path,
        k: usize,
        x: &mut [f32],
        batch: usize,
        time: usize,
        state: &mut [f32],
        scratch: &mut [f32],
        pace: Pace,
    );

    /// [`Self::piece_at`] the layer's own pace.
    ///
    /// # Panics
    /// As [`Self::piece_at`].
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
    ) {
        self.piece_at(path, k, x, batch, time, state, scratch, Pace::OWN);
    }

    /// All pieces in order: `x` is the residual stream and is updated in place.
    ///
    /// # Panics
    /// As [`Self::piece_at`].
    #[allow(clippy::too_many_arguments)]
    fn forward_at(
        &self,
        path: Path,
        x: &mut [f32],
        batch: usize,
        time: usize,
        state: &mut [f32],
        scratch: &mut [f32],
        pace: Pace,
    ) {
        for k in 0..self.pieces() {
            self.piece_at(path, k, x, batch, time, state, scratch, pace);
        }
    }

    /// [`Self::forward_at`] the layer's own pace.
    ///
    /// # Panics
    /// As [`Self::piece_at`].
    fn forward(
        &self,
        path: Path,
        x: &mut [f32],
        batch: usize,
        time: usize,
        state: &mut [f32],
        scratch: &mut [f32],
    ) {
        self.forward_at(path, x, batch, time, state, scratch, Pace::OWN);
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

/// Δ of a selective layer as it lies in the scratch of a call, at its pace: rows `[batch][time]` of a value for each channel of
/// S6, or for each head of SSD.
#[derive(Debug, Clone, Copy)]
pub struct DeltaRows<'a> {
    values: &'a [f32],
    stride: usize,
    channels: usize,
}

impl<'a> DeltaRows<'a> {
    /// Of a layer that selects nothing.
    pub const NONE: DeltaRows<'static> = DeltaRows::new(&[], 1, 0);

    /// Rows of `channels` values, `stride` apart.
    pub const fn new(values: &'a [f32], stride: usize, channels: usize) -> DeltaRows<'a> {
        DeltaRows {
            values,
            stride,
            channels,
        }
    }

    /// Row by row.
    ///
    /// # Panics
    /// If a row is longer than what lies from one to the next.
    pub fn iter(self) -> impl Iterator<Item = &'a [f32]> {
        let rows = self.values.chunks(self.stride);
        rows.map(move |row| &row[..self.channels])
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

/// Floats that `batch` streams remember: their states without what they share.
pub fn memory_len(layer: &impl Layer, batch: usize) -> usize {
    let mut len = 0;
    layer.state_parts(&mut |part| {
        if let Part::Each(_) = part {
            len += part.len(batch);
        }
    });
    len
}

/// Writes what the streams of `state` remember to `to`, [`memory_len`] long.
///
/// # Panics
/// If a slice has another length.
pub fn save_memory(layer: &impl Layer, batch: usize, state: &[f32], to: &mut [f32]) {
    let (mut from, mut to) = (state, to);
    layer.state_parts(&mut |part| {
        let (own, rest) = from.split_at(part.len(batch));
        from = rest;
        if let Part::Each(_) = part {
            let (own_to, rest) = std::mem::take(&mut to).split_at_mut(own.len());
            own_to.copy_from_slice(own);
            to = rest;
        }
    });
    assert!(to.is_empty(), "the memory of another layer");
}

/// The way back of [`save_memory`]; what streams share stays as it is.
///
/// # Panics
/// If a slice has another length.
pub fn restore_memory(layer: &impl Layer, batch: usize, from: &[f32], state: &mut [f32]) {
    let (mut from, mut state) = (from, state);
    layer.state_parts(&mut |part| {
        let (own, rest) = std::mem::take(&mut state).split_at_mut(part.len(batch));
        state = rest;
        if let Part::Each(_) = part {
            let (own_from, rest) = from.split_at(own.len());
            own.copy_from_slice(own_from);
            from = rest;
        }
    });
    assert!(from.is_empty(), "the memory of another layer");
}

/// Zeros what the streams of `state` remember; what they share stays as it is.
///
/// # Panics
/// If the state has another length.
pub fn forget_memory(layer: &impl Layer, batch: usize, state: &mut [f32]) {
    let mut state = state;
    layer.state_parts(&mut |part| {
        let (own, rest) = std::mem::take(&mut state).split_at_mut(part.len(batch));
        state = rest;
        if let Part::Each(_) = part {
            own.fill(0.0);
        }
    });
}
