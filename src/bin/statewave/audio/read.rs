//! A sound file in, f32 channels out.

use std::fs::File;
use std::path::{Path, PathBuf};

use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_FLAC, CODEC_ID_OPUS, CODEC_ID_PCM_F32BE, CODEC_ID_PCM_F32LE,
};
use symphonia::core::codecs::audio::well_known::{CODEC_ID_PCM_F64BE, CODEC_ID_PCM_F64LE};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::io::MediaSourceStream;

use super::{Audio, Depth};
use crate::failure::{Failure, Result};

/// Endings of the names of files that a folder is searched for.
const ENDINGS: [&str; 12] = [
    "wav", "wave", "flac", "mp3", "ogg", "oga", "opus", "aif", "aiff", "m4a", "caf", "mka",
];

/// Length claimed by WAV headers that were written before the length was known.
const UNKNOWN_LENGTH: u64 = (u32::MAX / 64) as u64;

/// The highest rate that any recorder writes, Hz.
const MOST_RATE: u32 = 768_000;

/// The most samples that one damaged piece can stand for; its own word is not to be trusted.
const MOST_LOST: u64 = 1 << 16;

/// Whether a file of that name is sound.
pub fn is_audio_name(path: &Path) -> bool {
    let ending = path
        .extension()
        .and_then(|e| e.to_str())
        .map(str::to_ascii_lowercase);
    ending.is_some_and(|e| ENDINGS.contains(&e.as_str()))
}

/// Read a whole file. Damaged pieces become silence, with a note; a file that is no sound at all is a failure.
pub fn read(path: &Path) -> Result<Audio> {
    let mut reader = Reader::open(path)?;
    let mut channels = vec![Vec::new(); reader.channels()];
    while reader.next(&mut channels)? {}
    Ok(Audio {
        channels,
        rate: reader.rate(),
        depth: reader.depth(),
    })
}

/// Samples a channel that [`Reader`] finds in a file, which may be others than it claims.
pub fn length(path: &Path) -> Result<usize> {
    let mut reader = Reader::open(path)?;
    let (mut piece, mut samples) = (vec![Vec::new(); reader.channels()], 0);
    while reader.next(&mut piece)? {
        samples += piece[0].len();
        piece.iter_mut().for_each(Vec::clear);
    }
    Ok(samples)
}

/// A file that is read piece by piece, as [`read`] does.
pub struct Reader {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: Track,
    params: AudioCodecParameters,
    rate: u32,
    /// Samples of silence, for what is damaged, in front of the piece.
    gap: usize,
    /// What has been decoded and not been given yet.
    piece: Vec<Vec<f32>>,
    /// Samples a channel that have been decoded.
    found: usize,
    planes: Vec<Vec<f32>>,
    good: usize,
    damaged: usize,
    non_finite: usize,
    notes: Vec<String>,
}

/// What came of a packet.
enum Packet {
    Decoded,
    Skipped,
    End,
}

impl Reader {
    /// Opens a file, and reads its first sound: only that says for sure what is in it.
    pub fn open(path: &Path) -> Result<Reader> {
        let file = File::open(path).map_err(|e| Failure::io("open", path, &e))?;
        let size = file.metadata().map_err(|e| Failure::io("open", path, &e))?;
        if size.is_dir() {
            return Err(Failure::new(
                format!("{} is a folder", path.display()),
                "name the files in it, or give -o a folder",
            ));
        }
        if size.len() == 0 {
            return Err(Failure::new(
                format!("{} is empty", path.display()),
                "record or copy the file again",
            ));
        }
        let mut hint = Hint::new();
        if let Some(ending) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(ending);
        }
        let stream = MediaSourceStream::new(Box::new(file), Default::default());
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, Default::default(), Default::default())
            .map_err(|e| not_sound(path, &e))?;
        let track = format
            .default_track(TrackType::Audio)
            .cloned()
            .ok_or_else(|| no_track(path))?;
        let params = track
            .codec_params
            .as_ref()
            .and_then(|p| p.audio())
            .cloned()
            .ok_or_else(|| no_track(path))?;
        let mut reader = Reader {
            path: path.into(),
            decoder: decoder_for(path, &params)?,
            format,
            track,
            rate: params.sample_rate.unwrap_or(0),
            params,
            gap: 0,
            piece: Vec::new(),
            found: 0,
            planes: Vec::new(),
            good: 0,
            damaged: 0,
            non_finite: 0,
            notes: Vec::new(),
        };
        while matches!(reader.packet()?, Packet::Skipped) {}
        if reader.good == 0 && reader.damaged > 0 {
            let what = format!("no part of {} can be decoded", path.display());
            return Err(Failure::new(
                what,
                "the file is damaged; record or copy it again",
            ));
        }
        if reader.piece.is_empty() {
            let claimed = reader.params.channels.as_ref().map_or(1, |c| c.count());
            reader.piece = vec![Vec::new(); claimed.max(1)];
        }
        if reader.rate == 0 {
            return Err(no_track(path));
        }
        if reader.rate > MOST_RATE {
            let what = format!("{} claims {} samples a second", path.display(), reader.rate);
            return Err(Failure::new(
                what,
                "the file is damaged; record or copy it again",
            ));
        }
        Ok(reader)
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    pub fn channels(&self) -> usize {
        self.piece.len()
    }

    /// How the file stores its samples.
    pub fn depth(&self) -> Depth {
        depth_of(&self.params)
    }

    /// Samples a channel that the file claims to have.
    pub fn claimed(&self) -> Option<u64> {
        self.track.num_frames.filter(|&n| n < UNKNOWN_LENGTH)
    }

    /// Appends the next samples to every channel; says whether there were any.
    pub fn next(&mut self, channels: &mut [Vec<f32>]) -> Result<bool> {
        while self.gap == 0 && self.piece[0].is_empty() {
            if let Packet::End = self.packet()? {
                return Ok(false);
            }
        }
        if self.gap > 0 {
            // The gap may be as long as the recording.
            let silence = self.gap.min(MOST_LOST as usize);
            self.gap -= silence;
            for channel in channels {
                channel.resize(channel.len() + silence, 0.0);
            }
            return Ok(true);
        }
        for (channel, piece) in channels.iter_mut().zip(&mut self.piece) {
            channel.append(piece);
        }
        Ok(true)
    }

    /// What is wrong with the file, when all of it has been read.
    pub fn notes(self) -> Vec<String> {
        let mut notes = self.notes;
        if self.damaged > 0 {
            notes.push(format!(
                "damaged pieces that became silence: {}",
                self.damaged
            ));
        }
        let found = self.found as u64;
        if let Some(claimed) = self
            .track
            .num_frames
            .filter(|&n| n > found && n < UNKNOWN_LENGTH)
        {
            let seconds = |n: u64| n as f64 / f64::from(self.rate);
            notes.push(format!(
                "the file ends after {:.2} s of {:.2} s",
                seconds(found),
                seconds(claimed)
            ));
        }
        if self.non_finite > 0 {
            notes.push(format!(
                "samples that were no number and became silence: {}",
                self.non_finite
            ));
        }
        notes
    }

    /// Decodes a packet behind what is in the piece.
    fn packet(&mut self) -> Result<Packet> {
        let packet = match self.format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(Packet::End),
            Err(Error::IoError(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Ok(Packet::End);
            }
            Err(_) if self.good > 0 => {
                self.notes
                    .push("the rest of the file cannot be read".to_string());
                return Ok(Packet::End);
            }
            Err(e) => return Err(not_sound(&self.path, &e)),
        };
        if packet.track_id != self.track.id {
            return Ok(Packet::Skipped);
        }
        let buffer = match self.decoder.decode(&packet) {
            Ok(buffer) => buffer,
            Err(Error::DecodeError(_) | Error::IoError(_)) => {
                self.damaged += 1;
                // What was before a stream's first sound has no known shape and is left out.
                if self.good > 0 {
                    self.silence(packet.dur.get().min(MOST_LOST) as usize);
                }
                return Ok(Packet::Skipped);
            }
            Err(e) => return Err(not_sound(&self.path, &e)),
        };
        let (rate, channels) = (buffer.spec().rate(), buffer.num_planes());
        buffer.copy_to_vecs_planar(&mut self.planes);
        if self.good == 0 {
            self.piece = vec![Vec::new(); channels];
        }
        if self.rate == 0 {
            self.rate = rate;
        }
        if channels != self.piece.len() || rate != self.rate {
            let what = format!(
                "{} changes its rate or channels half way",
                self.path.display()
            );
            return Err(Failure::new(what, "split it into files of one kind first"));
        }
        self.good += 1;
        self.fill_gap(packet.pts.get());
        let mut non_finite = 0;
        for (channel, plane) in self.piece.iter_mut().zip(&mut self.planes) {
            non_finite += clear_non_finite(plane);
            channel.extend_from_slice(plane);
        }
        self.non_finite += non_finite;
        self.found += self.planes.first().map_or(0, Vec::len);
        Ok(Packet::Decoded)
    }

    /// Nothing waits in the piece when a packet is decoded, so what is damaged lies in front of it.
    fn silence(&mut self, samples: usize) {
        self.gap += samples;
        self.found += samples;
    }

    /// A damaged FLAC frame is skipped without a word, but the next one says where it belongs: silence keeps it there.
    fn fill_gap(&mut self, position: i64) {
        let Ok(position) = usize::try_from(position.saturating_sub(self.track.start_ts.get()))
        else {
            return;
        };
        let plausible = self.claimed().is_some_and(|n| position as u64 <= n);
        if self.params.codec == CODEC_ID_FLAC && position > self.found && plausible {
            self.damaged += 1;
            self.silence(position - self.found);
        }
    }
}

fn decoder_for(path: &Path, params: &AudioCodecParameters) -> Result<Box<dyn AudioDecoder>> {
    let options = AudioDecoderOptions::default();
    symphonia::default::get_codecs()
        .make_audio_decoder(params, &options)
        .map_err(|e| {
            let shown = path.display();
            if params.codec == CODEC_ID_OPUS {
                let help = format!(
                    "decode it first: opusdec \"{shown}\" out.wav, or ffmpeg -i \"{shown}\" out.wav"
                );
                return Failure::new(
                    format!("{shown} is Opus, which Statewave cannot read yet"),
                    help,
                );
            }
            Failure::new(
                format!("cannot decode {shown}: {}", reason(&e)),
                "convert it to WAV or FLAC first",
            )
        })
}

/// Float files may hold NaN and infinities; the chain would answer each with a reset. Says how many there were.
fn clear_non_finite(samples: &mut [f32]) -> usize {
    // Nearly always all is well, and looking at all samples before deciding lets the compiler take many at once.
    if samples.iter().fold(true, |ok, x| ok & x.is_finite()) {
        return 0;
    }
    let broken = samples.iter_mut().filter(|x| !x.is_finite());
    broken.map(|x| *x = 0.0).count()
}

/// Lossy codecs name no depth: 24 bits keep all that they carry.
fn depth_of(params: &AudioCodecParameters) -> Depth {
    let float = [
        CODEC_ID_PCM_F32LE,
        CODEC_ID_PCM_F32BE,
        CODEC_ID_PCM_F64LE,
        CODEC_ID_PCM_F64BE,
    ];
    if float.contains(&params.codec) {
        return Depth::Float;
    }
    match params.bits_per_coded_sample.or(params.bits_per_sample) {
        Some(bits @ 1..=32) => Depth::Int(bits as u16),
        _ => Depth::Int(24),
    }
}

fn no_track(path: &Path) -> Failure {
    let what = format!("{} holds no sound", path.display());
    Failure::new(what, "give a WAV, FLAC, MP3 or Ogg Vorbis file")
}

fn not_sound(path: &Path, error: &Error) -> Failure {
    let what = format!(
        "{} is not a sound file that can be read: {}",
        path.display(),
        reason(error)
    );
    Failure::new(
        what,
        "give a WAV, FLAC, MP3 or Ogg Vorbis file; if it is one, it is damaged",
    )
}

fn reason(error: &Error) -> String {
    match error {
        Error::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            "it ends in its header".into()
        }
        Error::Unsupported(what) if what.contains("probe") => "its format is not known".into(),
        other => other.to_string(),
    }
}
