//! Where two threads meet: queues in which neither side waits for the other.

pub mod swap;
