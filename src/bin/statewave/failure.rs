//! What the program says when something is wrong: the fault, then the remedy.

use std::fmt;
use std::path::Path;

use statewave::model::file::ModelError;

/// A fault and what a person can do about it.
#[derive(Debug)]
pub struct Failure {
    what: String,
    help: String,
}

/// What the program's parts return.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A fault with its remedy, both as plain sentences without a full stop.
    pub fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            help: help.into(),
        }
    }

    /// A fault of the file system, with the remedy that its kind suggests.
    pub fn io(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind::*;
        let help = match error.kind() {
            NotFound => "check the spelling of the path",
            PermissionDenied => "check that you may read and write there",
            StorageFull => "make room on the disk",
            _ => "check the path and the disk",
        };
        Self::new(format!("cannot {doing} {}: {error}", path.display()), help)
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self::new(error.to_string(), error.remedy())
    }
}

impl fmt::Display for Failure {
    /// Text of a file may be in the message; control characters must not reach the terminal.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let text = format!("error: {}\n help: {}", self.what, self.help);
        f.write_str(&text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}"))
    }
}
