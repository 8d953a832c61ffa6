//! A denoiser on a GPU: its recording, made once, and the states of the streams that it runs together.

use std::sync::Arc;

use wgpu::{Buffer, CommandEncoder};

use super::device::{Gpu, GpuError};
use super::ops::{
    self, Activation, Around, CHUNK, Conv, ConvBuffers, Gate, Maps, Place, ScanBuffers, SsdScan,
    Step, Strides,
};
use super::record::{Run, encode};
use super::shader::{Shader, Source};
use crate::engine::offline::Whole;
use crate::model::denoise::bands::{BandMix, Group};
use crate::model::denoise::{DenoiseNet, Layer};
use crate::model::mamba2::Mamba2Block;

/// What a step counts as streams.
#[derive(Debug, Clone, Copy)]
enum Over {
    Sessions,
    /// Every band of every session.
    Bands,
}

/// Streams of one denoiser on one device, run together: frames of all in, frames of all out.
#[derive(Debug)]
pub struct GpuDenoiser {
    gpu: Arc<Gpu>,
    bins: usize,
    bands: usize,
    past: usize,
    sessions: usize,
    max_time: usize,
    over_sessions: Buffer,
    over_bands: Buffer,
    /// The sessions that take part.
    slots: Buffer,
    /// `[slot][past + max_time][bins]`.
    spectra: Buffer,
    filtered: Buffer,
    steps: Vec<(Over, Step)>,
    staging: Buffer,
    state_staging: Buffer,
    /// (sum, weight) of each session's level.
    levels: Buffer,
    /// What each layer over time remembers.
    memories: Vec<Memory>,
    /// Bins that filters look back to.
    tap_bins: usize,
}

/// What a layer over time remembers, streams being `[band][session]`.
#[derive(Debug)]
struct Memory {
    tails: Buffer,
    /// Floats of a stream's tails.
    tails_len: usize,
    state: Buffer,
    /// Floats of a stream's state.
    state_len: usize,
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
    /// [`GpuError::Model`] for sizes that the shaders do not serve, [`GpuError::Lost`].
    pub fn new(
        gpu: Arc<Gpu>,
        net: &DenoiseNet,
        sessions: usize,
        max_time: usize,
    ) -> Result<GpuDenoiser, GpuError> {
        GpuDenoiser::check(net)?;
        let (bands, past) = (net.bands, net.taps - 1);
        let rows = bands * sessions * max_time;
        let (mut wide, mut inner, mut conv, mut lines, mut heads) = (0, 0, 0, 0, 0);
        for layer in &net.layers {
            match layer {
                Layer::Time(block) => {
                    let c = block.config();
                    wide = wide.max(block.in_proj.outputs());
                    inner = inner.max(c.inner());
                    conv = conv.max(c.conv_channels());
                    lines = lines.max(block.scan.state_len());
                    heads = heads.max(c.heads);
                }
                Layer::Bands(mix) => {
                    wide = wide.max(2 * mix.mix.channels());
                    inner = inner.max(mix.mix.channels());
                }
            }
        }
        let chunks = max_time.div_ceil(CHUNK);
        let between = Between {
            x: gpu.zeros("x", rows * net.width),
            wide: gpu.zeros("wide", rows * wide),
            convolved: gpu.zeros("convolved", rows * conv),
            y: gpu.zeros("y", rows * inner),
            carried: gpu.zeros("carried", chunks * bands * sessions * lines),
            sums: gpu.zeros("sums", chunks * bands * sessions * heads),
        };
        let bins = net.bins;
        let mut made = GpuDenoiser {
            bins,
            bands,
            past,
            sessions,
            max_time,
            slots: gpu.slots(sessions),
            over_sessions: gpu.run(Run::new(1, sessions, CHUNK)),
            over_bands: gpu.run(Run::new(1, bands * sessions, CHUNK)),
            spectra: gpu.zeros("spectra", sessions * (past + max_time) * 2 * bins),
            filtered: gpu.zeros("filtered", sessions * max_time * 2 * bins),
            steps: Vec::new(),
            staging: gpu.staging(sessions * max_time * 2 * bins),
            levels: gpu.zeros("levels", 2 * sessions),
            memories: Vec::new(),
            tap_bins: net.tap_bins,
            state_staging: gpu.staging(0),
            gpu,
        };
        made.front(net, &between);
        for layer in &net.layers {
            match layer {
                Layer::Time(block) => made.time(block, &between),
                Layer::Bands(mix) => made.mix(mix, net.width, &between),
            }
        }
        made.head(net, &between);
        made.state_staging = made.gpu.staging(made.state_len());
        if made.gpu.is_lost() {
            return Err(GpuError::Lost);
        }
        Ok(made)
    }

    /// Streams that run together.
    pub fn sessions(&self) -> usize {
        self.sessions
    }

    /// The most frames at a time.
    pub fn max_time(&self) -> usize {
        self.max_time
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
        let slots: Vec<u32> = active.iter().map(|slot| *slot as u32).collect();
        self.gpu.write(&self.slots, 0, &slots);
        let some = (active.len(), self.sessions);
        let mut encoder = self.gpu.encoder();
        self.encode(
            Run::of_sessions(time, 1, some, CHUNK),
            Run::of_sessions(time, self.bands, some, CHUNK),
            &mut encoder,
        );
        let bytes = 4 * out.len() as u64;
        encoder.copy_buffer_to_buffer(&self.filtered, 0, &self.staging, 0, Some(bytes));
        self.gpu.submit_and_read(encoder, &self.staging, out)
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

    /// Runs a frame and forgets it, so that whatever a driver does at the first time is done.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    pub fn warm_up(&mut self) -> Result<(), GpuError> {
        let silence = vec![0.0; self.sessions * 2 * self.bins];
        self.run(1, &silence, &mut silence.clone())?;
        self.reset();
        Ok(())
    }

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
        assert!(session < self.sessions, "no such session");
        assert_eq!(to.len(), self.state_len(), "a state of another net");
        let mut encoder = self.gpu.encoder();
        let mut at = 0;
        for (buffer, from, len) in self.places(session) {
            let bytes = Some(4 * len as u64);
            encoder.copy_buffer_to_buffer(
                buffer,
                4 * from as u64,
                &self.state_staging,
                4 * at as u64,
                bytes,
            );
            at += len;
        }
        self.gpu.submit_and_read(encoder, &self.state_staging, to)
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

    fn encode(&self, sessions: Run, bands: Run, encoder: &mut CommandEncoder) {
        self.gpu.write(&self.over_sessions, 0, &[sessions]);
        self.gpu.write(&self.over_bands, 0, &[bands]);
        let steps = self.steps.iter().filter_map(|(over, step)| match over {
            Over::Sessions => step.for_run(sessions),
            Over::Bands => step.for_run(bands),
        });
        encode(encoder, steps);
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

    /// Spectrum to residual stream.
    fn front(&mut self, net: &DenoiseNet, between: &Between) {
        let rows = self.sessions * self.max_time;
        let features = self.gpu.zeros("features", rows * 3 * net.used);
        let gains = self.gpu.zeros("gains", rows);
        let mut places: Vec<[u32; 2]> = Vec::new();
        for group in &net.groups {
            for i in 0..group.bands * group.width {
                let band_first = places.len() - i % group.width;
                let at = 3 * band_first + i % group.width;
                places.push([at as u32, group.width as u32]);
            }
        }
        let places = self.gpu.holding("feature places", &places);
        let source = self.features(net);
        let run = (0, &self.over_sessions);
        let slots = (15, &self.slots);
        let spectra = (2, &self.spectra);
        let most = ops::MOST_GROUPS;
        let compress = self.gpu.dispatch(
            &source,
            "compress",
            &[
                run,
                slots,
                (1, &places),
                spectra,
                (3, &features),
                (4, &gains),
            ],
        );
        let level = self.gpu.dispatch(
            &source,
            "level",
            &[run, slots, (4, &gains), (5, &self.levels)],
        );
        let steps = [
            Step::new(compress, move |run| {
                [
                    (run.time as usize * run.batch as usize).min(most) as u32,
                    1,
                    1,
                ]
            }),
            Step::new(level, |run| [run.batch, 1, 1]),
        ];
        self.steps.extend(steps.map(|step| (Over::Sessions, step)));

        let (mut maps, mut bin, mut band) = (Maps::new(), 0, 0);
        for (packed, group) in net.split.maps().iter().zip(&net.groups) {
            for own in 0..group.bands {
                let place = Place {
                    x: 3 * (bin + own * group.width),
                    out_time: (band + own) * net.width,
                    ..Place::default()
                };
                maps = maps.with(
                    place,
                    (packed.outputs(), packed.inputs()),
                    |m, k| packed.weight(own, m, k),
                    |m| packed.bias(own, m),
                );
            }
            bin += group.bands * group.width;
            band += group.bands;
        }
        let around = Around {
            gate: Some(Gate::Rows),
            ..Around::default()
        };
        let split = ops::proj(
            &self.gpu,
            &maps,
            Strides::rows(3 * net.used, net.width),
            around,
            &self.over_sessions,
            &features,
            Some(&gains),
            &between.x,
        );
        self.steps.push((Over::Sessions, split));
    }

    /// A Mamba-2 block over time.
    fn time(&mut self, block: &Mamba2Block, between: &Between) {
        let c = block.config();
        let streams = self.bands * self.sessions;
        let (e, conv, row) = (c.inner(), c.conv_channels(), block.in_proj.outputs());
        let gpu = Arc::clone(&self.gpu);
        let tails = gpu.zeros("tails", streams * block.conv.state_len());
        let new_tails = gpu.zeros("new tails", streams * block.conv.state_len());
        let state = gpu.zeros("state", streams * block.scan.state_len());
        let run = &self.over_bands;
        // z, x, B, C and raw Δ. The norm's weights are in the map.
        let in_maps = Maps::new().with(
            Place::default(),
            (row, c.width),
            |m, k| block.in_proj.weight(m, k) * block.norm[k],
            |m| block.in_proj.bias(m),
        );
        let norm = Around {
            norm_eps: Some(c.eps),
            ..Around::default()
        };
        let out_maps = Maps::new().with(
            Place::default(),
            (c.width, e),
            |m, k| block.out_proj.weight(m, k) * block.gated_norm[k],
            |m| block.out_proj.bias(m),
        );
        let gated_norm = Around {
            norm_eps: Some(c.gated_eps),
            gate: Some(Gate::Input { at: 0, row }),
            accumulate: true,
            ..Around::default()
        };
        let Between {
            x,
            wide,
            convolved,
            y,
            carried,
            sums,
        } = between;
        let sizes = Conv {
            channels: conv,
            x_row: row,
            x_at: e,
        };
        let scanned = SsdScan {
            x: convolved,
            x_row: conv,
            dt: wide,
            dt_row: row,
            dt_at: e + conv,
        };
        let buffers = ScanBuffers {
            run,
            slots: &self.slots,
            y,
            state: &state,
            carried,
            sums,
        };
        let into = Strides::rows(c.width, row);
        let out_of = Strides::rows(e, c.width);
        let convolution = ConvBuffers {
            run,
            slots: &self.slots,
            x: wide,
            tails: &tails,
            new_tails: &new_tails,
            y: convolved,
        };
        let mut steps = vec![ops::proj(&gpu, &in_maps, into, norm, run, x, None, wide)];
        steps.extend(ops::conv(&gpu, sizes, &block.conv, convolution));
        steps.extend(ops::ssd(&gpu, &block.scan, scanned, buffers));
        steps.push(ops::proj(
            &gpu,
            &out_maps,
            out_of,
            gated_norm,
            run,
            y,
            Some(wide),
            x,
        ));
        self.steps
            .extend(steps.into_iter().map(|step| (Over::Bands, step)));
        self.memories.push(Memory {
            tails,
            tails_len: block.conv.state_len(),
            state,
            state_len: block.scan.state_len(),
        });
    }

    /// Mixing across bands.
    fn mix(&mut self, block: &BandMix, width: usize, between: &Between) {
        let (channels, bands) = (block.mix.channels(), self.bands);
        let gpu = Arc::clone(&self.gpu);
        let in_maps = Maps::new().with(
            Place::default(),
            (2 * channels, width),
            |m, k| block.in_proj.weight(m, k) * block.norm[k],
            |m| block.in_proj.bias(m),
        );
        let into = Around {
            norm_eps: Some(block.eps),
            activation: Activation::Silu,
            ..Around::default()
        };
        // A map for each channel: what it takes is a band apart, `time` rows of u and z.
        let mix_maps = (0..channels).fold(Maps::new(), |maps, c| {
            let place = Place {
                x: c,
                out: c,
                ..Place::default()
            };
            maps.with(
                place,
                (bands, bands),
                |f, g| block.mix.weight(c, f, g),
                |f| block.mix.bias(c, f),
            )
        });
        let across = Strides {
            x_row: 2 * channels,
            x_k: 0,
            x_k_time: 2 * channels,
            out_row: channels,
            out_m: 0,
            out_m_time: channels,
        };
        let gated = Around {
            gate: Some(Gate::Output {
                at: channels,
                row: 2 * channels,
                m_time: 2 * channels,
            }),
            ..Around::default()
        };
        let out_maps = Maps::new().with(
            Place::default(),
            (width, channels),
            |m, k| block.out_proj.weight(m, k),
            |m| block.out_proj.bias(m),
        );
        let added = Around {
            accumulate: true,
            ..Around::default()
        };
        let Between { x, wide, y, .. } = between;
        let (bands, sessions) = (&self.over_bands, &self.over_sessions);
        let into_rows = Strides::rows(width, 2 * channels);
        let out_rows = Strides::rows(channels, width);
        self.steps.extend([
            (
                Over::Bands,
                ops::proj(&gpu, &in_maps, into_rows, into, bands, x, None, wide),
            ),
            (
                Over::Sessions,
                ops::proj(
                    &gpu,
                    &mix_maps,
                    across,
                    gated,
                    sessions,
                    wide,
                    Some(wide),
                    y,
                ),
            ),
            (
                Over::Bands,
                ops::proj(&gpu, &out_maps, out_rows, added, bands, y, None, x),
            ),
        ]);
    }

    /// Residual stream to filters, and the filters on the spectrum.
    fn head(&mut self, net: &DenoiseNet, between: &Between) {
        let row: usize = net.groups.iter().map(|g| g.bands * g.coefficients()).sum();
        let gpu = Arc::clone(&self.gpu);
        let coefficients = gpu.zeros("coefficients", self.sessions * self.max_time * row);
        let (mut maps, mut at, mut band) = (Maps::new(), 0, 0);
        let mut places: Vec<[u32; 4]> = Vec::new();
        let mut top = (0, net.groups[0]);
        for (packed, group) in net.head.maps().iter().zip(&net.groups) {
            for own in 0..group.bands {
                let place = Place {
                    x_time: (band + own) * net.width,
                    out: at,
                    ..Place::default()
                };
                maps = maps.with(
                    place,
                    (packed.outputs(), packed.inputs()),
                    |m, k| packed.weight(own, m, k) * net.norm_f[k],
                    |m| packed.bias(own, m),
                );
                places.extend((0..group.width).map(|i| {
                    [at + i, group.width, group.taps, usize::from(group.gated)].map(|v| v as u32)
                }));
                top = (at, *group);
                at += group.coefficients();
            }
            band += group.bands;
        }
        let around = Around {
            norm_eps: Some(net.eps),
            ..Around::default()
        };
        let run = &self.over_sessions;
        let strides = Strides::rows(net.width, row);
        let heads = ops::proj(
            &gpu,
            &maps,
            strides,
            around,
            run,
            &between.x,
            None,
            &coefficients,
        );

        let places = gpu.holding("filter places", &places);
        let (
            top_at,
            Group {
                width, taps, gated, ..
            },
        ) = top;
        let source = Source::new(Shader::Filter)
            .size("BINS", net.bins)
            .size("USED", net.used)
            .size("PAST", self.past)
            .size("FRAMES", self.past + self.max_time)
            .size("ROW", row)
            .size("TOP_AT", top_at)
            .size("TOP_WIDTH", width)
            .size("TOP_TAPS", taps)
            .switch("TOP_GATED", gated);
        let filter = gpu.dispatch(
            &source,
            "main",
            &[
                (0, run),
                (15, &self.slots),
                (1, &places),
                (2, &self.spectra),
                (3, &coefficients),
                (4, &self.filtered),
            ],
        );
        let remember = gpu.dispatch(
            &self.features(net),
            "remember",
            &[(0, run), (15, &self.slots), (2, &self.spectra)],
        );
        let (columns, most) = (net.bins.div_ceil(64) as u32, ops::MOST_GROUPS);
        let filter = Step::new(filter, move |run| {
            let rows = run.time as usize * run.batch as usize;
            [columns, rows.min(most) as u32, 1]
        });
        let remember = Step::new(remember, move |run| [columns, run.batch, 1]);
        self.steps
            .extend([heads, filter, remember].map(|step| (Over::Sessions, step)));
    }

    fn features(&self, net: &DenoiseNet) -> Source {
        Source::new(Shader::Features)
            .size("BINS", net.bins)
            .size("USED", net.used)
            .size("PAST", self.past)
            .size("FRAMES", self.past + self.max_time)
            .number("COMPRESS", net.compress)
            .number("KEEP", net.keep)
    }
}

/// Stretches longer than [`GpuDenoiser::max_time`] are run in several submits, so that memory is bounded.
impl Whole for GpuDenoiser {
    type Error = GpuError;

    fn run(&mut self, time: usize, frames: &[f32], out: &mut [f32]) -> Result<(), GpuError> {
        if time <= self.max_time {
            return GpuDenoiser::run(self, time, frames, out);
        }
        let frame = 2 * self.bins;
        for at in (0..time).step_by(self.max_time) {
            let piece = self.max_time.min(time - at);
            let part = |session: usize| {
                let first = (session * time + at) * frame;
                first..first + piece * frame
            };
            let together: Vec<f32> = (0..self.sessions)
                .flat_map(|session| &frames[part(session)])
                .copied()
                .collect();
            let mut results = vec![0.0; together.len()];
            GpuDenoiser::run(self, piece, &together, &mut results)?;
            for (session, result) in results.chunks_exact(piece * frame).enumerate() {
                out[part(session)].copy_from_slice(result);
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        GpuDenoiser::reset(self);
    }
}

/// States of a channel that a thread holds in registers.
const MOST_STATES: usize = 64;
