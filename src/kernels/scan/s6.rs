//! The selective scan of Mamba (Gu and Dao 2023, algorithm 2): `h ← exp(Δ·A)·h + Δ·x·B`, `y = C·h + D·x`.

use super::{LINE, lines_len, pack_lines, rows_len};
use crate::kernels::lane::{Lane, Pair, TINY};
use crate::kernels::simd::Aligned;

/// What an S6 scan knows beforehand.
#[derive(Debug, Clone)]
pub struct S6 {
    channels: usize,
    states: usize,
    /// A · log2 e, so that the decay is a power of two; `[E/16][N][16]`.
    pub(super) a: Aligned,
    d: Aligned,
}

impl S6 {
    /// Packs `a_log`, `[channels, states]` with A = −exp(a_log), and the skip `d`, `[channels]`.
    ///
    /// # Panics
    /// If `channels` is not a multiple of 8, or a slice's length is wrong.
    pub fn new(a_log: &[f32], d: &[f32], states: usize) -> S6 {
        let channels = d.len();
        assert!(
            channels.is_multiple_of(8),
            "channels are not a multiple of 8"
        );
        assert_eq!(
            a_log.len(),
            channels * states,
            "A_log is not [channels, states]"
        );
        let scaled =
            |e, n| (-(a_log[e * states + n] as f64).exp() * std::f64::consts::LOG2_E) as f32;
        S6 {
            channels,
            states,
            a: pack_lines(scaled, channels, states),
            d: d.into(),
        }
    }

    /// E.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// N.
    pub fn states(&self) -> usize {
        self.states
    }

    /// A · log2 e, `[channels/16][N][16]`.
    pub fn decays(&self) -> &[f32] {
        &self.a
    }

    /// D of each channel.
    pub fn skips(&self) -> &[f32] {
        &self.d[..self.channels]
    }

    /// Floats of state of one stream.
    pub fn state_len(&self) -> usize {
        lines_len(self.channels, self.states)
    }
}

/// What an S6 scan reads at each step; row r = batch · time + t.
#[derive(Debug, Clone, Copy)]
pub struct S6Rows<'a> {
    /// Δ after softplus, `[rows][E]`.
    pub delta: &'a [f32],
    /// x after the convolution: row r is at `x[r · x_stride ..][..E]`.
    pub x: &'a [f32],
    /// Floats from one row of `x` to the next.
    pub x_stride: usize,
    /// B, then C: row r is at `bc[r · bc_stride ..][..2N]`.
    pub bc: &'a [f32],
    /// Floats from one row of `bc` to the next.
    pub bc_stride: usize,
}

/// Runs `batch` streams for `time` steps from their states `h`, `[batch][state_len]`, into `y`, `[batch·time][E]`.
///
/// # Panics
/// If a row does not fit its slice.
pub fn s6(
    path: crate::kernels::Path,
    s: &S6,
    rows: S6Rows,
    y: &mut [f32],
    batch: usize,
    time: usize,
    h: &mut [f32],
) {
    let count = batch * time;
    assert!(
        rows.delta.len() >= count * s.channels,
        "delta rows do not fit"
    );
    assert!(
        rows.x.len() >= rows_len(count, rows.x_stride, s.channels),
        "x rows do not fit"
    );
    assert!(
        rows.bc.len() >= rows_len(count, rows.bc_stride, 2 * s.states),
        "B and C rows do not fit"
    );
    assert!(y.len() >= count * s.channels, "y rows do not fit");
    assert!(h.len() >= batch * s.state_len(), "state is too short");
    if s.channels.is_multiple_of(LINE) {
        wide(path, s, rows, y, batch, time, h);
    } else {
        narrow(path, s, rows, y, batch, time, h);
    }
}

on_path! {
    fn wide(s: &S6, rows: S6Rows, y: &mut [f32], batch: usize, time: usize, h: &mut [f32]) = body by 16
}
on_path! {
    fn narrow(s: &S6, rows: S6Rows, y: &mut [f32], batch: usize, time: usize, h: &mut [f32]) = body by 8
}

/// # Safety
/// `s6` has checked the slices, `L::N` divides the channels, and the processor has the instructions of `L`.
#[inline(always)]
unsafe fn body<L: Lane>(
    s: &S6,
    rows: S6Rows,
    y: &mut [f32],
    batch: usize,
    time: usize,
    h: &mut [f32],
) {
    let (channels, states) = (s.channels, s.states);
    for stream in 0..batch {
        for e in (0..channels).step_by(L::N) {
            // SAFETY: the caller has checked every row of every slice; vectors stay in a line of the packed ones.
            unsafe {
                let line = e / LINE * states * LINE + e % LINE;
                let h = h.as_mut_ptr().add(stream * s.state_len() + line);
                let a = s.a.as_ptr().add(line);
                let d = L::load(s.d.as_ptr().add(e));
                let tiny = L::splat(TINY);
                for row in stream * time..(stream + 1) * time {
                    let delta = L::load(rows.delta.as_ptr().add(row * channels + e));
                    let x = L::load(rows.x.as_ptr().add(row * rows.x_stride + e));
                    let b = rows.bc.as_ptr().add(row * rows.bc_stride);
                    let c = b.add(states);
                    let dx = delta.mul(x);
                    // Two states a step where they lie together: one decay is a long chain, and so is one sum.
                    let (mut even, mut odd) = (x.mul(d), L::splat(0.0));
                    let mut n = 0;
                    while L::N == LINE && n + 2 <= states {
                        let at = h.add(n * LINE);
                        let decay = Pair::new(delta, delta)
                            .mul(Pair::<L>::load(a.add(n * LINE)))
                            .decay();
                        let b = Pair::new(L::splat(*b.add(n)), L::splat(*b.add(n + 1)));
                        let state = decay
                            .fma(Pair::<L>::load(at), Pair::new(dx, dx).mul(b))
                            .flush(Pair::new(tiny, tiny));
                        state.store(at);
                        let (first, second) = state.parts();
                        even = first.fma(L::splat(*c.add(n)), even);
                        odd = second.fma(L::splat(*c.add(n + 1)), odd);
                        n += 2;
                    }
                    for n in n..states {
                        let at = h.add(n * LINE);
                        let decay = delta.mul(L::load(a.add(n * LINE))).decay();
                        let input = dx.mul(L::splat(*b.add(n)));
                        let state = decay.fma(L::load(at), input).flush(tiny);
                        state.store(at);
                        even = state.fma(L::splat(*c.add(n)), even);
                    }
                    even.add(odd).store(y.as_mut_ptr().add(row * channels + e));
                }
            }
        }
    }
}
