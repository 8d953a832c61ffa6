//! New things for the audio thread, and old ones back from it.
//!
//! Flows in: what a loader made. Flows out: what it replaced, to be freed where waiting does no harm. The audio thread
//! takes a new one only when there is room for the old one to leave, so it never frees anything itself.

/// Replacements that may wait on either side.
const DEPTH: usize = 2;

/// The three ends of a slot: new in, use, retired out.
///
/// ```
/// let (mut new, mut slot, mut retired) = statewave::handoff::swap::slot::<Box<i32>>();
/// let mut in_use = Box::new(1);
/// new.offer(Box::new(2)).expect("there is room");
/// slot.exchange(|fresh| Ok(std::mem::replace(&mut in_use, fresh)));
/// assert_eq!((*in_use, retired.take()), (2, Some(Box::new(1))));
/// ```
pub fn slot<T>() -> (New<T>, Slot<T>, Retired<T>) {
    let (new, incoming) = rtrb::RingBuffer::new(DEPTH);
    let (outgoing, retired) = rtrb::RingBuffer::new(DEPTH);
    (New(new), Slot { incoming, outgoing }, Retired(retired))
}

/// The loader's end: new ones in.
#[derive(Debug)]
pub struct New<T>(rtrb::Producer<T>);

impl<T> New<T> {
    /// Offers a replacement.
    ///
    /// # Errors
    /// Hands it back while the audio thread has not taken the ones before.
    pub fn offer(&mut self, new: T) -> Result<(), T> {
        self.0.push(new).map_err(|rtrb::PushError::Full(new)| new)
    }
}

/// The audio thread's end.
#[derive(Debug)]
pub struct Slot<T> {
    incoming: rtrb::Consumer<T>,
    outgoing: rtrb::Producer<T>,
}

impl<T> Slot<T> {
    /// Lets `replace` put the new one, if there is one, in the place of the one in use, which it returns; one that it
    /// refuses (`Err`) leaves the same way. Real-time safe where `replace` is.
    pub fn exchange(&mut self, replace: impl FnOnce(T) -> Result<T, T>) {
        if let Some(new) = self.take() {
            let (Ok(old) | Err(old)) = replace(new);
            self.retire(old);
        }
    }

    /// The new one, if there is one and room for the one in use to leave later, by [`Slot::retire`], before another is
    /// taken. Real-time safe.
    pub fn take(&mut self) -> Option<T> {
        if self.outgoing.is_full() {
            return None;
        }
        self.incoming.pop().ok()
    }

    /// Lets one leave that a taken one has replaced. Real-time safe where one was taken before.
    pub fn retire(&mut self, old: T) {
        // There was room when the new one was taken, and nobody else writes here.
        let _ = self.outgoing.push(old);
    }
}

/// The end where the old ones come out; freeing them is the taker's work.
#[derive(Debug)]
pub struct Retired<T>(rtrb::Consumer<T>);

impl<T> Retired<T> {
    /// The next one that is not used any more.
    pub fn take(&mut self) -> Option<T> {
        self.0.pop().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_taken_while_the_old_ones_have_nowhere_to_go() {
        let (mut new, mut slot, mut retired) = slot::<u32>();
        let mut in_use = 0;
        for n in 1..=2 {
            new.offer(n).expect("there is room");
            slot.exchange(|fresh| Ok(std::mem::replace(&mut in_use, fresh)));
        }
        new.offer(3).expect("there is room");
        slot.exchange(|_| unreachable!("the way out is full"));
        assert_eq!(
            (in_use, retired.take(), retired.take()),
            (2, Some(0), Some(1))
        );
        slot.exchange(Err);
        assert_eq!((in_use, retired.take()), (2, Some(3)));
    }

    #[test]
    fn what_finds_no_room_is_handed_back() {
        let (mut new, _slot, _retired) = slot();
        assert_eq!(
            [new.offer(1), new.offer(2), new.offer(3)],
            [Ok(()), Ok(()), Err(3)]
        );
    }
}
