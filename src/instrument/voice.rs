//! A voice: the note it plays, its expressions, and what is laid over its tone.

use super::Note;
use super::controls::{Channel, Expression, InstrumentControls, Which, of_channel};
use super::tone::Tone;
use crate::model::instrument::{InstrumentFacts, Told};

/// Where a voice is in a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Idle,
    /// The key is down.
    Held,
    /// The key is up, the pedal down.
    Sustained,
    /// Let go.
    Released,
    /// On its last segment, to silence.
    Ending,
}

/// Expressions of a single note.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expressions {
    tuning: f32,
    volume: f32,
    pan: f32,
    vibrato: f32,
    brightness: f32,
    pressure: f32,
}

impl Default for Expressions {
    fn default() -> Expressions {
        Expressions {
            tuning: 0.0,
            volume: 1.0,
            pan: 0.0,
            vibrato: 0.0,
            brightness: 0.0,
            pressure: 0.0,
        }
    }
}

impl Expressions {
    pub fn set(&mut self, expression: Expression, value: f32) {
        if !value.is_finite() {
            return;
        }
        let (place, low, high) = match expression {
            Expression::Tuning => (&mut self.tuning, -120.0, 120.0),
            Expression::Volume => (&mut self.volume, 0.0, 4.0),
            Expression::Pan => (&mut self.pan, -1.0, 1.0),
            Expression::Vibrato => (&mut self.vibrato, 0.0, 1.0),
            Expression::Brightness => (&mut self.brightness, -1.0, 1.0),
            Expression::Pressure => (&mut self.pressure, 0.0, 1.0),
        };
        *place = value.clamp(low, high);
    }
}

/// Vibrato, Hz.
const VIBRATO_HZ: f64 = 5.5;

/// Octaves of gain an octave of frequency, of a brightness of 1 and of full pressure.
const BRIGHTNESS: f32 = 1.0;
const PRESSURE: f32 = 0.5;

/// dB of an octave of gain.
const OCTAVE_DB: f32 = 6.020_6;

/// Keys from middle C to a side of the stage at full width.
const STAGE_KEYS: f32 = 36.0;

/// What a voice is to be in the frame to come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Manner {
    /// Semitones, without vibrato: what the network hears of.
    pub pitch: f32,
    /// Semitones of vibrato now.
    pub vibrato: f32,
    /// log2 of the gain an octave.
    pub tilt: f32,
    /// Linear.
    pub gain: f32,
    /// Of left and right.
    pub sides: (f32, f32),
}

pub(super) struct Voice {
    pub stage: Stage,
    pub tone: Tone,
    id: Option<i32>,
    pub channel: u8,
    key: u8,
    velocity: f32,
    pub expressions: Expressions,
    /// Notes begun before this one.
    pub born: u64,
    /// The sample at which the note began, and that at which it was let go.
    pub on: u64,
    pub off: u64,
    /// The sample at which the last one came to its end.
    pub ended: Option<u64>,
    /// Samples over which it rises.
    pub rise: u64,
    /// Samples between the frames' clock and this voice's.
    pub behind: u64,
    /// The sample at which its next segment begins.
    pub next: u64,
    /// What the tone was tuned for: pitch, tilt, and which mix.
    pub tuned: Option<(f32, f32, u64)>,
    /// Gains of left and right, and what they gain with every sample of the segment.
    pub sides: (f32, f32),
    pub glide: (f32, f32),
}

impl Voice {
    pub fn new(facts: &InstrumentFacts) -> Voice {
        Voice {
            stage: Stage::Idle,
            tone: Tone::new(facts),
            id: None,
            channel: 0,
            key: 0,
            velocity: 0.0,
            expressions: Expressions::default(),
            born: 0,
            on: 0,
            off: 0,
            ended: None,
            rise: 1,
            behind: 0,
            next: 0,
            tuned: None,
            sides: (0.0, 0.0),
            glide: (0.0, 0.0),
        }
    }

    /// Takes a note.
    pub fn take(&mut self, id: Option<i32>, channel: u8, key: u8, velocity: f32) {
        (self.id, self.channel, self.key) = (id, channel & 15, key.min(127));
        self.velocity = velocity.clamp(0.0, 1.0);
        self.expressions = Expressions::default();
        self.stage = Stage::Held;
        self.tuned = None;
    }

    /// What it plays.
    pub fn note(&self) -> Note<'_> {
        Note {
            id: self.id,
            channel: self.channel,
            key: self.key,
            hz: self.tone.fundamental_hz,
            partials: self.tone.partials(),
        }
    }

    /// Whether it plays one of the notes that are meant. A host that names notes means the named one alone.
    pub fn is(&self, which: &Which) -> bool {
        let named = match (which.id, self.id) {
            (Some(meant), Some(own)) => meant == own,
            _ => true,
        };
        self.stage != Stage::Idle
            && named
            && which.channel.is_none_or(|channel| channel == self.channel)
            && which.key.is_none_or(|key| key == self.key)
    }

    /// How it is to be played from sample `clock` on.
    pub fn manner(
        &self,
        controls: &InstrumentControls,
        channels: &[Channel; 16],
        clock: u64,
        sample_rate: f64,
    ) -> Manner {
        let (bend, wheel, pressure) = of_channel(channels, self.channel, controls);
        let own = &self.expressions;
        let pressure = pressure.max(own.pressure);
        let turn = (clock as f64 / sample_rate * VIBRATO_HZ).fract() * std::f64::consts::TAU;
        let depth = wheel.max(own.vibrato) * controls.vibrato_semitones;
        let stage = (f32::from(self.key) - 60.0) / STAGE_KEYS * controls.width;
        // Equal power, 1 in the middle.
        let angle = ((stage + own.pan).clamp(-1.0, 1.0) + 1.0) * std::f32::consts::FRAC_PI_4;
        let sides = (angle.cos(), angle.sin());
        Manner {
            pitch: (f32::from(self.key) + own.tuning + bend).clamp(0.0, 140.0),
            vibrato: depth * turn.sin() as f32,
            tilt: controls.brightness_db / OCTAVE_DB
                + own.brightness * BRIGHTNESS
                + pressure * PRESSURE,
            gain: own.volume * (1.0 + pressure),
            sides: (
                sides.0 * std::f32::consts::SQRT_2,
                sides.1 * std::f32::consts::SQRT_2,
            ),
        }
    }

    /// What the network is told of it.
    pub fn told<'a>(&self, mix: &'a [f32], pitch: f32, begins: bool, ends: bool) -> Told<'a> {
        Told {
            mix,
            pitch,
            velocity: self.velocity,
            held: matches!(self.stage, Stage::Held | Stage::Sustained),
            begins,
            ends,
        }
    }

    /// The gain laid over the tone at sample `clock`; `release` is how long it may sound once let go, in samples.
    pub fn envelope(&self, clock: u64, release: u64) -> f32 {
        let rise = (clock - self.on + 1).min(self.rise) as f32 / self.rise as f32;
        let mut fall = 1.0;
        if self.stage == Stage::Released {
            let half = release / 2;
            let late = (clock - self.off).saturating_sub(half);
            let part = (late as f32 / (release - half).max(1) as f32).min(1.0);
            fall = 0.5 + 0.5 * (part * std::f32::consts::PI).cos();
        }
        rise * fall
    }

    /// Whether the envelope is 1 from `clock` on for `samples`.
    pub fn envelope_is_one(&self, clock: u64, samples: u64, release: u64) -> bool {
        clock - self.on + 1 >= self.rise
            && (self.stage != Stage::Released || clock - self.off + samples <= release / 2)
    }
}
