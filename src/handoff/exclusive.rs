//! A value that two threads change, one at a time, and neither waits: who finds it in use comes back later.

use super::sync::{AtomicUsize, Ordering, UnsafeCell};

/// See the module.
#[derive(Debug)]
pub struct Exclusive<T> {
    /// 1 while somebody has the value.
    taken: AtomicUsize,
    value: UnsafeCell<T>,
}

// SAFETY: whoever has turned `taken` from 0 to 1 has the value alone until it is 0 again; acquire and release hand over what
// was written.
unsafe impl<T: Send> Sync for Exclusive<T> {}

impl<T> Exclusive<T> {
    /// A value that nobody has.
    pub fn new(value: T) -> Exclusive<T> {
        Exclusive {
            taken: AtomicUsize::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// `f` with the value, or `None` while somebody else has it. Real-time safe where `f` is.
    ///
    /// ```
    /// let shared = statewave::handoff::exclusive::Exclusive::new(1);
    /// assert_eq!(shared.try_with(|value| *value + 1), Some(2));
    /// assert_eq!(shared.try_with(|_| shared.try_with(|_| ())), Some(None));
    /// ```
    pub fn try_with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        if self
            .taken
            .compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            return None;
        }
        // Given back even if `f` panics.
        let _held = Held(&self.taken);
        // SAFETY: `taken` was 0 and is 1 now by this call's doing, so the value is nobody else's until `_held` is dropped.
        Some(self.value.with_mut(|value| f(unsafe { &mut *value })))
    }
}

struct Held<'a>(&'a AtomicUsize);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Release);
    }
}
