//! Two lanes side by side as one.

use super::Lane;

/// Two vectors in step. Long chains of dependent instructions fill a processor's queues before it finds the next
/// independent one; a pair puts that one beside each.
#[derive(Clone, Copy)]
pub(crate) struct Pair<L>(L, L);

/// Four in step.
pub(crate) type Quad<L> = Pair<Pair<L>>;

/// Several of `L` in step, each of its own: states of one channel, say.
pub(crate) trait Group<L: Lane>: Lane {
    /// How many.
    const COUNT: usize;
    /// `one`, again and again.
    fn all(one: L) -> Self;
    /// The floats from `p` on, each in all lanes of its `L`.
    ///
    /// # Safety
    /// `p` is readable for [`Self::COUNT`] floats, and the processor has this lane's instructions.
    unsafe fn splats(p: *const f32) -> Self;
    /// Those from `p` on, `stride` apart.
    ///
    /// # Safety
    /// As [`Lane::load`], for each.
    unsafe fn load_each(p: *const f32, stride: usize) -> Self;
    /// To `p` and on, `stride` apart.
    ///
    /// # Safety
    /// As [`Lane::store`], for each.
    unsafe fn store_each(self, p: *mut f32, stride: usize);
    /// `sums` and each of these times its float from `p` on: the even ones to the first sum, the odd ones to the second, in
    /// their order.
    ///
    /// # Safety
    /// As [`Self::splats`].
    unsafe fn add_to(self, p: *const f32, sums: Pair<L>) -> Pair<L>;
}

impl<L: Lane> Group<L> for Pair<L> {
    const COUNT: usize = 2;
    #[inline(always)]
    fn all(one: L) -> Self {
        Pair(one, one)
    }
    #[inline(always)]
    unsafe fn splats(p: *const f32) -> Self {
        // SAFETY: as the caller vouches.
        unsafe { Pair(L::splat(*p), L::splat(*p.add(1))) }
    }
    #[inline(always)]
    unsafe fn load_each(p: *const f32, stride: usize) -> Self {
        // SAFETY: as the caller vouches.
        unsafe { Pair(L::load(p), L::load(p.add(stride))) }
    }
    #[inline(always)]
    unsafe fn store_each(self, p: *mut f32, stride: usize) {
        // SAFETY: as the caller vouches.
        unsafe {
            self.0.store(p);
            self.1.store(p.add(stride));
        }
    }
    #[inline(always)]
    unsafe fn add_to(self, p: *const f32, sums: Pair<L>) -> Pair<L> {
        // SAFETY: as the caller vouches.
        unsafe { self.fma(Self::splats(p), sums) }
    }
}

impl<L: Lane> Pair<L> {
    /// Of both.
    #[inline(always)]
    pub(crate) fn total(self) -> L {
        self.0.add(self.1)
    }
}

impl<L: Lane> Group<L> for Quad<L> {
    const COUNT: usize = 4;
    #[inline(always)]
    fn all(one: L) -> Self {
        Pair(Pair::all(one), Pair::all(one))
    }
    #[inline(always)]
    unsafe fn splats(p: *const f32) -> Self {
        // SAFETY: as the caller vouches.
        unsafe { Pair(Pair::splats(p), Pair::splats(p.add(2))) }
    }
    #[inline(always)]
    unsafe fn load_each(p: *const f32, stride: usize) -> Self {
        // SAFETY: as the caller vouches.
        unsafe {
            Pair(
                Pair::load_each(p, stride),
                Pair::load_each(p.add(2 * stride), stride),
            )
        }
    }
    #[inline(always)]
    unsafe fn store_each(self, p: *mut f32, stride: usize) {
        // SAFETY: as the caller vouches.
        unsafe {
            self.0.store_each(p, stride);
            self.1.store_each(p.add(2 * stride), stride);
        }
    }
    #[inline(always)]
    unsafe fn add_to(self, p: *const f32, sums: Pair<L>) -> Pair<L> {
        // SAFETY: as the caller vouches.
        unsafe { self.1.add_to(p.add(2), self.0.add_to(p, sums)) }
    }
}

impl<L: Lane> Lane for Pair<L> {
    const N: usize = 2 * L::N;
    const ROWS: usize = 2 * L::ROWS;
    type Eight = L::Eight;
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: as the caller vouches.
        unsafe { Pair(L::load(p), L::load(p.add(L::N))) }
    }
    #[inline(always)]
    unsafe fn splat(v: f32) -> Self {
        // SAFETY: as the caller vouches.
        let v = unsafe { L::splat(v) };
        Pair(v, v)
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: as the caller vouches.
        unsafe {
            self.0.store(p);
            self.1.store(p.add(L::N));
        }
    }
    #[inline(always)]
    unsafe fn load_first(p: *const f32, count: usize) -> Self {
        let low = count.min(L::N);
        // SAFETY: as the caller vouches.
        unsafe {
            Pair(
                L::load_first(p, low),
                L::load_first(p.add(low), count - low),
            )
        }
    }
    #[inline(always)]
    unsafe fn store_first(self, p: *mut f32, count: usize) {
        let low = count.min(L::N);
        // SAFETY: as the caller vouches.
        unsafe {
            self.0.store_first(p, low);
            self.1.store_first(p.add(low), count - low);
        }
    }
    #[inline(always)]
    unsafe fn load_rows(p: *const f32, stride: usize) -> Self {
        // SAFETY: as the caller vouches.
        unsafe {
            Pair(
                L::load_rows(p, stride),
                L::load_rows(p.add(L::ROWS * stride), stride),
            )
        }
    }
    #[inline(always)]
    unsafe fn store_rows(self, p: *mut f32, stride: usize) {
        // SAFETY: as the caller vouches.
        unsafe {
            self.0.store_rows(p, stride);
            self.1.store_rows(p.add(L::ROWS * stride), stride);
        }
    }
    #[inline(always)]
    fn prefetch(p: *const f32) {
        L::prefetch(p);
    }
    #[inline(always)]
    unsafe fn repeat_eight(p: *const f32) -> Self {
        // SAFETY: as the caller vouches.
        let part = unsafe { L::repeat_eight(p) };
        Pair(part, part)
    }
    #[inline(always)]
    fn mantissa_and_exponent(self) -> (Self, Self) {
        let (m0, e0) = self.0.mantissa_and_exponent();
        let (m1, e1) = self.1.mantissa_and_exponent();
        (Pair(m0, m1), Pair(e0, e1))
    }
    #[inline(always)]
    fn of(self, v: f32) -> Self {
        Pair(self.0.of(v), self.1.of(v))
    }
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Pair(self.0.add(o.0), self.1.add(o.1))
    }
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Pair(self.0.sub(o.0), self.1.sub(o.1))
    }
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        Pair(self.0.mul(o.0), self.1.mul(o.1))
    }
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        Pair(self.0.div(o.0), self.1.div(o.1))
    }
    #[inline(always)]
    fn max(self, o: Self) -> Self {
        Pair(self.0.max(o.0), self.1.max(o.1))
    }
    #[inline(always)]
    fn min(self, o: Self) -> Self {
        Pair(self.0.min(o.0), self.1.min(o.1))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Pair(self.0.abs(), self.1.abs())
    }
    #[inline(always)]
    fn fma(self, b: Self, c: Self) -> Self {
        Pair(self.0.fma(b.0, c.0), self.1.fma(b.1, c.1))
    }
    #[inline(always)]
    fn fnma(self, b: Self, c: Self) -> Self {
        Pair(self.0.fnma(b.0, c.0), self.1.fnma(b.1, c.1))
    }
    #[inline(always)]
    fn scale(self, rounded: Self) -> Self {
        Pair(self.0.scale(rounded.0), self.1.scale(rounded.1))
    }
    #[inline(always)]
    fn whole_and_rest(self) -> (Self, Self) {
        let (k0, r0) = self.0.whole_and_rest();
        let (k1, r1) = self.1.whole_and_rest();
        (Pair(k0, k1), Pair(r0, r1))
    }
    #[inline(always)]
    fn times_power(self, whole: Self) -> Self {
        Pair(self.0.times_power(whole.0), self.1.times_power(whole.1))
    }
    #[inline(always)]
    fn flush(self, bound: Self) -> Self {
        Pair(self.0.flush(bound.0), self.1.flush(bound.1))
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        self.0.add(self.1).sum()
    }
}
