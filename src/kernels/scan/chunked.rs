//! Whole files on many cores: reduce each chunk, carry the states along, run down each chunk.
//!
//! 1. *Reduce*: every chunk runs from an empty state; only its last state is kept.
//! 2. *Carry*: one after the other, `start[c+1] = decay[c] · start[c] + last[c]`; a chunk's decay needs only ΣΔ.
//! 3. *Down*: every chunk runs again from the state it was carried, and writes its rows.
//!
//! The same function as the sequential scan but for rounding. Here, and only here, a kernel allocates: for files, never
//! on an audio thread.

use super::{LINE, S4d, S6, S6Rows, Ssd, s4d, s6, ssd};
use crate::kernels::Path;

/// How a file is cut and spread.
#[derive(Debug, Clone, Copy)]
pub struct Chunks {
    /// Steps in a chunk, at least 1; the last may be shorter.
    pub len: usize,
    /// Threads to spread the chunks over, at least 1.
    pub threads: usize,
}

/// [`s6()`] for one stream of `time` steps.
///
/// # Panics
/// As [`s6()`].
pub fn s6_chunked(
    path: Path,
    s: &S6,
    rows: S6Rows,
    y: &mut [f32],
    time: usize,
    h: &mut [f32],
    chunks: Chunks,
) {
    let width = s.channels();
    let run = |first: usize, y: &mut [f32], h: &mut [f32]| {
        let part = S6Rows {
            delta: &rows.delta[first * width..],
            x: &rows.x[first * rows.x_stride..],
            bc: &rows.bc[first * rows.bc_stride..],
            ..rows
        };
        s6(path, s, part, y, 1, y.len() / width, h);
    };
    let carry = |first: usize, steps: usize, start: &[f32], last: &mut [f32]| {
        for e in 0..width {
            let sum: f64 = (first..first + steps)
                .map(|t| rows.delta[t * width + e] as f64)
                .sum();
            for n in 0..s.states() {
                let at = (e / LINE * s.states() + n) * LINE + e % LINE;
                last[at] += (s.a[at] as f64 * sum).exp2() as f32 * start[at];
            }
        }
    };
    reduce_carry_down(&mut y[..time * width], width, h, chunks, run, carry);
}

/// [`ssd()`] for one stream of `time` steps.
///
/// # Panics
/// As [`ssd()`].
#[allow(clippy::too_many_arguments)]
pub fn ssd_chunked(
    path: Path,
    s: &Ssd,
    xbc: &[f32],
    stride: usize,
    gates: &[f32],
    y: &mut [f32],
    time: usize,
    h: &mut [f32],
    chunks: Chunks,
) {
    let width = s.channels();
    let run = |first: usize, y: &mut [f32], h: &mut [f32]| {
        ssd(
            path,
            s,
            &xbc[first * stride..],
            stride,
            &gates[first * s.gates_len()..],
            y,
            1,
            y.len() / width,
            h,
        );
    };
    let carry = |first: usize, steps: usize, start: &[f32], last: &mut [f32]| {
        for head in 0..s.heads() {
            let sum: f64 = (first..first + steps)
                .map(|t| gates[t * s.gates_len() + head] as f64)
                .sum();
            let decay = (s.a(head) as f64 * sum).exp2() as f32;
            for e in head * width / s.heads()..(head + 1) * width / s.heads() {
                for n in 0..s.states() {
                    let at = (e / LINE * s.states() + n) * LINE + e % LINE;
                    last[at] += decay * start[at];
                }
            }
        }
    };
    reduce_carry_down(&mut y[..time * width], width, h, chunks, run, carry);
}

/// [`s4d()`] for one stream of `time` steps.
///
/// # Panics
/// As [`s4d()`].
pub fn s4d_chunked(
    path: Path,
    s: &S4d,
    u: &[f32],
    y: &mut [f32],
    time: usize,
    h: &mut [f32],
    chunks: Chunks,
) {
    let width = s.channels();
    let run = |first: usize, y: &mut [f32], h: &mut [f32]| {
        s4d(path, s, &u[first * width..], y, 1, y.len() / width, h);
    };
    let carry = |_: usize, steps: usize, start: &[f32], last: &mut [f32]| {
        for e in 0..width {
            for n in 0..s.states() {
                let decay = s.a_bar(e, n).powi(steps as i32);
                let re = (e / LINE * s.states() + n) * 2 * LINE + e % LINE;
                let im = re + LINE;
                let (a, b) = (start[re] as f64, start[im] as f64);
                last[re] += (decay.re * a - decay.im * b) as f32;
                last[im] += (decay.re * b + decay.im * a) as f32;
            }
        }
    };
    reduce_carry_down(&mut y[..time * width], width, h, chunks, run, carry);
}

/// The three passes. `run(first, y, h)` is the sequential scan of the steps that fill `y`;
/// `carry(first, steps, start, last)` adds the decayed `start` to `last`.
fn reduce_carry_down(
    y: &mut [f32],
    width: usize,
    h: &mut [f32],
    chunks: Chunks,
    run: impl Fn(usize, &mut [f32], &mut [f32]) + Sync,
    carry: impl Fn(usize, usize, &[f32], &mut [f32]),
) {
    let time = y.len() / width;
    let len = chunks.len.max(1);
    let count = time.div_ceil(len);
    if count == 0 {
        return;
    }
    // Slot c holds the state at the start of chunk c; the last slot, that at the end of the file.
    let size = h.len();
    let mut states = vec![0.0f32; (count + 1) * size];
    in_parallel(
        chunks.threads,
        y.chunks_mut(len * width)
            .zip(states[size..].chunks_mut(size)),
        |c, (y, last)| {
            run(c * len, y, last);
        },
    );
    states[..size].copy_from_slice(h);
    for c in 0..count {
        let (start, last) = states[c * size..(c + 2) * size].split_at_mut(size);
        carry(c * len, len.min(time - c * len), start, last);
    }
    h.copy_from_slice(&states[count * size..]);
    in_parallel(
        chunks.threads,
        y.chunks_mut(len * width).zip(states.chunks_mut(size)),
        |c, (y, start)| {
            run(c * len, y, start);
        },
    );
}

/// `f(index, item)` for all items, dealt out to threads in turn.
fn in_parallel<T: Send>(
    threads: usize,
    items: impl Iterator<Item = T>,
    f: impl Fn(usize, T) + Sync,
) {
    if threads <= 1 {
        items.enumerate().for_each(|(i, item)| f(i, item));
        return;
    }
    let mut hands: Vec<Vec<(usize, T)>> = (0..threads).map(|_| Vec::new()).collect();
    for (i, item) in items.enumerate() {
        hands[i % threads].push((i, item));
    }
    let f = &f;
    std::thread::scope(|scope| {
        for hand in hands {
            scope.spawn(move || hand.into_iter().for_each(|(i, item)| f(i, item)));
        }
    });
}
