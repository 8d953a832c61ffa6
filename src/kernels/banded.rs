//! A dense layer of its own for every band: few rows, and each weight used once a frame.
//!
//! So reading the weights is all the work there is. They lie in one stream in the order in which they are read,
//! `[band][block][K][lanes of the block]`, and are fetched ahead.

use super::lane::Lane;
use super::mix::Steps;
use super::simd::Aligned;

/// Lanes of a vector, on every path.
const LANES: usize = 8;
/// The most vectors of outputs that go together: two sums for each fit in sixteen registers beside a weight and an input.
const BLOCK: usize = 6;
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
    pub fn banded(w: &PackedBands, x: &[f32], from: Steps, out: &mut [f32], to: Steps, frames: usize) = banded_body by 8
}

/// # Safety
/// The processor has the instructions of `L`, which has eight lanes.
#[inline(always)]
unsafe fn banded_body<L: Lane>(
    w: &PackedBands,
    x: &[f32],
    from: Steps,
    out: &mut [f32],
    to: Steps,
    frames: usize,
) {
    assert!(L::N == LANES);
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
                    match vectors {
                        1 => block::<L, 1>(weights, bias, x, k, out, left),
                        2 => block::<L, 2>(weights, bias, x, k, out, left),
                        3 => block::<L, 3>(weights, bias, x, k, out, left),
                        4 => block::<L, 4>(weights, bias, x, k, out, left),
                        5 => block::<L, 5>(weights, bias, x, k, out, left),
                        _ => block::<L, 6>(weights, bias, x, k, out, left),
                    }
                }
            }
            first += vectors * LANES;
        }
    }
}

/// `P` vectors of outputs, of which `left` floats are wanted. Even and odd inputs have a sum each.
///
/// # Safety
/// The pointers have what the block needs, and the processor has the instructions of `L`.
#[allow(
    clippy::needless_range_loop,
    reason = "even and odd go in step with the weights"
)]
#[inline(always)]
unsafe fn block<L: Lane, const P: usize>(
    mut weights: *const f32,
    bias: *const f32,
    x: *const f32,
    inputs: usize,
    out: *mut f32,
    left: usize,
) {
    // SAFETY: as the caller vouches; a prefetch may point anywhere.
    unsafe {
        let mut even = [L::splat(0.0); P];
        let mut odd = even;
        for (p, sum) in even.iter_mut().enumerate() {
            *sum = L::load(bias.add(p * L::N));
        }
        let mut k = 0;
        while k + 2 <= inputs {
            let (a, b) = (L::splat(*x.add(k)), L::splat(*x.add(k + 1)));
            for line in 0..P {
                L::prefetch(weights.wrapping_add(AHEAD + line * 16));
            }
            for p in 0..P {
                even[p] = L::load(weights.add(p * L::N)).fma(a, even[p]);
                odd[p] = L::load(weights.add((P + p) * L::N)).fma(b, odd[p]);
            }
            weights = weights.add(2 * P * L::N);
            k += 2;
        }
        if k < inputs {
            let a = L::splat(*x.add(k));
            for p in 0..P {
                even[p] = L::load(weights.add(p * L::N)).fma(a, even[p]);
            }
        }
        for p in 0..P {
            let sum = even[p].add(odd[p]);
            if left >= (p + 1) * L::N {
                sum.store(out.add(p * L::N));
            } else {
                sum.store_first(out.add(p * L::N), left - p * L::N);
            }
        }
    }
}
