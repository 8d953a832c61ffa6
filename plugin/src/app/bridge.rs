//! The ring between two callbacks, read at the pace of the output whatever the clocks do.
//!
//! Flows in: interleaved frames at the input's rate, from the input's callback or a file's thread. Flows out: planes at
//! the output's rate. Everything but [`bridge`] is real-time safe.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Adjustable, Async, FixedAsync, Resampler, ResamplerConstructionError,
    SincInterpolationParameters, WindowFunction,
};

use super::drift::{DriftControl, MOST_BEND};

/// Frames that are resampled at a time.
const CHUNK: usize = 64;

/// Taps of the resampler: half of them are its delay.
const TAPS: usize = 64;

/// What the ring holds at most, seconds.
const CAPACITY_SECONDS: f64 = 1.0;

/// Beyond the target by this much, the surplus is thrown away: the delay must not stay, seconds.
const SURPLUS_SECONDS: f64 = 0.1;

/// Devices that start bring bursts. After so long, what they left beyond the target is thrown away once, seconds ...
const YOUNG_SECONDS: f64 = 1.0;
/// ... if it is more than this: draining it by reading faster takes a minute, seconds.
const YOUNG_SURPLUS_SECONDS: f64 = 0.015;

/// Each time it runs empty, so much more is held, and as much again as was held more before; up to the most, seconds.
const MORE_SECONDS: f64 = 0.005;
const MOST_MORE_SECONDS: f64 = 0.2;

/// Time constant with which what is held more is given up, seconds.
const GIVE_UP_SECONDS: f64 = 30.0;

/// The least that is aimed at, seconds.
const LEAST_TARGET_SECONDS: f64 = 0.004;

/// What the bridge tells of itself. Any thread may read it.
#[derive(Debug, Default)]
pub struct BridgeStatus {
    /// By how much the input's clock is faster, parts per million.
    pub drift_ppm: AtomicI32,
    /// What the ring holds, microseconds.
    pub held_us: AtomicU32,
    /// Times it ran empty.
    pub empty: AtomicU32,
    /// Times the surplus was thrown away.
    pub surplus: AtomicU32,
    /// Times the input found no room.
    pub full: AtomicU32,
    /// Longest block of the input, frames.
    input_block: AtomicU32,
    /// The input has ended: nothing more will come.
    pub ended: AtomicBool,
}

/// The end that is written.
pub struct Inlet {
    ring: Producer<f32>,
    channels: usize,
    status: Arc<BridgeStatus>,
}

/// The end that is read.
pub struct Outlet {
    ring: Consumer<f32>,
    channels: usize,
    input_rate: f64,
    output_rate: f64,
    resampler: Async<f32>,
    /// Interleaved, what the next chunk is made of.
    raw: Vec<f32>,
    /// Interleaved, the last chunk.
    made: Vec<f32>,
    /// Frames of it that were given out.
    given: usize,
    /// `None` where the input waits for us, as a file does.
    drift: Option<DriftControl>,
    /// Nothing is read until there is enough.
    filling: bool,
    /// Since it was filled, seconds; at the end of its youth it is looked at once.
    age: f64,
    /// Held beyond what blocks need, since the input comes in bursts, seconds.
    more: f64,
    status: Arc<BridgeStatus>,
}

/// Makes both ends. `paced` says that the input has a clock of its own.
///
/// # Errors
/// When the rates are out of all proportion.
pub fn bridge(
    channels: usize,
    input_rate: u32,
    output_rate: u32,
    paced: bool,
) -> Result<(Inlet, Outlet), ResamplerConstructionError> {
    let (input_rate, output_rate) = (f64::from(input_rate), f64::from(output_rate));
    let capacity = (CAPACITY_SECONDS * input_rate) as usize * channels;
    let (producer, consumer) = RingBuffer::new(capacity);
    let status = Arc::new(BridgeStatus::default());
    let parameters = SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris2);
    let ratio = output_rate / input_rate;
    let resampler = Async::new_sinc(
        ratio,
        1.0 + 2.0 * MOST_BEND,
        &parameters,
        CHUNK,
        channels,
        FixedAsync::Output,
    )?;
    let inlet = Inlet {
        ring: producer,
        channels,
        status: Arc::clone(&status),
    };
    let outlet = Outlet {
        ring: consumer,
        channels,
        input_rate,
        output_rate,
        raw: vec![0.0; resampler.input_frames_max() * channels],
        made: vec![0.0; CHUNK * channels],
        given: CHUNK,
        resampler,
        drift: paced.then(|| DriftControl::new(LEAST_TARGET_SECONDS)),
        filling: true,
        age: 0.0,
        more: 0.0,
        status,
    };
    Ok((inlet, outlet))
}

impl Inlet {
    /// Frames that find room now.
    pub fn room(&self) -> usize {
        self.ring.slots() / self.channels
    }

    /// Writes as many frames as find room; `sample(frame, channel)` gives them.
    pub fn write(&mut self, frames: usize, sample: impl Fn(usize, usize) -> f32) {
        self.status
            .input_block
            .fetch_max(frames as u32, Ordering::Relaxed);
        let room = self.room();
        if frames > room {
            self.status.full.fetch_add(1, Ordering::Relaxed);
        }
        let (frames, channels) = (frames.min(room), self.channels);
        if let Ok(chunk) = self.ring.write_chunk_uninit(frames * channels) {
            chunk
                .fill_from_iter((0..frames * channels).map(|k| sample(k / channels, k % channels)));
        }
    }

    /// Nothing more will come.
    pub fn end(&self) {
        self.status.ended.store(true, Ordering::Release);
    }

    /// Whether the other end is gone.
    pub fn is_abandoned(&self) -> bool {
        self.ring.is_abandoned()
    }
}

impl Outlet {
    /// What it tells of itself.
    pub fn status(&self) -> &Arc<BridgeStatus> {
        &self.status
    }

    /// Fills the first `frames` of every plane; silence where nothing has come. [`Self::steer`] comes first.
    pub fn read(&mut self, planes: &mut [Vec<f32>], frames: usize) {
        let mut at = 0;
        while at < frames {
            if self.given == CHUNK && !self.make() {
                planes
                    .iter_mut()
                    .for_each(|plane| plane[at..frames].fill(0.0));
                return;
            }
            let run = (frames - at).min(CHUNK - self.given);
            for (c, plane) in planes.iter_mut().enumerate() {
                let from = c.min(self.channels - 1);
                for (k, x) in plane[at..at + run].iter_mut().enumerate() {
                    *x = self.made[(self.given + k) * self.channels + from];
                }
            }
            self.given += run;
            at += run;
        }
    }

    /// Looks at how much is held, once a block of the output of `frames`, however it is read then.
    pub fn steer(&mut self, frames: usize) {
        let held = self.ring.slots() / self.channels;
        let held_seconds = held as f64 / self.input_rate;
        self.status
            .held_us
            .store((held_seconds * 1e6) as u32, Ordering::Relaxed);
        let Some(drift) = &mut self.drift else {
            self.filling = held == 0;
            return;
        };
        // Both sides come in blocks; half a block more for their jitter.
        let input_block =
            f64::from(self.status.input_block.load(Ordering::Relaxed)) / self.input_rate;
        let output_block = frames.max(CHUNK) as f64 / self.output_rate;
        let passed = frames as f64 / self.output_rate;
        self.more *= (-passed / GIVE_UP_SECONDS).exp();
        let target = (1.5 * (input_block + output_block)).max(LEAST_TARGET_SECONDS) + self.more;
        drift.set_target(target);
        if self.filling {
            self.filling = held_seconds < target;
            self.age = 0.0;
            drift.restart();
            return;
        }
        let was_young = self.age < YOUNG_SECONDS;
        self.age += passed;
        let left = drift.length().unwrap_or(held_seconds) - target;
        let left_by_the_start =
            was_young && self.age >= YOUNG_SECONDS && left > YOUNG_SURPLUS_SECONDS;
        let surplus = if held_seconds > target + SURPLUS_SECONDS + self.more {
            self.status.surplus.fetch_add(1, Ordering::Relaxed);
            held_seconds - target
        } else if left_by_the_start {
            left.min(held_seconds)
        } else {
            0.0
        };
        if surplus > 0.0 {
            let samples = (surplus * self.input_rate) as usize * self.channels;
            if let Ok(chunk) = self.ring.read_chunk(samples) {
                chunk.commit_all();
            }
            drift.restart();
            return;
        }
        let bend = drift.update(held_seconds, passed);
        self.status
            .drift_ppm
            .store(drift.drift_ppm() as i32, Ordering::Relaxed);
        // Within the limits it was made with, so it cannot fail.
        let _ = self
            .resampler
            .set_resample_ratio_relative(1.0 / (1.0 + bend), true);
    }

    /// The next chunk; false where there is not enough for one.
    fn make(&mut self) -> bool {
        let frames = self.resampler.input_frames_next();
        let wanted = frames * self.channels;
        if self.filling {
            return false;
        }
        let ended = self.status.ended.load(Ordering::Acquire);
        let there = self.ring.slots().min(wanted);
        if there < wanted && !(ended && there > 0) {
            self.filling = true;
            self.more = (2.0 * self.more + MORE_SECONDS).min(MOST_MORE_SECONDS);
            self.status
                .empty
                .fetch_add(u32::from(!ended), Ordering::Relaxed);
            return false;
        }
        let Ok(chunk) = self.ring.read_chunk(there) else {
            return false;
        };
        let (first, second) = chunk.as_slices();
        self.raw[..first.len()].copy_from_slice(first);
        self.raw[first.len()..there].copy_from_slice(second);
        self.raw[there..wanted].fill(0.0);
        chunk.commit_all();
        let input = InterleavedSlice::new(&self.raw[..wanted], self.channels, frames);
        let output = InterleavedSlice::new_mut(&mut self.made, self.channels, CHUNK);
        let (Ok(input), Ok(mut output)) = (input, output) else {
            return false;
        };
        self.given = 0;
        self.resampler
            .process_into_buffer(&input, &mut output, None)
            .is_ok()
    }
}
