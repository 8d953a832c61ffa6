//! What notes remember: stopped, slowed, kept and put back, between two of their frames.
//!
//! A slot keeps what one note remembers, and what is put back is put into every note that sounds, and at the beginning of those
//! that come. docs/state.md says why.

use std::sync::Arc;

use super::Instrument;
use super::frames::Frames;
use super::voice::{Stage, Voice};
use crate::model::instrument::InstrumentModel;
use crate::model::layer::memory_len;
use crate::state::{Bank, BankKey, Memory, adopt};
use crate::telemetry::Deltas;

/// A bank for what notes of `model` remember. Its rate is that of the frames: a state knows nothing of the host's.
pub(super) fn bank(model: &InstrumentModel) -> Arc<Bank> {
    Arc::new(Bank::new(BankKey {
        model: model.sha256().into(),
        sample_rate: (1.0 / model.facts().frame_seconds).round() as u32,
        streams: 1,
        len: memory_len(model.stack(), 1),
    }))
}

/// The notes' memory as a hand sees it.
struct Notes<'a> {
    frames: &'a mut Frames,
    voices: &'a mut [Voice],
    bank: &'a mut Arc<Bank>,
}

impl Notes<'_> {
    /// The voice whose memory is kept: of the newest note that sounds; if none does, of the one that ended last, which no frame
    /// has touched since.
    fn newest(&self) -> Option<usize> {
        let ended = |(v, voice): (usize, &Voice)| Some((voice.ended?, v));
        let last = || self.voices.iter().enumerate().filter_map(ended).max();
        newest(self.voices).or_else(|| last().map(|(_, v)| v))
    }
}

/// The voice of the newest note that sounds.
pub(super) fn newest(voices: &[Voice]) -> Option<usize> {
    let sounding = |(_, voice): &(usize, &Voice)| voice.stage != Stage::Idle;
    let all = voices.iter().enumerate().filter(sounding);
    all.max_by_key(|(_, voice)| voice.born).map(|(v, _)| v)
}

impl Memory for Notes<'_> {
    fn bank(&self) -> &Arc<Bank> {
        self.bank
    }

    fn adopt(&mut self, bank: Arc<Bank>) -> Arc<Bank> {
        adopt(self.bank, bank)
    }

    fn save(&mut self, to: &mut [f32]) {
        match self.newest() {
            Some(v) => self.frames.save(v, to),
            None => self.frames.save_start(to),
        }
    }

    fn restore(&mut self, from: &[f32]) {
        self.frames.start_from(from);
        for (v, voice) in self.voices.iter().enumerate() {
            if voice.stage != Stage::Idle {
                self.frames.begin_anew(v);
            }
        }
    }

    fn set_pace(&mut self, scale: f32) {
        self.frames.set_pace(scale);
    }

    fn forget(&mut self) {
        self.frames.forget();
        self.voices.iter_mut().for_each(|voice| voice.ended = None);
    }
}

impl Instrument {
    /// The slots that keep what a note remembers, of four of which [`InstrumentControls::state`](super::InstrumentControls) puts
    /// two back.
    pub fn bank(&self) -> Arc<Bank> {
        Arc::clone(&self.bank)
    }

    /// Has it keep them in another bank. Returns the one there was, or this one where its key is another model's. Not for the
    /// audio thread.
    pub fn adopt_bank(&mut self, bank: Arc<Bank>) -> Arc<Bank> {
        adopt(&mut self.bank, bank)
    }

    /// What the notes remember begins anew with the next frame, as for a transport that starts: from what is recalled, if anything
    /// is, else from nothing. Real-time safe.
    pub fn restart_state(&mut self) {
        self.hand.restart();
    }

    /// Whether to keep what [`Self::deltas`] gives. Real-time safe.
    pub fn observe(&mut self, on: bool) {
        self.frames.deltas.watch(on);
    }

    /// Δ of the selective layers, of the newest note at a time, mean over its frames since the last call but for first ones; zeros
    /// while not observed. Real-time safe.
    pub fn deltas(&mut self) -> Deltas {
        self.frames.deltas.look()
    }

    /// The factor on Δ now.
    pub fn pace(&self) -> f32 {
        self.hand.pace()
    }

    /// Does what is to be done, `seconds` behind the last time; nothing glides in no time.
    pub(super) fn act(&mut self, seconds: f32) {
        if !self.controls.state.recall {
            self.frames.start_from_nothing();
        }
        let mut notes = Notes {
            frames: &mut self.frames,
            voices: &mut self.voices,
            bank: &mut self.bank,
        };
        // Amplitudes go in straight lines from frame to frame, so that a state may leap.
        let _ = self.hand.step(&mut notes, seconds);
    }
}
