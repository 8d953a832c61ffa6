//! What sounds of a voice: points that turn, bands of noise, and the line along which their amplitudes go.

use super::bands::Random;
use crate::kernels::sines::{Circle, Line, Loops, SINES, noise, rounded, sines};
use crate::kernels::{Aligned, Path};
use crate::model::instrument::InstrumentFacts;

/// The part of the way to the limit within which a partial fades before it is cut.
const FADE: f64 = 0.05;

/// The part of a host's rate above which no partial may be.
const OF_RATE: f64 = 0.47;

/// Golden ratio less 1: phases that are multiples of it by squares lie apart, or all partials would peak at once.
const APART: f64 = 0.618_034;

/// The sound of one note, or of what is left of it.
pub(super) struct Tone {
    path: Path,
    partials: usize,
    pub fundamental_hz: f64,
    /// Partials below the limit, up to a multiple of [`SINES`].
    sounding: usize,
    sin: Aligned,
    cos: Aligned,
    turn_sin: Aligned,
    turn_cos: Aligned,
    /// What each amplitude is multiplied by for where it lies: the fade at the limit, and the brightness.
    weight: Aligned,
    /// `[partials + bands]` each: the line of the segment, and where it leads.
    from: Aligned,
    slope: Aligned,
    to: Aligned,
    /// The place within the segment, and its length, in samples.
    pub at: usize,
    len: usize,
    places: Vec<usize>,
}

impl Tone {
    pub fn new(facts: &InstrumentFacts) -> Tone {
        let all = facts.partials + facts.bands;
        let zeros = Aligned::zeros;
        Tone {
            path: Path::detect(),
            partials: facts.partials,
            fundamental_hz: 0.0,
            sounding: 0,
            sin: zeros(facts.partials),
            cos: zeros(facts.partials),
            turn_sin: zeros(facts.partials),
            turn_cos: zeros(facts.partials),
            weight: zeros(facts.partials),
            from: zeros(all),
            slope: zeros(all),
            to: zeros(all),
            at: 0,
            len: 1,
            places: vec![0; facts.bands],
        }
    }

    /// A fresh note: phases at their start, noise from where `random` says.
    pub fn begin(&mut self, loops: &Loops, random: &mut Random) {
        for (k, (sin, cos)) in self.sin.iter_mut().zip(self.cos.iter_mut()).enumerate() {
            let k = (k + 1) as f64;
            let phase = (0.5 * APART * k * k).fract() * std::f64::consts::TAU;
            (*sin, *cos) = (phase.sin() as f32, phase.cos() as f32);
        }
        for (band, place) in self.places.iter_mut().enumerate() {
            *place = random.below(loops.period(band));
        }
    }

    /// Where the partials lie: a fundamental in Hz and an inharmonicity; `tilt` is log2 of the gain an octave.
    pub fn tune(&mut self, (f0, b): (f64, f64), tilt: f32, top_hz: f64, sample_rate: f64) {
        self.fundamental_hz = f0;
        let limit = top_hz.min(OF_RATE * sample_rate);
        let mut sounding = 0;
        for k in 0..self.partials {
            let number = (k + 1) as f64;
            let hz = number * f0 * (1.0 + b * number * number).sqrt();
            let fade = ((limit - hz) / (FADE * limit)).clamp(0.0, 1.0) as f32;
            // A partial that is not to be heard stands still.
            let mut turn = 0.0;
            if fade > 0.0 {
                sounding = k + 1;
                turn = hz / sample_rate * std::f64::consts::TAU;
            }
            (self.turn_sin[k], self.turn_cos[k]) = (turn.sin() as f32, turn.cos() as f32);
            self.weight[k] = if tilt == 0.0 {
                fade
            } else {
                fade * (tilt * (number as f32).log2()).exp2()
            };
        }
        let sounding = usize::next_multiple_of(sounding, SINES);
        self.sounding = sounding.min(self.partials);
    }

    /// A segment of `len` samples from where the amplitudes are to `amplitudes`, `[partials + bands]`, all times `gain`.
    pub fn lead(&mut self, amplitudes: &[f32], gain: f32, len: usize) {
        let done = self.at.min(self.len) as f32;
        rounded(self.path, &mut self.sin, &mut self.cos);
        for (i, amplitude) in amplitudes.iter().enumerate() {
            let weight = self.weight.get(i).copied().unwrap_or(1.0);
            self.from[i] = self.slope[i].mul_add(done, self.from[i]);
            self.to[i] = amplitude * weight * gain;
        }
        self.span(len);
    }

    /// As [`Self::lead`], but the segment stands at `amplitudes` from the start.
    pub fn stand(&mut self, amplitudes: &[f32], gain: f32, len: usize) {
        self.slope.fill(0.0);
        self.lead(amplitudes, gain, len);
        let to = &self.to;
        self.from.copy_from_slice(to);
        self.span(len);
    }

    /// A segment of `len` samples to silence, from where the amplitudes are times `gain`.
    pub fn fade(&mut self, gain: f32, len: usize) {
        let done = self.at.min(self.len) as f32;
        for (from, slope) in self.from.iter_mut().zip(self.slope.iter()) {
            *from = slope.mul_add(done, *from) * gain;
        }
        self.to.fill(0.0);
        self.span(len);
    }

    fn span(&mut self, len: usize) {
        (self.at, self.len) = (0, len.max(1));
        let per = 1.0 / self.len as f32;
        for ((slope, from), to) in self.slope.iter_mut().zip(&*self.from).zip(&*self.to) {
            *slope = (to - from) * per;
        }
    }

    /// The loudest of the amplitudes at the segment's end.
    pub fn level(&self) -> f32 {
        self.to.iter().copied().fold(0.0, f32::max)
    }

    /// Amplitudes of the partials at the segment's end.
    pub fn partials(&self) -> &[f32] {
        &self.to[..self.partials]
    }

    /// Samples of the segment that are still to come.
    pub fn left(&self) -> usize {
        self.len - self.at.min(self.len)
    }

    /// Adds the next samples to `out`. Beyond the segment, amplitudes stand at its end.
    pub fn render(&mut self, loops: &Loops, out: &mut [f32]) {
        let inside = out.len().min(self.left());
        let (inside, beyond) = out.split_at_mut(inside);
        self.render_line(loops, inside);
        if !beyond.is_empty() {
            let to = &self.to;
            self.from.copy_from_slice(to);
            self.slope.fill(0.0);
            self.render_line(loops, beyond);
        }
    }

    fn render_line(&mut self, loops: &Loops, out: &mut [f32]) {
        let n = self.sounding;
        let mut circle = Circle {
            sin: &mut self.sin[..n],
            cos: &mut self.cos[..n],
            turn_sin: &self.turn_sin[..n],
            turn_cos: &self.turn_cos[..n],
        };
        let line = |range: std::ops::Range<usize>| Line {
            from: &self.from[range.clone()],
            slope: &self.slope[range],
            at: self.at,
        };
        sines(self.path, &mut circle, line(0..n), out);
        let bands = self.partials..self.from.len();
        noise(self.path, loops, &mut self.places, line(bands), out);
        self.at += out.len();
    }
}
