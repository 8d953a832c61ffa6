//! Elementwise functions, in place: SiLU, softplus, sigmoid and 2^x, each within a few ulp of the exact value, and tanh within
//! 1e-6 of itself.
//!
//! Each is one long chain of dependent instructions, so four vectors go side by side.

use super::lane::Lane;

/// Runs `f` over all of `x`; the last floats go through a padded copy, so that every element meets the same code.
macro_rules! elementwise {
    ($body:ident, $lane:ident => $f:expr) => {
        /// # Safety
        /// The processor has the instructions of `L`.
        #[inline(always)]
        unsafe fn $body<L: Lane>(x: &mut [f32]) {
            let (body, rest) = x.split_at_mut(x.len() / L::N * L::N);
            let (eights, tail) = rest.split_at_mut(rest.len() / 8 * 8);
            for chunk in body.chunks_exact_mut(L::N) {
                // SAFETY: a chunk holds `L::N` floats; the caller vouches for the instructions.
                unsafe {
                    let $lane = L::load(chunk.as_ptr());
                    $f.store(chunk.as_mut_ptr());
                }
            }
            for chunk in eights.chunks_exact_mut(8) {
                // SAFETY: a chunk holds eight floats; the caller vouches for the instructions.
                unsafe {
                    let $lane = L::Eight::load(chunk.as_ptr());
                    $f.store(chunk.as_mut_ptr());
                }
            }
            if !tail.is_empty() {
                let mut padded = [0.0f32; 8];
                padded[..tail.len()].copy_from_slice(tail);
                // SAFETY: `padded` holds eight floats; the caller vouches for the instructions.
                unsafe {
                    let $lane = L::Eight::load(padded.as_ptr());
                    $f.store(padded.as_mut_ptr());
                }
                tail.copy_from_slice(&padded[..tail.len()]);
            }
        }
    };
}

elementwise!(silu_body, v => v.silu());
elementwise!(softplus_body, v => v.softplus());
elementwise!(sigmoid_body, v => v.sigmoid());
elementwise!(tanh_body, v => v.tanh());
elementwise!(exp2_body, v => v.exp2());

on_path! {
    /// `x ← x · sigmoid(x)`, with x raised by 1e-20 so that silence makes no subnormal number.
    pub fn silu(x: &mut [f32]) = silu_body by 32
}

on_path! {
    /// [`silu`] of the first `width` of each of `rows` rows, `stride` apart.
    ///
    /// # Panics
    /// If a row does not fit its slice or its stride.
    pub fn silu_rows(x: &mut [f32], stride: usize, width: usize, rows: usize) = silu_rows_body by 32
}

/// # Safety
/// The processor has the instructions of `L`.
#[inline(always)]
unsafe fn silu_rows_body<L: Lane>(x: &mut [f32], stride: usize, width: usize, rows: usize) {
    assert!(stride >= width && stride > 0, "rows overlap");
    for row in x.chunks_mut(stride).take(rows) {
        // SAFETY: the caller vouches for the instructions.
        unsafe { silu_body::<L>(&mut row[..width]) }
    }
}

on_path! {
    /// `x ← ln(1 + e^x)`.
    pub fn softplus(x: &mut [f32]) = softplus_body by 32
}

on_path! {
    /// `x ← 1 / (1 + e^-x)`.
    pub fn sigmoid(x: &mut [f32]) = sigmoid_body by 32
}

on_path! {
    /// `x ← tanh(x)`.
    pub fn tanh(x: &mut [f32]) = tanh_body by 32
}

on_path! {
    /// `x ← 2^x`, held within 2^±125.
    pub fn exp2(x: &mut [f32]) = exp2_body by 32
}
