//! Causal depthwise convolution over time: `y[t] = b + Σ_j w[j] · x[t − (K−1) + j]`.
//!
//! The state is the tail, the last 3 inputs of each channel, oldest first, `[3][channels]`: it shifts while it is read,
//! so two streams' states can be blended or exchanged without a position to agree on. Fewer than 4 taps are 4 of which
//! the oldest weigh nothing.

use super::lane::Lane;
use super::simd::Aligned;

/// The taps of every kernel.
const TAPS: usize = 4;

/// Taps `[4][channels]` and a bias, packed for [`conv`].
#[derive(Debug, Clone)]
pub struct PackedConv {
    channels: usize,
    weight: Aligned,
    bias: Aligned,
}

impl PackedConv {
    /// Packs `weight`, `[channels, 1, taps]` as PyTorch's depthwise `Conv1d` keeps it, and `bias`, `[channels]`.
    ///
    /// # Panics
    /// If `channels` is not a multiple of 8, if `taps` is not 1 to 4, or if a slice's length is wrong.
    pub fn new(weight: &[f32], channels: usize, taps: usize, bias: Option<&[f32]>) -> PackedConv {
        assert!(
            channels.is_multiple_of(8),
            "channels are not a multiple of 8"
        );
        assert!((1..=TAPS).contains(&taps), "only 1 to 4 taps");
        assert_eq!(
            weight.len(),
            channels * taps,
            "weight is not [channels, 1, taps]"
        );
        let mut packed = Aligned::zeros(channels * TAPS);
        for c in 0..channels {
            for j in 0..taps {
                packed[(TAPS - taps + j) * channels + c] = weight[c * taps + j];
            }
        }
        let mut packed_bias = Aligned::zeros(channels);
        if let Some(bias) = bias {
            packed_bias.copy_from_slice(bias);
        }
        PackedConv {
            channels,
            weight: packed,
            bias: packed_bias,
        }
    }

    /// Channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// `[4][channels]` of taps, the oldest first, and the bias behind.
    pub fn taps_and_bias(&self) -> Vec<f32> {
        [
            &self.weight[..4 * self.channels],
            &self.bias[..self.channels],
        ]
        .concat()
    }

    /// Floats of state for one stream: `3 · channels`.
    pub fn state_len(&self) -> usize {
        (TAPS - 1) * self.channels
    }
}

/// Convolves `batch` streams of `time` rows in place and shifts their `tails`.
///
/// Row r = b · time + t is at `x[r · stride ..][..channels]`; `tails` is `[batch][3][channels]`.
///
/// # Panics
/// If a row does not fit its slice or its stride, or `tails` is too short.
pub fn conv(
    path: crate::kernels::Path,
    w: &PackedConv,
    x: &mut [f32],
    stride: usize,
    batch: usize,
    time: usize,
    tails: &mut [f32],
) {
    if w.channels.is_multiple_of(16) {
        wide(path, w, x, stride, batch, time, tails);
    } else {
        narrow(path, w, x, stride, batch, time, tails);
    }
}

on_path! {
    fn wide(w: &PackedConv, x: &mut [f32], stride: usize, batch: usize, time: usize, tails: &mut [f32])
        = conv_body by 16
}
on_path! {
    fn narrow(w: &PackedConv, x: &mut [f32], stride: usize, batch: usize, time: usize, tails: &mut [f32])
        = conv_body by 8
}

/// # Safety
/// `L::N` divides the channels, and the processor has the instructions of `L`.
#[inline(always)]
unsafe fn conv_body<L: Lane>(
    w: &PackedConv,
    x: &mut [f32],
    stride: usize,
    batch: usize,
    time: usize,
    tails: &mut [f32],
) {
    if batch * time == 0 {
        return;
    }
    let channels = w.channels;
    assert!(
        stride >= channels && x.len() >= (batch * time - 1) * stride + channels,
        "rows do not fit"
    );
    assert!(tails.len() >= batch * w.state_len(), "tails are too short");
    for c in (0..channels).step_by(L::N) {
        // SAFETY: `c` is a whole vector below `channels`; the rows and the tails fit, as checked; the caller vouches for
        // the instructions.
        unsafe {
            let weight = w.weight.as_ptr().add(c);
            let [w0, w1, w2, w3] = [0, 1, 2, 3].map(|j| L::load(weight.add(j * channels)));
            let bias = L::load(w.bias.as_ptr().add(c));
            for stream in 0..batch {
                let mut at = x.as_mut_ptr().add(stream * time * stride + c);
                let tail = tails.as_mut_ptr().add(stream * w.state_len() + c);
                let [mut p0, mut p1, mut p2] = [0, 1, 2].map(|j| L::load(tail.add(j * channels)));
                for _ in 0..time {
                    let now = L::load(at);
                    let y = w2.fma(p2, w1.fma(p1, w0.fma(p0, bias)));
                    w3.fma(now, y).store(at);
                    (p0, p1, p2) = (p1, p2, now);
                    at = at.wrapping_add(stride);
                }
                p0.store(tail);
                p1.store(tail.add(channels));
                p2.store(tail.add(2 * channels));
            }
        }
    }
}
