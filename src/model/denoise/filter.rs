//! The head's coefficients applied: a complex filter a bin, over this frame and the ones before.

use super::bands::Group;

/// Coefficients are held within this, so that no filter can blow up.
const LIMIT: f32 = 2.0;

/// Filters one frame. `coefficients` is the band's `[width][taps][2]` for every band in turn, `stride` floats apart;
/// `past` holds the `taps - 1` frames before, the latest first, `[taps - 1][tap bins][2]`.
/// Bins above the bands take the mean gain of the highest band.
pub fn filter(
    groups: &[Group],
    coefficients: &[f32],
    stride: usize,
    spectrum: &[f32],
    past: &[f32],
    past_len: usize,
    out: &mut [f32],
) {
    let mut bin = 0;
    let mut band = 0;
    let mut top = 0.0;
    for group in groups {
        for _ in 0..group.bands {
            let own = &coefficients[band * stride..][..group.coefficients()];
            top = 0.0;
            for m in own.chunks_exact(2 * group.taps) {
                let at = 2 * bin;
                let first = (m[0].clamp(-LIMIT, LIMIT), m[1].clamp(-LIMIT, LIMIT));
                top += first.0 * first.0 + first.1 * first.1;
                let (x, y) = (spectrum[at], spectrum[at + 1]);
                let mut sum = (first.0 * x - first.1 * y, first.0 * y + first.1 * x);
                for k in 1..group.taps {
                    let (a, b) = (
                        m[2 * k].clamp(-LIMIT, LIMIT),
                        m[2 * k + 1].clamp(-LIMIT, LIMIT),
                    );
                    let before = &past[(k - 1) * past_len + at..][..2];
                    sum.0 += a * before[0] - b * before[1];
                    sum.1 += a * before[1] + b * before[0];
                }
                (out[at], out[at + 1]) = sum;
                bin += 1;
            }
            top /= group.width as f32;
            band += 1;
        }
    }
    let gain = (top + 1e-12).sqrt();
    for (out, x) in out[2 * bin..].iter_mut().zip(&spectrum[2 * bin..]) {
        *out = gain * x;
    }
}
