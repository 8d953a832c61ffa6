//! The clock of frames, and the segments of the voices that follow it.

use super::Instrument;
use super::memory::newest;
use super::voice::{Manner, Stage, Voice};

/// Amplitudes under this (-80 dB, as low as the network learns) are silence.
const SILENT: f32 = 1e-4;

/// A held note that has been silent may end only when it is older than this, for some begin slowly.
const SLOWEST_SECONDS: f64 = 1.0;

impl Instrument {
    /// A frame of every voice's; each takes it when its own time comes.
    pub(super) fn begin_frame(&mut self) {
        self.frame += 1;
        (self.this_tick, self.next_tick) = (self.next_tick, self.tick(self.frame + 1));
        self.act(self.model.facts().frame_seconds as f32);
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
        let voices = &self.voices;
        let sounds = |voice: &Voice| voice.stage != Stage::Idle;
        self.frames
            .step(|v| voices.get(v).is_some_and(sounds), newest(voices));
    }

    /// Sets a voice's time by this sample: its next segment begins as far behind the next frame as this sample lies behind
    /// this one's. Returns the samples until then.
    pub(super) fn keep_time(&mut self, voice: usize) -> usize {
        let shortest = (self.model.facts().frame_seconds * self.sample_rate) as u64;
        let voice = &mut self.voices[voice];
        voice.behind = (self.clock - self.this_tick).min(shortest.saturating_sub(1));
        voice.next = self.next_tick + voice.behind;
        (voice.next - self.clock) as usize
    }

    pub(super) fn tune(&mut self, v: usize, manner: &Manner) {
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
    pub(super) fn next_segment(&mut self, v: usize, manner: &Manner) {
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
    pub(super) fn advance(&mut self, v: usize) {
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
}
