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
#[allow(
    clippy::approx_constant,
    reason = "fitted together: ln 2 itself would double the error"
)]
const EXP2: [f32; 5] = [
    0.693_147,
    0.240_222_42,
    0.055_507_336,
    0.009_671_513,
    0.001_326_472_7,
];

/// 2·atanh(s)/s as a polynomial in s² on s ≤ 1/3; relative error 4e-9 before rounding.
const ATANH: [f32; 5] = [2.0, 0.666_663_15, 0.400_249_1, 0.279_606_03, 0.281_783_35];

/// Bits of √½.
const SQRT_HALF: i32 = 0x3f35_04f3;

/// Bits of a mantissa.
const MANTISSA: i32 = 0x007f_ffff;

/// Adjacent f32 in one register, and what the kernels do to them.
pub(crate) trait Lane: Copy {
    /// Floats in one value.
    const N: usize;

    /// Vectors side by side in one value.
    const ROWS: usize = 1;

    /// Eight lanes of the same instructions, for what is left behind whole vectors.
    type Eight: Lane;

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
    /// The first `count` floats from `p`, at most `N`; zeros behind.
    ///
    /// # Safety
    /// `p` is readable for `count` floats, and the processor has this lane's instructions.
    unsafe fn load_first(p: *const f32, count: usize) -> Self;
    /// The first `count` floats to `p`, at most `N`.
    ///
    /// # Safety
    /// `p` is writable for `count` floats.
    unsafe fn store_first(self, p: *mut f32, count: usize);
    /// Eight floats from `p`, again and again in all lanes.
    ///
    /// # Safety
    /// `p` is readable for eight floats, and the processor has this lane's instructions.
    #[inline(always)]
    unsafe fn repeat_eight(p: *const f32) -> Self {
        // SAFETY: as the caller vouches.
        unsafe { Self::load(p) }
    }
    /// A vector from each of [`Self::ROWS`] rows, `stride` apart.
    ///
    /// # Safety
    /// As [`Self::load`], for each row.
    #[inline(always)]
    unsafe fn load_rows(p: *const f32, _stride: usize) -> Self {
        // SAFETY: as the caller vouches.
        unsafe { Self::load(p) }
    }
    /// A vector to each of [`Self::ROWS`] rows, `stride` apart.
    ///
    /// # Safety
    /// As [`Self::store`], for each row.
    #[inline(always)]
    unsafe fn store_rows(self, p: *mut f32, _stride: usize) {
        // SAFETY: as the caller vouches.
        unsafe { self.store(p) }
    }
    /// Has the first-level cache fetch what lies at `p`, which need not be readable.
    #[inline(always)]
    fn prefetch(_p: *const f32) {}

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

    /// (m, e) of positive normal numbers m · 2^e, with m between √½ and √2.
    fn mantissa_and_exponent(self) -> (Self, Self);

    /// The sum of all lanes, in a fixed order: halves added until one is left.
    fn sum(self) -> f32;

    /// (k, r) of x = k + r, k whole and r at most 1/2 in size, for x already within ±126. How k is written is the lane's own.
    #[inline(always)]
    fn whole_and_rest(self) -> (Self, Self) {
        let rounded = self.add(self.of(ROUND));
        (rounded, self.sub(rounded.sub(self.of(ROUND))))
    }

    /// `self` · 2^k, with k from [`Self::whole_and_rest`].
    #[inline(always)]
    fn times_power(self, whole: Self) -> Self {
        self.scale(whole)
    }

    /// 2^x, for x already within ±126.
    #[inline(always)]
    fn exp2_raw(self) -> Self {
        let (whole, rest) = self.whole_and_rest();
        rest.exp2_near_0().times_power(whole)
    }

    /// 2^r of `self` = r, at most 1/2 in size.
    #[inline(always)]
    fn exp2_near_0(self) -> Self {
        let r = self;
        let p = r.fma(self.of(EXP2[4]), self.of(EXP2[3]));
        let p = r.fma(p, self.of(EXP2[2]));
        let p = r.fma(p, self.of(EXP2[1]));
        let p = r.fma(p, self.of(EXP2[0]));
        r.fma(p, self.of(1.0))
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

    /// 2^x and 2^x − 1, for x already within ±126. The second keeps its digits near 0.
    #[inline(always)]
    fn power_and_rise(self) -> (Self, Self) {
        let rounded = self.add(self.of(ROUND));
        let r = self.sub(rounded.sub(self.of(ROUND)));
        let p = r.fma(self.of(EXP2[4]), self.of(EXP2[3]));
        let p = r.fma(p, self.of(EXP2[2]));
        let p = r.fma(p, self.of(EXP2[1]));
        let part = r.mul(r.fma(p, self.of(EXP2[0])));
        let whole = self.of(1.0).scale(rounded);
        let rise = part.fma(whole, whole.sub(self.of(1.0)));
        (part.fma(whole, whole), rise)
    }

    /// The decay of a state as [`Self::decay`] has it, and the same less 1.
    #[inline(always)]
    fn decay_and_fall(self) -> (Self, Self) {
        self.max(self.of(-64.0)).power_and_rise()
    }

    /// log2 of positive normal numbers: the exponent, and the series of artanh on the mantissa.
    #[inline(always)]
    fn log2(self) -> Self {
        let (m, exponent) = self.mantissa_and_exponent();
        let t = m.sub(self.of(1.0)).div(m.add(self.of(1.0)));
        let s = t.mul(t);
        let p = s.fma(self.of(1.0 / 9.0), self.of(1.0 / 7.0));
        let p = s.fma(p, self.of(1.0 / 5.0));
        let p = s.fma(p, self.of(1.0 / 3.0));
        let p = s.fma(p, self.of(1.0));
        t.mul(self.of(2.0 * std::f32::consts::LOG2_E))
            .fma(p, exponent)
    }

    /// e^-x, for x held within ±86. The product with log2 e goes into the rounding and into the remainder unrounded.
    #[inline(always)]
    fn exp_minus(self) -> Self {
        let x = self.max(self.of(-86.0)).min(self.of(86.0));
        let log2_e = self.of(std::f32::consts::LOG2_E);
        let rounded = x.fnma(log2_e, self.of(ROUND));
        let minus_whole = self.of(ROUND).sub(rounded);
        x.fnma(log2_e, minus_whole).exp2_near_0().scale(rounded)
    }

    /// 1 / (1 + e^-x).
    #[inline(always)]
    fn sigmoid(self) -> Self {
        self.of(1.0).div(self.exp_minus().add(self.of(1.0)))
    }

    /// x · sigmoid(x), with x raised by 1e-20 so that silence makes no subnormal number.
    #[inline(always)]
    fn silu(self) -> Self {
        self.add(self.of(TINY))
            .div(self.exp_minus().add(self.of(1.0)))
    }

    /// tanh(x) = u / (u + 2) with u = e^2x − 1, which keeps its digits near 0; beyond ±10 it is ±1.
    #[inline(always)]
    fn tanh(self) -> Self {
        let x = self.max(self.of(-10.0)).min(self.of(10.0));
        let (_, u) = x
            .mul(self.of(2.0 * std::f32::consts::LOG2_E))
            .power_and_rise();
        u.div(u.add(self.of(2.0)))
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

mod pair;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use pair::{Group, Pair, Quad};
pub(crate) use portable::P8;
#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{V8, V16};
