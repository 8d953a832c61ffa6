//! Chunks on their way there and back: memory that both sides reach, mapped by turns.

use std::sync::Arc;

use wgpu::{Buffer, BufferDescriptor, BufferUsages, MapMode, SubmissionIndex};

use super::device::{Chunk, Device, PASSES};
use crate::controls::Weights;
use crate::engine::gpu::clock::Clock;
use crate::engine::gpu::{Gpu, GpuError};
use crate::frame::heard;

/// The memory of one chunk.
#[derive(Debug)]
struct Seat {
    /// This processor's until it departs, and again behind its arrival.
    up: Buffer,
    down: Buffer,
    clock: Option<Clock<PASSES>>,
}

/// A chunk on its way.
#[derive(Debug)]
pub(super) struct Flight {
    seat: usize,
    submitted: SubmissionIndex,
    /// Samples of every channel that come back.
    samples: usize,
    dry: Option<Vec<Vec<f32>>>,
}

impl Flight {
    pub(super) fn submitted(&self) -> SubmissionIndex {
        self.submitted.clone()
    }
}

/// Seats that are taken by turns, and what comes out of the one that arrived last.
#[derive(Debug)]
pub(super) struct Seats {
    gpu: Arc<Gpu>,
    seats: Vec<Seat>,
    next: usize,
    most: (usize, usize),
    timed: bool,
    out: Vec<Vec<f32>>,
}

/// What a chunk has become.
pub(super) struct Arrived<'a> {
    pub(super) channels: &'a mut [Vec<f32>],
    /// The device's own times.
    pub(super) seconds: Option<[f64; PASSES]>,
}

impl Seats {
    /// `count` seats for at most so many floats there and back.
    pub(super) fn new(gpu: &Arc<Gpu>, most: (usize, usize), count: usize, timed: bool) -> Seats {
        Seats {
            gpu: Arc::clone(gpu),
            seats: (0..count).map(|_| Seat::new(gpu, most, timed)).collect(),
            next: 0,
            most,
            timed,
            out: Vec::new(),
        }
    }

    /// Gives up what is on its way.
    pub(super) fn abandon(&mut self) {
        let count = self.seats.len();
        *self = Seats::new(&Arc::clone(&self.gpu), self.most, count, self.timed);
    }

    /// Takes the next seat, which must have arrived; `fill` puts slices of floats where they belong.
    pub(super) fn board(
        &mut self,
        fill: impl FnOnce(&mut dyn FnMut(usize, &[f32])),
    ) -> Result<usize, GpuError> {
        let taken = self.next;
        self.next = (taken + 1) % self.seats.len();
        let up = &self.seats[taken].up;
        let mut view = up.get_mapped_range_mut(..).map_err(|_| self.gpu.gone())?;
        fill(&mut |at, values| {
            let bytes: &[u8] = bytemuck::cast_slice(values);
            view.slice(4 * at..4 * at + bytes.len())
                .copy_from_slice(bytes);
        });
        Ok(taken)
    }

    /// Submits a chunk whose samples are in `seat`.
    pub(super) fn depart(
        &self,
        seat: usize,
        device: &Device,
        chunk: &Chunk,
        dry: Option<Vec<Vec<f32>>>,
    ) -> Flight {
        let Seat { up, down, clock } = &self.seats[seat];
        up.unmap();
        let mut encoder = self.gpu.encoder();
        device.encode(chunk, (up, down), clock.as_ref(), &mut encoder);
        let submitted = self.gpu.submit(encoder);
        up.map_async(MapMode::Write, .., |_| ());
        let samples = (chunk.gives.end - chunk.gives.start) as usize;
        if samples > 0 {
            self.gpu.map(down, samples * device.channels());
        }
        if let Some(clock) = clock {
            clock.ask(&self.gpu);
        }
        Flight {
            seat,
            submitted,
            samples,
            dry,
        }
    }

    /// Takes what has come back behind a wait, and mixes it with the dry signal; of two channels that are middle and side, if they
    /// are, left and right are made.
    pub(super) fn arrive(
        &mut self,
        flight: Flight,
        channels: usize,
        (weights, mid_side): (Weights, bool),
    ) -> Result<Arrived<'_>, GpuError> {
        let Seat { down, clock, .. } = &self.seats[flight.seat];
        self.out.resize_with(channels, Vec::new);
        let (out, samples) = (&mut self.out, flight.samples);
        let mut is_sound = true;
        let mut mix = |values: &[f32]| {
            is_sound = values.iter().fold(true, |ok, x| ok & x.is_finite());
            for (channel, out) in out.iter_mut().enumerate() {
                let dry = flight.dry.as_ref().map(|dry| dry[channel].as_slice());
                let wet = |channel: usize| &values[channel * samples..][..samples];
                out.clear();
                if mid_side {
                    let side = if channel == 0 { 1.0 } else { -1.0 };
                    let pairs = wet(0).iter().zip(wet(1));
                    mixed(out, weights, dry, pairs.map(|(m, s)| m + side * s));
                } else {
                    mixed(out, weights, dry, wet(channel).iter().copied());
                }
            }
        };
        if samples > 0 {
            self.gpu.mapped(down, samples * channels, mix)?;
        } else {
            mix(&[]);
        }
        let seconds = match clock {
            Some(clock) => Some(clock.seconds(&self.gpu)?),
            None => None,
        };
        if !is_sound {
            return Err(GpuError::NotANumber);
        }
        Ok(Arrived {
            channels: &mut self.out,
            seconds,
        })
    }
}

impl Seat {
    fn new(gpu: &Gpu, (up, down): (usize, usize), timed: bool) -> Seat {
        Seat {
            up: gpu.device.create_buffer(&BufferDescriptor {
                label: Some("up"),
                size: 4 * up as u64,
                usage: BufferUsages::MAP_WRITE | BufferUsages::COPY_SRC,
                mapped_at_creation: true,
            }),
            down: gpu.staging(down),
            clock: timed.then(|| Clock::new(gpu)).flatten(),
        }
    }
}

/// Appends what is heard.
fn mixed(
    out: &mut Vec<f32>,
    weights: Weights,
    dry: Option<&[f32]>,
    wet: impl Iterator<Item = f32>,
) {
    match dry {
        Some(dry) => out.extend(wet.zip(dry).map(|(wet, dry)| heard(weights, *dry, wet))),
        None => out.extend(wet.map(|wet| heard(weights, 0.0, wet))),
    }
}
