//! A dense layer of its own for every band: few rows, and each weight used once a frame.
//!
//! So reading the weights is all the work there is. They lie in one stream in the order in which they are read,
//! `[band][block][K][lanes of the block]`, and are fetched ahead.

use super::lane::Lane;
use super::mix::Steps;
use super::simd::Aligned;

/// Lanes of a vector, in which outputs are packed.
const LANES: usize = 8;
/// The most vectors of outputs that go together: two sums for each fit in sixteen registers beside a weight and an input.
const BLOCK: usize = 6;
/// The most sums of an output, each over every so manieth input.
const SUMS: usize = 4;
/// Floats between the weights in use and those that are fetched: two kilobytes.
const AHEAD: usize = 512;

/// Bands' weight matrices of one shape, packed for [`banded`].
#[derive(Debug, Clone)]
pub struct PackedBands {
    bands: usize,
    outputs: usize,
    inputs: usize,
    weights: Aligned,
    /// `[bands][M padded to 8]`.
    bias: Aligned,
}

impl PackedBands {
    /// Packs `bands` matrices `[outputs, inputs]`, element (band, output, input) given by `weight`, and biases
    /// `[outputs]`, given by `bias`.
    pub fn new(
        (bands, outputs, inputs): (usize, usize, usize),
        weight: impl Fn(usize, usize, usize) -> f32,
        bias: impl Fn(usize, usize) -> f32,
    ) -> PackedBands {
        let padded = outputs.next_multiple_of(LANES);
        let mut packed = PackedBands {
            bands,
            outputs,
            inputs,
            weights: Aligned::zeros(bands * padded * inputs),
            bias: Aligned::zeros(bands * padded),
        };
        for band in 0..bands {
            for m in 0..outputs {
                packed.bias[band * padded + m] = bias(band, m);
            }
            for m in 0..outputs {
                for k in 0..inputs {
                    let at = packed.place(band, m, k);
                    packed.weights[at] = weight(band, m, k);
                }
            }
        }
        packed
    }

    /// Number of bands.
    pub fn bands(&self) -> usize {
        self.bands
    }

    /// M, outputs of a band.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// K, inputs of a band.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// `W[m][k]` of a band.
    ///
    /// # Panics
    /// If there is none.
    pub fn weight(&self, band: usize, m: usize, k: usize) -> f32 {
        self.weights[self.place(band, m, k)]
    }

    /// The bias of output `m` of a band.
    ///
    /// # Panics
    /// If there is none.
    pub fn bias(&self, band: usize, m: usize) -> f32 {
        self.bias[band * self.outputs.next_multiple_of(LANES) + m]
    }

    /// Multiply-accumulates a frame.
    pub fn macs(&self) -> usize {
        self.bands * self.outputs * self.inputs
    }

    /// Where `W[m][k]` of a band is in the stream.
    fn place(&self, band: usize, m: usize, k: usize) -> usize {
        let padded = self.outputs.next_multiple_of(LANES);
        let mut first = 0;
        for vectors in blocks(padded / LANES) {
            let lanes = vectors * LANES;
            if m < first + lanes {
                return (band * padded + first) * self.inputs + k * lanes + m - first;
            }
            first += lanes;
        }
        panic!("output {m} of {}", self.outputs);
    }
}

/// `vectors` in as few and as equal blocks as there can be.
fn blocks(vectors: usize) -> impl Iterator<Item = usize> {
    let count = vectors.div_ceil(BLOCK);
    (0..count).map(move |i| vectors * (i + 1) / count - vectors * i / count)
}

on_path! {
    /// `out[t][band] ← W[band]·x[t][band] + bias[band]` for each of `frames`; `x` and `out` lie as `from` and `to` say.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn banded(w: &PackedBands, x: &[f32], from: Steps, out: &mut [f32], to: Steps, frames: usize) = banded_body
}

/// # Safety
/// The processor has the instructions of `L`, which has eight or sixteen lanes.
#[inline(always)]
unsafe fn banded_body<L: Lane>(
    w: &PackedBands,
    x: &[f32],
    from: Steps,
    out: &mut [f32],
    to: Steps,
    frames: usize,
) {
    if frames == 0 || w.bands == 0 {
        return;
    }
    let end = |s: Steps, len: usize| (frames - 1) * s.frame + (w.bands - 1) * s.band + len;
    assert!(x.len() >= end(from, w.inputs), "input rows do not fit");
    assert!(out.len() >= end(to, w.outputs), "output rows do not fit");
    let padded = w.outputs.next_multiple_of(LANES);
    for band in 0..w.bands {
        let mut first = 0;
        for vectors in blocks(padded / LANES) {
            for frame in 0..frames {
                // SAFETY: bands, blocks and frames stay within what was packed and checked above; the caller vouches
                // for the instructions.
                unsafe {
                    let weights = w.weights.as_ptr().add((band * padded + first) * w.inputs);
                    let bias = w.bias.as_ptr().add(band * padded + first);
                    let x = x.as_ptr().add(frame * from.frame + band * from.band);
                    let out = out
                        .as_mut_ptr()
                        .add(frame * to.frame + band * to.band + first);
                    let (k, left) = (w.inputs, w.outputs - first);
                    macro_rules! of {
                        ($($v:literal: $wide:literal $half:literal, $eights:literal;)*) => {
                            match vectors {
                                $($v if L::N == LANES => block::<L, $eights, 0, 2>(weights, bias, x, k, out, left),
                                $v => block::<L, $wide, $half, SUMS>(weights, bias, x, k, out, left),)*
                                _ => unreachable!("a block has 1 to 6 vectors"),
                            }
                        };
                    }
                    of!(1: 0 1, 1; 2: 1 0, 2; 3: 1 1, 3; 4: 2 0, 4; 5: 2 1, 5; 6: 3 0, 6;);
                }
            }
            first += vectors * LANES;
        }
    }
}

/// `W` vectors of outputs and `H` (0 or 1) of eight behind them, of which `left` floats are wanted. Every `S`th input goes
/// to the same sum.
///
/// # Safety
/// The pointers have what the block needs, and the processor has the instructions of `L`.
#[allow(
    clippy::needless_range_loop,
    reason = "several arrays go in step, and their index says so"
)]
#[inline(always)]
unsafe fn block<L: Lane, const W: usize, const H: usize, const S: usize>(
    mut weights: *const f32,
    bias: *const f32,
    x: *const f32,
    inputs: usize,
    out: *mut f32,
    left: usize,
) {
    let width = W * L::N + H * LANES;
    // SAFETY: as the caller vouches; a prefetch may point anywhere.
    unsafe {
        let mut wide = [[L::splat(0.0); W]; S];
        let mut half = [[L::Eight::splat(0.0); H]; S];
        for (p, sum) in wide[0].iter_mut().enumerate() {
            *sum = L::load(bias.add(p * L::N));
        }
        for sum in &mut half[0] {
            *sum = L::Eight::load(bias.add(W * L::N));
        }
        macro_rules! step {
            ($s:expr, $k:expr) => {
                let input = *x.add($k);
                let a = L::splat(input);
                for p in 0..W {
                    wide[$s][p] = L::load(weights.add($s * width + p * L::N)).fma(a, wide[$s][p]);
                }
                for sum in &mut half[$s] {
                    let a = L::Eight::splat(input);
                    *sum = L::Eight::load(weights.add($s * width + W * L::N)).fma(a, *sum);
                }
            };
        }
        let mut k = 0;
        while k + S <= inputs {
            for line in 0..(S * width).div_ceil(16) {
                L::prefetch(weights.wrapping_add(AHEAD + line * 16));
            }
            for s in 0..S {
                step!(s, k + s);
            }
            weights = weights.add(S * width);
            k += S;
        }
        while k < inputs {
            step!(0, k);
            weights = weights.add(width);
            k += 1;
        }
        // In halves, so that no sum waits for all others.
        let mut rest = S;
        while rest > 1 {
            rest /= 2;
            for s in 0..rest {
                for p in 0..W {
                    wide[s][p] = wide[s][p].add(wide[s + rest][p]);
                }
                for p in 0..H {
                    half[s][p] = half[s][p].add(half[s + rest][p]);
                }
            }
        }
        for (p, sum) in wide[0].iter().enumerate() {
            if left >= (p + 1) * L::N {
                sum.store(out.add(p * L::N));
            } else {
                sum.store_first(out.add(p * L::N), left - p * L::N);
            }
        }
        for sum in &half[0] {
            sum.store_first(out.add(W * L::N), (left - W * L::N).min(LANES));
        }
    }
}
