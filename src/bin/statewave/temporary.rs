//! Files that appear whole or not at all: written under another name in the same folder, then renamed.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use crate::audio::refuse_to_overwrite;
use crate::failure::{Failure, Result};

/// A file under a temporary name; removed again unless it was kept.
pub struct Temporary {
    name: PathBuf,
    /// The name it is to have.
    path: PathBuf,
}

impl Temporary {
    /// An empty file beside `path`, and what writes to it.
    pub fn beside(path: &Path) -> Result<(Self, BufWriter<File>)> {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.part", std::process::id()));
        let temporary = Self {
            name: path.with_file_name(name),
            path: path.into(),
        };
        let file = File::create(&temporary.name).map_err(|e| Failure::io("write", path, &e))?;
        Ok((temporary, BufWriter::new(file)))
    }

    /// Put what was written on the disk; it has its name only when it is kept.
    pub fn close(self, out: BufWriter<File>) -> Result<Closed> {
        let io = |e: std::io::Error| Failure::io("write", &self.path, &e);
        out.into_inner()
            .map_err(|e| io(e.into_error()))?
            .sync_all()
            .map_err(io)?;
        Ok(Closed(self))
    }
}

/// A file that is whole, under a temporary name; removed again unless it was kept.
pub struct Closed(Temporary);

impl Closed {
    /// Give it its name. Fails if something has that name by now, unless told to overwrite.
    pub fn keep(self, force: bool) -> Result<()> {
        let Temporary { name, path } = &self.0;
        refuse_to_overwrite(path, force)?;
        fs::rename(name, path).map_err(|e| Failure::io("write", path, &e))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing under this name, and a failed removal has no remedy here.
        let _ = fs::remove_file(&self.name);
    }
}
