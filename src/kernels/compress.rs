//! Power-law compression of complex bins: how spectra are brought to a range that a small net can see.

use super::lane::Lane;

/// Added to the power, so that silence has a finite logarithm.
pub const POWER_FLOOR: f32 = 1e-12;

on_path! {
    /// `magnitude ← |x|^e` and `scale ← |x|^(e-1)` of `x = re + i·im`, with `|x|² + 1e-12` for `|x|²`.
    ///
    /// # Panics
    /// If a slice is shorter than `re`.
    pub fn compress(re: &[f32], im: &[f32], exponent: f32, magnitude: &mut [f32], scale: &mut [f32]) = compress_body by 32
}

/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn compress_body<L: Lane>(
    re: &[f32],
    im: &[f32],
    exponent: f32,
    magnitude: &mut [f32],
    scale: &mut [f32],
) {
    let n = re.len();
    assert!(
        im.len() >= n && magnitude.len() >= n && scale.len() >= n,
        "planes differ in length"
    );
    let whole = n / L::N * L::N;
    // SAFETY: vectors stay within the first n floats of each slice; the caller vouches for the instructions.
    unsafe {
        for k in (0..whole).step_by(L::N) {
            let (re, im) = (L::load(re.as_ptr().add(k)), L::load(im.as_ptr().add(k)));
            let (m, s) = powers(re, im, exponent);
            m.store(magnitude.as_mut_ptr().add(k));
            s.store(scale.as_mut_ptr().add(k));
        }
        for k in (whole..n).step_by(8) {
            let count = (n - k).min(8);
            let re = L::Eight::load_first(re.as_ptr().add(k), count);
            let im = L::Eight::load_first(im.as_ptr().add(k), count);
            let (m, s) = powers(re, im, exponent);
            m.store_first(magnitude.as_mut_ptr().add(k), count);
            s.store_first(scale.as_mut_ptr().add(k), count);
        }
    }
}

/// |x|^e and |x|^(e-1).
#[inline(always)]
fn powers<L: Lane>(re: L, im: L, exponent: f32) -> (L, L) {
    let log = re.fma(re, im.fma(im, re.of(POWER_FLOOR))).log2();
    (
        log.mul(log.of(0.5 * exponent)).exp2(),
        log.mul(log.of(0.5 * (exponent - 1.0))).exp2(),
    )
}

/// What a net sees of bins, each `[bins]`.
#[derive(Debug, Clone, Copy)]
pub struct Compressed<'a> {
    /// Real part, not yet scaled.
    pub re: &'a [f32],
    /// Imaginary part, not yet scaled.
    pub im: &'a [f32],
    /// Compressed magnitude.
    pub magnitude: &'a [f32],
    /// What the parts are scaled by.
    pub scale: &'a [f32],
}

on_path! {
    /// Lays out neighbouring bands of `width` bins, the first at bin `first`: `out` is `[bands][3][width]` with
    /// `gain` times the scaled real parts, imaginary parts and magnitudes.
    ///
    /// # Panics
    /// If a slice is shorter than its bins and eight floats behind them.
    pub fn lay_out(c: Compressed, gain: f32, first: usize, width: usize, bands: usize, out: &mut [f32]) = lay_out_body by 8
}

/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn lay_out_body<L: Lane>(
    c: Compressed,
    gain: f32,
    first: usize,
    width: usize,
    bands: usize,
    out: &mut [f32],
) {
    let end = first + bands * width + L::N;
    let shortest = c.re.len().min(c.im.len()).min(c.magnitude.len());
    assert!(shortest.min(c.scale.len()) >= end, "bins do not fit");
    assert!(out.len() >= 3 * bands * width + L::N, "bands do not fit");
    for band in 0..bands {
        // What a vector writes behind its plane, the next plane's or band's overwrites.
        for plane in 0..3 {
            for i in (0..width).step_by(L::N) {
                let bin = first + band * width + i;
                // SAFETY: a vector starts within a band and ends at most one vector behind it, which all slices have,
                // as checked; the caller vouches for the instructions.
                unsafe {
                    let scale = || L::load(c.scale.as_ptr().add(bin));
                    let value = match plane {
                        0 => L::load(c.re.as_ptr().add(bin)).mul(scale()),
                        1 => L::load(c.im.as_ptr().add(bin)).mul(scale()),
                        _ => L::load(c.magnitude.as_ptr().add(bin)),
                    };
                    let at = (3 * band + plane) * width + i;
                    value.mul(L::splat(gain)).store(out.as_mut_ptr().add(at));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Path;

    #[test]
    fn equals_the_powers_of_the_standard_library() {
        let re: Vec<f32> = (0..997)
            .map(|k| (k as f32 * 0.37).sin() * 10f32.powi(k % 13 - 7))
            .collect();
        let im: Vec<f32> = (0..997)
            .map(|k| (k as f32 * 0.61).cos() * 10f32.powi(k % 11 - 6))
            .collect();
        for path in Path::available() {
            let (mut magnitude, mut scale) = (vec![0.0; 997], vec![0.0; 997]);
            compress(path, &re, &im, 0.3, &mut magnitude, &mut scale);
            for k in 0..997 {
                let power =
                    f64::from(re[k]).powi(2) + f64::from(im[k]).powi(2) + f64::from(POWER_FLOOR);
                for (got, truth) in [
                    (magnitude[k], power.powf(0.15)),
                    (scale[k], power.powf(-0.35)),
                ] {
                    let error = (f64::from(got) / truth - 1.0).abs();
                    assert!(error < 2e-6, "{path:?}: {got} for {truth}");
                }
            }
        }
    }
}
