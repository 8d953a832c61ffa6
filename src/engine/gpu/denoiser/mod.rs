//! A denoiser on a GPU: its recording, made once, and the states of the streams that it runs together.

mod ends;
mod layers;
mod sizes;
mod state;

use std::sync::Arc;

use wgpu::Buffer;

use super::device::Gpu;
use super::error::GpuError;
use super::ops::{CHUNK, Step, chunk_of};
use super::record::{Dispatch, Groups, Run, encode};
use crate::model::denoise::{DenoiseNet, Layer};
use crate::telemetry::DELTA_LAYERS;
use sizes::{Sizes, Widths};
use state::{Memory, Packing};

/// What a step counts as streams.
#[derive(Debug, Clone, Copy)]
enum Over {
    Sessions,
    /// Every band of every session.
    Bands,
    /// The same, and only where somebody watches.
    Watched,
}

/// Streams of one denoiser on one device, run together: frames of all in, frames of all out.
#[derive(Debug)]
pub struct GpuDenoiser {
    gpu: Arc<Gpu>,
    bins: usize,
    bands: usize,
    pub(super) past: usize,
    sessions: usize,
    max_time: usize,
    /// Channels of the widest scan.
    inner: usize,
    pub(super) over_sessions: Buffer,
    over_bands: Buffer,
    /// The sessions that take part.
    pub(super) slots: Buffer,
    /// `[slot][past + max_time][bins]`.
    pub(super) spectra: Buffer,
    /// `[session · time][bins]`.
    pub(super) filtered: Buffer,
    steps: Vec<(Over, Step)>,
    staging: Buffer,
    /// Δ of the sessions that took part last, `[session][DELTA_LAYERS][band]`: on the device, on its way, and here.
    shown: Buffer,
    shown_staging: Buffer,
    deltas: Vec<f32>,
    watched: bool,
    state_staging: Buffer,
    /// Made when the first state travels: whole recordings have none that do.
    packing: Option<Arc<Packing>>,
    /// (sum, weight) of each session's level.
    levels: Buffer,
    /// What each layer over time remembers.
    memories: Vec<Memory>,
    /// Bins that filters look back to.
    tap_bins: usize,
}

/// Buffers between the steps, `rows` = bands · sessions · time.
struct Between {
    /// The residual stream, `[band][session · time][D]`.
    x: Buffer,
    /// What a layer's first projection gives.
    wide: Buffer,
    /// x, B and C behind the convolution.
    convolved: Buffer,
    /// What a layer's last projection takes.
    y: Buffer,
    carried: Buffer,
    sums: Buffer,
}

impl GpuDenoiser {
    /// Whether the shaders serve the sizes of `net`.
    ///
    /// # Errors
    /// [`GpuError::Model`].
    pub fn check(net: &DenoiseNet) -> Result<(), GpuError> {
        for layer in &net.layers {
            let Layer::Time(block) = layer else { continue };
            let c = block.config();
            if c.groups != 1 {
                let groups = c.groups;
                return Err(GpuError::Model(format!(
                    "it has {groups} groups of heads, and the gated norm of the shaders serves one"
                )));
            }
            if c.states > MOST_STATES {
                let states = c.states;
                return Err(GpuError::Model(format!(
                    "it has {states} states a channel, and the shaders hold {MOST_STATES} in registers"
                )));
            }
        }
        Ok(())
    }

    /// Prepares `sessions` streams of `net`, up to `max_time` frames at a time. Compiles; slow.
    ///
    /// # Errors
    /// [`GpuError::Model`] for sizes that the shaders do not serve, [`GpuError::Room`] for buffers that they do not reach all of,
    /// [`GpuError::Refused`] where the device does not make what is needed, [`GpuError::Lost`].
    pub fn new(
        gpu: Arc<Gpu>,
        net: &DenoiseNet,
        sessions: usize,
        max_time: usize,
    ) -> Result<GpuDenoiser, GpuError> {
        GpuDenoiser::check(net)?;
        let widths = Widths::of(net);
        let sizes = widths.sizes(sessions, max_time);
        sizes.fit(&gpu)?;
        let own = Arc::clone(&gpu);
        let made = gpu.prepared(|| {
            Ok(GpuDenoiser::made(
                own,
                net,
                (widths.inner, sizes),
                (sessions, max_time),
            ))
        })?;
        // States travel packed, one at least.
        gpu.has_room(&[("a stream's state", made.state_len())])?;
        Ok(made)
    }

    /// Whether `frames` at a time of `sessions` streams of `net` fit into buffers of `gpu`.
    ///
    /// # Errors
    /// [`GpuError::Room`].
    pub fn fits(
        gpu: &Gpu,
        net: &DenoiseNet,
        sessions: usize,
        frames: usize,
    ) -> Result<(), GpuError> {
        Widths::of(net).sizes(sessions, frames).fit(gpu)
    }

    fn made(
        gpu: Arc<Gpu>,
        net: &DenoiseNet,
        (inner, sizes): (usize, Sizes),
        (sessions, max_time): (usize, usize),
    ) -> GpuDenoiser {
        let compiled = gpu.compiled();
        let (bands, past) = (net.bands, net.taps - 1);
        let between = Between {
            x: gpu.zeros("x", sizes.x),
            wide: gpu.zeros("wide", sizes.wide),
            convolved: gpu.zeros("convolved", sizes.convolved),
            y: gpu.zeros("y", sizes.y),
            carried: gpu.zeros("carried", sizes.carried),
            sums: gpu.zeros("sums", sizes.sums),
        };
        let bins = net.bins;
        let mut made = GpuDenoiser {
            bins,
            bands,
            past,
            sessions,
            max_time,
            inner,
            slots: gpu.slots(sessions),
            over_sessions: gpu.run(Run::new(1, sessions, CHUNK)),
            over_bands: gpu.run(Run::new(1, bands * sessions, CHUNK)),
            spectra: gpu.zeros("spectra", sizes.spectra),
            filtered: gpu.zeros("filtered", sizes.filtered),
            steps: Vec::new(),
            staging: gpu.staging(0),
            shown: gpu.zeros("deltas", sessions * DELTA_LAYERS * bands),
            shown_staging: gpu.staging(sessions * DELTA_LAYERS * bands),
            deltas: Vec::new(),
            watched: false,
            levels: gpu.zeros("levels", 2 * sessions),
            memories: Vec::new(),
            tap_bins: net.tap_bins,
            state_staging: gpu.staging(0),
            packing: None,
            gpu,
        };
        made.front(net, sizes.features, &between);
        for layer in &net.layers {
            match layer {
                Layer::Time(block) => made.time(block, &between),
                Layer::Bands(mix) => made.mix(mix, net.width, &between),
            }
        }
        made.head(net, sizes.coefficients, &between);
        if made.gpu.compiled() > compiled {
            made.gpu.keep_pipelines();
        }
        made
    }

    /// Streams that run together.
    pub fn sessions(&self) -> usize {
        self.sessions
    }

    /// The most frames at a time.
    pub fn max_time(&self) -> usize {
        self.max_time
    }

    /// Whether [`Self::deltas`] are wanted of the runs from here on: a few steps more each.
    pub fn watch(&mut self, on: bool) {
        self.watched = on;
    }

    /// Floats of a session's Δ: of every layer that is shown, a band each.
    pub fn deltas_len(&self) -> usize {
        DELTA_LAYERS * self.bands
    }

    /// Δ behind the last frame of the sessions that took part in the last run, in their order, each `[DELTA_LAYERS][band]`;
    /// empty where nobody watched.
    pub fn deltas(&self) -> &[f32] {
        &self.deltas
    }

    /// Runs `time` frames of the sessions in `active`, each named once: `frames` and `out` are `[active][time][bins]` of
    /// (re, im). The others stay where they are. Waits.
    ///
    /// # Errors
    /// [`GpuError::Lost`]; `out` is not touched then.
    ///
    /// # Panics
    /// If a slice's length is not what the sizes say, or a session is not there.
    pub fn run_some(
        &mut self,
        active: &[usize],
        time: usize,
        frames: &[f32],
        out: &mut [f32],
    ) -> Result<(), GpuError> {
        self.run_and_save(active, time, frames, out, &[], &mut [])
    }

    /// [`Self::run_some`], and the states of the sessions in `saved` behind it, `[saved][state_len]`, in the same submit.
    ///
    /// # Errors
    /// As there; `states` are not touched either.
    ///
    /// # Panics
    /// As there.
    pub fn run_and_save(
        &mut self,
        active: &[usize],
        time: usize,
        frames: &[f32],
        out: &mut [f32],
        saved: &[usize],
        states: &mut [f32],
    ) -> Result<(), GpuError> {
        assert!(time <= self.max_time, "more frames than prepared for");
        assert!(
            active.iter().all(|slot| *slot < self.sessions),
            "no such session"
        );
        let len = active.len() * time * 2 * self.bins;
        assert!(frames.len() == len && out.len() == len, "frames do not fit");
        if len == 0 {
            return Ok(());
        }
        for (slot, frames) in active.iter().zip(frames.chunks_exact(time * 2 * self.bins)) {
            let first = slot * (self.past + self.max_time) + self.past;
            self.gpu.write(&self.spectra, first * 2 * self.bins, frames);
        }
        if self.staging.size() < 4 * len as u64 {
            // Who gives and takes samples has no use for it, and others find it at their first frame.
            let most = self.sessions * self.max_time * 2 * self.bins;
            self.staging = self.gpu.staging(most);
        }
        let slots: Vec<u32> = active.iter().map(|slot| *slot as u32).collect();
        self.gpu.write(&self.slots, 0, &slots);
        let some = (active.len(), self.sessions);
        let chunk = chunk_of(time, self.bands * active.len(), self.inner);
        let mut encoder = self.gpu.encoder();
        let steps = self.steps(
            Run::of_sessions(time, 1, some, chunk),
            Run::of_sessions(time, self.bands, some, chunk),
        );
        encode(&mut encoder, steps);
        let bytes = 4 * out.len() as u64;
        encoder.copy_buffer_to_buffer(&self.filtered, 0, &self.staging, 0, Some(bytes));
        let mut encoder = self.encode_states(saved, states, encoder);
        let mut deltas = std::mem::take(&mut self.deltas);
        deltas.clear();
        if self.watched {
            deltas.resize(active.len() * self.deltas_len(), 0.0);
            let bytes = 4 * deltas.len() as u64;
            encoder.copy_buffer_to_buffer(&self.shown, 0, &self.shown_staging, 0, Some(bytes));
        }
        let reads = &mut [
            (&self.staging, out),
            (&self.state_staging, states),
            (&self.shown_staging, &mut deltas[..]),
        ];
        let done = self.gpu.submit_and_read(encoder, reads);
        self.deltas = deltas;
        done
    }

    /// [`Self::run_some`] of all sessions.
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    pub fn run(&mut self, time: usize, frames: &[f32], out: &mut [f32]) -> Result<(), GpuError> {
        let all: Vec<usize> = (0..self.sessions).collect();
        self.run_some(&all, time, frames, out)
    }

    /// Runs a frame, saves a state and forgets both, so that whatever a driver does at the first time is done.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn warm_up(&mut self) -> Result<(), GpuError> {
        let silence = vec![0.0; self.sessions * 2 * self.bins];
        self.run(1, &silence, &mut silence.clone())?;
        let mut state = vec![0.0; self.state_len()];
        self.save_one(0, &mut state)?;
        self.reset();
        Ok(())
    }

    /// What to encode for `time` frames of all sessions, from spectra to what is filtered; nobody else runs meanwhile.
    pub(super) fn steps_of_all(
        &self,
        time: usize,
    ) -> (Run, impl Iterator<Item = (&Dispatch, Groups)>) {
        let all = (self.sessions, self.sessions);
        let chunk = chunk_of(time, self.bands * self.sessions, self.inner);
        let sessions = Run::of_sessions(time, 1, all, chunk);
        let bands = Run::of_sessions(time, self.bands, all, chunk);
        (sessions, self.steps(sessions, bands))
    }

    fn steps(&self, sessions: Run, bands: Run) -> impl Iterator<Item = (&Dispatch, Groups)> {
        self.gpu.write(&self.over_sessions, 0, &[sessions]);
        self.gpu.write(&self.over_bands, 0, &[bands]);
        self.steps
            .iter()
            .filter_map(move |(over, step)| match over {
                Over::Sessions => step.for_run(sessions),
                Over::Bands => step.for_run(bands),
                Over::Watched if self.watched => step.for_run(bands),
                Over::Watched => None,
            })
    }
}

/// States of a channel that a thread holds in registers.
const MOST_STATES: usize = 64;
