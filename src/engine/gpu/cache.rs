//! Compiled pipelines on disk, so that a device is ready sooner the next time.
//!
//! Flows in: what a driver has compiled. Flows out: the same at the next start. A file is one adapter's, and holds a
//! checksum: one that was cut short or changed is not shown to the driver, and written anew.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wgpu::{AdapterInfo, Device, PipelineCache, PipelineCacheDescriptor, util};

/// What a file begins with, then SHA-256 of the rest.
const HEAD: &[u8] = b"statewave pipelines 1\n";
const SUM: usize = 32;

/// Larger files are not read: some shaders take a megabyte at the most.
const MOST_BYTES: u64 = 64 << 20;

/// The cache of one device.
#[derive(Debug)]
pub(super) struct DiskCache {
    file: PathBuf,
    pub(super) cache: PipelineCache,
}

impl DiskCache {
    /// The cache of `device` in `folder`; `None` where the backend has no such thing.
    pub(super) fn open(device: &Device, info: &AdapterInfo, folder: &Path) -> Option<DiskCache> {
        let file = folder.join(util::pipeline_cache_key(info)?);
        let data = read(&file);
        let described = PipelineCacheDescriptor {
            label: Some("statewave"),
            data: data.as_deref(),
            fallback: true,
        };
        // SAFETY: the data is none, or what `get_data` has given for this adapter, as the checksum says; wgpu itself
        // looks whether its driver was this one.
        let cache = unsafe { device.create_pipeline_cache(&described) };
        Some(DiskCache { file, cache })
    }

    /// Writes what has been compiled. A cache that cannot be written costs time at the next start, and nothing else.
    pub(super) fn store(&self) {
        if let Some(data) = self.cache.get_data() {
            let _ = write(&self.file, &data);
        }
    }
}

/// What the file holds, if it is whole.
fn read(file: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let opened = fs::File::open(file).ok()?;
    opened.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    let (sum, data) = bytes.strip_prefix(HEAD)?.split_at_checked(SUM)?;
    (Sha256::digest(data)[..] == *sum).then(|| data.to_vec())
}

/// Writes all or nothing: two programs may do it at once.
fn write(file: &Path, data: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = file.with_extension(format!("new{}", std::process::id()));
    fs::write(&fresh, [HEAD, &Sha256::digest(data)[..], data].concat())?;
    fs::rename(fresh, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deeper/cache");
        assert_eq!(read(&file), None);
        write(&file, b"compiled").unwrap();
        assert_eq!(read(&file).as_deref(), Some(&b"compiled"[..]));
        let whole = fs::read(&file).unwrap();
        for len in 0..whole.len() {
            fs::write(&file, &whole[..len]).unwrap();
            assert_eq!(read(&file), None, "{len} of {} bytes", whole.len());
        }
        for at in 0..whole.len() {
            let mut hurt = whole.clone();
            hurt[at] ^= 1;
            fs::write(&file, hurt).unwrap();
            assert_eq!(read(&file), None, "byte {at} is another");
        }
        write(&file, b"anew").unwrap();
        assert_eq!(read(&file).as_deref(), Some(&b"anew"[..]));
    }
}
