//! What a host says of notes, as the instrument hears it, and what it is told of them.

use nice_plug::midi::{Channel, Key, VoiceID};
use nice_plug::prelude::NoteEvent;
use statewave::instrument::{Ended, Event, Expression, Happening, Which};

/// The event for the instrument, if it is one that it hears.
pub(super) fn heard(event: &NoteEvent<()>) -> Option<Event> {
    let what = happening(event)?;
    Some(Event {
        sample: event.timing() as usize,
        what,
    })
}

/// What the host is told of a note that came to its end, in a part of its block that begins at `begin`.
pub(super) fn told(ended: &Ended, begin: usize) -> NoteEvent<()> {
    NoteEvent::VoiceTerminated {
        timing: (begin + ended.sample) as u32,
        voice_id: ended.id.map_or(VoiceID::Wildcard, VoiceID::ID),
        channel: Channel::Number(ended.channel),
        key: Key::Number(ended.key),
    }
}

fn which(id: VoiceID, channel: Channel, key: Key) -> Which {
    Which {
        id: id.id(),
        channel: channel.number(),
        key: key.number(),
    }
}

fn happening(event: &NoteEvent<()>) -> Option<Happening> {
    let express = |id, channel, key, expression, value| {
        Some(Happening::Express(
            which(id, channel, key),
            expression,
            value,
        ))
    };
    match *event {
        NoteEvent::NoteOn {
            voice_id,
            channel,
            key,
            velocity,
            ..
        } => Some(Happening::On {
            id: voice_id.id(),
            channel: channel.number().unwrap_or(0),
            key: key.number()?,
            velocity,
        }),
        NoteEvent::NoteOff {
            voice_id,
            channel,
            key,
            ..
        } => Some(Happening::Off(which(voice_id, channel, key))),
        NoteEvent::Choke {
            voice_id,
            channel,
            key,
            ..
        } => Some(Happening::Choke(which(voice_id, channel, key))),
        NoteEvent::PolyPressure {
            voice_id,
            channel,
            key,
            pressure,
            ..
        } => express(voice_id, channel, key, Expression::Pressure, pressure),
        NoteEvent::PolyVolume {
            voice_id,
            channel,
            key,
            gain,
            ..
        } => express(voice_id, channel, key, Expression::Volume, gain),
        NoteEvent::PolyPan {
            voice_id,
            channel,
            key,
            pan,
            ..
        } => express(voice_id, channel, key, Expression::Pan, pan),
        NoteEvent::PolyTuning {
            voice_id,
            channel,
            key,
            tuning,
            ..
        } => express(voice_id, channel, key, Expression::Tuning, tuning),
        NoteEvent::PolyVibrato {
            voice_id,
            channel,
            key,
            vibrato,
            ..
        } => express(voice_id, channel, key, Expression::Vibrato, vibrato),
        // 0 to 1, with the middle as it is.
        NoteEvent::PolyBrightness {
            voice_id,
            channel,
            key,
            brightness,
            ..
        } => express(
            voice_id,
            channel,
            key,
            Expression::Brightness,
            2.0 * brightness - 1.0,
        ),
        NoteEvent::MidiChannelPressure {
            channel, pressure, ..
        } => Some(Happening::ChannelPressure {
            channel,
            value: pressure,
        }),
        NoteEvent::MidiPitchBend { channel, value, .. } => Some(Happening::Bend {
            channel,
            value: bend(value),
        }),
        NoteEvent::MidiCC {
            channel, cc, value, ..
        } => Happening::of_controller(channel, cc, value),
        _ => None,
    }
}

/// -1 to 1 of a pitch wheel's 0 to 1: its 14 bits rest at 8192, which is not quite the middle.
fn bend(value: f32) -> f32 {
    wheel((value * 16_383.0).round() as u16)
}

/// -1 to 1 of a pitch wheel's 14 bits.
pub(super) fn wheel(bits: u16) -> f32 {
    (f32::from(bits) - 8_192.0) / 8_192.0
}
