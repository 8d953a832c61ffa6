//! A queue from one thread to another: one sends, one takes, neither waits, nothing is allocated or freed on the way.
//!
//! Flows in: values, moved. Flows out: the same, in order. What finds no room is handed back.

use super::sync::{Arc, AtomicUsize, Ordering, UnsafeCell};

/// Both ends of a queue with room for `capacity` values, at least 1.
///
/// ```
/// let (mut sender, mut receiver) = statewave::handoff::ring::ring(1);
/// assert_eq!(sender.send(1), Ok(()));
/// assert_eq!(sender.send(2), Err(2));
/// assert_eq!((receiver.take(), receiver.take()), (Some(1), None));
/// ```
pub fn ring<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let shared = Arc::new(Shared {
        slots: (0..capacity.max(1))
            .map(|_| UnsafeCell::new(None))
            .collect(),
        taken: AtomicUsize::new(0),
        sent: AtomicUsize::new(0),
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

/// Slots `taken..sent`, modulo their number, belong to the receiver, the others to the sender.
#[derive(Debug)]
struct Shared<T> {
    slots: Box<[UnsafeCell<Option<T>>]>,
    /// Values taken so far; written by the receiver alone.
    taken: AtomicUsize,
    /// Values sent so far; written by the sender alone.
    sent: AtomicUsize,
}

// SAFETY: a slot is touched only by the end that owns it, and the counters hand it over with release and acquire.
unsafe impl<T: Send> Sync for Shared<T> {}
// SAFETY: as above; the values may change threads.
unsafe impl<T: Send> Send for Shared<T> {}

/// The end where values go in.
#[derive(Debug)]
pub struct Sender<T>(Arc<Shared<T>>);

impl<T> Sender<T> {
    /// Sends a value.
    ///
    /// # Errors
    /// Hands it back where there is no room.
    pub fn send(&mut self, value: T) -> Result<(), T> {
        let shared = &*self.0;
        let sent = shared.sent.load(Ordering::Relaxed);
        if sent.wrapping_sub(shared.taken.load(Ordering::Acquire)) == shared.slots.len() {
            return Err(value);
        }
        // SAFETY: the slot is not between `taken` and `sent`, so it is this end's until `sent` moves on.
        shared.slots[sent % shared.slots.len()].with_mut(|slot| unsafe { *slot = Some(value) });
        shared.sent.store(sent.wrapping_add(1), Ordering::Release);
        Ok(())
    }
}

/// The end where values come out.
#[derive(Debug)]
pub struct Receiver<T>(Arc<Shared<T>>);

impl<T> Receiver<T> {
    /// The oldest value, if there is one.
    pub fn take(&mut self) -> Option<T> {
        let shared = &*self.0;
        let taken = shared.taken.load(Ordering::Relaxed);
        if shared.sent.load(Ordering::Acquire) == taken {
            return None;
        }
        // SAFETY: the slot is between `taken` and `sent`, so it is this end's until `taken` moves on.
        let value =
            shared.slots[taken % shared.slots.len()].with_mut(|slot| unsafe { (*slot).take() });
        shared.taken.store(taken.wrapping_add(1), Ordering::Release);
        value
    }
}
