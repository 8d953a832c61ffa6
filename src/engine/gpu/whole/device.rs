//! The live chain's way of the wet signal on a device: the host's samples up, the wet signal down, everything between stays there.
//!
//! ```text
//! input ─► resample ─► analyse ─► denoiser ─► (link) ─► synthesise ─► join ─► resample ─► output
//! ```
//! A chunk brings all samples that its frames' windows cover, so the way in remembers nothing. What is remembered is the
//! denoiser's state, the falling edge of the last frame, and the samples that filters to another rate still reach for.

use std::ops::Range;
use std::sync::Arc;

use wgpu::{Buffer, CommandEncoder};

use super::room::Lengths;
use super::timing::{Timing, first_tap};
use crate::engine::gpu::clock::Clock;
use crate::engine::gpu::denoiser::GpuDenoiser;
use crate::engine::gpu::ops::{self, PLACES, Resample, Step, Stft, StftBuffers};
use crate::engine::gpu::record::{Run, encode_timed};
use crate::engine::gpu::{Gpu, GpuError};
use crate::model::Model;

/// Passes of a chunk: samples to spectra, the model, and spectra to samples.
pub(super) const PASSES: usize = 3;

/// Buffers, and what is done with them.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) gpu: Arc<Gpu>,
    timing: Timing,
    channels: usize,
    denoiser: GpuDenoiser,
    /// `[channel][most_in]`, the host's samples.
    input: Buffer,
    most_in: usize,
    inward: Option<Change>,
    analyse: Step,
    /// All channels take one gain.
    link: Option<Step>,
    back: [Step; 2],
    /// `[channel · time][hop + overlap]`.
    segments: Buffer,
    segment: usize,
    falls: Buffer,
    overlap: usize,
    /// `[channel][kept + frames · hop]`.
    joined: Buffer,
    joined_len: usize,
    hop: usize,
    /// What outputs of the next chunk reach back to, `[channel][kept]`.
    before: Buffer,
    kept: usize,
    outward: Option<Change>,
    /// `[channel][most_out]`, the wet signal; where rates are the same it is `joined`.
    output: Option<Buffer>,
    most_out: usize,
}

/// A change of rate.
#[derive(Debug)]
struct Change {
    step: Step,
    run: Buffer,
    places: Buffer,
}

impl Change {
    /// Writes down where `outputs` lie, and says how many there are; `place` says where an output's first tap is, and its phase.
    fn prepare(
        &self,
        gpu: &Gpu,
        channels: usize,
        outputs: Range<i64>,
        place: impl Fn(i64) -> (i64, u32),
    ) -> Run {
        let of = |output| {
            let (first, phase) = place(output);
            [first as u32, phase]
        };
        let count = (outputs.end - outputs.start) as usize;
        let places: Vec<[u32; 2]> = outputs.step_by(PLACES).map(of).collect();
        let run = Run::new(count, channels, count.max(1));
        gpu.write(&self.places, 0, &places);
        gpu.write(&self.run, 0, &[run]);
        run
    }
}

/// A chunk.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    /// Its frames.
    pub(super) frames: Range<i64>,
    /// The host samples that they give.
    pub(super) gives: Range<i64>,
}

impl Device {
    /// For `channels` of `model`, up to `frames` of each at a time, which share one gain a bin if they are `linked`. Compiles; slow.
    pub(super) fn new(
        gpu: &Arc<Gpu>,
        model: &Model,
        timing: Timing,
        sizes: (usize, usize),
        linked: bool,
    ) -> Result<Device, GpuError> {
        gpu.prepared(|| Device::made(gpu, model, timing, sizes, linked))
    }

    fn made(
        gpu: &Arc<Gpu>,
        model: &Model,
        timing: Timing,
        (channels, frames): (usize, usize),
        linked: bool,
    ) -> Result<Device, GpuError> {
        let (net, front_end) = (model.net(), model.spec().front_end);
        let (can, takes) = (gpu.workgroup_bytes(), ops::stft_bytes(&front_end));
        if takes > can {
            let window = front_end.window;
            return Err(GpuError::Model(format!(
                "its window of {window} samples takes {takes} bytes of a workgroup's memory, and the device has {can}"
            )));
        }
        let denoiser = GpuDenoiser::new(Arc::clone(gpu), net, channels, frames)?;
        let (hop, overlap) = (front_end.hop, front_end.overlap);
        let lengths = Lengths::of(&front_end, &timing, frames);
        let Lengths {
            most_in,
            most_out,
            heard,
            kept,
            joined: joined_len,
            segments: segments_len,
        } = lengths;
        let zeros = |label: &str, floats: usize| gpu.zeros(label, channels * floats);
        let [input, segments, falls, joined, before] = [
            zeros("input", most_in),
            zeros("segments", segments_len),
            zeros("falls", overlap),
            zeros("joined", joined_len),
            zeros("before", kept),
        ];
        let change = |(rate_in, rate_out), from: (&Buffer, usize), to: (&Buffer, usize)| {
            let sizes = Resample {
                rate_in,
                rate_out,
                from: from.1,
                to: to.1,
            };
            let run = gpu.run(Run::new(0, channels, 1));
            let places = gpu.zeros("places", 2 * to.1.div_ceil(PLACES));
            let step = ops::resample(gpu, sizes, &run, &places, (from.0, to.0));
            Change { step, run, places }
        };
        let converted = timing.rates.map(|rates| {
            let (host, model) = (rates.host, rates.model);
            let (samples, output) = (zeros("samples", heard), zeros("output", most_out));
            let inward = change((host, model), (&input, most_in), (&samples, heard));
            let outward = change((model, host), (&joined, joined_len), (&output, most_out));
            (samples, inward, outward, output)
        });
        let (samples, stride) = match &converted {
            Some((samples, ..)) => (samples, heard),
            None => (&input, most_in),
        };
        let sizes = Stft {
            front_end,
            samples: stride,
            past: denoiser.past,
            frames: denoiser.past + frames,
            joined: joined_len,
            kept,
        };
        let (run, slots) = (&denoiser.over_sessions, &denoiser.slots);
        let (spectra, filtered) = (&denoiser.spectra, &denoiser.filtered);
        let buffers = StftBuffers {
            run,
            slots,
            samples,
            spectra,
            filtered,
            segments: &segments,
            falls: &falls,
            joined: &joined,
        };
        let (analyse, back) = ops::stft(gpu, sizes, buffers);
        let link = (linked && channels > 1).then(|| {
            let sizes = (net.bins, sizes.past, sizes.frames);
            ops::link(gpu, sizes, (run, slots), (spectra, filtered))
        });
        let (inward, outward, output) = match converted {
            Some((_, inward, outward, output)) => (Some(inward), Some(outward), Some(output)),
            None => (None, None, None),
        };
        gpu.keep_pipelines();
        Ok(Device {
            gpu: Arc::clone(gpu),
            timing,
            channels,
            denoiser,
            input,
            most_in,
            inward,
            analyse,
            link,
            back,
            segments,
            segment: hop + overlap,
            falls,
            overlap,
            joined,
            joined_len,
            hop,
            before,
            kept,
            outward,
            output,
            most_out,
        })
    }

    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// The most floats that a chunk takes and gives.
    pub(super) fn most(&self) -> (usize, usize) {
        (self.channels * self.most_in, self.channels * self.most_out)
    }

    /// Back to the start.
    pub(super) fn reset(&mut self) {
        self.denoiser.reset();
        let mut encoder = self.gpu.encoder();
        for buffer in [&self.falls, &self.before] {
            encoder.clear_buffer(buffer, 0, None);
        }
        self.gpu.submit(encoder);
    }

    /// The model forgets what it has heard; the samples go on.
    pub(super) fn forget(&mut self) {
        self.denoiser.reset();
    }

    /// Encodes a chunk: from `up`, `[channel][needed]`, to `down`, `[channel][given]`. What it needs to know is written, so it
    /// is to be submitted before the next one is encoded.
    pub(super) fn encode(
        &self,
        chunk: &Chunk,
        (up, down): (&Buffer, &Buffer),
        clock: Option<&Clock<PASSES>>,
        encoder: &mut CommandEncoder,
    ) {
        let (timing, frames) = (&self.timing, &chunk.frames);
        let count = (frames.end - frames.start) as usize;
        let needs = timing.needs(frames);
        let needed = (needs.end - needs.start) as usize;
        for channel in 0..self.channels {
            let to = (&self.input, channel * self.most_in);
            copy(encoder, (up, channel * needed), to, needed);
            let to = (&self.joined, channel * self.joined_len);
            copy(encoder, (&self.before, channel * self.kept), to, self.kept);
        }
        let (run, model) = self.denoiser.steps_of_all(count);
        let inward = self.inward.iter().zip(&timing.rates);
        let inward = inward.filter_map(|(change, rates)| {
            let run = change.prepare(&self.gpu, self.channels, timing.windows(frames), |m| {
                let (whole, phase) = rates.inward(m);
                (first_tap(whole, rates.half_in as i64) - needs.start, phase)
            });
            change.step.for_run(run)
        });
        let times = |pass| clock.map(|clock| clock.pass(pass));
        encode_timed(encoder, times(0), inward.chain(self.analyse.for_run(run)));
        encode_timed(encoder, times(1), model);
        // The joined samples begin with those kept from before.
        let joined = timing.completes(frames).start - self.kept as i64;
        let outward = self.outward.iter().zip(&timing.rates);
        let outward = outward.filter_map(|(change, rates)| {
            let run = change.prepare(&self.gpu, self.channels, chunk.gives.clone(), |n| {
                let (whole, phase) = rates.outward(n);
                (first_tap(whole, rates.half_out as i64) - joined, phase)
            });
            change.step.for_run(run)
        });
        let steps = self.link.iter().chain(&self.back);
        let steps = steps.filter_map(|step| step.for_run(run)).chain(outward);
        encode_timed(encoder, times(2), steps);
        let given = (chunk.gives.end - chunk.gives.start) as usize;
        for channel in 0..self.channels {
            let from = match &self.output {
                Some(output) => (output, channel * self.most_out),
                None => {
                    let first = (chunk.gives.start - joined) as usize;
                    (&self.joined, channel * self.joined_len + first)
                }
            };
            copy(encoder, from, (down, channel * given), given);
            let last = (channel + 1) * count * self.segment - self.overlap;
            let to = (&self.falls, channel * self.overlap);
            copy(encoder, (&self.segments, last), to, self.overlap);
            let last = channel * self.joined_len + count * self.hop;
            let to = (&self.before, channel * self.kept);
            copy(encoder, (&self.joined, last), to, self.kept);
        }
        if let Some(clock) = clock {
            clock.resolve(encoder);
        }
    }
}

/// Copies floats from one buffer, at a float, to another.
fn copy(encoder: &mut CommandEncoder, from: (&Buffer, usize), to: (&Buffer, usize), floats: usize) {
    if floats > 0 {
        let bytes = |floats: usize| 4 * floats as u64;
        encoder.copy_buffer_to_buffer(
            from.0,
            bytes(from.1),
            to.0,
            bytes(to.1),
            Some(bytes(floats)),
        );
    }
}
