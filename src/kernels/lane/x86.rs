//! Lanes of x86-64: AVX2 with FMA, and AVX-512F.

use super::{Lane, MANTISSA, SQRT_HALF};
use std::arch::x86_64::*;

/// Eight lanes of AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct V8(__m256);

/// Sixteen lanes of AVX-512F.
#[derive(Clone, Copy)]
pub(crate) struct V16(__m512);

/// A window of eight into this, `8 - count` in, masks the first `count` lanes.
static MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];

/// The first `count` of eight lanes.
///
/// # Safety
/// The processor has AVX2.
#[inline(always)]
unsafe fn first_of_8(count: usize) -> __m256i {
    // SAFETY: the window lies in the table; the caller vouches for the instructions.
    unsafe { _mm256_loadu_si256(MASKS[8 - count.min(8)..][..8].as_ptr().cast()) }
}

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
    type Eight = V8;
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
    unsafe fn load_first(p: *const f32, count: usize) -> V8 {
        // SAFETY: as the caller vouches; lanes behind `count` are not read.
        V8(unsafe { _mm256_maskload_ps(p, first_of_8(count)) })
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, count: usize) {
        // SAFETY: as the caller vouches; lanes behind `count` are not written.
        unsafe { _mm256_maskstore_ps(p, first_of_8(count), self.0) }
    }
    #[inline(always)]
    fn prefetch(p: *const f32) {
        // SAFETY: a prefetch of any address does no harm.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(p.cast()) }
    }
    #[inline(always)]
    fn mantissa_and_exponent(self) -> (V8, V8) {
        // SAFETY: `self` exists, so the instructions are there.
        unsafe {
            let root = _mm256_set1_epi32(SQRT_HALF);
            let bits = _mm256_sub_epi32(_mm256_castps_si256(self.0), root);
            let mantissa = _mm256_and_si256(bits, _mm256_set1_epi32(MANTISSA));
            (
                V8(_mm256_castsi256_ps(_mm256_add_epi32(mantissa, root))),
                V8(_mm256_cvtepi32_ps(_mm256_srai_epi32::<23>(bits))),
            )
        }
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
    type Eight = V8;
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
    unsafe fn load_first(p: *const f32, count: usize) -> V16 {
        // SAFETY: as the caller vouches; lanes behind `count` are not read.
        V16(unsafe { _mm512_maskz_loadu_ps(((1u32 << count) - 1) as u16, p) })
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, count: usize) {
        // SAFETY: as the caller vouches; lanes behind `count` are not written.
        unsafe { _mm512_mask_storeu_ps(p, ((1u32 << count) - 1) as u16, self.0) }
    }
    #[inline(always)]
    fn prefetch(p: *const f32) {
        V8::prefetch(p);
    }
    #[inline(always)]
    unsafe fn repeat_eight(p: *const f32) -> V16 {
        // SAFETY: as the caller vouches.
        V16(unsafe { _mm512_castpd_ps(_mm512_broadcast_f64x4(_mm256_loadu_pd(p.cast()))) })
    }
    #[inline(always)]
    fn mantissa_and_exponent(self) -> (V16, V16) {
        // SAFETY: `self` exists, so the instructions are there.
        unsafe {
            let root = _mm512_set1_epi32(SQRT_HALF);
            let bits = _mm512_sub_epi32(_mm512_castps_si512(self.0), root);
            let mantissa = _mm512_and_si512(bits, _mm512_set1_epi32(MANTISSA));
            (
                V16(_mm512_castsi512_ps(_mm512_add_epi32(mantissa, root))),
                V16(_mm512_cvtepi32_ps(_mm512_srai_epi32::<23>(bits))),
            )
        }
    }
    // Instructions of their own, which leave more room beside the products than the rounding by addition does.
    #[inline(always)]
    fn whole_and_rest(self) -> (V16, V16) {
        // SAFETY: `self` exists, so the instructions are there.
        unsafe {
            let whole =
                _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(self.0);
            (V16(whole), V16(_mm512_sub_ps(self.0, whole)))
        }
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
        times_power(a, k) = _mm512_scalef_ps(a, k);
        flush(a, b) = {
            _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(_mm512_abs_ps(a), b), a)
        };
    }
}
