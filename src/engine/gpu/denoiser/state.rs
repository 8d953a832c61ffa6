//! What a denoiser's sessions remember on the device: out of it, into it, and back to the start.

use wgpu::{Buffer, CommandEncoder};

use super::GpuDenoiser;
use crate::engine::gpu::GpuError;

/// What a layer over time remembers, streams being `[band][session]`.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) tails: Buffer,
    /// Floats of a stream's tails.
    pub(super) tails_len: usize,
    pub(super) state: Buffer,
    /// Floats of a stream's state.
    pub(super) state_len: usize,
}

impl GpuDenoiser {
    /// Floats of a stream's state, in the layout of `DenoiseSession::save`.
    pub fn state_len(&self) -> usize {
        let layer = |m: &Memory| self.bands * (m.tails_len + m.state_len);
        let layers: usize = self.memories.iter().map(layer).sum();
        2 + self.past * 2 * self.tap_bins + layers
    }

    /// Everything that `session` remembers, in the order of a state: (buffer, first float, floats).
    fn places(&self, session: usize) -> Vec<(&Buffer, usize, usize)> {
        let frame = 2 * self.bins;
        let first = session * (self.past + self.max_time);
        let mut places = vec![(&self.levels, 2 * session, 2)];
        places.extend(
            (0..self.past).map(|i| (&self.spectra, (first + i) * frame, 2 * self.tap_bins)),
        );
        for memory in &self.memories {
            for (buffer, len) in [
                (&memory.tails, memory.tails_len),
                (&memory.state, memory.state_len),
            ] {
                let stream = |band: usize| band * self.sessions + session;
                places.extend((0..self.bands).map(|band| (buffer, stream(band) * len, len)));
            }
        }
        places
    }

    /// Writes the state of a session, as `DenoiseSession::save` does. Waits.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    ///
    /// # Panics
    /// If `to` has another length, or the session is not there.
    pub fn save_one(&mut self, session: usize, to: &mut [f32]) -> Result<(), GpuError> {
        let mut encoder = self.gpu.encoder();
        self.encode_states(&[session], to, &mut encoder);
        let reads = &mut [(&self.state_staging, to)];
        self.gpu.submit_and_read(encoder, reads)
    }

    /// Encodes copies of the states of `saved` to where they are read from; they are to fill `to`.
    pub(super) fn encode_states(
        &mut self,
        saved: &[usize],
        to: &[f32],
        encoder: &mut CommandEncoder,
    ) {
        assert!(
            saved.iter().all(|session| *session < self.sessions),
            "no such session"
        );
        assert_eq!(
            to.len(),
            saved.len() * self.state_len(),
            "states of another net"
        );
        if self.state_staging.size() < 4 * to.len() as u64 {
            self.state_staging = self.gpu.staging(to.len());
        }
        let mut at = 0;
        for (buffer, from, len) in saved.iter().flat_map(|session| self.places(*session)) {
            encoder.copy_buffer_to_buffer(
                buffer,
                4 * from as u64,
                &self.state_staging,
                4 * at as u64,
                Some(4 * len as u64),
            );
            at += len;
        }
    }

    /// Has a session go on from a state that [`Self::save_one`] or the CPU's session has written.
    ///
    /// # Panics
    /// If `from` has another length, or the session is not there.
    pub fn restore_one(&mut self, session: usize, from: &[f32]) {
        assert!(session < self.sessions, "no such session");
        assert_eq!(from.len(), self.state_len(), "a state of another net");
        let mut at = 0;
        for (buffer, to, len) in self.places(session) {
            self.gpu.write(buffer, to, &from[at..at + len]);
            at += len;
        }
    }

    /// One session back to its start.
    ///
    /// # Panics
    /// If it is not there.
    pub fn reset_one(&mut self, session: usize) {
        self.restore_one(session, &vec![0.0; self.state_len()]);
    }

    /// All streams back to their start.
    pub fn reset(&mut self) {
        let mut encoder = self.gpu.encoder();
        let layers = self.memories.iter().flat_map(|m| [&m.tails, &m.state]);
        for buffer in layers.chain([&self.spectra, &self.levels]) {
            encoder.clear_buffer(buffer, 0, None);
        }
        self.gpu.submit(encoder);
    }
}
