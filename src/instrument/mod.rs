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
mod notes;
mod tone;
mod voice;

use std::sync::Arc;

pub use controls::{Ended, Event, Expression, Happening, InstrumentControls, Which};

use bands::Random;
use controls::Channel;
use frames::Frames;
use tone::Tone;
use voice::{Manner, Stage, Voice};

use crate::frame::{FULL_SCALE, hold_below};
use crate::kernels::sines::Loops;
use crate::model::instrument::InstrumentModel;

/// Samples that a voice renders at once.
const RUN: usize = 256;

/// Amplitudes under this (-80 dB, as low as the network learns) are silence.
const SILENT: f32 = 1e-4;

/// A held note that has been silent may end only when it is older than this, for some begin slowly.
const SLOWEST_SECONDS: f64 = 1.0;

/// How fast the gain follows.
const GLIDE_SECONDS: f64 = 0.01;

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

    /// Back to the start: no note sounds, wheels and pedals rest. The same events then give the same sound to the bit.
    /// Real-time safe.
    pub fn reset(&mut self) {
        for voice in &mut self.voices {
            voice.stage = Stage::Idle;
        }
        self.ended.clear();
        for leaving in &mut self.leaving {
            leaving.tone.fade(0.0, 1);
            leaving.tone.at = 1;
        }
        self.frames.reset();
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
    }

    fn apply_gain(&mut self, left: &mut [f32], right: &mut [f32]) {
        let wanted = self.controls.gain;
        if self.gain < 0.0 {
            self.gain = wanted;
        }
        let follow = 1.0 - (-1.0 / (GLIDE_SECONDS * self.sample_rate)).exp() as f32;
        for (left, right) in left.iter_mut().zip(right.iter_mut()) {
            self.gain += (wanted - self.gain) * follow;
            *left *= self.gain;
            *right *= self.gain;
        }
        if self.frames.is_paced() {
            hold_below(left, FULL_SCALE);
            hold_below(right, FULL_SCALE);
        }
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

    /// A frame of every voice's; each takes it when its own time comes.
    fn begin_frame(&mut self) {
        self.frame += 1;
        (self.this_tick, self.next_tick) = (self.next_tick, self.tick(self.frame + 1));
        if self.voices.iter().all(|voice| voice.stage == Stage::Idle) {
            return;
        }
        for v in 0..self.voices.len() {
            if self.voices[v].stage != Stage::Idle {
                let pitch = self.manner(v, self.clock).pitch;
                let told = self.voices[v].told(&self.mix, pitch, false, false);
                self.frames.tell(v, &told);
            }
        }
        let seconds = self.model.facts().frame_seconds as f32;
        self.frames.approach_pace(self.controls.pace(), seconds);
        let voices = &self.voices;
        self.frames.step(|v| {
            voices
                .get(v)
                .is_some_and(|voice| voice.stage != Stage::Idle)
        });
    }

    /// Sets a voice's time by this sample: its next segment begins as far behind the next frame as this sample lies behind
    /// this one's. Returns the samples until then.
    fn keep_time(&mut self, voice: usize) -> usize {
        let shortest = (self.model.facts().frame_seconds * self.sample_rate) as u64;
        let voice = &mut self.voices[voice];
        voice.behind = (self.clock - self.this_tick).min(shortest.saturating_sub(1));
        voice.next = self.next_tick + voice.behind;
        (voice.next - self.clock) as usize
    }

    fn tune(&mut self, v: usize, manner: &Manner) {
        let pitch = manner.pitch + manner.vibrato;
        let top = self.model.facts().top_hz;
        let wanted = Some((pitch, manner.tilt, self.mixed));
        if self.voices[v].tuned != wanted {
            let (f0, b) = self.model.tuning(&self.mix, manner.pitch);
            let f0 = f0 * f64::from(manner.vibrato / 12.0).exp2();
            self.voices[v]
                .tone
                .tune((f0, b), manner.tilt, top, self.sample_rate);
            self.voices[v].tuned = wanted;
        }
    }

    /// A segment to what the network last said.
    fn next_segment(&mut self, v: usize, manner: &Manner) {
        self.tune(v, manner);
        let len = self.keep_time(v);
        let voice = &mut self.voices[v];
        voice.tone.lead(self.frames.amplitudes(v), manner.gain, len);
        let per = 1.0 / len as f32;
        voice.glide = (
            (manner.sides.0 - voice.sides.0) * per,
            (manner.sides.1 - voice.sides.1) * per,
        );
    }

    /// The voice's own time has come for the next frame.
    fn advance(&mut self, v: usize) {
        let slowest = (SLOWEST_SECONDS * self.sample_rate) as u64;
        let release = self.release_samples();
        let voice = &self.voices[v];
        let may_end = match voice.stage {
            Stage::Released => self.clock - voice.off >= release || voice.tone.level() < SILENT,
            Stage::Ending => return self.end(v),
            _ => self.clock - voice.on > slowest && voice.tone.level() < SILENT,
        };
        let manner = self.manner(v, self.clock);
        self.next_segment(v, &manner);
        let voice = &mut self.voices[v];
        if may_end {
            let gain = voice.envelope(self.clock, release);
            let len = voice.tone.left();
            voice.tone.fade(gain, len);
            voice.stage = Stage::Ending;
        }
    }

    fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
        let begin = self.clock;
        for v in 0..self.voices.len() {
            let mut at = 0;
            while at < left.len() && self.voices[v].stage != Stage::Idle {
                self.clock = begin + at as u64;
                if self.clock == self.voices[v].next {
                    self.advance(v);
                    continue;
                }
                let to_next = (self.voices[v].next - self.clock) as usize;
                let stop = left.len().min(at + to_next).min(at + RUN);
                self.render_voice(v, &mut left[at..stop], &mut right[at..stop]);
                at = stop;
            }
        }
        self.clock = begin;
        for leaving in self.leaving.iter_mut().filter(|l| l.tone.left() > 0) {
            let len = left.len().min(leaving.tone.left());
            for (left, right) in left[..len]
                .chunks_mut(RUN)
                .zip(right[..len].chunks_mut(RUN))
            {
                let run = &mut self.run[..left.len()];
                run.fill(0.0);
                leaving.tone.render(&self.loops, run);
                for ((left, right), sample) in left.iter_mut().zip(right).zip(run) {
                    *left += *sample * leaving.sides.0;
                    *right += *sample * leaving.sides.1;
                }
            }
        }
    }

    fn render_voice(&mut self, v: usize, left: &mut [f32], right: &mut [f32]) {
        let (release, clock) = (self.release_samples(), self.clock);
        let voice = &mut self.voices[v];
        let run = &mut self.run[..left.len()];
        run.fill(0.0);
        voice.tone.render(&self.loops, run);
        if !voice.envelope_is_one(clock, run.len() as u64, release) {
            for (i, sample) in run.iter_mut().enumerate() {
                *sample *= voice.envelope(clock + i as u64, release);
            }
        }
        for ((left, right), sample) in left.iter_mut().zip(right).zip(run) {
            *left += *sample * voice.sides.0;
            *right += *sample * voice.sides.1;
            voice.sides.0 += voice.glide.0;
            voice.sides.1 += voice.glide.1;
        }
    }
}
