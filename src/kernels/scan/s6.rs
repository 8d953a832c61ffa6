//! The selective scan of Mamba (Gu and Dao 2023, algorithm 2): `h ← exp(Δ·A)·h + Δ·x·B`, `y = C·h + D·x`.
//!
//! Or with the zero-order hold of the paper's equation 4, `(exp(Δ·A) − 1)/A·x·B` in the place of `Δ·x·B`, for layers that run at
//! other sample rates than their own.

use super::{FLOOR, LINE, lines_len, pack_lines, rows_len};
use crate::kernels::lane::{Group, Lane, Pair, Quad};
use crate::kernels::simd::Aligned;

/// States whose decays are worked out together, before any is used: one decay is a long chain of dependent instructions,
/// and between the loads and stores of a state the processor sees too few of them at once.
const TILE: usize = 16;

/// What a tile of states takes from before, or takes in.
#[repr(align(64))]
struct Decays([f32; TILE * LINE]);

/// What an S6 scan knows beforehand.
#[derive(Debug, Clone)]
pub struct S6 {
    channels: usize,
    states: usize,
    /// A · log2 e, so that the decay is a power of two; `[E/16][N][16]`.
    pub(super) a: Aligned,
    /// 1/A as `a` lies, where the input is held over a step.
    hold: Option<Aligned>,
    d: Aligned,
}

impl S6 {
    /// Packs `a_log`, `[channels, states]` with A = −exp(a_log), and the skip `d`, `[channels]`.
    ///
    /// # Panics
    /// If `channels` is not a multiple of 8, or a slice's length is wrong.
    pub fn new(a_log: &[f32], d: &[f32], states: usize) -> S6 {
        S6::scaled(a_log, d, states, 1.0)
    }

    /// With the zero-order hold, and every Δ times `delta_scale`: trained sample rate / the rate it runs at.
    ///
    /// # Panics
    /// As [`S6::new`].
    pub fn held(a_log: &[f32], d: &[f32], states: usize, delta_scale: f64) -> S6 {
        let inverse = |e, n| (-(-(a_log[e * states + n] as f64)).exp()) as f32;
        let scan = S6::scaled(a_log, d, states, delta_scale);
        S6 {
            hold: Some(pack_lines(inverse, scan.channels, states)),
            ..scan
        }
    }

    fn scaled(a_log: &[f32], d: &[f32], states: usize, delta_scale: f64) -> S6 {
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
        let scale = delta_scale * std::f64::consts::LOG2_E;
        let scaled = |e, n| (-(a_log[e * states + n] as f64).exp() * scale) as f32;
        S6 {
            channels,
            states,
            a: pack_lines(scaled, channels, states),
            hold: None,
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
    match (s.channels.is_multiple_of(LINE), s.hold.is_some()) {
        (true, false) => wide(path, s, rows, y, batch, time, h),
        (false, false) => narrow(path, s, rows, y, batch, time, h),
        (true, true) => wide_held(path, s, rows, y, batch, time, h),
        (false, true) => narrow_held(path, s, rows, y, batch, time, h),
    }
}

on_path! {
    fn wide(s: &S6, rows: S6Rows, y: &mut [f32], batch: usize, time: usize, h: &mut [f32]) = body by 16
}
on_path! {
    fn narrow(s: &S6, rows: S6Rows, y: &mut [f32], batch: usize, time: usize, h: &mut [f32]) = body by 8
}
on_path! {
    fn wide_held(s: &S6, rows: S6Rows, y: &mut [f32], batch: usize, time: usize, h: &mut [f32]) = held_body by 16
}
on_path! {
    fn narrow_held(s: &S6, rows: S6Rows, y: &mut [f32], batch: usize, time: usize, h: &mut [f32]) = held_body by 8
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
    // As many states in step as leave room for what all share in the registers.
    if L::ROWS == 1 {
        // SAFETY: as the caller vouches.
        unsafe { body_of::<L, Quad<L>>(s, rows, y, batch, time, h) }
    } else {
        // SAFETY: as the caller vouches.
        unsafe { body_of::<L, Pair<L>>(s, rows, y, batch, time, h) }
    }
}

/// # Safety
/// As [`body`].
#[inline(always)]
unsafe fn body_of<L: Lane, G: Group<L>>(
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
                for row in stream * time..(stream + 1) * time {
                    let delta = L::load(rows.delta.as_ptr().add(row * channels + e));
                    let x = L::load(rows.x.as_ptr().add(row * rows.x_stride + e));
                    let b = rows.bc.as_ptr().add(row * rows.bc_stride);
                    let step = Step {
                        delta,
                        dx: delta.mul(x),
                        a,
                        h,
                        b,
                        c: b.add(states),
                    };
                    // Two sums on every path, of the even and the odd states: outputs are the same to the bit.
                    let mut sums = Pair::all(L::splat(0.0));
                    let mut n = 0;
                    while n + G::COUNT <= states {
                        sums = step.run::<G>(n, sums);
                        n += G::COUNT;
                    }
                    while n + 2 <= states {
                        sums = step.run::<Pair<L>>(n, sums);
                        n += 2;
                    }
                    let mut sum = x.fma(d, sums.total());
                    if n < states {
                        sum = step.run_one(n, sum);
                    }
                    sum.store(y.as_mut_ptr().add(row * channels + e));
                }
            }
        }
    }
}

/// A step of `L::N` channels.
#[derive(Clone, Copy)]
struct Step<L> {
    delta: L,
    dx: L,
    a: *const f32,
    h: *mut f32,
    b: *const f32,
    c: *const f32,
}

impl<L: Lane> Step<L> {
    /// Steps the states from `n` on, as many as `G` holds, and adds what they give to the sums.
    ///
    /// # Safety
    /// There are as many states, and the pointers are those of a step.
    #[inline(always)]
    unsafe fn run<G: Group<L>>(self, n: usize, sums: Pair<L>) -> Pair<L> {
        // SAFETY: as the caller vouches.
        unsafe {
            let decay = G::all(self.delta)
                .mul(G::load_each(self.a.add(n * LINE), LINE))
                .decay();
            let floor = G::splat(FLOOR);
            let input = G::all(self.dx).fma(G::splats(self.b.add(n)), floor);
            let at = self.h.add(n * LINE);
            let state = decay.fma(G::load_each(at, LINE), input);
            state.store_each(at, LINE);
            state.add_to(self.c.add(n), sums)
        }
    }

    /// The same of state `n` alone.
    ///
    /// # Safety
    /// As [`Self::run`].
    #[inline(always)]
    unsafe fn run_one(self, n: usize, sum: L) -> L {
        // SAFETY: as the caller vouches.
        unsafe {
            let decay = self.delta.mul(L::load(self.a.add(n * LINE))).decay();
            let input = self.dx.fma(L::splat(*self.b.add(n)), L::splat(FLOOR));
            let at = self.h.add(n * LINE);
            let state = decay.fma(L::load(at), input);
            state.store(at);
            state.fma(L::splat(*self.c.add(n)), sum)
        }
    }
}

/// # Safety
/// As [`body`]; `s.hold` is there.
#[inline(always)]
unsafe fn held_body<L: Lane>(
    s: &S6,
    rows: S6Rows,
    y: &mut [f32],
    batch: usize,
    time: usize,
    h: &mut [f32],
) {
    let Some(inverse) = &s.hold else { return };
    let (channels, states) = (s.channels, s.states);
    let mut decays = Decays([0.0; TILE * LINE]);
    let mut gains = Decays([0.0; TILE * LINE]);
    for stream in 0..batch {
        for e in (0..channels).step_by(L::N) {
            // SAFETY: the caller has checked every row of every slice; vectors stay in a line of the packed ones.
            unsafe {
                let line = e / LINE * states * LINE + e % LINE;
                let h = h.as_mut_ptr().add(stream * s.state_len() + line);
                let (a, inverse) = (s.a.as_ptr().add(line), inverse.as_ptr().add(line));
                let d = L::load(s.d.as_ptr().add(e));
                let floor = L::splat(FLOOR);
                for row in stream * time..(stream + 1) * time {
                    let delta = L::load(rows.delta.as_ptr().add(row * channels + e));
                    let x = L::load(rows.x.as_ptr().add(row * rows.x_stride + e));
                    let b = rows.bc.as_ptr().add(row * rows.bc_stride);
                    let c = b.add(states);
                    let mut sum = x.mul(d);
                    for first in (0..states).step_by(TILE) {
                        let count = TILE.min(states - first);
                        for n in 0..count {
                            let at = (first + n) * LINE;
                            let (decay, fall) = delta.mul(L::load(a.add(at))).decay_and_fall();
                            decay.store(decays.0.as_mut_ptr().add(n * L::N));
                            let gain = fall.mul(L::load(inverse.add(at)));
                            gain.store(gains.0.as_mut_ptr().add(n * L::N));
                        }
                        for n in 0..count {
                            let at = h.add((first + n) * LINE);
                            let decay = L::load(decays.0.as_ptr().add(n * L::N));
                            let gain = L::load(gains.0.as_ptr().add(n * L::N));
                            let input = gain.mul(x).fma(L::splat(*b.add(first + n)), floor);
                            let state = decay.fma(L::load(at), input);
                            state.store(at);
                            sum = state.fma(L::splat(*c.add(first + n)), sum);
                        }
                    }
                    sum.store(y.as_mut_ptr().add(row * channels + e));
                }
            }
        }
    }
}
