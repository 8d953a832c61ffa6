//! A played instrument: notes in, sound out.
//!
//! ```text
//! events ─► voices ─► every frame: the network, all voices as a batch ─► amplitudes ─► sines and noise ─► left, right
//! ```
//! The network runs on a clock of its frames (4 ms). A note begins at its sample: its first frame is taken at once, and
//! its later ones lie behind the clock by as much as it began behind it. A note that is let go between two frames takes
//! one at once too, and keeps its time from there. So notes begin and end at their samples, and nothing is late.

mod bands;
mod controls;
mod frames;
mod memory;
mod notes;
mod render;
mod segments;
mod tone;
mod voice;

use std::sync::Arc;

pub use controls::{Ended, Event, Expression, Happening, InstrumentControls, Which};

use bands::Random;
use controls::Channel;
use frames::Frames;
use tone::Tone;
use voice::{Manner, Stage, Voice};

use crate::kernels::sines::Loops;
use crate::model::instrument::InstrumentModel;
use crate::state::{Bank, Hand};

/// Samples that a voice renders at once.
const RUN: usize = 256;

/// An instrument being played. Everything is allocated when it is made; [`Instrument::process`] is real-time safe.
///
/// ```no_run
/// use std::sync::Arc;
/// use statewave::instrument::{Event, Happening, Instrument, InstrumentControls};
/// use statewave::model::instrument::InstrumentModel;
///
/// let model = Arc::new(InstrumentModel::open("instrument.safetensors")?);
/// let mut instrument = Instrument::new(model, 48_000, 16);
/// let (mut left, mut right) = (vec![0.0; 512], vec![0.0; 512]);
/// let what = Happening::On { id: None, channel: 0, key: 60, velocity: 0.8 };
/// instrument.process(&InstrumentControls::default(), &[Event { sample: 100, what }], &mut left, &mut right);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Instrument {
    model: Arc<InstrumentModel>,
    sample_rate: f64,
    frames: Frames,
    loops: Loops,
    voices: Vec<Voice>,
    /// Notes that had to make room, on their last samples.
    leaving: Vec<Leaving>,
    channels: [Channel; 16],
    /// What ended in the last block, and the sample at which that began.
    ended: Vec<Ended>,
    block: u64,
    controls: InstrumentControls,
    hand: Hand,
    bank: Arc<Bank>,
    mix: Vec<f32>,
    /// How often the mix has changed.
    mixed: u64,
    random: Random,
    /// Samples since the start, frames since the start, and the samples at which this frame and the next begin.
    clock: u64,
    frame: u64,
    this_tick: u64,
    next_tick: u64,
    born: u64,
    gain: f32,
    run: [f32; RUN],
}

/// A note that sounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Note<'a> {
    /// The host's own name for it.
    pub id: Option<i32>,
    /// 0 to 15.
    pub channel: u8,
    /// 0 to 127.
    pub key: u8,
    /// The fundamental, Hz.
    pub hz: f64,
    /// Amplitudes of the partials.
    pub partials: &'a [f32],
}

struct Leaving {
    tone: Tone,
    sides: (f32, f32),
}

impl Instrument {
    /// An instrument at rest, at `sample_rate` in Hz, for so many voices at once. Allocates all it needs.
    ///
    /// # Panics
    /// If the rate is not between 8 and 768 kHz, or there is no voice.
    pub fn new(model: Arc<InstrumentModel>, sample_rate: u32, voices: usize) -> Instrument {
        assert!(
            (8_000..=768_000).contains(&sample_rate),
            "a rate of {sample_rate} Hz"
        );
        assert!(voices > 0, "an instrument without voices");
        let facts = model.facts();
        let leaving = || Leaving {
            tone: Tone::new(facts),
            sides: (0.0, 0.0),
        };
        let mut instrument = Instrument {
            sample_rate: f64::from(sample_rate),
            frames: Frames::new(Arc::clone(&model), voices),
            loops: bands::loops(facts, sample_rate),
            voices: (0..voices).map(|_| Voice::new(facts)).collect(),
            leaving: (0..voices).map(|_| leaving()).collect(),
            channels: Default::default(),
            ended: Vec::with_capacity(notes::ENDS + voices),
            block: 0,
            controls: InstrumentControls::default(),
            hand: Hand::default(),
            bank: memory::bank(&model),
            mix: vec![0.0; facts.instruments.len()],
            mixed: 0,
            random: Random(0),
            clock: 0,
            frame: 0,
            this_tick: 0,
            next_tick: 0,
            born: 0,
            gain: 0.0,
            run: [0.0; RUN],
            model,
        };
        instrument.reset();
        instrument
    }

    /// The model it plays.
    pub fn model(&self) -> &Arc<InstrumentModel> {
        &self.model
    }

    /// Back to the start: no note sounds, wheels and pedals rest; slots keep what they have. The same events then give the same sound to the bit.
    /// Real-time safe.
    pub fn reset(&mut self) {
        for voice in &mut self.voices {
            voice.stage = Stage::Idle;
            voice.ended = None;
        }
        self.ended.clear();
        for leaving in &mut self.leaving {
            leaving.tone.fade(0.0, 1);
            leaving.tone.at = 1;
        }
        self.hand.reset();
        self.channels = Default::default();
        self.random = Random(1);
        (self.clock, self.frame, self.born) = (0, 0, 0);
        (self.this_tick, self.next_tick) = (0, self.tick(1));
        self.gain = -1.0;
    }

    /// Voices that sound.
    pub fn sounding(&self) -> usize {
        let sounds = |voice: &&Voice| voice.stage != Stage::Idle;
        self.voices.iter().filter(sounds).count()
    }

    /// What every voice that sounds plays.
    pub fn notes(&self) -> impl Iterator<Item = Note<'_>> {
        let sounding = self.voices.iter().filter(|v| v.stage != Stage::Idle);
        sounding.map(Voice::note)
    }

    /// Plays into `left` and `right`, whatever they held. `events` are in the order of their samples. Real-time safe.
    ///
    /// # Panics
    /// If the sides are not equally long.
    pub fn process(
        &mut self,
        controls: &InstrumentControls,
        events: &[Event],
        left: &mut [f32],
        right: &mut [f32],
    ) {
        assert_eq!(left.len(), right.len(), "sides of one length");
        left.fill(0.0);
        right.fill(0.0);
        self.ended.clear();
        self.block = self.clock;
        self.take_controls(controls);
        let mut events = events.iter().peekable();
        let mut at = 0;
        while at < left.len() {
            if self.clock == self.next_tick {
                self.begin_frame();
            }
            let last = left.len() - 1;
            while let Some(event) = events.next_if(|event| event.sample.min(last) <= at) {
                self.happen(&event.what);
            }
            let to_tick = (self.next_tick - self.clock) as usize;
            let to_event = events
                .peek()
                .map_or(usize::MAX, |event| event.sample.min(last) - at);
            let stop = left
                .len()
                .min(at + to_tick)
                .min(at.saturating_add(to_event));
            self.render(&mut left[at..stop], &mut right[at..stop]);
            self.clock += (stop - at) as u64;
            at = stop;
        }
        // A block of no samples has events too.
        for event in events {
            self.happen(&event.what);
        }
        self.ended.sort_unstable_by_key(|ended| ended.sample);
        self.apply_gain(left, right);
    }

    fn take_controls(&mut self, controls: &InstrumentControls) {
        let mix = |c: &InstrumentControls| (c.a, c.b, c.morph);
        if self.mixed == 0 || mix(controls) != mix(&self.controls) {
            let last = self.mix.len() - 1;
            let morph = controls.morph.clamp(0.0, 1.0);
            self.mix.fill(0.0);
            self.mix[controls.a.min(last)] += 1.0 - morph;
            self.mix[controls.b.min(last)] += morph;
            self.mixed += 1;
        }
        self.controls = *controls;
        self.hand.set(&controls.state);
    }

    /// The sample at which a frame begins.
    fn tick(&self, frame: u64) -> u64 {
        let samples = self.model.facts().frame_seconds * self.sample_rate;
        (frame as f64 * samples).round() as u64
    }

    fn release_samples(&self) -> u64 {
        (f64::from(self.controls.release_seconds.max(0.0)) * self.sample_rate) as u64
    }

    fn manner(&self, voice: usize, clock: u64) -> Manner {
        self.voices[voice].manner(&self.controls, &self.channels, clock, self.sample_rate)
    }
}
