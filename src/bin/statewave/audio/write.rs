//! f32 channels in, a WAV or FLAC file out: whole or not at all.

use std::fs;
use std::io::{Seek, Write};
use std::path::Path;

use super::{Audio, Depth, FlacOut, WavOut};
use crate::failure::{Failure, Result};
use crate::temporary::Temporary;

/// Samples a channel that are written at a time.
const PIECE: usize = 1 << 16;

/// The kind of file to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// RIFF WAVE.
    Wav,
    /// FLAC, 16 or 24 bits.
    Flac,
}

impl Container {
    /// The kind that a file's name asks for.
    pub fn of(path: &Path) -> Result<Self> {
        match path
            .extension()
            .and_then(|e| e.to_str())
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            Some("wav" | "wave") => Ok(Self::Wav),
            Some("flac") => Ok(Self::Flac),
            _ => {
                let what = format!("{}: only .wav and .flac can be written", path.display());
                Err(Failure::new(what, "end the output's name in .wav or .flac"))
            }
        }
    }

    /// The ending of such files' names.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Flac => "flac",
        }
    }
}

/// A file of either kind that is being written.
pub enum FileOut<W> {
    Wav(WavOut<W>),
    Flac(Box<FlacOut<W>>),
}

impl<W: Write + Seek> FileOut<W> {
    /// Begins a file of the kind that `path` asks for in `out`.
    pub fn new(path: &Path, out: W, channels: usize, rate: u32, depth: Depth) -> Result<Self> {
        Ok(match Container::of(path)? {
            Container::Wav => Self::Wav(WavOut::new(path, out, channels, rate, depth)?),
            Container::Flac => Self::Flac(FlacOut::new(path, out, channels, rate, depth)?.into()),
        })
    }

    /// Appends samples, as many of every channel.
    pub fn write<C: AsRef<[f32]>>(&mut self, channels: &[C]) -> Result<()> {
        match self {
            Self::Wav(wav) => wav.write(channels),
            Self::Flac(flac) => flac.write(channels),
        }
    }

    /// Ends the file: what it was written to, and how many samples were over full scale and were clipped.
    pub fn finish(self) -> Result<(W, usize)> {
        match self {
            Self::Wav(wav) => wav.finish(),
            Self::Flac(flac) => flac.finish(),
        }
    }
}

/// Write `audio` at its own rate and depth under a temporary name in the same folder, and rename when whole.
/// Returns how many samples were over full scale and were clipped.
pub fn write(path: &Path, audio: &Audio, force: bool) -> Result<usize> {
    let (temporary, out) = Temporary::beside(path)?;
    let mut out = FileOut::new(path, out, audio.channels.len(), audio.rate, audio.depth)?;
    for at in (0..audio.len()).step_by(PIECE) {
        let end = audio.len().min(at + PIECE);
        let piece: Vec<&[f32]> = audio.channels.iter().map(|c| &c[at..end]).collect();
        out.write(&piece)?;
    }
    let (out, clipped) = out.finish()?;
    temporary.close(out)?.keep(force)?;
    Ok(clipped)
}

/// Fails if something is there already, unless told to overwrite; a folder is never overwritten.
pub fn refuse_to_overwrite(path: &Path, force: bool) -> Result<()> {
    if path.is_dir() {
        let what = format!("{} is a folder", path.display());
        return Err(Failure::new(what, "name a file in it"));
    }
    if !force && fs::symlink_metadata(path).is_ok() {
        let what = format!("{} exists already", path.display());
        return Err(Failure::new(
            what,
            "choose another name, or say --force to overwrite",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind, Result, SeekFrom};

    use super::*;

    /// A disk with so many bytes left.
    struct Disk(usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> Result<usize> {
            let left = self.0.checked_sub(bytes.len());
            self.0 = left.ok_or_else(|| Error::from(ErrorKind::StorageFull))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    impl Seek for Disk {
        fn seek(&mut self, _: SeekFrom) -> Result<u64> {
            Ok(0)
        }
    }

    /// What is said of a second of noise that is written to a disk with `left` bytes.
    fn told(name: &str, left: usize) -> Option<String> {
        let random = |t: u32| (t.wrapping_mul(2_654_435_769) >> 8) as f32 / (1 << 24) as f32;
        let noise: Vec<f32> = (0..48_000).map(|t| random(t * t)).collect();
        let begun = FileOut::new(Path::new(name), Disk(left), 1, 48_000, Depth::Int(16));
        let done = begun.and_then(|mut out| out.write(&[noise]).and_then(|()| out.finish()));
        done.err().map(|failure| failure.to_string())
    }

    #[test]
    fn a_full_disk_is_told_with_its_remedy() {
        for name in ["a.wav", "a.flac"] {
            for left in [0, 100, 10_000] {
                let told = told(name, left).expect("it does not fit");
                let full = format!("error: cannot write {name}: ");
                assert!(told.starts_with(&full), "{told}");
                assert!(told.ends_with(" help: make room on the disk"), "{told}");
            }
            assert_eq!(told(name, 1_000_000), None);
        }
    }
}
