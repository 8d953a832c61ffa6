//! What a shell gives an instrument: plain values each block, and events at samples.

use crate::state::StateControls;

/// The values that sound may be shaped by. They take hold with the next frame of each voice, within 4 ms; gain glides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InstrumentControls {
    /// The instrument that is heard at a morph of 0, by its place in the model; beyond the last, the last.
    pub a: usize,
    /// The one that is heard at 1.
    pub b: usize,
    /// Between them, 0 to 1.
    pub morph: f32,
    /// A rise laid over the instrument's own attack, in seconds; 0 leaves it as it is.
    pub attack_seconds: f32,
    /// How long a note may sound once it is let go; in the second half of it, it fades.
    pub release_seconds: f32,
    /// What is added to the partials, in dB an octave above the fundamental.
    pub brightness_db: f32,
    /// How far the mod wheel's vibrato goes at most, in semitones.
    pub vibrato_semitones: f32,
    /// How far a pitch bend goes, in semitones.
    pub bend_semitones: f32,
    /// MIDI polyphonic expression: channels 2 to 16 each hold a note and bend it by up to 48 semitones, and what happens
    /// on channel 1 is for all.
    pub mpe: bool,
    /// How far low notes stand to the left and high ones to the right, 0 to 1.
    pub width: f32,
    /// Linear.
    pub gain: f32,
    /// What is done to what the notes remember. A note that is frozen stays as it sounds, but its first frame never is: one that
    /// took nothing in would be none. The newest note is stored; what is recalled goes to all that sound, and new ones begin
    /// from it.
    pub state: StateControls,
}

impl Default for InstrumentControls {
    fn default() -> InstrumentControls {
        InstrumentControls {
            a: 0,
            b: 0,
            morph: 0.0,
            attack_seconds: 0.0,
            release_seconds: 3.0,
            brightness_db: 0.0,
            vibrato_semitones: 0.5,
            bend_semitones: 2.0,
            mpe: false,
            width: 0.3,
            gain: 1.0,
            state: StateControls::default(),
        }
    }
}

/// Which notes a host means: those that fit all that is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Which {
    /// The host's own name for the note.
    pub id: Option<i32>,
    /// 0 to 15.
    pub channel: Option<u8>,
    /// 0 to 127.
    pub key: Option<u8>,
}

/// An expression of single notes, as in CLAP and in MPE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expression {
    /// Semitones from the key.
    Tuning,
    /// Linear gain, 0 to 4.
    Volume,
    /// -1 (left) to 1.
    Pan,
    /// 0 to 1, as the mod wheel.
    Vibrato,
    /// -1 to 1: partials by up to ±6 dB an octave.
    Brightness,
    /// 0 to 1: up to 6 dB louder and 3 dB an octave brighter.
    Pressure,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Happening {
    /// A note begins. `velocity` is 0 to 1.
    On {
        /// The host's own name for the note, if it has one.
        id: Option<i32>,
        /// 0 to 15.
        channel: u8,
        /// 0 to 127.
        key: u8,
        /// 0 to 1.
        velocity: f32,
    },
    /// Notes are let go; with the pedal down, they sound on.
    Off(Which),
    /// Notes stop at once, within a frame.
    Choke(Which),
    /// An expression of notes.
    Express(Which, Expression, f32),
    /// A channel's pitch wheel, -1 to 1.
    Bend {
        /// 0 to 15.
        channel: u8,
        /// -1 to 1.
        value: f32,
    },
    /// A channel's mod wheel, 0 to 1.
    Wheel {
        /// 0 to 15.
        channel: u8,
        /// 0 to 1.
        value: f32,
    },
    /// A channel's pressure, 0 to 1.
    ChannelPressure {
        /// 0 to 15.
        channel: u8,
        /// 0 to 1.
        value: f32,
    },
    /// A channel's sustain pedal.
    Sustain {
        /// 0 to 15.
        channel: u8,
        /// Whether it is down.
        down: bool,
    },
}

impl Happening {
    /// What a MIDI controller of a channel means, its value 0 to 1; `None` if it means nothing here. Of the controllers
    /// of MIDI 1.0: the mod wheel, the sustain pedal, all sound off, all notes off.
    pub fn of_controller(channel: u8, controller: u8, value: f32) -> Option<Happening> {
        let all = Which {
            channel: Some(channel),
            ..Which::default()
        };
        match controller {
            1 => Some(Happening::Wheel { channel, value }),
            64 => Some(Happening::Sustain {
                channel,
                down: value >= 0.5,
            }),
            120 => Some(Happening::Choke(all)),
            123 => Some(Happening::Off(all)),
            _ => None,
        }
    }
}

/// Something that happens at a sample of the block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// From the start of the block; beyond its end, at its last sample.
    pub sample: usize,
    /// What.
    pub what: Happening,
}

/// A note that sounds no more: it has died away, was choked, or had to make room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// From the start of the block.
    pub sample: usize,
    /// The host's own name for the note, if it has one.
    pub id: Option<i32>,
    /// 0 to 15.
    pub channel: u8,
    /// 0 to 127.
    pub key: u8,
}

/// The state of a channel's wheels and pedal.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Channel {
    pub bend: f32,
    pub wheel: f32,
    pub pressure: f32,
    pub sustain: bool,
}

/// The bend range of MPE's member channels, in semitones (MIDI Polyphonic Expression 1.1, section 2.2).
const MPE_BEND: f32 = 48.0;

/// What a channel's wheels and its zone's come to: bend in semitones, wheel and pressure 0 to 1.
pub(super) fn of_channel(
    channels: &[Channel; 16],
    channel: u8,
    controls: &InstrumentControls,
) -> (f32, f32, f32) {
    let own = channels[usize::from(channel & 15)];
    let range = controls.bend_semitones;
    if !controls.mpe || channel & 15 == 0 {
        return (own.bend * range, own.wheel, own.pressure);
    }
    let all = channels[0];
    (
        own.bend * MPE_BEND + all.bend * range,
        own.wheel.max(all.wheel),
        own.pressure.max(all.pressure),
    )
}

/// Whether the pedal that holds a channel's notes is down.
pub(super) fn sustained(channels: &[Channel; 16], channel: u8, mpe: bool) -> bool {
    channels[usize::from(channel & 15)].sustain || (mpe && channels[0].sustain)
}
