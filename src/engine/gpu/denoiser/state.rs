//! What a denoiser's sessions remember on the device: out of it, into it, and back to the start.

use std::sync::Arc;

use wgpu::{Buffer, CommandEncoder};

use super::GpuDenoiser;
use crate::engine::gpu::GpuError;
use crate::engine::gpu::ops::{CHUNK, StatePart, Step, states};
use crate::engine::gpu::record::{Run, encode};

/// Sessions whose states are packed at once, where a buffer holds them: a supervisor asks for one with every eighth frame, and all may ask together.
const PACKED: usize = 16;

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

/// States as they travel, and the steps between them and what the kernels reach for.
#[derive(Debug)]
pub(super) struct Packing {
    run: Buffer,
    slots: Buffer,
    /// `[room][state_len]`.
    packed: Buffer,
    room: usize,
    gather: Vec<Step>,
    scatter: Vec<Step>,
}

impl GpuDenoiser {
    /// Floats of a stream's state, in the layout of `DenoiseSession::save`.
    pub fn state_len(&self) -> usize {
        let layer = |m: &Memory| self.bands * (m.tails_len + m.state_len);
        let layers: usize = self.memories.iter().map(layer).sum();
        2 + self.past * 2 * self.tap_bins + layers
    }

    /// The steps that pack states; made where there are none yet.
    fn packing(&mut self) -> Arc<Packing> {
        if let Some(packing) = &self.packing {
            return Arc::clone(packing);
        }
        let compiled = self.gpu.compiled();
        let state = self.state_len();
        let fit = self.gpu.abilities().binding_bytes as usize / (4 * state);
        let room = self.sessions.min(PACKED).min(fit).max(1);
        let run = self.gpu.run(Run::new(1, room, CHUNK));
        let slots = self.gpu.slots(room);
        let packed = self.gpu.zeros("packed", room * state);
        let frame = 2 * self.bins;
        let mut parts = vec![(&self.levels, 2, 1, 0, 2)];
        let frames = self.past + self.max_time;
        parts.push((
            &self.spectra,
            2 * self.tap_bins,
            self.past,
            frame,
            frames * frame,
        ));
        for memory in &self.memories {
            for (buffer, len) in [
                (&memory.tails, memory.tails_len),
                (&memory.state, memory.state_len),
            ] {
                parts.push((buffer, len, self.bands, self.sessions * len, len));
            }
        }
        let (mut gather, mut scatter, mut at) = (Vec::new(), Vec::new(), 0);
        for (buffer, len, each, each_step, slot_step) in parts {
            let part = StatePart {
                len,
                each,
                each_step,
                slot_step,
                at,
            };
            at += each * len;
            if each * len > 0 {
                let [out, back] =
                    states(&self.gpu, (part, state), (&run, &slots), (buffer, &packed));
                gather.push(out);
                scatter.push(back);
            }
        }
        let packing = Arc::new(Packing {
            run,
            slots,
            packed,
            room,
            gather,
            scatter,
        });
        if self.gpu.compiled() > compiled {
            self.gpu.keep_pipelines();
        }
        self.packing = Some(Arc::clone(&packing));
        packing
    }

    /// Encodes that the states of `sessions` are packed, or unpacked.
    fn pack(
        &self,
        packing: &Packing,
        sessions: &[usize],
        steps: &[Step],
        encoder: &mut CommandEncoder,
    ) {
        assert!(
            sessions.iter().all(|session| *session < self.sessions),
            "no such session"
        );
        let slots: Vec<u32> = sessions.iter().map(|session| *session as u32).collect();
        let run = Run::new(1, sessions.len(), CHUNK);
        self.gpu.write(&packing.slots, 0, &slots);
        self.gpu.write(&packing.run, 0, &[run]);
        encode(encoder, steps.iter().filter_map(|step| step.for_run(run)));
    }

    /// Writes the state of a session, as `DenoiseSession::save` does. Waits.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    ///
    /// # Panics
    /// If `to` has another length, or the session is not there.
    pub fn save_one(&mut self, session: usize, to: &mut [f32]) -> Result<(), GpuError> {
        let encoder = self.encode_states(&[session], to, self.gpu.encoder());
        let reads = &mut [(&self.state_staging, to)];
        self.gpu.submit_and_read(encoder, reads)
    }

    /// Encodes that the states of `saved`, which are to fill `to`, go to where they are read from, behind what `encoder` holds:
    /// in it, and where they are more than are packed at once, in others, before which it is submitted.
    pub(super) fn encode_states(
        &mut self,
        saved: &[usize],
        to: &[f32],
        mut encoder: CommandEncoder,
    ) -> CommandEncoder {
        let state = self.state_len();
        assert_eq!(to.len(), saved.len() * state, "states of another net");
        if self.state_staging.size() < 4 * to.len() as u64 {
            self.state_staging = self.gpu.staging(to.len());
        }
        if saved.is_empty() {
            return encoder;
        }
        let packing = self.packing();
        for (i, some) in saved.chunks(packing.room).enumerate() {
            if i > 0 {
                let full = std::mem::replace(&mut encoder, self.gpu.encoder());
                self.gpu.submit(full);
            }
            self.pack(&packing, some, &packing.gather, &mut encoder);
            let (at, bytes) = (4 * i * packing.room * state, 4 * some.len() * state);
            encoder.copy_buffer_to_buffer(
                &packing.packed,
                0,
                &self.state_staging,
                at as u64,
                Some(bytes as u64),
            );
        }
        encoder
    }

    /// Has a session go on from a state that [`Self::save_one`] or the CPU's session has written.
    ///
    /// # Panics
    /// If `from` has another length, or the session is not there.
    pub fn restore_one(&mut self, session: usize, from: &[f32]) {
        assert_eq!(from.len(), self.state_len(), "a state of another net");
        let packing = self.packing();
        self.gpu.write(&packing.packed, 0, from);
        let mut encoder = self.gpu.encoder();
        self.pack(&packing, &[session], &packing.scatter, &mut encoder);
        self.gpu.submit(encoder);
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
