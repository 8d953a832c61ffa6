//! When the host's transport starts.

/// Whether it ran in the block before.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Transport {
    ran: bool,
}

impl Transport {
    /// Whether it starts with this block, in which it runs or not.
    pub fn starts(&mut self, runs: bool) -> bool {
        runs && !std::mem::replace(&mut self.ran, runs)
    }
}
