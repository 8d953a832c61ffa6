//! Lanes of plain Rust, for every architecture.

use super::{Lane, MANTISSA, SQRT_HALF};

/// Eight lanes of plain Rust.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct P8([f32; 8]);

impl P8 {
    #[inline(always)]
    fn zip(self, o: P8, f: impl Fn(f32, f32) -> f32) -> P8 {
        P8(std::array::from_fn(|i| f(self.0[i], o.0[i])))
    }
}

/// Fused where the architecture always has it; a call into libm would cost a hundred times the rounding it saves.
#[inline(always)]
fn portable_fma(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
        a.mul_add(b, c)
    } else {
        a * b + c
    }
}

impl Lane for P8 {
    const N: usize = 8;
    type Eight = P8;
    #[inline(always)]
    unsafe fn load(p: *const f32) -> P8 {
        // SAFETY: the caller vouches for eight floats; `[f32; 8]` is aligned as f32.
        P8(unsafe { *p.cast::<[f32; 8]>() })
    }
    #[inline(always)]
    unsafe fn splat(v: f32) -> P8 {
        P8([v; 8])
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller vouches for eight floats; `[f32; 8]` is aligned as f32.
        unsafe { *p.cast::<[f32; 8]>() = self.0 }
    }
    #[inline(always)]
    unsafe fn load_first(p: *const f32, count: usize) -> P8 {
        let mut lanes = [0.0; 8];
        for (i, lane) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: as the caller vouches.
            *lane = unsafe { *p.add(i) };
        }
        P8(lanes)
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, count: usize) {
        for (i, lane) in self.0.iter().enumerate().take(count) {
            // SAFETY: as the caller vouches.
            unsafe { *p.add(i) = *lane }
        }
    }
    #[inline(always)]
    fn mantissa_and_exponent(self) -> (P8, P8) {
        let bits = self.0.map(|x| (x.to_bits() as i32).wrapping_sub(SQRT_HALF));
        (
            P8(bits.map(|b| f32::from_bits(((b & MANTISSA) + SQRT_HALF) as u32))),
            P8(bits.map(|b| (b >> 23) as f32)),
        )
    }
    #[inline(always)]
    fn of(self, v: f32) -> P8 {
        P8([v; 8])
    }
    #[inline(always)]
    fn add(self, o: P8) -> P8 {
        self.zip(o, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, o: P8) -> P8 {
        self.zip(o, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, o: P8) -> P8 {
        self.zip(o, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, o: P8) -> P8 {
        self.zip(o, |a, b| a / b)
    }
    #[inline(always)]
    fn max(self, o: P8) -> P8 {
        self.zip(o, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, o: P8) -> P8 {
        self.zip(o, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn abs(self) -> P8 {
        P8(self.0.map(f32::abs))
    }
    #[inline(always)]
    fn fma(self, b: P8, c: P8) -> P8 {
        P8(std::array::from_fn(|i| {
            portable_fma(self.0[i], b.0[i], c.0[i])
        }))
    }
    #[inline(always)]
    fn fnma(self, b: P8, c: P8) -> P8 {
        P8(std::array::from_fn(|i| {
            portable_fma(-self.0[i], b.0[i], c.0[i])
        }))
    }
    #[inline(always)]
    fn scale(self, rounded: P8) -> P8 {
        self.zip(rounded, |a, t| {
            f32::from_bits(a.to_bits().wrapping_add(t.to_bits() << 23))
        })
    }
    #[inline(always)]
    fn flush(self, bound: P8) -> P8 {
        self.zip(bound, |a, b| if a.abs() >= b { a } else { 0.0 })
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        let a = self.0;
        ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]))
    }
}
