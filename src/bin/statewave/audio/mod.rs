//! Sound files: any that symphonia decodes in, WAV and FLAC out.

mod flac;
mod read;
mod wav;
mod write;

use std::path::Path;

use crate::failure::Failure;

pub use flac::FlacOut;
pub use read::{Reader, is_audio_name, length, read};
pub use wav::WavOut;
pub use write::{Container, FileOut, refuse_to_overwrite, write};

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
}

impl Audio {
    /// Samples a channel.
    pub fn len(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }
}

/// Round to whole numbers of `bits`; what came from such a file goes back bit for bit.
fn quantize(x: f32, bits: u32, clipped: &mut usize) -> i32 {
    let scale = (1u64 << (bits - 1)) as f64;
    let y = f64::from(x) * scale;
    // Away from 0 by a half, and what is behind the point falls away: the nearest, without a call for each sample.
    let y = y + 0.5f64.copysign(y);
    *clipped += usize::from(y.abs() >= scale + 1.0);
    y.clamp(-scale, scale - 1.0) as i32
}

fn too_many_channels(path: &Path, channels: usize) -> Failure {
    let what = format!(
        "{} has {channels} channels, more than the file can hold",
        path.display()
    );
    Failure::new(what, "end the output's name in .wav, or split the channels")
}
