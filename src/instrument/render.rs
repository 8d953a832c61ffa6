//! What sounds: the voices, those that leave, and the gain over all.

use super::voice::Stage;
use super::{Instrument, RUN};
use crate::frame::{FULL_SCALE, hold_below};

/// How fast the gain follows.
const GLIDE_SECONDS: f64 = 0.01;

impl Instrument {
    /// What sounds until the next event or frame, added to both sides.
    pub(super) fn render(&mut self, left: &mut [f32], right: &mut [f32]) {
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

    pub(super) fn apply_gain(&mut self, left: &mut [f32], right: &mut [f32]) {
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
        if self.hand.is_at_work() {
            hold_below(left, FULL_SCALE);
            hold_below(right, FULL_SCALE);
        }
    }
}
