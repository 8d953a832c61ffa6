//! Elementwise functions, in place: SiLU, softplus, sigmoid and 2^x, each within a few ulp of the exact value.

use super::lane::Lane;

/// Runs `f` over all of `x`; the last floats go through a padded copy, so that every element meets the same code.
macro_rules! elementwise {
    ($body:ident, $lane:ident => $f:expr) => {
        /// # Safety
        /// The processor has the instructions of `L`.
        #[inline(always)]
        unsafe fn $body<L: Lane>(x: &mut [f32]) {
            let whole = x.len() / L::N * L::N;
            let (body, tail) = x.split_at_mut(whole);
            for chunk in body.chunks_exact_mut(L::N) {
                // SAFETY: a chunk holds `L::N` floats; the caller vouches for the instructions.
                unsafe {
                    let $lane = L::load(chunk.as_ptr());
                    $f.store(chunk.as_mut_ptr());
                }
            }
            if !tail.is_empty() {
                let mut padded = [0.0f32; 16];
                padded[..tail.len()].copy_from_slice(tail);
                // SAFETY: `padded` holds the widest lane; the caller vouches for the instructions.
                unsafe {
                    let $lane = L::load(padded.as_ptr());
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
elementwise!(exp2_body, v => v.exp2());

on_path! {
    /// `x ← x · sigmoid(x)`; results smaller than 1e-20 become 0.
    pub fn silu(x: &mut [f32]) = silu_body by 16
}

on_path! {
    /// `x ← ln(1 + e^x)`.
    pub fn softplus(x: &mut [f32]) = softplus_body by 16
}

on_path! {
    /// `x ← 1 / (1 + e^-x)`.
    pub fn sigmoid(x: &mut [f32]) = sigmoid_body by 16
}

on_path! {
    /// `x ← 2^x`, held within 2^±125.
    pub fn exp2(x: &mut [f32]) = exp2_body by 16
}
