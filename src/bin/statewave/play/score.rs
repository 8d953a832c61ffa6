//! Standard MIDI files, as events at seconds.

use std::path::Path;

use midly::{MetaMessage, MidiMessage, Smf, Timing, TrackEventKind};
use statewave::instrument::{Happening, Which};

use crate::failure::{Failure, Result};

/// The channel of drums in General MIDI, from 0 on.
const DRUMS: u8 = 9;

/// Microseconds a quarter note lasts until a tempo is told.
const USUAL_TEMPO: u32 = 500_000;

/// What a file holds.
pub struct Score {
    /// Seconds from the start, in order.
    pub events: Vec<(f64, Happening)>,
    /// Notes that begin.
    pub notes: usize,
    /// Notes of the drums' channel, which are left out.
    pub drums: usize,
}

/// Reads the bytes of a file.
///
/// # Errors
/// What is no MIDI file, or holds no note that can be played.
pub fn read(path: &Path, bytes: &[u8]) -> Result<Score> {
    let smf = Smf::parse(bytes).map_err(|e| {
        Failure::new(
            format!("{} is not a MIDI file: {e}", path.display()),
            "give a standard MIDI file (.mid), such as a sequencer exports",
        )
    })?;
    let mut all = Vec::new();
    for track in &smf.tracks {
        let mut tick = 0u64;
        for event in track {
            tick += u64::from(event.delta.as_int());
            all.push((tick, event.kind));
        }
    }
    all.sort_by_key(|(tick, _)| *tick);
    let mut clock = Clock::new(smf.header.timing);
    let mut score = Score {
        events: Vec::new(),
        notes: 0,
        drums: 0,
    };
    for (tick, kind) in all {
        let seconds = clock.reach(tick);
        match kind {
            TrackEventKind::Meta(MetaMessage::Tempo(tempo)) => clock.tempo = tempo.as_int(),
            TrackEventKind::Midi { channel, message } => {
                let what = happening(channel.as_int(), message);
                let begins = matches!(what, Some(Happening::On { .. }));
                if channel.as_int() == DRUMS {
                    score.drums += usize::from(begins);
                } else if let Some(what) = what {
                    score.notes += usize::from(begins);
                    score.events.push((seconds, what));
                }
            }
            _ => {}
        }
    }
    if score.notes == 0 {
        let what = match score.drums {
            0 => format!("{} holds no notes", path.display()),
            n => format!("{} holds {n} notes of drums and no others", path.display()),
        };
        let help = "give a file with notes on a channel other than 10, which is that of drums";
        return Err(Failure::new(what, help));
    }
    Ok(score)
}

/// Ticks to seconds, over changes of tempo.
struct Clock {
    timing: Timing,
    tempo: u32,
    tick: u64,
    seconds: f64,
}

impl Clock {
    fn new(timing: Timing) -> Clock {
        Clock {
            timing,
            tempo: USUAL_TEMPO,
            tick: 0,
            seconds: 0.0,
        }
    }

    /// Seconds at `tick`, which is not before the last one asked for.
    fn reach(&mut self, tick: u64) -> f64 {
        let per_second = match self.timing {
            Timing::Metrical(per_quarter) => {
                f64::from(per_quarter.as_int().max(1)) * 1e6 / f64::from(self.tempo.max(1))
            }
            Timing::Timecode(fps, per_frame) => {
                f64::from(fps.as_f32()) * f64::from(per_frame.max(1))
            }
        };
        self.seconds += (tick - self.tick) as f64 / per_second;
        self.tick = tick;
        self.seconds
    }
}

fn happening(channel: u8, message: MidiMessage) -> Option<Happening> {
    let share = |value: u8| f32::from(value) / 127.0;
    let of_key = |key: u8| Which {
        channel: Some(channel),
        key: Some(key),
        id: None,
    };
    Some(match message {
        MidiMessage::NoteOn { key, vel } if vel.as_int() > 0 => Happening::On {
            id: None,
            channel,
            key: key.as_int(),
            velocity: share(vel.as_int()),
        },
        MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => {
            Happening::Off(of_key(key.as_int()))
        }
        MidiMessage::PitchBend { bend } => Happening::Bend {
            channel,
            value: bend.as_f32(),
        },
        MidiMessage::ChannelAftertouch { vel } => Happening::ChannelPressure {
            channel,
            value: share(vel.as_int()),
        },
        MidiMessage::Controller { controller, value } => {
            let value = share(value.as_int());
            return Happening::of_controller(channel, controller.as_int(), value);
        }
        MidiMessage::Aftertouch { .. } | MidiMessage::ProgramChange { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of one track, 100 ticks a quarter note.
    fn file(events: &[u8]) -> Vec<u8> {
        let mut bytes = b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x64MTrk".to_vec();
        let track = [events, b"\x00\xff\x2f\x00"].concat();
        bytes.extend((track.len() as u32).to_be_bytes());
        bytes.extend(track);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Score> {
        super::read(Path::new("song.mid"), bytes)
    }

    #[test]
    fn seconds_follow_the_tempo() {
        // A quarter note at 120 a minute, then 60 a minute; the note ends as a note of no velocity.
        let events = b"\x64\x90\x3c\x7f\x00\xff\x51\x03\x0f\x42\x40\x64\x90\x3c\x00";
        let score = read(&file(events)).expect("it is whole");
        let seconds: Vec<f64> = score.events.iter().map(|(seconds, _)| *seconds).collect();
        assert_eq!(seconds, [0.5, 1.5]);
        assert_eq!((score.notes, score.drums), (1, 0));
        assert!(matches!(
            score.events[0].1,
            Happening::On {
                key: 60,
                velocity: 1.0,
                ..
            }
        ));
        assert!(matches!(
            score.events[1].1,
            Happening::Off(Which { key: Some(60), .. })
        ));
    }

    #[test]
    fn files_without_notes_are_refused_with_a_reason() {
        for (bytes, word) in [
            (b"RIFF".to_vec(), "not a MIDI file"),
            (file(b""), "no notes"),
            (file(b"\x00\x99\x3c\x7f"), "drums"),
        ] {
            let text = read(&bytes).err().expect("it is refused").to_string();
            assert!(text.contains(word) && text.contains("help"), "{text}");
        }
    }
}
