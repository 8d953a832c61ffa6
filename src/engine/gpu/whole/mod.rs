//! Whole recordings on a device, thousands of frames at once.
//!
//! Flows in: a recording, piece by piece. Flows out: the same, cleaned, as the live chain would have. Only samples travel: the
//! transform, the model and the way back are on the device (`device.rs`). While it runs a chunk, this thread fetches the next and
//! hands on the one before. Memory, here and there, depends on the frames of a chunk, never on the recording's length.

mod device;
mod flight;
mod history;
mod room;
mod stages;
mod timing;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::{Gpu, GpuError};
use crate::chain::{Chain, ChainConfig, ChainError};
use crate::controls::{Controls, Stereo};
use crate::engine::cpu::CpuEngine;
use crate::latency::Latency;
use crate::model::Model;
use crate::tape::{self, Tape};
use device::{Chunk, Device};
use flight::{Flight, Seats};
use history::History;
pub use stages::Stages;
use timing::Timing;

/// Frames at a time, all channels together: some hundred megabytes of what lies between the shipped model's layers.
const FRAMES: usize = 4096;

/// Host samples at a time, all channels together: at high rates there are more of them in a frame.
const SAMPLES: usize = 1 << 23;

/// Chunks under way: the device runs one while this thread sees to the other.
const FLIGHTS: usize = 2;

/// Why a recording was not cleaned.
#[derive(Debug, thiserror::Error)]
pub enum WholeError {
    /// The device.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// The rate or the channels.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// What a recording is, and how it is run.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Hz.
    pub rate: u32,
    /// Channels, each a stream of its own.
    pub channels: usize,
    /// Amount, mix, and how the channels share the model.
    pub controls: Controls,
    /// Frames of every channel at a time; as many as are good if not said. Fewer where a buffer of the device has not that much.
    pub frames: Option<usize>,
    /// Have the device's own times taken.
    pub timed: bool,
}

impl Settings {
    /// A recording of `channels` at `rate` Hz.
    pub fn new(rate: u32, channels: usize, controls: &Controls) -> Settings {
        Settings {
            rate,
            channels,
            controls: *controls,
            frames: None,
            timed: false,
        }
    }
}

/// Frames of each of `channels` streams that are run at a time, where the device's buffers hold them.
pub fn frames_at_once(channels: usize) -> usize {
    (FRAMES / channels.max(1)).max(1)
}

/// A model on a device, prepared for recordings of one kind, one after the other.
pub struct Whole {
    timing: Timing,
    settings: Settings,
    frames: i64,
    latency: Latency,
    device: Device,
    seats: Seats,
}

impl Whole {
    /// Prepares `model` on `gpu`. Compiles, unless it has been; slow.
    ///
    /// # Errors
    /// See [`WholeError`].
    pub fn new(
        gpu: &Arc<Gpu>,
        model: &Arc<Model>,
        settings: Settings,
    ) -> Result<Whole, WholeError> {
        let Settings { rate, channels, .. } = settings;
        let spec = model.spec();
        let config = ChainConfig {
            sample_rate: rate,
            channels,
            max_block: 1,
        };
        let engine = Box::new(CpuEngine::new(model, channels));
        let live = Chain::new(engine, spec.front_end, spec.sample_rate, config)?;
        let timing = Timing::new(&spec.front_end, rate, spec.sample_rate);
        let of_rate = SAMPLES / channels / timing.most(1).1;
        let good = frames_at_once(channels).min(of_rate).max(1);
        let wanted = settings.frames.unwrap_or(good).max(1);
        let frames = room::frames_that_fit(gpu, model, &timing, channels, wanted)?;
        let linked = settings.controls.stereo == Stereo::Link;
        let device = Device::new(gpu, model, timing, (channels, frames), linked)?;
        Ok(Whole {
            timing,
            settings,
            frames: frames as i64,
            latency: live.latency(),
            seats: Seats::new(gpu, device.most(), FLIGHTS, settings.timed),
            device,
        })
    }

    /// The delays that the live chain has; here they are taken off.
    pub fn latency(&self) -> Latency {
        self.latency
    }

    /// Cleans what is on `tape`, in time with it and as long, and says what took how long.
    ///
    /// # Errors
    /// Those of the tape and the device; a part has been written then.
    pub fn run<T: Tape>(&mut self, tape: &mut T) -> Result<Stages, T::Error>
    where
        T::Error: From<WholeError>,
    {
        let mut stages = Stages::default();
        let begun = Instant::now();
        let flown = self.fly(tape, &mut stages);
        if flown.is_err() {
            // What is still under way must not be waited for by those who come after.
            self.seats.abandon();
        }
        stages.all = begun.elapsed();
        flown.map(|()| stages)
    }

    fn fly<T: Tape>(&mut self, tape: &mut T, stages: &mut Stages) -> Result<(), T::Error>
    where
        T::Error: From<WholeError>,
    {
        let gone = |error: GpuError| WholeError::from(error);
        self.device.reset();
        let first = self.timing.needs(&(0..1)).start;
        let mut history = History::new(self.settings.channels, first);
        let mut resets = VecDeque::new();
        let mut flights: VecDeque<Flight> = VecDeque::new();
        let (mut frame, mut given) = (0, 0);
        loop {
            let mut frames = frame..frame + self.frames;
            stages.time(
                |s| &mut s.read,
                || history.fill(tape, self.timing.needs(&frames).end),
            )?;
            stages.time(
                |s| &mut s.prepare,
                || {
                    history.clean(|n| resets.push_back(self.timing.frame_of(n)));
                },
            );
            if let Some(len) = history.len() {
                frames.end = frames.end.min(self.timing.frames_for(len));
            }
            if frames.is_empty() {
                break;
            }
            while resets.front() == Some(&frame) {
                resets.pop_front();
                self.device.forget();
            }
            // The model forgets between two chunks.
            frames.end = resets.iter().fold(frames.end, |end, reset| end.min(*reset));
            let end = self.timing.gives(frames.end);
            let gives = given..history.len().map_or(end, |len| end.min(len));
            let chunk = Chunk { frames, gives };
            (frame, given) = (chunk.frames.end, chunk.gives.end);
            flights.push_back(self.send(&chunk, &mut history, stages).map_err(gone)?);
            let next = self.timing.needs(&(frame..frame + 1)).start;
            history.forget(next.min(given));
            if flights.len() == FLIGHTS {
                self.land(&mut flights, tape, stages)?;
            }
        }
        while !flights.is_empty() {
            self.land(&mut flights, tape, stages)?;
        }
        Ok(())
    }

    /// Brings a chunk on its way.
    fn send(
        &mut self,
        chunk: &Chunk,
        history: &mut History,
        stages: &mut Stages,
    ) -> Result<Flight, GpuError> {
        let needs = self.timing.needs(&chunk.frames);
        let controls = &self.settings.controls;
        let mid_side = self.has_mid_and_side();
        stages.chunks += 1;
        let seat = stages.time(
            |s| &mut s.upload,
            || self.seats.board(|put| history.copy(&needs, mid_side, put)),
        )?;
        let dry = stages.time(|s| &mut s.prepare, || history.keep(&chunk.gives, controls));
        stages.time(
            |s| &mut s.submit,
            || Ok(self.seats.depart(seat, &self.device, chunk, dry)),
        )
    }

    fn has_mid_and_side(&self) -> bool {
        let Settings {
            channels, controls, ..
        } = &self.settings;
        controls.stereo == Stereo::MidSide && *channels == 2
    }

    /// Waits for the oldest flight, and hands it on.
    fn land<T: Tape>(
        &mut self,
        flights: &mut VecDeque<Flight>,
        tape: &mut T,
        stages: &mut Stages,
    ) -> Result<(), T::Error>
    where
        T::Error: From<WholeError>,
    {
        let Some(flight) = flights.pop_front() else {
            return Ok(());
        };
        let gone = |error: GpuError| WholeError::from(error);
        let weights = self.settings.controls.weights();
        stages
            .time(|s| &mut s.wait, || self.device.gpu.wait(flight.submitted()))
            .map_err(gone)?;
        let (channels, how) = (self.settings.channels, (weights, self.has_mid_and_side()));
        let arrived = stages
            .time(
                |s| &mut s.readback,
                || self.seats.arrive(flight, channels, how),
            )
            .map_err(gone)?;
        if let Some(seconds) = arrived.seconds {
            stages.of_device(seconds);
        }
        stages.time(|s| &mut s.write, || tape.write(arrived.channels))
    }
}

/// Replaces `audio`, a channel each at `rate` Hz, by `model`'s output in time with it, and returns the delays that the live
/// chain has. `told_of` hears how many samples a channel are finished.
///
/// # Errors
/// See [`WholeError`]; a part of `audio` is finished then.
pub fn render(
    gpu: &Arc<Gpu>,
    model: &Arc<Model>,
    audio: &mut [Vec<f32>],
    rate: u32,
    controls: &Controls,
    told_of: impl FnMut(usize),
) -> Result<Latency, WholeError> {
    let settings = Settings::new(rate, audio.len(), controls);
    let mut whole = Whole::new(gpu, model, settings)?;
    whole.run(&mut InPlace::new(audio, told_of))?;
    Ok(whole.latency())
}

/// A recording in memory, whose output takes its place.
pub type InPlace<'a, F> = tape::InPlace<'a, F, WholeError>;
