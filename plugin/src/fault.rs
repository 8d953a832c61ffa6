//! What is wrong, told to people.

/// A fault and what a person can do about it, both without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub what: String,
    /// What helps.
    pub remedy: String,
}
