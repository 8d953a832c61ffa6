//! One small dense layer per channel: the bands (or frames, or positions) of a row mixed, each channel in its own way.
//!
//! The channels are the lanes, eight of them (of two outputs, where there are sixteen), so nothing is gathered. Weights
//! are packed `[C/8][F_out/8][F_in][8 outputs][8 channels]`: one stream.

use super::lane::Lane;
use super::simd::Aligned;

/// Outputs that stay in registers together.
const BLOCK: usize = 8;
/// Channels that lie together.
const LANES: usize = 8;

/// C matrices `[F_out, F_in]` and an optional bias `[C, F_out]`, packed for [`mix_gated`].
#[derive(Debug, Clone)]
pub struct PackedMix {
    channels: usize,
    outputs: usize,
    inputs: usize,
    blocks: Aligned,
    /// `[C/8][F_out padded to 8][8]`; zeros where there is no bias.
    bias: Aligned,
}

impl PackedMix {
    /// Packs `weight`, `[channels, outputs, inputs]` row-major, and `bias`, `[channels, outputs]`.
    ///
    /// # Panics
    /// If `channels` is not a multiple of 8, or a slice's length is not what the sizes say.
    pub fn new(
        weight: &[f32],
        channels: usize,
        outputs: usize,
        inputs: usize,
        bias: Option<&[f32]>,
    ) -> PackedMix {
        assert!(
            channels.is_multiple_of(LANES),
            "channels are not a multiple of 8"
        );
        assert_eq!(
            weight.len(),
            channels * outputs * inputs,
            "weight is not [channels, outputs, inputs]"
        );
        let padded = outputs.next_multiple_of(BLOCK);
        let mut blocks = Aligned::zeros(channels * padded * inputs);
        let mut packed_bias = Aligned::zeros(channels * padded);
        for c in 0..channels {
            for f in 0..outputs {
                for g in 0..inputs {
                    blocks[place(padded, inputs, c, f, g)] = weight[(c * outputs + f) * inputs + g];
                }
            }
        }
        if let Some(bias) = bias {
            assert_eq!(
                bias.len(),
                channels * outputs,
                "bias is not [channels, outputs]"
            );
            for c in 0..channels {
                for f in 0..outputs {
                    packed_bias[bias_place(padded, c, f)] = bias[c * outputs + f];
                }
            }
        }
        PackedMix {
            channels,
            outputs,
            inputs,
            blocks,
            bias: packed_bias,
        }
    }

    /// C.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// F_out.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// F_in.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// `W[c][f][g]`, from input g to output f.
    ///
    /// # Panics
    /// If there is none.
    pub fn weight(&self, c: usize, f: usize, g: usize) -> f32 {
        let padded = self.outputs.next_multiple_of(BLOCK);
        self.blocks[place(padded, self.inputs, c, f, g)]
    }

    /// The bias of output f of channel c.
    ///
    /// # Panics
    /// If there is none.
    pub fn bias(&self, c: usize, f: usize) -> f32 {
        self.bias[bias_place(self.outputs.next_multiple_of(BLOCK), c, f)]
    }
}

/// Where `W[c][f][g]` is among the blocks; `padded` outputs.
fn place(padded: usize, inputs: usize, c: usize, f: usize, g: usize) -> usize {
    let block = c / LANES * padded / BLOCK + f / BLOCK;
    ((block * inputs + g) * BLOCK + f % BLOCK) * LANES + c % LANES
}

fn bias_place(padded: usize, c: usize, f: usize) -> usize {
    (c / LANES * padded + f) * LANES + c % LANES
}

/// How far apart the bands of a frame are, and the frames, in floats.
#[derive(Debug, Clone, Copy)]
pub struct Steps {
    /// From a band to the next.
    pub band: usize,
    /// From a frame to the next.
    pub frame: usize,
}

on_path! {
    /// Mixes and gates: `out[t][f][c] ← (Σ_g W[c][f][g] · u[t][g][c] + bias[c][f]) · z[t][f][c]` for each of `frames`.
    ///
    /// `u` and `z` lie as `from` says, `out` as `to`.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn mix_gated(
        w: &PackedMix, u: &[f32], z: &[f32], from: Steps, out: &mut [f32], to: Steps, frames: usize,
    ) = mix_body
}

/// # Safety
/// The processor has the instructions of `L`, which has eight or sixteen lanes.
#[inline(always)]
unsafe fn mix_body<L: Lane>(
    w: &PackedMix,
    u: &[f32],
    z: &[f32],
    from: Steps,
    out: &mut [f32],
    to: Steps,
    frames: usize,
) {
    if frames == 0 || w.inputs == 0 || w.outputs == 0 {
        return;
    }
    let end = |steps: Steps, bands: usize| {
        (frames - 1) * steps.frame + (bands - 1) * steps.band + w.channels
    };
    assert!(u.len() >= end(from, w.inputs), "input rows do not fit");
    assert!(z.len() >= end(from, w.outputs), "gate rows do not fit");
    assert!(out.len() >= end(to, w.outputs), "output rows do not fit");
    let padded = w.outputs.next_multiple_of(BLOCK);
    let mut sums = [0.0f32; BLOCK * LANES];
    for group in 0..w.channels / LANES {
        for first in (0..padded).step_by(BLOCK) {
            let block = (group * padded + first) / BLOCK;
            let count = BLOCK.min(w.outputs - first);
            for frame in 0..frames {
                // SAFETY: groups, blocks and frames stay within what was packed and checked above.
                unsafe {
                    let weights = w.blocks.as_ptr().add(block * w.inputs * BLOCK * LANES);
                    let bias = w.bias.as_ptr().add(block * BLOCK * LANES);
                    let input = u.as_ptr().add(frame * from.frame + group * LANES);
                    if L::N == LANES {
                        sums_of::<L, BLOCK, 1>(
                            weights, bias, input, from.band, w.inputs, &mut sums,
                        );
                    } else {
                        sums_of::<L, { BLOCK / 2 }, 2>(
                            weights, bias, input, from.band, w.inputs, &mut sums,
                        );
                    }
                    for f in 0..count {
                        let band = first + f;
                        let gate = frame * from.frame + band * from.band + group * LANES;
                        let at = frame * to.frame + band * to.band + group * LANES;
                        L::Eight::load(sums.as_ptr().add(f * LANES))
                            .mul(L::Eight::load(z.as_ptr().add(gate)))
                            .store(out.as_mut_ptr().add(at));
                    }
                }
            }
        }
    }
}

/// The sums of a block's outputs, `[8 outputs][8 channels]` in `V` vectors; every `S`th input goes to the same sum.
///
/// # Safety
/// The pointers have what the block needs, `V` vectors of `L` are a block, and the processor has the instructions of `L`.
#[allow(
    clippy::needless_range_loop,
    reason = "several arrays go in step, and their index says so"
)]
#[inline(always)]
unsafe fn sums_of<L: Lane, const V: usize, const S: usize>(
    mut weights: *const f32,
    bias: *const f32,
    mut input: *const f32,
    step: usize,
    inputs: usize,
    sums: &mut [f32; BLOCK * LANES],
) {
    // SAFETY: as the caller vouches.
    unsafe {
        let mut acc = [[L::splat(0.0); V]; S];
        for (v, a) in acc[0].iter_mut().enumerate() {
            *a = L::load(bias.add(v * L::N));
        }
        macro_rules! step {
            ($acc:expr) => {
                let x = L::repeat_eight(input);
                for (v, a) in $acc.iter_mut().enumerate() {
                    *a = L::load(weights.add(v * L::N)).fma(x, *a);
                }
                weights = weights.add(BLOCK * LANES);
                input = input.wrapping_add(step);
            };
        }
        for _ in 0..inputs / S {
            for acc in &mut acc {
                step!(acc);
            }
        }
        for _ in 0..inputs % S {
            step!(acc[0]);
        }
        for v in 0..V {
            let mut sum = acc[0][v];
            for other in &acc[1..] {
                sum = sum.add(other[v]);
            }
            sum.store(sums.as_mut_ptr().add(v * L::N));
        }
    }
}
