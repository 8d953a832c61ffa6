//! The diagonal recurrence of S4D (Gu, Gupta, Goel and Ré 2022): complex and time-invariant,
//! `h ← Ā·h + u`, `y = Re Σ_n C̃_n·h_n + D·u`, with B̄ and the conjugate's factor 2 inside C̃.

use super::{LINE, lines_len, rows_len};
use crate::kernels::lane::{Lane, TINY};
use crate::kernels::simd::Aligned;
use rustfft::num_complex::Complex64;

/// What an S4D scan knows beforehand.
#[derive(Debug, Clone)]
pub struct S4d {
    channels: usize,
    states: usize,
    /// `[E/16][N][4][16]`: Re Ā, Im Ā, Re C̃, Im C̃.
    coefficients: Aligned,
    /// `[E/16][N][2][16]`: what the rounding of Re Ā and Im Ā left, where it counts.
    rest: Option<Aligned>,
    d: Aligned,
}

impl S4d {
    /// `a_bar` and `c` are `[channels, states]` (half of the conjugate pairs); the skip `d` is `[channels]`.
    ///
    /// # Panics
    /// If `channels` is not a multiple of 8, or a slice's length is wrong.
    pub fn new(a_bar: &[Complex64], c: &[Complex64], d: &[f32], states: usize) -> S4d {
        let channels = d.len();
        assert!(
            channels.is_multiple_of(8),
            "channels are not a multiple of 8"
        );
        assert!(
            a_bar.len() == channels * states && c.len() == a_bar.len(),
            "A or C is not [channels, states]"
        );
        let mut coefficients = Aligned::zeros(4 * lines_len(channels, states));
        for e in 0..channels {
            for n in 0..states {
                let (a, c) = (a_bar[e * states + n], c[e * states + n]);
                let at = (e / LINE * states + n) * 4 * LINE + e % LINE;
                for (i, v) in [a.re, a.im, c.re, c.im].into_iter().enumerate() {
                    coefficients[at + i * LINE] = v as f32;
                }
            }
        }
        S4d {
            channels,
            states,
            coefficients,
            rest: None,
            d: d.into(),
        }
    }

    /// The same with Ā in two floats each. A state that remembers for 10^5 steps has 1 − |Ā| = 1e-5, of which one float keeps
    /// two digits: what it remembers would be another by half a per cent.
    ///
    /// # Panics
    /// As [`S4d::new`].
    pub fn fine(a_bar: &[Complex64], c: &[Complex64], d: &[f32], states: usize) -> S4d {
        let channels = d.len();
        let mut rest = Aligned::zeros(2 * lines_len(channels, states));
        let left = |v: f64| (v - v as f32 as f64) as f32;
        for (i, a) in a_bar.iter().enumerate().take(channels * states) {
            let (e, n) = (i / states, i % states);
            let at = (e / LINE * states + n) * 2 * LINE + e % LINE;
            (rest[at], rest[at + LINE]) = (left(a.re), left(a.im));
        }
        S4d {
            rest: Some(rest),
            ..S4d::new(a_bar, c, d, states)
        }
    }

    /// E.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// N, complex states of a channel.
    pub fn states(&self) -> usize {
        self.states
    }

    /// `[E/16][N][4][16]`: Ā and C̃, each real and imaginary.
    pub(super) fn coefficients(&self) -> &[f32] {
        &self.coefficients
    }

    /// Floats of state of one stream: `[E/16][N][2][16]`.
    pub fn state_len(&self) -> usize {
        2 * lines_len(self.channels, self.states)
    }

    /// `[channels/16][N][6][16]`: Ā, C̃ and Ā^chunk, each real and imaginary, and then D, a float a channel.
    pub fn with_chunk_decays(&self, chunk: usize) -> Vec<f32> {
        let lines = lines_len(self.channels, self.states) / LINE;
        let mut table = Vec::with_capacity(6 * lines * LINE + self.channels);
        for (line, own) in self
            .coefficients
            .chunks_exact(4 * LINE)
            .enumerate()
            .take(lines)
        {
            table.extend_from_slice(own);
            let decay = |lane: usize| {
                let e = line / self.states * LINE + lane;
                self.a_bar(e, line % self.states).powi(chunk as i32)
            };
            table.extend((0..LINE).map(|lane| decay(lane).re as f32));
            table.extend((0..LINE).map(|lane| decay(lane).im as f32));
        }
        table.extend_from_slice(&self.d[..self.channels]);
        table
    }

    /// Ā of channel `e`, state `n`, as the kernel rounds it.
    pub(super) fn a_bar(&self, e: usize, n: usize) -> Complex64 {
        let (line, lane) = (e / LINE * self.states + n, e % LINE);
        let part = |of: &[f32], lines: usize, i: usize| of[(line * lines + i) * LINE + lane] as f64;
        let own = |i| part(&self.coefficients, 4, i);
        let rest = |i| self.rest.as_ref().map_or(0.0, |rest| part(rest, 2, i));
        Complex64::new(own(0) + rest(0), own(1) + rest(1))
    }
}

/// Runs `batch` streams for `time` steps from their states `h`, `[batch][state_len]`.
///
/// `u` and `y` are `[batch·time][E]`.
///
/// # Panics
/// If a slice is too short.
pub fn s4d(
    path: crate::kernels::Path,
    s: &S4d,
    u: &[f32],
    y: &mut [f32],
    batch: usize,
    time: usize,
    h: &mut [f32],
) {
    let need = rows_len(batch * time, s.channels, s.channels);
    assert!(u.len() >= need && y.len() >= need, "rows do not fit");
    assert!(h.len() >= batch * s.state_len(), "state is too short");
    match (s.channels.is_multiple_of(LINE), s.rest.is_some()) {
        (true, false) => wide(path, s, u, y, batch, time, h),
        (false, false) => narrow(path, s, u, y, batch, time, h),
        (true, true) => wide_fine(path, s, u, y, batch, time, h),
        (false, true) => narrow_fine(path, s, u, y, batch, time, h),
    }
}

on_path! {
    fn wide(s: &S4d, u: &[f32], y: &mut [f32], batch: usize, time: usize, h: &mut [f32]) = coarse by 16
}
on_path! {
    fn narrow(s: &S4d, u: &[f32], y: &mut [f32], batch: usize, time: usize, h: &mut [f32]) = coarse by 8
}
on_path! {
    fn wide_fine(s: &S4d, u: &[f32], y: &mut [f32], batch: usize, time: usize, h: &mut [f32]) = fine by 16
}
on_path! {
    fn narrow_fine(s: &S4d, u: &[f32], y: &mut [f32], batch: usize, time: usize, h: &mut [f32]) = fine by 8
}

/// # Safety
/// `s4d` has checked the slices, `L::N` divides the channels, and the processor has the instructions of `L`.
#[inline(always)]
unsafe fn coarse<L: Lane>(
    s: &S4d,
    u: &[f32],
    y: &mut [f32],
    batch: usize,
    time: usize,
    h: &mut [f32],
) {
    // SAFETY: as the caller vouches; the rest is not looked at.
    unsafe { body::<L, false>(s, &s.coefficients, u, y, batch, time, h) }
}

/// # Safety
/// As [`coarse`].
#[inline(always)]
unsafe fn fine<L: Lane>(
    s: &S4d,
    u: &[f32],
    y: &mut [f32],
    batch: usize,
    time: usize,
    h: &mut [f32],
) {
    let Some(rest) = &s.rest else { return };
    // SAFETY: as the caller vouches; the rest has two lines a state.
    unsafe { body::<L, true>(s, rest, u, y, batch, time, h) }
}

/// # Safety
/// As [`coarse`]; if `FINE`, `rest` is that of `s`.
#[inline(always)]
unsafe fn body<L: Lane, const FINE: bool>(
    s: &S4d,
    rest: &[f32],
    u: &[f32],
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
                let line = e / LINE * states;
                let h = h
                    .as_mut_ptr()
                    .add(stream * s.state_len() + line * 2 * LINE + e % LINE);
                let k = s.coefficients.as_ptr().add(line * 4 * LINE + e % LINE);
                let rest = rest.as_ptr().add(line * 2 * LINE + e % LINE);
                let d = L::load(s.d.as_ptr().add(e));
                let tiny = L::splat(TINY);
                for row in stream * time..(stream + 1) * time {
                    let u = L::load(u.as_ptr().add(row * channels + e));
                    let mut out = [u.mul(d), L::splat(0.0)];
                    for n in 0..states {
                        let (k, h) = (k.add(n * 4 * LINE), h.add(n * 2 * LINE));
                        let (a_re, a_im) = (L::load(k), L::load(k.add(LINE)));
                        let (re, im) = (L::load(h), L::load(h.add(LINE)));
                        let (mut low_re, mut low_im) = (u, a_im.mul(re));
                        if FINE {
                            let rest = rest.add(n * 2 * LINE);
                            let (r_re, r_im) = (L::load(rest), L::load(rest.add(LINE)));
                            low_re = r_im.fnma(im, r_re.fma(re, low_re));
                            low_im = a_im.fma(re, r_im.fma(re, r_re.mul(im)));
                        }
                        let new_re = a_im.fnma(im, a_re.fma(re, low_re)).flush(tiny);
                        let new_im = a_re.fma(im, low_im).flush(tiny);
                        new_re.store(h);
                        new_im.store(h.add(LINE));
                        out[0] = L::load(k.add(2 * LINE)).fma(new_re, out[0]);
                        out[1] = L::load(k.add(3 * LINE)).fnma(new_im, out[1]);
                    }
                    out[0]
                        .add(out[1])
                        .store(y.as_mut_ptr().add(row * channels + e));
                }
            }
        }
    }
}
