//! Causal depthwise convolution over time, with SiLU fused: `y[t] = silu(b + Σ_j w[j] · x[t − (K−1) + j])`.
//!
//! The state is the tail, the last K−1 inputs of each channel, oldest first, `[K−1][channels]`: it shifts while it is
//! read, so two streams' states can be blended or exchanged without a position to agree on.

use super::lane::Lane;
use super::simd::Aligned;

/// Taps `[K][channels]` and a bias, packed for [`conv_silu`].
#[derive(Debug, Clone)]
pub struct PackedConv {
    channels: usize,
    taps: usize,
    weight: Aligned,
    bias: Aligned,
}

impl PackedConv {
    /// Packs `weight`, `[channels, 1, taps]` as PyTorch's depthwise `Conv1d` keeps it, and `bias`, `[channels]`.
    ///
    /// # Panics
    /// If `channels` is not a multiple of 8, if `taps` is not 2, 3 or 4, or if a slice's length is wrong.
    pub fn new(weight: &[f32], channels: usize, taps: usize, bias: Option<&[f32]>) -> PackedConv {
        assert!(
            channels.is_multiple_of(8),
            "channels are not a multiple of 8"
        );
        assert!((2..=4).contains(&taps), "only 2 to 4 taps");
        assert_eq!(
            weight.len(),
            channels * taps,
            "weight is not [channels, 1, taps]"
        );
        let mut packed = Aligned::zeros(channels * taps);
        for c in 0..channels {
            for j in 0..taps {
                packed[j * channels + c] = weight[c * taps + j];
            }
        }
        let mut packed_bias = Aligned::zeros(channels);
        if let Some(bias) = bias {
            packed_bias.copy_from_slice(bias);
        }
        PackedConv {
            channels,
            taps,
            weight: packed,
            bias: packed_bias,
        }
    }

    /// Channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// K.
    pub fn taps(&self) -> usize {
        self.taps
    }

    /// Floats of state for one stream: `(K−1) · channels`.
    pub fn state_len(&self) -> usize {
        (self.taps - 1) * self.channels
    }
}

on_path! {
    /// Convolves `batch` streams of `time` rows in place and shifts their `tails`.
    ///
    /// Row r = b · time + t is at `x[r · stride ..][..channels]`; `tails` is `[batch][K−1][channels]`.
    ///
    /// # Panics
    /// If a row does not fit its slice or its stride, or `tails` is too short.
    pub fn conv_silu(
        w: &PackedConv, x: &mut [f32], stride: usize, batch: usize, time: usize, tails: &mut [f32],
    ) = conv_body by 8
}

/// # Safety
/// The processor has the instructions of `L`.
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
    assert!(
        stride >= w.channels && x.len() >= (batch * time - 1) * stride + w.channels,
        "rows do not fit"
    );
    assert!(tails.len() >= batch * w.state_len(), "tails are too short");
    for stream in 0..batch {
        // SAFETY: the rows and the tails fit, as checked; the caller vouches for the instructions.
        unsafe {
            let x = x.as_mut_ptr().add(stream * time * stride);
            let tail = tails.as_mut_ptr().add(stream * w.state_len());
            match w.taps {
                4 => taps_body::<L, 3>(w, x, stride, time, tail),
                3 => taps_body::<L, 2>(w, x, stride, time, tail),
                _ => taps_body::<L, 1>(w, x, stride, time, tail),
            }
        }
    }
}

/// A convolution of `PAST + 1` taps.
///
/// # Safety
/// The rows and the tail fit, and the processor has the instructions of `L`.
#[inline(always)]
unsafe fn taps_body<L: Lane, const PAST: usize>(
    w: &PackedConv,
    x: *mut f32,
    stride: usize,
    time: usize,
    tail: *mut f32,
) {
    let channels = w.channels;
    for c in (0..channels).step_by(L::N) {
        // SAFETY: `c` is a whole vector below `channels`, for these are multiples of the lanes.
        unsafe {
            let weight = w.weight.as_ptr().add(c);
            let bias = L::load(w.bias.as_ptr().add(c));
            let mut past = [bias; PAST];
            for (j, p) in past.iter_mut().enumerate() {
                *p = L::load(tail.add(j * channels + c));
            }
            let now_weight = L::load(weight.add(PAST * channels));
            for t in 0..time {
                let at = x.add(t * stride + c);
                let now = L::load(at);
                let mut y = bias;
                for (j, p) in past.iter().enumerate() {
                    y = L::load(weight.add(j * channels)).fma(*p, y);
                }
                now_weight.fma(now, y).silu().store(at);
                past.rotate_left(1);
                past[PAST - 1] = now;
            }
            for (j, p) in past.iter().enumerate() {
                p.store(tail.add(j * channels + c));
            }
        }
    }
}
