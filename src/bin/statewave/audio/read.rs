//! A sound file in, f32 channels out.

use std::fs::File;
use std::path::Path;

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
    let mut format = symphonia::default::get_probe()
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
        .ok_or_else(|| no_track(path))?;
    let mut decoder = decoder_for(path, params)?;
    decode(path, format.as_mut(), decoder.as_mut(), &track, params)
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

fn decode(
    path: &Path,
    format: &mut dyn FormatReader,
    decoder: &mut dyn AudioDecoder,
    track: &Track,
    params: &AudioCodecParameters,
) -> Result<Audio> {
    let mut channels: Vec<Vec<f32>> = Vec::new();
    let mut rate = params.sample_rate;
    let (mut planes, mut damaged, mut good) = (Vec::new(), 0usize, 0usize);
    let mut notes = Vec::new();
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(Error::IoError(e)) if e.kind() == std::io::ErrorKind::UnexpectedEof => break,
            Err(_) if good > 0 => {
                notes.push("the rest of the file cannot be read".to_string());
                break;
            }
            Err(e) => return Err(not_sound(path, &e)),
        };
        if packet.track_id != track.id {
            continue;
        }
        match decoder.decode(&packet) {
            Ok(buffer) => {
                let (found_rate, found_channels) = (buffer.spec().rate(), buffer.num_planes());
                if channels.is_empty() {
                    channels = vec![Vec::new(); found_channels];
                }
                if found_channels != channels.len() || *rate.get_or_insert(found_rate) != found_rate
                {
                    let what = format!("{} changes its rate or channels half way", path.display());
                    return Err(Failure::new(what, "split it into files of one kind first"));
                }
                damaged += fill_gap(&mut channels, track, params, packet.pts.get());
                buffer.copy_to_vecs_planar(&mut planes);
                for (channel, plane) in channels.iter_mut().zip(&planes) {
                    channel.extend_from_slice(plane);
                }
                good += 1;
            }
            Err(Error::DecodeError(_) | Error::IoError(_)) => {
                damaged += 1;
                // What was before a stream's first sound has no known shape and is left out.
                for channel in &mut channels {
                    channel.resize(
                        channel.len() + packet.dur.get().min(MOST_LOST) as usize,
                        0.0,
                    );
                }
            }
            Err(e) => return Err(not_sound(path, &e)),
        }
    }
    if good == 0 && damaged > 0 {
        let what = format!("no part of {} can be decoded", path.display());
        return Err(Failure::new(
            what,
            "the file is damaged; record or copy it again",
        ));
    }
    if channels.is_empty() {
        channels = vec![Vec::new(); params.channels.as_ref().map_or(1, |c| c.count()).max(1)];
    }
    let rate = rate.filter(|&r| r > 0).ok_or_else(|| no_track(path))?;
    if rate > MOST_RATE {
        let what = format!("{} claims {rate} samples a second", path.display());
        return Err(Failure::new(
            what,
            "the file is damaged; record or copy it again",
        ));
    }
    let found = channels[0].len() as u64;
    if damaged > 0 {
        notes.push(format!("damaged pieces that became silence: {damaged}"));
    }
    if let Some(claimed) = track
        .num_frames
        .filter(|&n| n > found && n < UNKNOWN_LENGTH)
    {
        let seconds = |n: u64| n as f64 / f64::from(rate);
        notes.push(format!(
            "the file ends after {:.2} s of {:.2} s",
            seconds(found),
            seconds(claimed)
        ));
    }
    clear_non_finite(&mut channels, &mut notes);
    Ok(Audio {
        channels,
        rate,
        depth: depth_of(params),
        notes,
    })
}

/// A damaged FLAC frame is skipped without a word, but the next one says where it belongs: silence keeps it there.
/// Returns how many gaps were filled.
fn fill_gap(
    channels: &mut [Vec<f32>],
    track: &Track,
    params: &AudioCodecParameters,
    position: i64,
) -> usize {
    let Ok(position) = usize::try_from(position.saturating_sub(track.start_ts.get())) else {
        return 0;
    };
    let found = channels.first().map_or(0, Vec::len);
    let plausible = track
        .num_frames
        .is_some_and(|n| position as u64 <= n && n < UNKNOWN_LENGTH);
    if params.codec != CODEC_ID_FLAC || position <= found || !plausible {
        return 0;
    }
    channels
        .iter_mut()
        .for_each(|channel| channel.resize(position, 0.0));
    1
}

/// Float files may hold NaN and infinities; the chain would answer each with a reset.
fn clear_non_finite(channels: &mut [Vec<f32>], notes: &mut Vec<String>) {
    let mut count = 0;
    for x in channels.iter_mut().flatten().filter(|x| !x.is_finite()) {
        *x = 0.0;
        count += 1;
    }
    if count > 0 {
        notes.push(format!(
            "samples that were no number and became silence: {count}"
        ));
    }
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
