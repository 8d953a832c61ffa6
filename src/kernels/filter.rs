//! Complex filters applied to spectra: a few taps a bin over this frame and the ones before, and the gate of the bin.
//!
//! Spectra are planes, all real parts and then all imaginary parts, so that bins are the lanes. A band of few bins leaves
//! lanes unused: what they hold is written behind the band, where the next band's values go.

use super::lane::Lane;

/// Coefficients are held within this where a model says nothing else, so that no filter can blow up.
pub const LIMIT: f32 = 2.0;

/// Floats that a kernel of this module may read and write behind the last bin.
pub const OVERHANG: usize = 16;

/// Filters of neighbouring bands of one shape.
#[derive(Debug, Clone, Copy)]
pub struct Filters<'a> {
    /// Band b is at `b · stride`: coefficients `[taps][2][width]`, then, if there are gates, their logits `[width]`.
    pub coefficients: &'a [f32],
    /// Floats from one band to the next.
    pub stride: usize,
    /// Number of bands.
    pub bands: usize,
    /// Bins of a band.
    pub width: usize,
    /// Frames that a filter sees.
    pub taps: usize,
    /// Whether each bin has a gate.
    pub gated: bool,
    /// Coefficients are held within ± this.
    pub limit: f32,
}

on_path! {
    /// Filters one frame's bins from `first` on: `y[bin] ← g·Σ_k c_k·x_k[bin]` with c held within ±[`Filters::limit`] and
    /// g = sigmoid(logit), and `power[bin] ← |g·c_0|²`.
    ///
    /// `x` is `[taps][2][plane]`, the oldest frame first, and `y` is `[2][plane]`.
    ///
    /// # Panics
    /// If a slice is too short for its bins and [`OVERHANG`] floats behind them.
    pub fn filter(f: Filters, x: &[f32], plane: usize, first: usize, y: &mut [f32], power: &mut [f32]) = filter_body by 8
}

/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn filter_body<L: Lane>(
    f: Filters,
    x: &[f32],
    plane: usize,
    first: usize,
    y: &mut [f32],
    power: &mut [f32],
) {
    let Filters {
        coefficients,
        stride,
        bands,
        width,
        taps,
        gated,
        limit,
    } = f;
    if bands == 0 || width == 0 {
        return;
    }
    let own = (2 * taps + usize::from(gated)) * width;
    assert!(taps > 0 && stride >= own, "bands overlap");
    assert!(
        coefficients.len() >= (bands - 1) * stride + own + OVERHANG,
        "coefficients do not fit"
    );
    assert!(
        plane >= first + bands * width + OVERHANG && power.len() >= plane,
        "bins do not fit"
    );
    assert!(
        x.len() >= 2 * taps * plane && y.len() >= 2 * plane,
        "frames do not fit"
    );
    for band in 0..bands {
        for i in (0..width).step_by(L::N) {
            // SAFETY: a vector starts within a band and ends at most `OVERHANG` floats behind it, which all slices
            // have, as checked; the caller vouches for the instructions.
            unsafe {
                let c = coefficients.as_ptr().add(band * stride + i);
                let bin = first + band * width + i;
                let newest = x.as_ptr().add(2 * (taps - 1) * plane + bin);
                // In this order a NaN stays a NaN, which is how a broken frame is found out.
                let held = |v: L| L::splat(limit).min(L::splat(-limit).max(v));
                let (mut re, mut im) = (L::splat(0.0), L::splat(0.0));
                let mut size = L::splat(0.0);
                for k in 0..taps {
                    let a = held(L::load(c.add(2 * k * width)));
                    let b = held(L::load(c.add((2 * k + 1) * width)));
                    let at = newest.sub(2 * k * plane);
                    let (p, q) = (L::load(at), L::load(at.add(plane)));
                    re = b.fnma(q, a.fma(p, re));
                    im = b.fma(p, a.fma(q, im));
                    if k == 0 {
                        size = a.fma(a, b.mul(b));
                    }
                }
                if gated {
                    let gate = L::load(c.add(2 * taps * width)).sigmoid();
                    (re, im) = (re.mul(gate), im.mul(gate));
                    size = size.mul(gate.mul(gate));
                }
                re.store(y.as_mut_ptr().add(bin));
                im.store(y.as_mut_ptr().add(plane + bin));
                size.store(power.as_mut_ptr().add(bin));
            }
        }
    }
}
