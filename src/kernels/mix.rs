//! One small dense layer per channel: the bands (or frames, or positions) of a row mixed, each channel in its own way.
//!
//! The channels are the lanes, eight of them, so nothing is gathered. Weights are packed
//! `[C/8][F_out/8][F_in][8 outputs][8 channels]`: one stream.

use super::lane::Lane;
use super::simd::Aligned;

/// Outputs that stay in registers together.
const BLOCK: usize = 8;
/// Channels in a vector, on every path.
const LANES: usize = 8;

/// C matrices `[F_out, F_in]` and an optional bias `[C, F_out]`, packed for [`mix`].
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
                let block = c / LANES * padded / BLOCK + f / BLOCK;
                for g in 0..inputs {
                    let at = ((block * inputs + g) * BLOCK + f % BLOCK) * LANES + c % LANES;
                    blocks[at] = weight[(c * outputs + f) * inputs + g];
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
                    packed_bias[(c / LANES * padded + f) * LANES + c % LANES] =
                        bias[c * outputs + f];
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
}

on_path! {
    /// `out[r][f][c] ← Σ_g W[c][f][g] · u[r][g][c] + bias[c][f]`, added to `out` if `accumulate`.
    ///
    /// `u` is `[rows][F_in][C]`, `out` is `[rows][F_out][C]`.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn mix(w: &PackedMix, u: &[f32], out: &mut [f32], rows: usize, accumulate: bool) = mix_body by 8
}

/// # Safety
/// The processor has the instructions of `L`, which has eight lanes.
#[inline(always)]
unsafe fn mix_body<L: Lane>(
    w: &PackedMix,
    u: &[f32],
    out: &mut [f32],
    rows: usize,
    accumulate: bool,
) {
    assert!(L::N == LANES);
    assert!(
        u.len() >= rows * w.inputs * w.channels,
        "input rows do not fit"
    );
    assert!(
        out.len() >= rows * w.outputs * w.channels,
        "output rows do not fit"
    );
    let padded = w.outputs.next_multiple_of(BLOCK);
    for group in 0..w.channels / LANES {
        for first in (0..padded).step_by(BLOCK) {
            let block = (group * padded + first) / BLOCK;
            let count = BLOCK.min(w.outputs - first);
            for row in 0..rows {
                let u_row = row * w.inputs * w.channels + group * LANES;
                let out_row = (row * w.outputs + first) * w.channels + group * LANES;
                // SAFETY: groups, blocks and rows stay within what was packed and checked above.
                unsafe {
                    let mut weights = w.blocks.as_ptr().add(block * w.inputs * BLOCK * LANES);
                    let bias = w.bias.as_ptr().add(block * BLOCK * LANES);
                    let mut acc = [L::splat(0.0); BLOCK];
                    for (f, a) in acc.iter_mut().enumerate() {
                        *a = L::load(bias.add(f * LANES));
                    }
                    let mut input = u.as_ptr().add(u_row);
                    for _ in 0..w.inputs {
                        let v = L::load(input);
                        for (f, a) in acc.iter_mut().enumerate() {
                            *a = L::load(weights.add(f * LANES)).fma(v, *a);
                        }
                        weights = weights.add(BLOCK * LANES);
                        input = input.wrapping_add(w.channels);
                    }
                    for (f, a) in acc.iter().enumerate().take(count) {
                        let to = out.as_mut_ptr().add(out_row + f * w.channels);
                        let a = if accumulate { L::load(to).add(*a) } else { *a };
                        a.store(to);
                    }
                }
            }
        }
    }
}
