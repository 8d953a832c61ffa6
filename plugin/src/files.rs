//! Files that are written whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

/// Writes a file whole or not at all, in a folder that need not be there yet. `keep_old` leaves the one that is there beside it,
/// ending in `.old`.
///
/// # Errors
/// When the folder cannot be written.
pub(crate) fn replace(path: &Path, bytes: &[u8], keep_old: bool) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = beside(path, "new");
    fs::write(&fresh, bytes)?;
    if keep_old && path.exists() {
        fs::rename(path, beside(path, "old"))?;
    }
    fs::rename(fresh, path)
}

/// The file of the same name with a further ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{ending}"));
    name.into()
}
