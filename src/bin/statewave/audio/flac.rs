//! Channels in pieces into a FLAC file, some frames at a time, shared among the processor's cores.

use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;

use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, Stream, StreamInfo};
use flacenc::config::Encoder;
use flacenc::error::{Verified, Verify};
use flacenc::source::{Context, Fill, FrameBuf};

use super::{Depth, quantize, too_many_channels};
use crate::failure::{Failure, Result};

/// Samples a channel of a frame.
const BLOCK: usize = flacenc::constant::DEFAULT_BLOCK_SIZE;

/// Frames that each core encodes at a time: enough for its thread to be worth beginning. More cores than so many would want more
/// memory than is due.
const FRAMES_A_CORE: usize = 4;
const MOST_CORES: usize = 16;

/// What the header's 36 bits can count.
const MOST_SAMPLES: usize = (1 << 36) - 1;

/// A file that is being written.
pub struct FlacOut<W> {
    path: PathBuf,
    out: W,
    config: Verified<Encoder>,
    info: StreamInfo,
    /// How many samples there were, and their MD5.
    context: Context,
    /// Sample by sample of every channel: what has not been encoded yet.
    waiting: Vec<i32>,
    cores: usize,
    frames: usize,
    /// Bytes of the smallest and the largest frame.
    sizes: Option<(usize, usize)>,
    clipped: usize,
}

impl<W: Write + Seek> FlacOut<W> {
    /// Begins a file in `out`; `path` is what it is called in a failure.
    pub fn new(path: &Path, out: W, channels: usize, rate: u32, depth: Depth) -> Result<Self> {
        let bits = match depth {
            Depth::Int(..=16) => 16,
            Depth::Int(_) | Depth::Float => 24,
        };
        if channels > 8 {
            return Err(too_many_channels(path, channels));
        }
        if rate > 96_000 {
            return Err(refused(path, "its rate is over 96 kHz"));
        }
        let config = Encoder::default()
            .into_verified()
            .map_err(|(_, e)| refused(path, &e.to_string()))?;
        let mut info = StreamInfo::new(rate as usize, channels, bits)
            .map_err(|e| refused(path, &e.to_string()))?;
        // The format leaves the short block at the end out; players take one that is counted for changing block sizes.
        info.set_block_sizes(BLOCK, BLOCK)
            .and_then(|()| info.set_frame_sizes(0, 0))
            .map_err(|e| refused(path, &e.to_string()))?;
        let mut file = Self {
            path: path.into(),
            out,
            config,
            info,
            context: Context::new(bits, channels),
            waiting: Vec::new(),
            cores: thread::available_parallelism()
                .map_or(1, usize::from)
                .min(MOST_CORES),
            frames: 0,
            sizes: None,
            clipped: 0,
        };
        // What is not known yet is 0 in it.
        file.write_header()?;
        Ok(file)
    }

    /// Appends samples, as many of every channel.
    pub fn write<C: AsRef<[f32]>>(&mut self, channels: &[C]) -> Result<()> {
        let bits = self.info.bits_per_sample() as u32;
        let batch = FRAMES_A_CORE * self.cores * self.frame_len();
        let samples = channels.iter().map(|c| c.as_ref().len()).min();
        for t in 0..samples.unwrap_or(0) {
            for channel in channels {
                self.waiting
                    .push(quantize(channel.as_ref()[t], bits, &mut self.clipped));
            }
            if self.waiting.len() == batch {
                self.encode()?;
            }
        }
        Ok(())
    }

    /// Ends the file: what it was written to, and how many samples were over full scale and were clipped.
    pub fn finish(mut self) -> Result<(W, usize)> {
        self.encode()?;
        let Some((smallest, largest)) = self.sizes else {
            return Err(refused(&self.path, "it has no samples"));
        };
        self.info
            .set_frame_sizes(smallest, largest)
            .map_err(|e| refused(&self.path, &e.to_string()))?;
        self.info.set_total_samples(self.context.total_samples());
        self.info.set_md5_digest(&self.context.md5_digest());
        self.out
            .seek(SeekFrom::Start(0))
            .map_err(|e| Failure::io("write", &self.path, &e))?;
        self.write_header()?;
        Ok((self.out, self.clipped))
    }

    /// Samples of a frame, all channels together.
    fn frame_len(&self) -> usize {
        BLOCK * self.info.channels()
    }

    fn write_header(&mut self) -> Result<()> {
        let mut sink = ByteSink::new();
        Stream::with_stream_info(self.info.clone())
            .write(&mut sink)
            .map_err(|e| refused(&self.path, &format!("{e:?}")))?;
        self.put(sink.as_slice())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.out.write_all(bytes);
        written.map_err(|e| Failure::io("write", &self.path, &e))
    }

    /// Writes what waits; all but the file's last samples fill their frames.
    fn encode(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let (path, width) = (&self.path, self.context.bytes_per_sample());
        self.context
            .fill_le_bytes(&bytes(&waiting, width), width)
            .map_err(|e| refused(path, &e.to_string()))?;
        if self.context.total_samples() > MOST_SAMPLES {
            let what = format!("{} would be longer than a FLAC file can be", path.display());
            return Err(Failure::new(what, "split the input"));
        }
        let frames: Vec<&[i32]> = waiting.chunks(self.frame_len()).collect();
        let encoded = self.side_by_side(&frames);
        for bytes in encoded {
            let bytes = bytes.map_err(|why| refused(&self.path, &why))?;
            let (smallest, largest) = self.sizes.unwrap_or((usize::MAX, 0));
            self.sizes = Some((smallest.min(bytes.len()), largest.max(bytes.len())));
            self.put(&bytes)?;
        }
        self.frames += frames.len();
        self.waiting = waiting;
        self.waiting.clear();
        Ok(())
    }

    /// The next frames' bytes, or what is wrong with them: each core takes as many.
    fn side_by_side(&self, frames: &[&[i32]]) -> Vec<std::result::Result<Vec<u8>, String>> {
        let mut encoded = vec![Ok(Vec::new()); frames.len()];
        let share = frames.len().div_ceil(self.cores).max(1);
        let (config, info) = (&self.config, &self.info);
        thread::scope(|scope| {
            let shares = frames.chunks(share).zip(encoded.chunks_mut(share));
            for ((frames, encoded), first) in shares.zip((self.frames..).step_by(share)) {
                scope.spawn(move || {
                    for ((samples, encoded), number) in frames.iter().zip(encoded).zip(first..) {
                        *encoded = frame(config, info, number, samples);
                    }
                });
            }
        });
        encoded
    }
}

/// Samples as the MD5 of a file takes them.
fn bytes(samples: &[i32], width: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(width * samples.len());
    for x in samples {
        bytes.extend_from_slice(&x.to_le_bytes()[..width]);
    }
    bytes
}

/// One frame's bytes, or what is wrong with it.
fn frame(
    config: &Verified<Encoder>,
    info: &StreamInfo,
    number: usize,
    samples: &[i32],
) -> std::result::Result<Vec<u8>, String> {
    let mut block = FrameBuf::with_size(info.channels(), BLOCK).map_err(|e| e.to_string())?;
    block.fill_interleaved(samples).map_err(|e| e.to_string())?;
    let frame = flacenc::encode_fixed_size_frame(config, &block, number, info)
        .map_err(|e| e.to_string())?;
    let mut sink = ByteSink::new();
    frame.write(&mut sink).map_err(|e| format!("{e:?}"))?;
    Ok(sink.into_inner())
}

fn refused(path: &Path, why: &str) -> Failure {
    let what = format!("cannot write {} as FLAC: {why}", path.display());
    Failure::new(what, "end the output's name in .wav")
}
