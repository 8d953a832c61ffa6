//! The dry path: delays the input by the chain's latency and mixes it with the wet signal, without clicks.
//!
//! Flows in: the input, and the wet signal for the input one latency ago. Flows out: what is heard. Where the controls
//! ask for the delayed input, it passes bit for bit.

use std::ops::Range;

use crate::controls::{Controls, Weights};

const SMOOTHING_MS: u32 = 20;
const BYPASS_FADE_MS: u32 = 10;

/// Delay lines of all channels and the weights they are mixed with.
pub(crate) struct Mixer {
    delays: Vec<DelayLine>,
    ramps: Ramps,
    /// Before the first block there is nothing to fade from.
    fades: bool,
}

impl Mixer {
    pub(crate) fn new(channels: usize, delay_samples: usize, sample_rate: u32) -> Self {
        Self {
            delays: vec![DelayLine::new(delay_samples); channels],
            ramps: Ramps::new(sample_rate),
            fades: false,
        }
    }

    /// Fades from here on to what `controls` say.
    pub(crate) fn set(&mut self, controls: &Controls) {
        self.ramps.set(controls.weights(), self.fades);
        self.fades = true;
    }

    /// The most that the wet signal may be, with a dry one of at most 1, for what is heard to be at most `most` before the output's
    /// gain, now and on the way to where the weights go.
    pub(crate) fn room(&self, most: f32) -> f32 {
        let largest = |ramp: &Ramp| ramp.at(0).abs().max(ramp.target.abs());
        let (dry, wet) = (largest(&self.ramps.dry), largest(&self.ramps.wet));
        (most - dry).max(0.0) / wet
    }

    /// Replaces the samples `range` of every channel of `audio` by what is heard; `wet` holds theirs from 0 on.
    pub(crate) fn process(
        &mut self,
        audio: &mut [&mut [f32]],
        range: Range<usize>,
        wet: &[Vec<f32>],
    ) {
        let only_dry = self.ramps.rest_at_dry();
        let settled = self.ramps.settled();
        for ((audio, delay), wet) in audio.iter_mut().zip(&mut self.delays).zip(wet) {
            let audio = &mut audio[range.clone()];
            delay.process(audio);
            if only_dry {
                continue;
            }
            // Weights that rest leave a loop that the compiler turns into vectors.
            match settled {
                Some(w) => (audio.iter_mut().zip(wet)).for_each(|(x, &wet)| *x = heard(w, *x, wet)),
                None => {
                    for (i, (x, &wet)) in audio.iter_mut().zip(wet).enumerate() {
                        *x = heard(self.ramps.at(i), *x, wet);
                    }
                }
            }
        }
        self.ramps.advance(range.len());
    }

    /// Forgets the stream and ends every fade.
    pub(crate) fn reset(&mut self) {
        self.delays.iter_mut().for_each(DelayLine::reset);
        self.fades = false;
    }
}

/// What is heard of a sample.
pub(crate) fn heard(w: Weights, dry: f32, wet: f32) -> f32 {
    let processed = w.gain * (w.dry * dry + w.wet * wet);
    (1.0 - w.bypass) * processed + w.bypass * dry
}

/// The weights, each on its way.
struct Ramps {
    dry: Ramp,
    wet: Ramp,
    gain: Ramp,
    bypass: Ramp,
}

impl Ramps {
    fn new(sample_rate: u32) -> Self {
        let Weights {
            dry,
            wet,
            gain,
            bypass,
        } = Controls::default().weights();
        let ramp = |value, milliseconds| Ramp::new(value, milliseconds * sample_rate / 1000);
        Self {
            dry: ramp(dry, SMOOTHING_MS),
            wet: ramp(wet, SMOOTHING_MS),
            gain: ramp(gain, SMOOTHING_MS),
            bypass: ramp(bypass, BYPASS_FADE_MS),
        }
    }

    fn set(&mut self, target: Weights, fades: bool) {
        self.dry.set(target.dry, fades);
        self.wet.set(target.wet, fades);
        self.gain.set(target.gain, fades);
        self.bypass.set(target.bypass, fades);
    }

    fn at(&self, i: usize) -> Weights {
        Weights {
            dry: self.dry.at(i),
            wet: self.wet.at(i),
            gain: self.gain.at(i),
            bypass: self.bypass.at(i),
        }
    }

    fn advance(&mut self, samples: usize) {
        for ramp in [
            &mut self.dry,
            &mut self.wet,
            &mut self.gain,
            &mut self.bypass,
        ] {
            ramp.advance(samples);
        }
    }

    /// The weights, where none is moving.
    fn settled(&self) -> Option<Weights> {
        let rest = [&self.dry, &self.wet, &self.gain, &self.bypass]
            .iter()
            .all(|ramp| ramp.remaining == 0);
        rest.then(|| self.at(0))
    }

    fn rest_at_dry(&self) -> bool {
        let bypassed = self.bypass.remaining == 0 && self.bypass.target == 1.0;
        bypassed
            || self.settled()
                == Some(Weights {
                    dry: 1.0,
                    wet: 0.0,
                    gain: 1.0,
                    bypass: 0.0,
                })
    }
}

/// A value on a straight line to its target, which it meets exactly. Kept as a count, so that no cut between blocks
/// can be heard or measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ramp {
    from: f32,
    target: f32,
    remaining: u32,
    length: u32,
}

impl Ramp {
    pub(crate) fn new(value: f32, length: u32) -> Self {
        Self {
            from: value,
            target: value,
            remaining: 0,
            length,
        }
    }

    /// Moves on by so many samples.
    pub(crate) fn advance(&mut self, samples: usize) {
        self.remaining = (self.remaining as usize).saturating_sub(samples) as u32;
    }

    /// Goes to `target` from here on, or is there at once.
    pub(crate) fn set(&mut self, target: f32, fades: bool) {
        if !fades {
            *self = Self::new(target, self.length);
        } else if target != self.target {
            *self = Self {
                from: self.at(0),
                target,
                remaining: self.length,
                length: self.length,
            };
        }
    }

    /// The value, where it rests.
    pub(crate) fn settled(&self) -> Option<f32> {
        (self.remaining == 0).then_some(self.target)
    }

    /// The value `i` samples from here.
    pub(crate) fn at(&self, i: usize) -> f32 {
        let left = (self.remaining as usize).saturating_sub(i);
        if left == 0 {
            return self.target;
        }
        self.target + (self.from - self.target) * (left as f32 / self.length as f32)
    }
}

/// One channel, later by the length of the line.
#[derive(Debug, Clone)]
struct DelayLine {
    line: Vec<f32>,
    at: usize,
}

impl DelayLine {
    fn new(delay_samples: usize) -> Self {
        Self {
            line: vec![0.0; delay_samples],
            at: 0,
        }
    }

    fn process(&mut self, audio: &mut [f32]) {
        if self.line.is_empty() {
            return;
        }
        let mut rest = audio;
        while !rest.is_empty() {
            let run = rest.len().min(self.line.len() - self.at);
            let (now, later) = rest.split_at_mut(run);
            now.swap_with_slice(&mut self.line[self.at..self.at + run]);
            self.at = (self.at + run) % self.line.len();
            rest = later;
        }
    }

    fn reset(&mut self) {
        self.line.fill(0.0);
        self.at = 0;
    }
}
