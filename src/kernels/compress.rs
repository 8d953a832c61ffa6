//! Power-law compression of complex bins: how spectra are brought to a range that a small net can see.

use super::lane::Lane;

/// Added to the power, so that silence has a finite logarithm.
pub const POWER_FLOOR: f32 = 1e-12;

on_path! {
    /// `magnitude ← |x|^e` and `scale ← |x|^(e-1)` of `x = re + i·im`, with `|x|² + 1e-12` for `|x|²`.
    ///
    /// # Panics
    /// If a slice is shorter than `re`.
    pub fn compress(re: &[f32], im: &[f32], exponent: f32, magnitude: &mut [f32], scale: &mut [f32]) = compress_body
}

/// Plain loops: within [`compress`] they are compiled, and vectorised, for each path's instructions.
///
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
    let (im, magnitude, scale) = (&im[..n], &mut magnitude[..n], &mut scale[..n]);
    for k in 0..n {
        let power = re[k] * re[k] + im[k] * im[k] + POWER_FLOOR;
        let log = log2(power);
        magnitude[k] = exp2(0.5 * exponent * log);
        scale[k] = exp2(0.5 * (exponent - 1.0) * log);
    }
}

/// log2 of a positive normal number: exponent bits, and the series of artanh on the mantissa in [1/√2, √2).
#[inline(always)]
fn log2(x: f32) -> f32 {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let bits = x.to_bits().wrapping_sub(SQRT_HALF);
    let exponent = (bits as i32 >> 23) as f32;
    let m = f32::from_bits((bits & 0x007f_ffff) + SQRT_HALF);
    let t = (m - 1.0) / (m + 1.0);
    let s = t * t;
    let series = 1.0 + s * (1.0 / 3.0 + s * (1.0 / 5.0 + s * (1.0 / 7.0 + s * (1.0 / 9.0))));
    exponent + 2.0 * std::f32::consts::LOG2_E * t * series
}

/// 2^x for |x| < 126: the nearest whole number into the exponent, the Taylor series of e^(x ln 2) for the rest.
#[inline(always)]
fn exp2(x: f32) -> f32 {
    // Adding and taking away 1.5 · 2^23 rounds to a whole number in every vector unit.
    const ROUND: f32 = 12_582_912.0;
    let whole = (x + ROUND) - ROUND;
    let r = (x - whole) * std::f32::consts::LN_2;
    let series = 1.0
        + r * (1.0
            + r * (1.0 / 2.0
                + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0))))));
    series * f32::from_bits(((whole as i32 + 127) << 23) as u32)
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
