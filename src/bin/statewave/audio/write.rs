//! f32 channels in, a WAV or FLAC file out: whole or not at all.

use std::fs;
use std::io::Write;
use std::path::Path;

use flacenc::bitsink::ByteSink;
use flacenc::component::BitRepr;
use flacenc::error::Verify;

use super::{Audio, Depth};
use crate::failure::{Failure, Result};
use crate::temporary::Temporary;

/// The most bytes of samples in a WAV file: its length field has 32 bits, and the header needs some.
const WAV_MAX: u64 = u32::MAX as u64 - 1024;

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

fn write_wav(path: &Path, out: &mut (impl Write + std::io::Seek), audio: &Audio) -> Result<usize> {
    let (bits_per_sample, sample_format) = match audio.depth {
        Depth::Float => (32, hound::SampleFormat::Float),
        // WAV stores whole bytes.
        Depth::Int(bits) => (
            bits.clamp(1, 32).next_multiple_of(8),
            hound::SampleFormat::Int,
        ),
    };
    let bytes = audio.len() as u64 * audio.channels.len() as u64 * u64::from(bits_per_sample / 8);
    if bytes > WAV_MAX {
        let what = format!(
            "{} would be over 4 GiB, more than a WAV file can hold",
            path.display()
        );
        return Err(Failure::new(
            what,
            "end the output's name in .flac, or split the input",
        ));
    }
    let channels =
        u16::try_from(audio.channels.len()).map_err(|_| too_many_channels(path, audio))?;
    let spec = hound::WavSpec {
        channels,
        sample_rate: audio.rate,
        bits_per_sample,
        sample_format,
    };
    let failed = |e: hound::Error| {
        Failure::new(
            format!("cannot write {}: {e}", path.display()),
            "check the disk",
        )
    };
    let mut writer = hound::WavWriter::new(out, spec).map_err(failed)?;
    let mut clipped = 0;
    for t in 0..audio.len() {
        for channel in &audio.channels {
            match sample_format {
                hound::SampleFormat::Float => writer.write_sample(channel[t]),
                hound::SampleFormat::Int => writer.write_sample(quantize(
                    channel[t],
                    u32::from(bits_per_sample),
                    &mut clipped,
                )),
            }
            .map_err(failed)?;
        }
    }
    writer.finalize().map_err(failed)?;
    Ok(clipped)
}

fn write_flac(path: &Path, out: &mut impl Write, audio: &Audio) -> Result<usize> {
    let bits = match audio.depth {
        Depth::Int(..=16) => 16,
        Depth::Int(_) | Depth::Float => 24,
    };
    if audio.channels.len() > 8 {
        return Err(too_many_channels(path, audio));
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

/// Round to whole numbers of `bits`; what came from such a file goes back bit for bit.
fn quantize(x: f32, bits: u32, clipped: &mut usize) -> i32 {
    let scale = (1u64 << (bits - 1)) as f64;
    let y = (f64::from(x) * scale).round();
    if y > scale || y < -scale {
        *clipped += 1;
    }
    y.clamp(-scale, scale - 1.0) as i32
}

fn too_many_channels(path: &Path, audio: &Audio) -> Failure {
    let what = format!(
        "{} has {} channels, more than the file can hold",
        path.display(),
        audio.channels.len()
    );
    Failure::new(what, "end the output's name in .wav, or split the channels")
}
