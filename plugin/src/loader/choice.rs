//! Which model a project plays.

use std::path::PathBuf;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use statewave::model::catalogue::{self, DEFAULT, Found};
use statewave::model::file::sha256;

/// Which model: what a project remembers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelChoice {
    /// Its name.
    pub name: String,
    /// SHA-256 of its file; empty for whatever has that name.
    #[serde(default)]
    pub sha256: String,
    /// Where its file was, if it was not among those that are found by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
}

impl Default for ModelChoice {
    /// The usual model, as compiled in.
    fn default() -> Self {
        static HASH: LazyLock<String> = LazyLock::new(|| {
            let usual = catalogue::built_in().find(|found| found.name == DEFAULT);
            usual
                .and_then(|found| found.bytes().ok())
                .map(|bytes| sha256(&bytes))
                .unwrap_or_default()
        });
        Self {
            name: DEFAULT.into(),
            sha256: HASH.clone(),
            path: None,
        }
    }
}

impl ModelChoice {
    /// The model of that name, whatever its contents.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            sha256: String::new(),
            path: None,
        }
    }

    /// The model in a file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self {
            name: Found::file(&path).name,
            sha256: String::new(),
            path: Some(path),
        }
    }
}
