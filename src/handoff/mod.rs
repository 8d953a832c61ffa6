//! Where two threads meet: queues in which neither side waits for the other.

pub mod exclusive;
pub mod job;
pub mod ring;
pub mod swap;
mod sync;
