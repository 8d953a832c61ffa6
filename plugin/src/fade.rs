//! From one sound to another that has only begun: first it is heard by nobody, then it is faded in.

use std::ops::Range;

use statewave::chain::Chain;
use statewave::latency::Latency;

use crate::processor::Settings;

/// Channels of a stream, at most: what hosts and devices are offered.
pub const CHANNELS: usize = 2;

/// How long the new one plays unheard beyond its delay, milliseconds: windows, filters and states are full by then.
const UNHEARD_MS: usize = 50;

/// How long it is faded in, milliseconds.
const FADE_MS: usize = 20;

/// How far the new one has come. Counted in samples, so that no cut between blocks can be heard.
#[derive(Debug, Clone, Copy)]
pub struct Fade {
    at: usize,
    unheard: usize,
    fade: usize,
}

impl Fade {
    /// The most samples of a run.
    pub const RUN: usize = 256;

    /// Begins with a stream of these delays.
    pub fn begin(latency: &Latency) -> Self {
        let samples = |ms: usize| ms * latency.sample_rate as usize / 1000;
        Self {
            at: 0,
            unheard: latency.total() + samples(UNHEARD_MS),
            fade: samples(FADE_MS).max(1),
        }
    }

    /// Samples that the next run may have.
    pub fn run(&self) -> usize {
        (self.unheard + self.fade - self.at).min(Self::RUN)
    }

    /// Whether the new one is all that is heard.
    pub fn is_over(&self) -> bool {
        self.at >= self.unheard + self.fade
    }

    /// Makes of `new` what is heard of both, and moves on by its length.
    pub fn mix(&mut self, new: &mut [&mut [f32]], old: &[&mut [f32]]) {
        for (new, old) in new.iter_mut().zip(old) {
            for (i, (new, old)) in new.iter_mut().zip(old.iter()).enumerate() {
                let heard = (self.at + i).saturating_sub(self.unheard) as f32 / self.fade as f32;
                *new = old * (1.0 - heard) + *new * heard;
            }
        }
        self.at += new.first().map_or(0, |channel| channel.len());
    }
}

/// What can be exchanged while it sounds.
pub trait Sound {
    /// Its delays.
    fn latency(&self) -> Latency;
    /// Replaces a block by the output. Real-time safe.
    fn process(&mut self, audio: &mut [&mut [f32]], settings: &Settings);
    /// Gives what only one can have to the one that takes its place. Real-time safe.
    fn hand_over(&mut self, next: &mut Self);
}

impl Sound for Chain {
    fn latency(&self) -> Latency {
        Chain::latency(self)
    }

    fn process(&mut self, audio: &mut [&mut [f32]], settings: &Settings) {
        Chain::process(self, audio, &settings.controls);
    }

    fn hand_over(&mut self, next: &mut Self) {
        next.set_telemetry(self.set_telemetry(None));
    }
}

/// A sound, and the one before while it leaves.
pub struct Fading<T> {
    /// What plays, or will.
    pub now: Box<T>,
    leaving: Option<(Box<T>, Fade)>,
    /// What the one that leaves hears and makes, a channel each.
    beside: Vec<Vec<f32>>,
}

impl<T: Sound> Fading<T> {
    /// Nothing leaves yet. Allocates.
    pub fn new(now: Box<T>, channels: usize) -> Self {
        Self {
            now,
            leaving: None,
            beside: vec![vec![0.0; Fade::RUN]; channels.min(CHANNELS)],
        }
    }

    /// Whether another one may begin.
    pub fn is_free(&self) -> bool {
        self.leaving.is_none()
    }

    /// Lets `next` begin, which must be free. Real-time safe.
    pub fn begin(&mut self, mut next: Box<T>) {
        self.now.hand_over(&mut next);
        let fade = Fade::begin(&next.latency());
        let before = std::mem::replace(&mut self.now, next);
        self.leaving = Some((before, fade));
    }

    /// Replaces a block by what is heard; gives the one that has left in it. Real-time safe.
    pub fn process(&mut self, audio: &mut [&mut [f32]], settings: &Settings) -> Option<Box<T>> {
        let len = audio.iter().map(|channel| channel.len()).min().unwrap_or(0);
        let mut at = 0;
        while let Some((before, fade)) = &mut self.leaving {
            let run = fade.run().min(len - at);
            if run == 0 {
                break;
            }
            let range = at..at + run;
            for (beside, channel) in self.beside.iter_mut().zip(audio.iter()) {
                beside[..run].copy_from_slice(&channel[range.clone()]);
            }
            let (mut old, count) = part(&mut self.beside, 0..run);
            before.process(&mut old[..count], settings);
            let (mut new, count) = part(audio, range);
            self.now.process(&mut new[..count], settings);
            fade.mix(&mut new[..count], &old);
            at += run;
            if fade.is_over() {
                break;
            }
        }
        if at == 0 {
            self.now.process(audio, settings);
        } else if at < len {
            let (mut rest, count) = part(audio, at..len);
            self.now.process(&mut rest[..count], settings);
        }
        let is_over = self.leaving.as_ref().is_some_and(|(_, f)| f.is_over());
        if is_over { self.end() } else { None }
    }

    /// Ends the fade; gives the one that leaves. Real-time safe.
    pub fn end(&mut self) -> Option<Box<T>> {
        self.leaving.take().map(|(before, _)| before)
    }
}

/// A part of every channel, and how many there are. Real-time safe.
pub fn part<C: AsMut<[f32]>>(
    audio: &mut [C],
    range: Range<usize>,
) -> ([&mut [f32]; CHANNELS], usize) {
    let count = audio.len().min(CHANNELS);
    let mut channels = audio.iter_mut();
    let parts = std::array::from_fn(|_| match channels.next() {
        Some(channel) => &mut channel.as_mut()[range.clone()],
        None => &mut [][..],
    });
    (parts, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_one_comes_in_when_it_is_ready_and_without_a_step() {
        let latency = Latency {
            sample_rate: 8_000,
            framing_samples: 30,
            overlap_samples: 0,
            look_ahead_samples: 0,
            spread_samples: 0,
            resampling_samples: 0,
            engine_samples: 0,
        };
        let mut fade = Fade::begin(&latency);
        let mut heard = Vec::new();
        while !fade.is_over() {
            let len = fade.run().min(77);
            let (mut new, mut old) = (vec![1.0; len], vec![0.0; len]);
            fade.mix(&mut [&mut new], &[&mut old]);
            heard.extend(new);
        }
        assert_eq!(heard.len(), 30 + 400 + 160);
        assert!(heard[..=430].iter().all(|x| *x == 0.0));
        let steps = heard.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(steps.into_iter().all(|step| (0.0..0.007).contains(&step)));
        assert!(heard[589] > 0.99);
    }
}
