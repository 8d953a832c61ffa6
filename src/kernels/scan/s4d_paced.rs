//! The recurrence of S4D at another pace than its own: `h ← Ā(s)·h + g(s)·u`, `y = Re Σ_n C̃_n·h_n + D(s)·u`.
//!
//! C̃ has B̄ of the own pace inside, so the input comes with g(s) = B̄(s)/B̄(1): states keep their unit whatever the pace, and
//! may change it at any step.

use super::s4d::S4d;
use super::{LINE, lines_len, rows_len};
use crate::kernels::lane::{Lane, TINY};
use rustfft::num_complex::Complex64;

/// Numbers of a mode: Ā, what rounding left of it, and g, each real and imaginary.
const PARTS: usize = 6;

impl S4d {
    /// Floats of a table for [`s4d_paced`]: `[E/16][N][PARTS][16]`, then D of each channel.
    pub fn paced_len(&self) -> usize {
        PARTS * lines_len(self.channels(), self.states()) + self.channels().next_multiple_of(LINE)
    }

    /// Writes Ā and g of channel `e`, state `n`.
    ///
    /// # Panics
    /// If the table is shorter than [`S4d::paced_len`], or there is no such state.
    pub fn write_paced(
        &self,
        table: &mut [f32],
        (e, n): (usize, usize),
        a_bar: Complex64,
        g: Complex64,
    ) {
        let at = (e / LINE * self.states() + n) * PARTS * LINE + e % LINE;
        let left = |v: f64| v - v as f32 as f64;
        let parts = [
            a_bar.re,
            a_bar.im,
            left(a_bar.re),
            left(a_bar.im),
            g.re,
            g.im,
        ];
        for (i, v) in parts.into_iter().enumerate() {
            table[at + i * LINE] = v as f32;
        }
    }

    /// Writes D of channel `e`.
    ///
    /// # Panics
    /// As [`S4d::write_paced`].
    pub fn write_paced_skip(&self, table: &mut [f32], e: usize, d: f32) {
        table[PARTS * lines_len(self.channels(), self.states()) + e] = d;
    }
}

/// [`s4d`](super::s4d()) at the pace of `table`.
///
/// # Panics
/// If a slice is too short.
#[allow(clippy::too_many_arguments)]
pub fn s4d_paced(
    path: crate::kernels::Path,
    s: &S4d,
    table: &[f32],
    u: &[f32],
    y: &mut [f32],
    batch: usize,
    time: usize,
    h: &mut [f32],
) {
    let need = rows_len(batch * time, s.channels(), s.channels());
    assert!(u.len() >= need && y.len() >= need, "rows do not fit");
    assert!(h.len() >= batch * s.state_len(), "state is too short");
    assert!(table.len() >= s.paced_len(), "the table is too short");
    if s.channels().is_multiple_of(LINE) {
        wide(path, s, table, u, y, batch, time, h);
    } else {
        narrow(path, s, table, u, y, batch, time, h);
    }
}

on_path! {
    fn wide(
        s: &S4d, table: &[f32], u: &[f32], y: &mut [f32], batch: usize, time: usize, h: &mut [f32],
    ) = body by 16
}
on_path! {
    fn narrow(
        s: &S4d, table: &[f32], u: &[f32], y: &mut [f32], batch: usize, time: usize, h: &mut [f32],
    ) = body by 8
}

/// # Safety
/// `s4d_paced` has checked the slices, `L::N` divides the channels, and the processor has the instructions of `L`.
#[inline(always)]
unsafe fn body<L: Lane>(
    s: &S4d,
    table: &[f32],
    u: &[f32],
    y: &mut [f32],
    batch: usize,
    time: usize,
    h: &mut [f32],
) {
    let (channels, states) = (s.channels(), s.states());
    let skips = &table[PARTS * lines_len(channels, states)..];
    for stream in 0..batch {
        for e in (0..channels).step_by(L::N) {
            // SAFETY: the caller has checked every row of every slice; vectors stay in a line of the packed ones.
            unsafe {
                let line = e / LINE * states;
                let h = h
                    .as_mut_ptr()
                    .add(stream * s.state_len() + line * 2 * LINE + e % LINE);
                let k = table.as_ptr().add(line * PARTS * LINE + e % LINE);
                let c = s.coefficients().as_ptr().add(line * 4 * LINE + e % LINE);
                let d = L::load(skips.as_ptr().add(e));
                let tiny = L::splat(TINY);
                for row in stream * time..(stream + 1) * time {
                    let u = L::load(u.as_ptr().add(row * channels + e));
                    let mut out = [u.mul(d), L::splat(0.0)];
                    for n in 0..states {
                        let (k, h) = (k.add(n * PARTS * LINE), h.add(n * 2 * LINE));
                        let part = |i: usize| L::load(k.add(i * LINE));
                        let (re, im) = (L::load(h), L::load(h.add(LINE)));
                        let low_re = part(3).fnma(im, part(2).fma(re, part(4).mul(u)));
                        let low_im = part(3).fma(re, part(2).fma(im, part(5).mul(u)));
                        let new_re = part(1).fnma(im, part(0).fma(re, low_re)).flush(tiny);
                        let new_im = part(1).fma(re, part(0).fma(im, low_im)).flush(tiny);
                        new_re.store(h);
                        new_im.store(h.add(LINE));
                        let c = c.add(n * 4 * LINE);
                        out[0] = L::load(c.add(2 * LINE)).fma(new_re, out[0]);
                        out[1] = L::load(c.add(3 * LINE)).fnma(new_im, out[1]);
                    }
                    out[0]
                        .add(out[1])
                        .store(y.as_mut_ptr().add(row * channels + e));
                }
            }
        }
    }
}
