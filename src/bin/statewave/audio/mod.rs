//! Sound files: any that symphonia decodes in, WAV and FLAC out.

mod read;
mod write;

pub use read::{is_audio_name, read};
pub use write::{Container, refuse_to_overwrite, write};

/// How samples are stored in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// 32-bit float.
    Float,
    /// Signed whole numbers of this many bits.
    Int(u16),
}

/// A whole recording in memory.
#[derive(Debug)]
pub struct Audio {
    /// One vector a channel, all of one length, full scale ±1.
    pub channels: Vec<Vec<f32>>,
    /// Samples a second.
    pub rate: u32,
    /// How the file it came from stores its samples.
    pub depth: Depth,
    /// What was wrong with the file though it could be read.
    pub notes: Vec<String>,
}

impl Audio {
    /// Samples a channel.
    pub fn len(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.len() as f64 / f64::from(self.rate)
    }
}
