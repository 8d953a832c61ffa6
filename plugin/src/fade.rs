//! From one sound to another that has only begun: first it is heard by nobody, then it is faded in.

use std::ops::Range;

use statewave::latency::Latency;

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
