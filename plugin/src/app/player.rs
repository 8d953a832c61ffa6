//! Sound files, decoded a piece at a time.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;

use super::bridge::Inlet;
use crate::fault::Fault;

/// Before a full ring is looked at again.
const WAIT: Duration = Duration::from_millis(20);

/// An open sound file.
pub struct SoundFile {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    /// Samples a second.
    pub rate: u32,
    planes: Vec<Vec<f32>>,
}

impl SoundFile {
    /// Opens it and reads what it is.
    ///
    /// # Errors
    /// When it cannot be opened, or is no sound that can be decoded.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let fault = |why: String| Fault {
            what: format!("{}: {why}", path.display()),
            remedy: "give a WAV, FLAC, MP3 or Ogg Vorbis file".into(),
        };
        let file = File::open(path).map_err(|e| fault(e.to_string()))?;
        let mut hint = Hint::new();
        if let Some(ending) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(ending);
        }
        let stream = MediaSourceStream::new(Box::new(file), Default::default());
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, Default::default(), Default::default())
            .map_err(|e| fault(e.to_string()))?;
        let no_sound = || fault("holds no sound".into());
        let track = format
            .default_track(TrackType::Audio)
            .ok_or_else(no_sound)?;
        let params = track
            .codec_params
            .as_ref()
            .and_then(|p| p.audio())
            .ok_or_else(no_sound)?;
        let rate = params
            .sample_rate
            .filter(|&rate| rate > 0)
            .ok_or_else(no_sound)?;
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(params, &AudioDecoderOptions::default())
            .map_err(|e| fault(e.to_string()))?;
        Ok(Self {
            track: track.id,
            format,
            decoder,
            rate,
            planes: Vec::new(),
        })
    }

    /// The next piece, a vector a channel; `None` at the end. Damaged pieces are left out.
    pub fn piece(&mut self) -> Option<&[Vec<f32>]> {
        loop {
            let packet = self.format.next_packet().ok()??;
            if packet.track_id != self.track {
                continue;
            }
            match self.decoder.decode(&packet) {
                Ok(buffer) => {
                    buffer.copy_to_vecs_planar(&mut self.planes);
                    return Some(&self.planes);
                }
                Err(Error::DecodeError(_)) => continue,
                Err(_) => return None,
            }
        }
    }
}

/// Feeds the file to `inlet` from a thread of its own until it ends or nobody listens.
pub fn feed(mut file: SoundFile, mut inlet: Inlet) {
    std::thread::spawn(move || {
        while let Some(planes) = file.piece() {
            let len = planes[0].len();
            let mut at = 0;
            while at < len {
                let run = (len - at).min(inlet.room());
                let last = planes.len() - 1;
                // A file has no clock: the moment is of no use.
                inlet.write(0.0, run, |frame, channel| {
                    planes[channel.min(last)][at + frame]
                });
                at += run;
                if inlet.is_abandoned() {
                    return;
                }
                if at < len {
                    std::thread::sleep(WAIT);
                }
            }
        }
        inlet.end();
    });
}
