//! The callbacks: from the input device into the bridge, from the bridge through the processor to the output device.
//!
//! Everything in a callback is allocated when the streams are opened. New processors come through a slot, and those
//! they replace go back through it to be freed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{ErrorKind, FromSample, Sample, SampleFormat, SizedSample, Stream, StreamConfig};
use statewave::handoff::swap::Slot;

use super::band::Seat;
use super::bridge::{Inlet, Outlet};
use super::devices::{Opened, Way};
use super::record::Tape;
use super::trace::Tracer;
use super::values::Values;
use crate::fade::{self, Fading};
use crate::fault::Fault;
use crate::processor::Processor;

/// Longest run that is processed at once, frames.
pub const MAX_BLOCK: usize = 1024;

/// Frames over which hearing is faded in and out.
const FADE_FRAMES: f32 = 512.0;

/// A stream in error is asked again after so long.
const AFTER_ERROR: Duration = Duration::from_millis(2);

/// What a stream tells the thread that watches it.
#[derive(Debug, Default)]
pub struct Pulse {
    /// Callbacks so far.
    pub beats: AtomicU64,
    /// The device is gone or must be opened anew.
    pub lost: AtomicBool,
}

/// Everything the input's callback owns.
pub struct Listener {
    /// Where sound goes.
    pub inlet: Inlet,
    /// From when on the bridge's moments are counted.
    pub began: Instant,
    /// Notes when something came, if anybody wants to know.
    pub tracer: Option<Tracer>,
}

impl Listener {
    /// Takes an interleaved block.
    fn take<T: Copy>(&mut self, block: &[T], channels: usize)
    where
        f32: FromSample<T>,
    {
        let (now, frames) = (self.began.elapsed().as_secs_f64(), block.len() / channels);
        if let Some(tracer) = &mut self.tracer {
            tracer.note(now, frames);
        }
        self.inlet.write(now, frames, |frame, channel| {
            f32::from_sample(block[frame * channels + channel.min(channels - 1)])
        });
    }
}

/// Everything the output's callback owns.
pub struct Player {
    /// Where sound comes from.
    pub outlet: Outlet,
    /// Plays instead of it, if it is there.
    pub seat: Option<Seat>,
    /// From when on the bridge's moments are counted.
    pub began: Instant,
    /// What plays the model, and what did before.
    pub processor: Fading<Processor>,
    /// What is to take over, and what was replaced.
    pub slot: Slot<Box<Processor>>,
    /// What the person set.
    pub values: Arc<Values>,
    /// Notes when it was asked, if anybody wants to know.
    pub tracer: Option<Tracer>,
    /// To the recorder.
    pub tape: Tape,
    /// The output is heard.
    pub heard: Arc<AtomicBool>,
    /// 0 to 1, on its way to what `heard` says.
    pub fade: f32,
    /// A plane a channel, [`MAX_BLOCK`] long.
    pub planes: Vec<Vec<f32>>,
}

impl Player {
    /// Fills an interleaved block.
    fn fill<T: Sample + FromSample<f32>>(&mut self, block: &mut [T], channels: usize) {
        if self.processor.is_free()
            && let Some(next) = self.slot.take()
        {
            self.processor.begin(next);
        }
        let settings = self.values.settings();
        let (now, frames) = (self.began.elapsed().as_secs_f64(), block.len() / channels);
        if let Some(tracer) = &mut self.tracer {
            tracer.note(now, frames);
        }
        self.outlet.steer(now, frames);
        for part in block.chunks_mut(MAX_BLOCK * channels) {
            let frames = part.len() / channels;
            if let (Some(seat), [left, right, ..]) = (&mut self.seat, self.planes.as_mut_slice()) {
                seat.play(Instant::now(), &mut left[..frames], &mut right[..frames]);
            } else {
                self.outlet.read(&mut self.planes, frames);
                let (mut planes, count) = fade::part(&mut self.planes, 0..frames);
                if let Some(before) = self.processor.process(&mut planes[..count], &settings) {
                    self.slot.retire(before);
                }
            }
            self.tape.take(&self.planes, frames);
            let goal = f32::from(u8::from(self.heard.load(Ordering::Relaxed)));
            for (k, frame) in part.chunks_exact_mut(channels).enumerate() {
                self.fade += (goal - self.fade).clamp(-1.0 / FADE_FRAMES, 1.0 / FADE_FRAMES);
                for (c, to) in frame.iter_mut().enumerate() {
                    // Two planes for the first two of many channels; one plane for all of them.
                    let x = match self.planes.get(c) {
                        Some(plane) => plane[k],
                        None if self.planes.len() == 1 => self.planes[0][k],
                        None => 0.0,
                    };
                    *to = T::from_sample(self.fade * x.clamp(-1.0, 1.0));
                }
            }
        }
    }
}

/// Opens the input; `listener` takes its frames.
///
/// # Errors
/// When the device does not take the configuration.
pub fn input(opened: &Opened, listener: Listener, pulse: Arc<Pulse>) -> Result<Stream, Fault> {
    match opened.format {
        SampleFormat::I16 => input_of::<i16>(opened, listener, pulse),
        SampleFormat::I32 => input_of::<i32>(opened, listener, pulse),
        _ => input_of::<f32>(opened, listener, pulse),
    }
}

fn input_of<T>(opened: &Opened, mut listener: Listener, pulse: Arc<Pulse>) -> Result<Stream, Fault>
where
    T: SizedSample,
    f32: FromSample<T>,
{
    let channels = usize::from(opened.config.channels);
    let lost = Arc::clone(&pulse);
    let build = |config: StreamConfig| {
        opened.device.build_input_stream(
            config,
            move |data: &[T], _: &_| {
                pulse.beats.fetch_add(1, Ordering::Relaxed);
                listener.take(data, channels);
            },
            move |error| watch(&lost, &error),
            None,
        )
    };
    started(build(opened.config), opened, Way::In)
}

/// Opens the output; `player` fills it.
///
/// # Errors
/// When the device does not take the configuration.
pub fn output(opened: &Opened, player: Player, pulse: Arc<Pulse>) -> Result<Stream, Fault> {
    match opened.format {
        SampleFormat::I16 => output_of::<i16>(opened, player, pulse),
        SampleFormat::I32 => output_of::<i32>(opened, player, pulse),
        _ => output_of::<f32>(opened, player, pulse),
    }
}

fn output_of<T>(opened: &Opened, mut player: Player, pulse: Arc<Pulse>) -> Result<Stream, Fault>
where
    T: SizedSample + FromSample<f32>,
{
    let channels = usize::from(opened.config.channels);
    let lost = Arc::clone(&pulse);
    let build = |config: StreamConfig| {
        opened.device.build_output_stream(
            config,
            move |data: &mut [T], _: &_| {
                pulse.beats.fetch_add(1, Ordering::Relaxed);
                player.fill(data, channels);
            },
            move |error| watch(&lost, &error),
            None,
        )
    };
    started(build(opened.config), opened, Way::Out)
}

fn watch(pulse: &Pulse, error: &cpal::Error) {
    let gone = matches!(
        error.kind(),
        ErrorKind::DeviceNotAvailable | ErrorKind::HostUnavailable | ErrorKind::StreamInvalidated
    );
    // While ALSA's plugin makes its stream anew, after an underrun, cpal's thread gets this error and asks again at once, at
    // the priority of sound: the server that is to make the stream must have its turn. Nothing can be played meanwhile.
    if error.kind() == ErrorKind::BackendError {
        std::thread::sleep(AFTER_ERROR);
    }
    if gone {
        pulse.lost.store(true, Ordering::Relaxed);
    }
}

fn started(built: Result<Stream, cpal::Error>, opened: &Opened, way: Way) -> Result<Stream, Fault> {
    let kind = if way == Way::In { "input" } else { "output" };
    let fault = |e: cpal::Error| Fault {
        what: format!("the {kind} {} cannot be opened: {e}", opened.name),
        remedy: "choose another rate, buffer or device".into(),
    };
    let stream = built.map_err(fault)?;
    stream.play().map_err(fault)?;
    Ok(stream)
}
