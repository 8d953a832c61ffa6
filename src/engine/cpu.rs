//! The engine on this thread: one session a channel, the work of a frame in pieces, spread as the chain asks.

use std::sync::Arc;

use super::{Engine, Exchange};
use crate::kernels::Path;
use crate::model::Model;
use crate::model::denoise::DenoiseSession;
use crate::state::{Bank, BankKey, Memory, adopt};
use crate::telemetry::Deltas;

/// Runs a model's frames with the widest vector instructions found.
#[derive(Debug)]
pub struct CpuEngine {
    sessions: Vec<DenoiseSession>,
    frame_len: usize,
    /// Pieces of one frame of one channel.
    pieces: usize,
    /// Pieces done of the frame in work, over all channels.
    done: usize,
    seq: u64,
    bank: Arc<Bank>,
}

impl CpuEngine {
    /// Prepares streams of `model` for `channels` channels. Allocates; not for the audio thread.
    pub fn new(model: &Arc<Model>, channels: usize) -> CpuEngine {
        CpuEngine::with_path(model, channels, Path::detect())
    }

    /// The same on given instructions.
    pub fn with_path(model: &Arc<Model>, channels: usize, path: Path) -> CpuEngine {
        let net = model.net();
        let pieces = net.pieces();
        let session = |_| DenoiseSession::new(Arc::clone(net), path, 1);
        let sessions: Vec<_> = (0..channels).map(session).collect();
        let bank = Bank::new(BankKey {
            model: model.sha256().into(),
            sample_rate: model.spec().sample_rate,
            streams: channels,
            len: sessions.iter().map(DenoiseSession::state_len).sum(),
        });
        CpuEngine {
            bank: Arc::new(bank),
            sessions,
            frame_len: 2 * net.bins(),
            pieces,
            done: pieces * channels,
            seq: 0,
        }
    }

    /// Floats of the state of all channels.
    pub fn state_len(&self) -> usize {
        self.bank.key().len
    }

    /// A piece of all channels before the next piece: its weights are read from memory once for all of them.
    fn advance(&mut self, target: usize) {
        let channels = self.sessions.len();
        while self.done < target {
            self.sessions[self.done % channels].piece(self.done / channels);
            self.done += 1;
        }
    }
}

impl Memory for CpuEngine {
    fn bank(&self) -> &Arc<Bank> {
        &self.bank
    }

    fn adopt(&mut self, bank: Arc<Bank>) -> Arc<Bank> {
        adopt(&mut self.bank, bank)
    }

    /// The state behind the last frame, `[channels]` of [`DenoiseSession::save`]. Finishes the frame in work.
    fn save(&mut self, to: &mut [f32]) {
        self.advance(self.pieces * self.sessions.len());
        let len = to.len() / self.sessions.len();
        for (session, to) in self.sessions.iter().zip(to.chunks_exact_mut(len)) {
            session.save(to);
        }
    }

    fn restore(&mut self, from: &[f32]) {
        self.done = self.pieces * self.sessions.len();
        let len = from.len() / self.sessions.len();
        for (session, from) in self.sessions.iter_mut().zip(from.chunks_exact(len)) {
            session.restore(from);
        }
    }

    fn set_pace(&mut self, scale: f32) {
        let sessions = self.sessions.iter_mut();
        sessions.for_each(|session| session.set_pace(scale));
    }

    fn forget(&mut self) {
        self.reset();
    }
}

impl Engine for CpuEngine {
    fn frame_len(&self) -> usize {
        self.frame_len
    }

    fn channels(&self) -> usize {
        self.sessions.len()
    }

    fn submit(&mut self, seq: u64, input: &[f32]) {
        // A frame nobody collected is finished all the same: the state must have seen every frame.
        self.advance(self.pieces * self.sessions.len());
        for (session, frame) in self
            .sessions
            .iter_mut()
            .zip(input.chunks_exact(self.frame_len))
        {
            session.begin(frame);
        }
        self.done = 0;
        self.seq = seq;
    }

    fn work(&mut self, done: u32, of: u32) {
        let all = self.pieces * self.sessions.len();
        let share = all as u64 * u64::from(done.min(of)) / u64::from(of.max(1));
        self.advance(share as usize);
    }

    fn collect(&mut self, seq: u64, output: &mut [f32]) -> Exchange {
        if seq != self.seq {
            return Exchange::Lost;
        }
        self.advance(self.pieces * self.sessions.len());
        for (session, frame) in self
            .sessions
            .iter_mut()
            .zip(output.chunks_exact_mut(self.frame_len))
        {
            session.finish(frame);
        }
        Exchange::Ready
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        Some(self)
    }

    fn observe(&mut self, on: bool) {
        self.sessions
            .iter_mut()
            .for_each(|session| session.observe(on));
    }

    fn deltas(&self, deltas: &mut Deltas) {
        let share = 1.0 / self.sessions.len() as f32;
        for session in &self.sessions {
            deltas.add_frame(session.net().time_layers(), session.deltas(), share);
        }
    }

    fn reset(&mut self) {
        self.sessions.iter_mut().for_each(DenoiseSession::reset);
        self.done = self.pieces * self.sessions.len();
    }
}
