//! What events do to voices: notes begin, end, make room.

use super::controls::{Ended, Happening, Which, sustained};
use super::voice::{Stage, Voice};
use super::{Instrument, Note};

/// Notes whose end is told of after one call, beyond one for each voice; a host that begins and ends more within a block
/// is not told of the rest.
pub(super) const ENDS: usize = 1024;

/// How long a note that had to make room fades.
const STEAL_SECONDS: f64 = 0.003;

impl Instrument {
    /// The notes that came to their end in the last call of [`Instrument::process`], in the order of their samples. One
    /// that was choked or made room is told of at once, though it fades for 3 ms.
    pub fn ended(&self) -> &[Ended] {
        &self.ended
    }

    /// What is no number is not heard.
    pub(super) fn happen(&mut self, what: &Happening) {
        let channel = |channel: u8| usize::from(channel & 15);
        if let Happening::On {
            velocity: value, ..
        }
        | Happening::Bend { value, .. }
        | Happening::Wheel { value, .. }
        | Happening::ChannelPressure { value, .. } = what
            && !value.is_finite()
        {
            return;
        }
        match *what {
            Happening::On {
                id,
                channel,
                key,
                velocity,
            } => self.begin(id, channel, key, velocity),
            Happening::Off(which) => self.each_of(&which, |player, v| {
                let voice = &mut player.voices[v];
                if voice.stage == Stage::Held {
                    let mpe = player.controls.mpe;
                    if sustained(&player.channels, voice.channel, mpe) {
                        voice.stage = Stage::Sustained;
                    } else {
                        player.let_go(v);
                    }
                }
            }),
            Happening::Choke(which) => self.each_of(&which, |player, v| {
                player.leave(v);
                player.end(v);
            }),
            Happening::Express(which, expression, value) => self.each_of(&which, |player, v| {
                player.voices[v].expressions.set(expression, value);
            }),
            Happening::Bend { channel: c, value } => {
                self.channels[channel(c)].bend = value.clamp(-1.0, 1.0);
            }
            Happening::Wheel { channel: c, value } => {
                self.channels[channel(c)].wheel = value.clamp(0.0, 1.0);
            }
            Happening::ChannelPressure { channel: c, value } => {
                self.channels[channel(c)].pressure = value.clamp(0.0, 1.0);
            }
            Happening::Sustain { channel: c, down } => {
                self.channels[channel(c)].sustain = down;
                for v in 0..self.voices.len() {
                    let voice = &self.voices[v];
                    let held = sustained(&self.channels, voice.channel, self.controls.mpe);
                    if voice.stage == Stage::Sustained && !held {
                        self.let_go(v);
                    }
                }
            }
        }
    }

    fn each_of(&mut self, which: &Which, mut act: impl FnMut(&mut Instrument, usize)) {
        for v in 0..self.voices.len() {
            if self.voices[v].is(which) {
                act(self, v);
            }
        }
    }

    fn begin(&mut self, id: Option<i32>, channel: u8, key: u8, velocity: f32) {
        // What is recalled at the same sample is what it begins from.
        self.act(0.0);
        let v = self.free_voice();
        self.voices[v].take(id, channel, key, velocity);
        self.voices[v].born = self.born;
        self.born += 1;
        self.voices[v].on = self.clock;
        let rise = (self.model.facts().onset_seconds * self.sample_rate)
            .max(f64::from(self.controls.attack_seconds) * self.sample_rate);
        self.voices[v].rise = (rise as u64).max(1);
        self.voices[v].tone.begin(&self.loops, &mut self.random);
        let manner = self.manner(v, self.clock);
        let told = self.voices[v].told(&self.mix, manner.pitch, true, false);
        self.frames.step_alone(v, &told, true);
        self.tune(v, &manner);
        let len = self.keep_time(v);
        let voice = &mut self.voices[v];
        let amplitudes = self.frames.amplitudes(v);
        voice.tone.stand(amplitudes, manner.gain, len);
        (voice.sides, voice.glide) = (manner.sides, (0.0, 0.0));
    }

    /// A voice for a new note. If all are in use, one leaves: first such as are let go, then such as the pedal holds, then
    /// the others; of these the oldest.
    fn free_voice(&mut self) -> usize {
        let order = |voice: &Voice| {
            let rank = match voice.stage {
                Stage::Idle => 0,
                Stage::Ending => 1,
                Stage::Released => 2,
                Stage::Sustained => 3,
                Stage::Held => 4,
            };
            let born = if rank == 0 { 0 } else { voice.born };
            (rank, born)
        };
        let (v, _) = self
            .voices
            .iter()
            .enumerate()
            .min_by_key(|(v, voice)| (order(voice), *v))
            .expect("there are voices");
        if self.voices[v].stage != Stage::Idle {
            self.leave(v);
            self.end(v);
        }
        v
    }

    /// The voice is free, and its note's end is told of.
    pub(super) fn end(&mut self, v: usize) {
        let voice = &mut self.voices[v];
        voice.stage = Stage::Idle;
        voice.ended = Some(self.clock);
        let Note {
            id, channel, key, ..
        } = voice.note();
        if self.ended.len() < self.ended.capacity() {
            self.ended.push(Ended {
                sample: (self.clock - self.block) as usize,
                id,
                channel,
                key,
            });
        }
    }

    /// The tone of a voice fades on its own, and the voice is free. Of those that leave, the nearest to its end makes room.
    fn leave(&mut self, v: usize) {
        let gain = self.voices[v].envelope(self.clock, self.release_samples());
        let voice = &mut self.voices[v];
        let Some(leaving) = self.leaving.iter_mut().min_by_key(|l| l.tone.left()) else {
            return;
        };
        std::mem::swap(&mut leaving.tone, &mut voice.tone);
        leaving.sides = voice.sides;
        let len = (STEAL_SECONDS * self.sample_rate) as usize;
        leaving.tone.fade(gain, len);
    }

    /// The note of a voice ends here.
    fn let_go(&mut self, v: usize) {
        self.voices[v].stage = Stage::Released;
        self.voices[v].off = self.clock;
        let manner = self.manner(v, self.clock);
        let told = self.voices[v].told(&self.mix, manner.pitch, false, true);
        self.frames.step_alone(v, &told, false);
        self.next_segment(v, &manner);
    }
}
