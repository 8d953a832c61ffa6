//! Sums of sines and of bands of noise whose amplitudes move in straight lines: what an additive synthesiser sounds by.
//!
//! A sine is a point that turns: each sample it is multiplied by its turn, so frequencies may change between two calls
//! and phases stay whole. Amplitude `from + slope · (at + i)` depends on the sample's place alone, so that a call cut in
//! two gives the same sound to the bit.

use super::lane::Lane;

/// Partials that are run side by side; their number is a multiple of it.
pub const SINES: usize = 32;

/// Samples that are summed before lanes are.
const BLOCK: usize = 32;

/// Points on the circle and their turns, `[partials]` each, a multiple of [`SINES`].
#[derive(Debug)]
pub struct Circle<'a> {
    /// Sines of the phases.
    pub sin: &'a mut [f32],
    /// Cosines of the phases.
    pub cos: &'a mut [f32],
    /// Sines of the angle between two samples.
    pub turn_sin: &'a [f32],
    /// Cosines of it.
    pub turn_cos: &'a [f32],
}

/// Amplitudes in straight lines: `from + slope · (at + i)` at sample i.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// Amplitudes at place 0.
    pub from: &'a [f32],
    /// What they gain with every sample.
    pub slope: &'a [f32],
    /// The place of the first sample.
    pub at: usize,
}

on_path! {
    /// Adds the sines to `out` and turns the points by as many samples.
    ///
    /// # Panics
    /// If the slices are not of one length, or that is no multiple of [`SINES`].
    pub fn sines(circle: &mut Circle, line: Line, out: &mut [f32]) = sines_body by 32
}

/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn sines_body<L: Lane>(circle: &mut Circle, line: Line, out: &mut [f32]) {
    let count = circle.sin.len();
    let rest = [
        circle.cos.len(),
        circle.turn_sin.len(),
        circle.turn_cos.len(),
    ];
    assert!(
        count.is_multiple_of(SINES)
            && rest == [count; 3]
            && [line.from.len(), line.slope.len()] == [count; 2],
        "the partials' slices are not of one length, a multiple of {SINES}"
    );
    let mut sums = [0.0f32; BLOCK * SINES];
    for (block, out) in out.chunks_mut(BLOCK).enumerate() {
        let first = line.at + block * BLOCK;
        sums[..out.len() * SINES].fill(0.0);
        for k in (0..count).step_by(SINES) {
            // SAFETY: `k..k + SINES` lies in each of the slices, `L::N` is SINES on every path, and the sums hold as
            // many for each sample; the caller vouches for the instructions.
            unsafe {
                let (mut s, mut c) = (
                    L::load(circle.sin.as_ptr().add(k)),
                    L::load(circle.cos.as_ptr().add(k)),
                );
                let turn_s = L::load(circle.turn_sin.as_ptr().add(k));
                let turn_c = L::load(circle.turn_cos.as_ptr().add(k));
                let from = L::load(line.from.as_ptr().add(k));
                let slope = L::load(line.slope.as_ptr().add(k));
                for i in 0..out.len() {
                    let sum = sums.as_mut_ptr().add(i * SINES);
                    let amplitude = slope.fma(from.of((first + i) as f32), from);
                    amplitude.fma(s, L::load(sum)).store(sum);
                    let turned = s.fma(turn_c, c.mul(turn_s));
                    c = c.fma(turn_c, s.mul(turn_s).mul(s.of(-1.0)));
                    s = turned;
                }
                s.store(circle.sin.as_mut_ptr().add(k));
                c.store(circle.cos.as_mut_ptr().add(k));
            }
        }
        for (i, out) in out.iter_mut().enumerate() {
            // SAFETY: a sample has SINES sums.
            *out += unsafe { L::load(sums.as_ptr().add(i * SINES)) }.sum();
        }
    }
}

on_path! {
    /// Brings the points back onto the circle, from which rounding takes them by some 1e-7 a turn: once in a few hundred
    /// samples is enough.
    ///
    /// # Panics
    /// If the slices are not of one length, a multiple of [`SINES`].
    pub fn rounded(sin: &mut [f32], cos: &mut [f32]) = rounded_body by 32
}

/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn rounded_body<L: Lane>(sin: &mut [f32], cos: &mut [f32]) {
    assert!(
        sin.len() == cos.len() && sin.len().is_multiple_of(SINES),
        "the partials' slices are not of one length, a multiple of {SINES}"
    );
    for (sin, cos) in sin.chunks_exact_mut(SINES).zip(cos.chunks_exact_mut(SINES)) {
        // SAFETY: the chunks hold SINES floats, which is `L::N`; the caller vouches for the instructions.
        unsafe {
            let (s, c) = (L::load(sin.as_ptr()), L::load(cos.as_ptr()));
            // A step of Newton's for 1 / sqrt of what is nearly 1.
            let squared = s.fma(s, c.mul(c));
            let shrink = squared.fma(squared.of(-0.5), squared.of(1.5));
            s.mul(shrink).store(sin.as_mut_ptr());
            c.mul(shrink).store(cos.as_mut_ptr());
        }
    }
}

/// Bands of noise, each a loop that reads on from its end at its beginning.
#[derive(Debug, Clone)]
pub struct Loops {
    /// Each with its first [`BLOCK`] samples once more behind it.
    loops: Vec<Vec<f32>>,
}

impl Loops {
    /// From the loops themselves, each of at least 32 samples.
    ///
    /// # Panics
    /// If one is shorter.
    pub fn new(mut loops: Vec<Vec<f32>>) -> Loops {
        for samples in &mut loops {
            assert!(samples.len() >= BLOCK, "a loop of noise is too short");
            samples.extend_from_within(..BLOCK);
        }
        Loops { loops }
    }

    /// Their number.
    pub fn count(&self) -> usize {
        self.loops.len()
    }

    /// The period of a loop, in samples.
    ///
    /// # Panics
    /// If there is no such loop.
    pub fn period(&self, band: usize) -> usize {
        self.loops[band].len() - BLOCK
    }
}

/// Adds the bands to `out`, each from its place in `places` on, and moves the places.
///
/// # Panics
/// If `places` and the line's slices are not one a band, or a place is not within its loop.
pub fn noise(path: super::Path, loops: &Loops, places: &mut [usize], line: Line, out: &mut [f32]) {
    let bands = loops.count();
    assert!(
        [places.len(), line.from.len(), line.slope.len()] == [bands; 3],
        "the bands' slices are not one a band"
    );
    for (block, out) in out.chunks_mut(BLOCK).enumerate() {
        let at = line.at + block * BLOCK;
        let line = Line { at, ..line };
        noise_block(path, loops, places, line, out);
        for (band, place) in places.iter_mut().enumerate() {
            *place += out.len();
            if *place >= loops.period(band) {
                *place -= loops.period(band);
            }
        }
    }
}

on_path! {
    fn noise_block(loops: &Loops, places: &[usize], line: Line, out: &mut [f32]) = noise_body
}

/// 0, 1, 2 …: the places of lanes.
static STEPS: [f32; 16] = [
    0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0,
];

/// # Safety
/// The processor has the instructions of `L`, which has at most 16 lanes.
#[inline(always)]
unsafe fn noise_body<L: Lane>(loops: &Loops, places: &[usize], line: Line, out: &mut [f32]) {
    for (v, out) in out.chunks_mut(L::N).enumerate() {
        let first = v * L::N;
        // SAFETY: a chunk holds at most `L::N` floats and is read and written as far as it goes; a place is within its
        // loop, behind which lie BLOCK samples more, and `first` and the chunk together are no more than BLOCK.
        unsafe {
            let whole = out.len() == L::N;
            let at = L::splat((line.at + first) as f32).add(L::load(STEPS.as_ptr()));
            let mut sum = if whole {
                L::load(out.as_ptr())
            } else {
                L::load_first(out.as_ptr(), out.len())
            };
            for (band, samples) in loops.loops.iter().enumerate() {
                let samples = &samples[places[band] + first..][..out.len()];
                let amplitude = at.fma(L::splat(line.slope[band]), L::splat(line.from[band]));
                let samples = if whole {
                    L::load(samples.as_ptr())
                } else {
                    L::load_first(samples.as_ptr(), samples.len())
                };
                sum = amplitude.fma(samples, sum);
            }
            if whole {
                sum.store(out.as_mut_ptr());
            } else {
                sum.store_first(out.as_mut_ptr(), out.len());
            }
        }
    }
}
