//! The scan of Mamba-2 (Dao and Gu 2024, "SSD"): one decay a head, `h ← exp(Δ·A)·h + Δ·x·B`, `y = C·h + D·x`.

use super::{FLOOR, LINE, lines_len, rows_len};
use crate::kernels::lane::Lane;
use crate::kernels::simd::Aligned;

/// What an SSD scan knows beforehand.
#[derive(Debug, Clone)]
pub struct Ssd {
    heads: usize,
    head_dim: usize,
    states: usize,
    groups: usize,
    /// A · log2 e, padded to whole vectors.
    a: Aligned,
    dt_bias: Aligned,
    d: Aligned,
    /// Limits of Δ, (smallest, largest).
    limit: (f32, f32),
}

impl Ssd {
    /// `a_log`, `dt_bias` and the skip `d` are `[heads]`; A = −exp(a_log); Δ is held within `limit`.
    ///
    /// # Panics
    /// If `head_dim` is not a multiple of 8, the groups do not divide the heads, or a slice's length is wrong.
    pub fn new(
        a_log: &[f32],
        dt_bias: &[f32],
        d: &[f32],
        head_dim: usize,
        states: usize,
        groups: usize,
        limit: (f32, f32),
    ) -> Ssd {
        let heads = a_log.len();
        assert!(
            head_dim.is_multiple_of(8),
            "head_dim is not a multiple of 8"
        );
        assert!(
            groups > 0 && heads.is_multiple_of(groups),
            "groups do not divide the heads"
        );
        assert!(
            dt_bias.len() == heads && d.len() == heads,
            "dt_bias or D is not [heads]"
        );
        let padded = |f: &dyn Fn(usize) -> f32| {
            let mut v = Aligned::zeros(heads.next_multiple_of(LINE));
            (0..heads).for_each(|i| v[i] = f(i));
            v
        };
        Ssd {
            heads,
            head_dim,
            states,
            groups,
            a: padded(&|i| (-(a_log[i] as f64).exp() * std::f64::consts::LOG2_E) as f32),
            dt_bias: padded(&|i| dt_bias[i]),
            d: padded(&|i| d[i]),
            limit,
        }
    }

    /// E = heads · head_dim.
    pub fn channels(&self) -> usize {
        self.heads * self.head_dim
    }

    /// H.
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// Width of a row of x, B and C: E + 2·groups·N.
    pub fn row_len(&self) -> usize {
        self.channels() + 2 * self.groups * self.states
    }

    /// Width of a row of gates: Δ of each head, then the decay of each head, each padded to 16.
    pub fn gates_len(&self) -> usize {
        2 * self.a.len()
    }

    /// N.
    pub fn states(&self) -> usize {
        self.states
    }

    /// Groups of heads that share B and C.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// A · log2 e of a head.
    pub fn a(&self, head: usize) -> f32 {
        self.a[head]
    }

    /// What is added to a head's raw Δ.
    pub fn dt_bias(&self, head: usize) -> f32 {
        self.dt_bias[head]
    }

    /// D of a head.
    pub fn skip(&self, head: usize) -> f32 {
        self.d[head]
    }

    /// The smallest and the largest Δ.
    pub fn limit(&self) -> (f32, f32) {
        self.limit
    }

    /// Floats of state of one stream.
    pub fn state_len(&self) -> usize {
        lines_len(self.channels(), self.states)
    }
}

on_path! {
    /// Makes `gates`, `[rows][gates_len]`, from raw Δ: row r is at `dt[r · dt_stride ..][..H]`. Δ, held within its limits, is
    /// taken times `scale`; 1 changes no bit.
    ///
    /// # Panics
    /// If a row does not fit its slice.
    pub fn ssd_gates(s: &Ssd, dt: &[f32], dt_stride: usize, scale: f32, gates: &mut [f32], rows: usize) = gates_body by 32
}

/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn gates_body<L: Lane>(
    s: &Ssd,
    dt: &[f32],
    dt_stride: usize,
    scale: f32,
    gates: &mut [f32],
    rows: usize,
) {
    let padded = s.a.len();
    assert!(
        dt.len() >= rows_len(rows, dt_stride, s.heads),
        "dt rows do not fit"
    );
    assert!(gates.len() >= rows * 2 * padded, "gate rows do not fit");
    // SAFETY: the gates are padded to whole vectors and checked above, a vector of Δ is read only where it fits; the
    // caller vouches for the instructions.
    unsafe {
        let mut row = 0;
        while row + L::ROWS <= rows {
            let lanes = L::N / L::ROWS;
            let last = (row + L::ROWS - 1) * dt_stride + s.heads.next_multiple_of(lanes);
            if last > dt.len() {
                break;
            }
            for first in (0..s.heads).step_by(lanes) {
                let raw = L::load_rows(dt.as_ptr().add(row * dt_stride + first), dt_stride);
                gates_of(
                    s,
                    first,
                    raw,
                    scale,
                    gates.as_mut_ptr().add(row * 2 * padded + first),
                );
            }
            row += L::ROWS;
        }
        for row in row..rows {
            for first in (0..s.heads).step_by(8) {
                let at = row * dt_stride + first;
                let raw = L::Eight::load_first(dt.as_ptr().add(at), (s.heads - first).min(8));
                gates_of(
                    s,
                    first,
                    raw,
                    scale,
                    gates.as_mut_ptr().add(row * 2 * padded + first),
                );
            }
        }
    }
}

/// The gates of the heads from `first` on, of as many rows as `L` holds. Lanes past the last head are never read.
///
/// # Safety
/// `to` is a place in the gates with the rows behind it, and the processor has the instructions of `L`.
#[inline(always)]
unsafe fn gates_of<L: Lane>(s: &Ssd, first: usize, raw: L, scale: f32, to: *mut f32) {
    let padded = s.a.len();
    // SAFETY: biases and decays are padded to whole vectors; the rest is the caller's promise.
    unsafe {
        let delta = raw
            .add(L::load_rows(s.dt_bias.as_ptr().add(first), 0))
            .softplus();
        let delta = delta.max(L::splat(s.limit.0)).min(L::splat(s.limit.1));
        let delta = delta.mul(L::splat(scale));
        delta.store_rows(to, 2 * padded);
        delta
            .mul(L::load_rows(s.a.as_ptr().add(first), 0))
            .decay()
            .store_rows(to.add(padded), 2 * padded);
    }
}

/// Runs `batch` streams for `time` steps from their states `h`, `[batch][state_len]`, into `y`, `[batch·time][E]`.
///
/// Row r of x, B and C is at `xbc[r · stride ..][..row_len]`; `gates` are those of [`ssd_gates`].
///
/// # Panics
/// If a row does not fit its slice.
#[allow(clippy::too_many_arguments)]
pub fn ssd(
    path: crate::kernels::Path,
    s: &Ssd,
    xbc: &[f32],
    stride: usize,
    gates: &[f32],
    y: &mut [f32],
    batch: usize,
    time: usize,
    h: &mut [f32],
) {
    let rows = batch * time;
    assert!(
        xbc.len() >= rows_len(rows, stride, s.row_len()),
        "rows do not fit"
    );
    assert!(gates.len() >= rows * s.gates_len(), "gate rows do not fit");
    assert!(y.len() >= rows * s.channels(), "y rows do not fit");
    assert!(h.len() >= batch * s.state_len(), "state is too short");
    if s.head_dim.is_multiple_of(LINE) {
        wide(path, s, xbc, stride, gates, y, batch, time, h);
    } else {
        narrow(path, s, xbc, stride, gates, y, batch, time, h);
    }
}

on_path! {
    fn wide(
        s: &Ssd, xbc: &[f32], stride: usize, gates: &[f32], y: &mut [f32], batch: usize, time: usize, h: &mut [f32],
    ) = body by 16
}
on_path! {
    fn narrow(
        s: &Ssd, xbc: &[f32], stride: usize, gates: &[f32], y: &mut [f32], batch: usize, time: usize, h: &mut [f32],
    ) = body by 8
}

/// # Safety
/// `ssd` has checked the slices, `L::N` divides `head_dim`, and the processor has the instructions of `L`.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn body<L: Lane>(
    s: &Ssd,
    xbc: &[f32],
    stride: usize,
    gates: &[f32],
    y: &mut [f32],
    batch: usize,
    time: usize,
    h: &mut [f32],
) {
    let (channels, state_len) = (s.channels(), s.state_len());
    let in_group = channels / s.groups;
    for stream in 0..batch {
        let rows = Rows {
            s,
            xbc: xbc.as_ptr().wrapping_add(stream * time * stride),
            stride,
            gates: gates.as_ptr().wrapping_add(stream * time * s.gates_len()),
            y: y.as_mut_ptr().wrapping_add(stream * time * channels),
            time,
            h: h.as_mut_ptr().wrapping_add(stream * state_len),
        };
        for group in 0..s.groups {
            let (mut e, end) = (group * in_group, (group + 1) * in_group);
            // SAFETY: the caller has checked every row of every slice; vectors stay in a line of the state.
            unsafe {
                // Four vectors in a row of registers where there are thirty-two of them, else two pairs.
                while L::ROWS == 1 && L::N == LINE && e + 4 * L::N <= end {
                    vectors::<L, 4>(rows, group, e);
                    e += 4 * L::N;
                }
                while e + 2 * L::N <= end {
                    vectors::<L, 2>(rows, group, e);
                    e += 2 * L::N;
                }
                while e < end {
                    vectors::<L, 1>(rows, group, e);
                    e += L::N;
                }
            }
        }
    }
}

/// The rows of one stream.
#[derive(Clone, Copy)]
struct Rows<'a> {
    s: &'a Ssd,
    xbc: *const f32,
    stride: usize,
    gates: *const f32,
    y: *mut f32,
    time: usize,
    h: *mut f32,
}

/// `P` vectors of channels from `e` on, all of one group: its B and C are fetched once for all of them, and no sum waits
/// for itself.
///
/// # Safety
/// As of [`body`]; the channels are those of `group`.
#[allow(
    clippy::needless_range_loop,
    reason = "several arrays go in step, and their index says so"
)]
#[inline(always)]
unsafe fn vectors<L: Lane, const P: usize>(rows: Rows, group: usize, e: usize) {
    let Rows {
        s,
        xbc,
        stride,
        gates,
        y,
        time,
        h,
    } = rows;
    let (channels, states, padded) = (s.channels(), s.states, s.a.len());
    let head: [usize; P] = std::array::from_fn(|p| (e + p * L::N) / s.head_dim);
    // SAFETY: as the caller vouches.
    unsafe {
        let h: [*mut f32; P] = std::array::from_fn(|p| {
            let e = e + p * L::N;
            h.add(e / LINE * states * LINE + e % LINE)
        });
        let floor = L::splat(FLOOR);
        for t in 0..time {
            let x = xbc.add(t * stride);
            let b = x.add(channels + group * states);
            let c = b.add(s.groups * states);
            let gate = gates.add(t * 2 * padded);
            let (mut decay, mut dx, mut sum) = ([floor; P], [floor; P], [floor; P]);
            for p in 0..P {
                let x = L::load(x.add(e + p * L::N));
                decay[p] = L::splat(*gate.add(padded + head[p]));
                dx[p] = L::splat(*gate.add(head[p])).mul(x);
                sum[p] = L::splat(s.d[head[p]]).mul(x);
            }
            for n in 0..states {
                let (b, c) = (L::splat(*b.add(n)), L::splat(*c.add(n)));
                for p in 0..P {
                    let at = h[p].add(n * LINE);
                    let state = decay[p].fma(L::load(at), dx[p].fma(b, floor));
                    state.store(at);
                    sum[p] = state.fma(c, sum[p]);
                }
            }
            for p in 0..P {
                sum[p].store(y.add(t * channels + e + p * L::N));
            }
        }
    }
}
