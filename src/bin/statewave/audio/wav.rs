//! Channels in pieces into a WAV file, a block of bytes at a time.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec};

use super::{Depth, quantize, too_many_channels};
use crate::failure::{Failure, Result};

/// The most bytes of samples in a WAV file: its length field has 32 bits, and the header needs some.
const MOST_BYTES: u64 = u32::MAX as u64 - 1024;

/// Where the length of all behind it stands in the header; that of the samples ends it.
const RIFF_LENGTH: u64 = 4;

/// A file that is being written.
pub struct WavOut<W> {
    path: PathBuf,
    out: W,
    spec: WavSpec,
    header: u64,
    bytes: u64,
    block: Vec<u8>,
    clipped: usize,
}

impl<W: Write + Seek> WavOut<W> {
    /// Begins a file in `out`; `path` is what it is called in a failure.
    pub fn new(path: &Path, mut out: W, channels: usize, rate: u32, depth: Depth) -> Result<Self> {
        let (bits_per_sample, sample_format) = match depth {
            Depth::Float => (32, SampleFormat::Float),
            // WAV stores whole bytes.
            Depth::Int(bits) => (bits.clamp(1, 32).next_multiple_of(8), SampleFormat::Int),
        };
        let channels = u16::try_from(channels).map_err(|_| too_many_channels(path, channels))?;
        let spec = WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample,
            sample_format,
        };
        // Its lengths are put in when they are known.
        let header = spec.into_header_for_infinite_file();
        out.write_all(&header)
            .map_err(|e| Failure::io("write", path, &e))?;
        Ok(Self {
            path: path.into(),
            out,
            spec,
            header: header.len() as u64,
            bytes: 0,
            block: Vec::new(),
            clipped: 0,
        })
    }

    /// Appends samples, as many of every channel.
    pub fn write<C: AsRef<[f32]>>(&mut self, channels: &[C]) -> Result<()> {
        let (bits, count) = (u32::from(self.spec.bits_per_sample), channels.len());
        let width = bits as usize / 8;
        let samples = channels.iter().map(|c| c.as_ref().len()).min();
        let samples = samples.unwrap_or(0);
        self.block.resize(samples * count * width, 0);
        self.bytes += self.block.len() as u64;
        if self.bytes > MOST_BYTES {
            let what = format!(
                "{} would be over 4 GiB, more than a WAV file can hold",
                self.path.display()
            );
            return Err(Failure::new(
                what,
                "end the output's name in .flac, or split the input",
            ));
        }
        let (block, clipped) = (&mut self.block, &mut self.clipped);
        match (self.spec.sample_format, width) {
            (SampleFormat::Float, _) => interleave(channels, block, f32::to_le_bytes),
            // Of one byte the samples have no sign.
            (SampleFormat::Int, 1) => interleave(channels, block, |x| {
                [(quantize(x, bits, clipped) + 128) as u8]
            }),
            (SampleFormat::Int, 2) => interleave(channels, block, |x| {
                (quantize(x, bits, clipped) as i16).to_le_bytes()
            }),
            (SampleFormat::Int, 3) => interleave(channels, block, |x| {
                let [a, b, c, _] = quantize(x, bits, clipped).to_le_bytes();
                [a, b, c]
            }),
            (SampleFormat::Int, _) => interleave(channels, block, |x| {
                quantize(x, bits, clipped).to_le_bytes()
            }),
        }
        let written = self.out.write_all(&self.block);
        written.map_err(|e| Failure::io("write", &self.path, &e))
    }

    /// Ends the file: what it was written to, and how many samples were over full scale and were clipped.
    pub fn finish(mut self) -> Result<(W, usize)> {
        let (header, bytes) = (self.header, self.bytes);
        let all = header + bytes - (RIFF_LENGTH + 4);
        let mut put = |at, length: u64| {
            self.out.seek(SeekFrom::Start(at))?;
            self.out.write_all(&(length as u32).to_le_bytes())
        };
        put(RIFF_LENGTH, all)
            .and_then(|()| put(header - 4, bytes))
            .map_err(|e| Failure::io("write", &self.path, &e))?;
        Ok((self.out, self.clipped))
    }
}

/// Sample by sample of every channel, each as `WIDTH` bytes.
fn interleave<C: AsRef<[f32]>, const WIDTH: usize>(
    channels: &[C],
    block: &mut [u8],
    mut bytes: impl FnMut(f32) -> [u8; WIDTH],
) {
    let row = WIDTH * channels.len();
    for (i, channel) in channels.iter().enumerate() {
        for (row, x) in block.chunks_exact_mut(row).zip(channel.as_ref()) {
            row[i * WIDTH..(i + 1) * WIDTH].copy_from_slice(&bytes(*x));
        }
    }
}
