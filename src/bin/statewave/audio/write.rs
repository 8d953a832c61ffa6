//! f32 channels in, a WAV or FLAC file out: whole or not at all.

use std::fs;
use std::io::{Seek, Write};
use std::path::Path;

use flacenc::bitsink::ByteSink;
use flacenc::component::BitRepr;
use flacenc::error::Verify;

use super::{Audio, Depth, WavOut, quantize, too_many_channels};
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

/// Write `audio` at its own rate and depth under a temporary name in the same folder, and rename when whole.
/// Returns how many samples were over full scale and were clipped.
pub fn write(path: &Path, audio: &Audio, force: bool) -> Result<usize> {
    let (temporary, mut out) = Temporary::beside(path)?;
    let clipped = match Container::of(path)? {
        Container::Wav => write_wav(path, &mut out, audio)?,
        Container::Flac => write_flac(path, &mut out, audio)?,
    };
    temporary.keep(out, force)?;
    Ok(clipped)
}

/// Fails if something is there already, unless told to overwrite.
pub fn refuse_to_overwrite(path: &Path, force: bool) -> Result<()> {
    if !force && fs::symlink_metadata(path).is_ok() {
        let what = format!("{} exists already", path.display());
        return Err(Failure::new(
            what,
            "choose another name, or say --force to overwrite",
        ));
    }
    Ok(())
}

fn write_wav(path: &Path, out: &mut (impl Write + Seek), audio: &Audio) -> Result<usize> {
    let mut wav = WavOut::new(path, out, audio.channels.len(), audio.rate, audio.depth)?;
    for at in (0..audio.len()).step_by(PIECE) {
        let end = audio.len().min(at + PIECE);
        let piece: Vec<&[f32]> = audio.channels.iter().map(|c| &c[at..end]).collect();
        wav.write(&piece)?;
    }
    Ok(wav.finish()?.1)
}

fn write_flac(path: &Path, out: &mut impl Write, audio: &Audio) -> Result<usize> {
    let bits = match audio.depth {
        Depth::Int(..=16) => 16,
        Depth::Int(_) | Depth::Float => 24,
    };
    if audio.channels.len() > 8 {
        return Err(too_many_channels(path, audio.channels.len()));
    }
    let refused = |why: &str| {
        let what = format!("cannot write {} as FLAC: {why}", path.display());
        Failure::new(what, "end the output's name in .wav")
    };
    if audio.rate > 96_000 {
        return Err(refused("its rate is over 96 kHz"));
    }
    if audio.len() == 0 {
        return Err(refused("it has no samples"));
    }
    let mut clipped = 0;
    let samples: Vec<i32> = (0..audio.len())
        .flat_map(|t| audio.channels.iter().map(move |channel| channel[t]))
        .map(|x| quantize(x, bits, &mut clipped))
        .collect();
    let config = flacenc::config::Encoder::default()
        .into_verified()
        .map_err(|(_, e)| refused(&e.to_string()))?;
    let source = flacenc::source::MemSource::from_samples(
        &samples,
        audio.channels.len(),
        bits as usize,
        audio.rate as usize,
    );
    let mut stream = flacenc::encode_with_fixed_block_size(&config, source, config.block_size)
        .map_err(|e| refused(&e.to_string()))?;
    // The encoder counts the short block at the end as the smallest, which players take for a stream of changing
    // block sizes; the format leaves that block out.
    stream
        .stream_info_mut()
        .set_block_sizes(config.block_size, config.block_size)
        .map_err(|e| refused(&e.to_string()))?;
    let mut sink = ByteSink::new();
    stream
        .write(&mut sink)
        .map_err(|e| refused(&format!("{e:?}")))?;
    out.write_all(sink.as_slice())
        .map_err(|e| Failure::io("write", path, &e))?;
    Ok(clipped)
}
