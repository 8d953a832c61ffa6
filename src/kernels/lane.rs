//! The lanes that kernels are written over: one trait, an implementation for each width.
//!
//! Making a lane vector (`load`, `splat`) is unsafe: the caller says that the instructions are there. All else is safe,
//! for a value that exists is the proof.

/// Below this (−400 dB) a state is silence. Subnormal numbers are slow on many processors, and changing the thread's
/// floating-point mode is undefined behaviour in Rust, so the kernels flush by hand.
pub(crate) const TINY: f32 = 1e-20;

/// 1.5 · 2^23: adding it rounds to an integer, which then stands in the low bits.
const ROUND: f32 = 12_582_912.0;

/// 2^r on |r| ≤ 1/2 without its constant term, which is exactly 1 so that a decay of 0 never grows; relative error
/// 1.1e-7, going to 0 with r.
const EXP2: [f32; 5] = [
    0.693_147,
    0.240_222_42,
    0.055_507_336,
    0.009_671_513,
    0.001_326_472_7,
];

/// 2·atanh(s)/s as a polynomial in s² on s ≤ 1/3; relative error 4e-9 before rounding.
const ATANH: [f32; 5] = [2.0, 0.666_663_15, 0.400_249_1, 0.279_606_03, 0.281_783_35];

/// Adjacent f32 in one register, and what the kernels do to them.
pub(crate) trait Lane: Copy {
    /// Floats in one value.
    const N: usize;

    /// `N` floats from `p`.
    ///
    /// # Safety
    /// `p` is readable for `N` floats, and the processor has this lane's instructions.
    unsafe fn load(p: *const f32) -> Self;
    /// `v` in every lane.
    ///
    /// # Safety
    /// The processor has this lane's instructions.
    unsafe fn splat(v: f32) -> Self;
    /// `N` floats to `p`.
    ///
    /// # Safety
    /// `p` is writable for `N` floats.
    unsafe fn store(self, p: *mut f32);

    /// `v` in every lane; `self` is only the proof that the instructions are there.
    fn of(self, v: f32) -> Self;
    fn add(self, o: Self) -> Self;
    fn sub(self, o: Self) -> Self;
    fn mul(self, o: Self) -> Self;
    fn div(self, o: Self) -> Self;
    fn max(self, o: Self) -> Self;
    fn min(self, o: Self) -> Self;
    fn abs(self) -> Self;
    /// `self · b + c`, rounded once.
    fn fma(self, b: Self, c: Self) -> Self;
    /// `c − self · b`, rounded once.
    fn fnma(self, b: Self, c: Self) -> Self;
    /// `self · 2^k`, where `rounded` is k + [`ROUND`].
    fn scale(self, rounded: Self) -> Self;
    /// Lanes smaller than `bound` in size become 0, and so does NaN: a broken state heals.
    fn flush(self, bound: Self) -> Self;

    /// The sum of all lanes, in a fixed order: halves added until one is left.
    fn sum(self) -> f32;

    /// 2^x, for x already within ±126.
    #[inline(always)]
    fn exp2_raw(self) -> Self {
        let rounded = self.add(self.of(ROUND));
        let r = self.sub(rounded.sub(self.of(ROUND)));
        let p = r.fma(self.of(EXP2[4]), self.of(EXP2[3]));
        let p = r.fma(p, self.of(EXP2[2]));
        let p = r.fma(p, self.of(EXP2[1]));
        let p = r.fma(p, self.of(EXP2[0]));
        r.fma(p, self.of(1.0)).scale(rounded)
    }

    /// 2^x for any finite x, held within 2^±125.
    #[inline(always)]
    fn exp2(self) -> Self {
        self.max(self.of(-125.0)).min(self.of(125.0)).exp2_raw()
    }

    /// 2^x for x ≤ 0, the decay of a state: never less than 2^-64, which is silence but not subnormal.
    #[inline(always)]
    fn decay(self) -> Self {
        self.max(self.of(-64.0)).exp2_raw()
    }

    /// 1 / (1 + e^-x).
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let e = self.mul(self.of(-std::f32::consts::LOG2_E)).exp2();
        self.of(1.0).div(e.add(self.of(1.0)))
    }

    /// x · sigmoid(x), silence flushed.
    #[inline(always)]
    fn silu(self) -> Self {
        let e = self.mul(self.of(-std::f32::consts::LOG2_E)).exp2();
        self.div(e.add(self.of(1.0))).flush(self.of(TINY))
    }

    /// ln(1 + e^x), as max(x, 0) + ln(1 + u) with u = e^-|x|, and ln(1 + u) = 2·atanh(u / (2 + u)). Never less than
    /// 2^-60, so that the square of u / (2 + u) is no subnormal number.
    #[inline(always)]
    fn softplus(self) -> Self {
        let u = self
            .abs()
            .mul(self.of(-std::f32::consts::LOG2_E))
            .max(self.of(-60.0))
            .exp2_raw();
        let s = u.div(u.add(self.of(2.0)));
        let q = s.mul(s);
        let p = q.fma(self.of(ATANH[4]), self.of(ATANH[3]));
        let p = q.fma(p, self.of(ATANH[2]));
        let p = q.fma(p, self.of(ATANH[1]));
        let p = q.fma(p, self.of(ATANH[0]));
        s.fma(p, self.max(self.of(0.0)))
    }
}

/// Eight lanes of plain Rust.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct P8([f32; 8]);

impl P8 {
    #[inline(always)]
    fn zip(self, o: P8, f: impl Fn(f32, f32) -> f32) -> P8 {
        let mut r = self.0;
        for i in 0..8 {
            r[i] = f(self.0[i], o.0[i]);
        }
        P8(r)
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
        let mut r = c.0;
        for i in 0..8 {
            r[i] = portable_fma(self.0[i], b.0[i], c.0[i]);
        }
        P8(r)
    }
    #[inline(always)]
    fn fnma(self, b: P8, c: P8) -> P8 {
        let mut r = c.0;
        for i in 0..8 {
            r[i] = portable_fma(-self.0[i], b.0[i], c.0[i]);
        }
        P8(r)
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

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{V8, V16};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Lane;
    use std::arch::x86_64::*;

    /// Eight lanes of AVX2 and FMA.
    #[derive(Clone, Copy)]
    pub(crate) struct V8(__m256);

    /// Sixteen lanes of AVX-512F.
    #[derive(Clone, Copy)]
    pub(crate) struct V16(__m512);

    /// Lane methods that are one intrinsic each.
    macro_rules! intrinsics {
        ($($name:ident($this:ident $(, $arg:ident)*) = $call:expr;)*) => {
            $(
                #[inline(always)]
                fn $name(self $(, $arg: Self)*) -> Self {
                    let $this = self.0;
                    $(let $arg = $arg.0;)*
                    // SAFETY: `self` exists, so the instructions are there.
                    Self(unsafe { $call })
                }
            )*
        };
    }

    impl Lane for V8 {
        const N: usize = 8;
        #[inline(always)]
        unsafe fn load(p: *const f32) -> V8 {
            // SAFETY: as the caller vouches.
            V8(unsafe { _mm256_loadu_ps(p) })
        }
        #[inline(always)]
        unsafe fn splat(v: f32) -> V8 {
            // SAFETY: as the caller vouches.
            V8(unsafe { _mm256_set1_ps(v) })
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            // SAFETY: as the caller vouches.
            unsafe { _mm256_storeu_ps(p, self.0) }
        }
        #[inline(always)]
        fn sum(self) -> f32 {
            // SAFETY: `self` exists, so the instructions are there.
            unsafe {
                let quad = _mm_add_ps(
                    _mm256_castps256_ps128(self.0),
                    _mm256_extractf128_ps::<1>(self.0),
                );
                let pair = _mm_add_ps(quad, _mm_movehl_ps(quad, quad));
                _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)))
            }
        }
        #[inline(always)]
        fn of(self, v: f32) -> V8 {
            // SAFETY: `self` exists, so the instructions are there.
            V8(unsafe { _mm256_set1_ps(v) })
        }
        intrinsics! {
            add(a, o) = _mm256_add_ps(a, o);
            sub(a, o) = _mm256_sub_ps(a, o);
            mul(a, o) = _mm256_mul_ps(a, o);
            div(a, o) = _mm256_div_ps(a, o);
            max(a, o) = _mm256_max_ps(a, o);
            min(a, o) = _mm256_min_ps(a, o);
            fma(a, b, c) = _mm256_fmadd_ps(a, b, c);
            fnma(a, b, c) = _mm256_fnmadd_ps(a, b, c);
            abs(a) = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
            scale(a, t) = _mm256_castsi256_ps(_mm256_add_epi32(
                _mm256_castps_si256(a),
                _mm256_slli_epi32::<23>(_mm256_castps_si256(t)),
            ));
            flush(a, b) = {
                let size = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
                _mm256_and_ps(a, _mm256_cmp_ps::<_CMP_GE_OQ>(size, b))
            };
        }
    }

    impl Lane for V16 {
        const N: usize = 16;
        #[inline(always)]
        unsafe fn load(p: *const f32) -> V16 {
            // SAFETY: as the caller vouches.
            V16(unsafe { _mm512_loadu_ps(p) })
        }
        #[inline(always)]
        unsafe fn splat(v: f32) -> V16 {
            // SAFETY: as the caller vouches.
            V16(unsafe { _mm512_set1_ps(v) })
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            // SAFETY: as the caller vouches.
            unsafe { _mm512_storeu_ps(p, self.0) }
        }
        #[inline(always)]
        fn sum(self) -> f32 {
            // SAFETY: `self` exists, so the instructions are there.
            unsafe { _mm512_reduce_add_ps(self.0) }
        }
        #[inline(always)]
        fn of(self, v: f32) -> V16 {
            // SAFETY: `self` exists, so the instructions are there.
            V16(unsafe { _mm512_set1_ps(v) })
        }
        intrinsics! {
            add(a, o) = _mm512_add_ps(a, o);
            sub(a, o) = _mm512_sub_ps(a, o);
            mul(a, o) = _mm512_mul_ps(a, o);
            div(a, o) = _mm512_div_ps(a, o);
            max(a, o) = _mm512_max_ps(a, o);
            min(a, o) = _mm512_min_ps(a, o);
            fma(a, b, c) = _mm512_fmadd_ps(a, b, c);
            fnma(a, b, c) = _mm512_fnmadd_ps(a, b, c);
            abs(a) = _mm512_abs_ps(a);
            scale(a, t) = _mm512_castsi512_ps(_mm512_add_epi32(
                _mm512_castps_si512(a),
                _mm512_slli_epi32::<23>(_mm512_castps_si512(t)),
            ));
            flush(a, b) = {
                _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(_mm512_abs_ps(a), b), a)
            };
        }
    }
}
