//! The ring between two callbacks, read at the pace of the output whatever the clocks do.
//!
//! Flows in: interleaved frames at the input's rate, from the input's callback or a file's thread. Flows out: planes at
//! the output's rate. Moments are seconds of one clock that both callbacks read. Everything but [`bridge`] is real-time
//! safe.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};
use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{
    Adjustable, Async, FixedAsync, Resampler, ResamplerConstructionError,
    SincInterpolationParameters, WindowFunction,
};

use super::drift::{DriftControl, Look, MOST_BEND};
use super::earliest::Earliest;
use super::youth::{self, Youth};

/// Frames that are resampled at a time.
const CHUNK: usize = 64;

/// Taps of the resampler: half of them are its delay.
const TAPS: usize = 64;

/// What the ring holds at most, seconds.
const CAPACITY_SECONDS: f64 = 1.0;

/// Beyond the target by this much, the surplus is thrown away: the delay must not stay, seconds.
const SURPLUS_SECONDS: f64 = 0.1;

/// Each time it runs empty, so much more is held, and as much again as was held more before; up to the most, seconds.
const MORE_SECONDS: f64 = 0.005;
const MOST_MORE_SECONDS: f64 = 0.2;

/// Time constant with which what is held more is given up, seconds.
const GIVE_UP_SECONDS: f64 = 120.0;

/// What should at least be left after a block, however short blocks are: callbacks are late by so much, seconds ...
const LEAST_SPARE_SECONDS: f64 = 0.004;
/// ... and this share of what it swings by: where bursts are large, larger ones will come.
const SPARE_SHARE: f64 = 0.3;

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
    /// Longest block of the input of late, frames.
    input_block: AtomicU32,
    /// The input's clock.
    input: Earliest,
    /// The input has ended: nothing more will come.
    pub ended: AtomicBool,
}

/// The end that is written.
pub struct Inlet {
    ring: Producer<f32>,
    channels: usize,
    rate: f64,
    /// Frames written.
    come: u64,
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
    /// Frames taken from the ring.
    taken: u64,
    /// Frames that were asked for.
    asked: u64,
    /// Frames of silence that are given while there comes more.
    wait: usize,
    /// By how much faster than its nominal pace it is read, as a share.
    bend: f64,
    /// `None` where the input waits for us, as a file does.
    drift: Option<DriftControl>,
    /// Nothing is read until there is enough.
    filling: bool,
    /// `None` when it is over.
    young: Option<Youth>,
    /// When it was looked at last, seconds.
    last: f64,
    /// Held beyond what blocks need, since it ran empty, seconds.
    more: f64,
    /// By how much what is left after a block swung at first, seconds.
    swing: f64,
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
        rate: input_rate,
        come: 0,
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
        taken: 0,
        asked: 0,
        wait: 0,
        bend: 0.0,
        resampler,
        drift: paced.then(DriftControl::default),
        filling: true,
        young: None,
        last: 0.0,
        more: 0.0,
        swing: 0.0,
        status,
    };
    Ok((inlet, outlet))
}

impl Inlet {
    /// Frames that find room now.
    pub fn room(&self) -> usize {
        self.ring.slots() / self.channels
    }

    /// Writes as many frames as find room; `sample(frame, channel)` gives them. `now` is the moment at which they came.
    pub fn write(&mut self, now: f64, frames: usize, sample: impl Fn(usize, usize) -> f32) {
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
            self.come += frames as u64;
        }
        self.status.input.tell(now - self.come as f64 / self.rate);
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
        let mut at = self.wait.min(frames);
        self.wait -= at;
        planes.iter_mut().for_each(|plane| plane[..at].fill(0.0));
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

    /// Looks at how much is held, once a block of the output of `frames` that is asked for at the moment `now`, however
    /// it is read then.
    pub fn steer(&mut self, now: f64, frames: usize) {
        let held = (self.ring.slots() / self.channels) as f64 / self.input_rate;
        self.status
            .held_us
            .store((held * 1e6) as u32, Ordering::Relaxed);
        let Some(drift) = &mut self.drift else {
            self.filling = held == 0.0;
            return;
        };
        drift.observe(
            now,
            &self.status.input,
            self.asked as f64 / self.output_rate,
        );
        self.asked += frames as u64;
        let passed = now - std::mem::replace(&mut self.last, now);
        self.more *= (-passed / GIVE_UP_SECONDS).exp();
        // Both sides come in blocks; half a block more for their jitter.
        let input_block =
            f64::from(self.status.input_block.load(Ordering::Relaxed)) / self.input_rate;
        let blocks = input_block + frames.max(CHUNK) as f64 / self.output_rate;
        let least_spare = LEAST_SPARE_SECONDS.max(SPARE_SHARE * self.swing);
        let wanted_spare = (0.5 * blocks).max(least_spare) + self.more;
        let target = blocks + wanted_spare;
        let jumped = drift.has_jumped();
        if self.filling {
            self.filling = held < target;
            self.young = Some(Youth::begin(now, false));
            drift.release();
            return;
        }
        if jumped {
            let is_gap = self.young.as_ref().is_none_or(|youth| youth.is_gap);
            self.young = Some(Youth::begin(now, is_gap));
        }
        let unread = CHUNK - self.given;
        let wanted = frames - self.wait.min(frames);
        let chunks = wanted.saturating_sub(unread).div_ceil(CHUNK);
        let mut spare = held - (chunks * CHUNK) as f64 / self.output_rate;
        let surplus = self.surplus(now, held - target, spare, wanted_spare - self.more);
        if surplus > 0.0 {
            spare -= self.throw_away(surplus);
        } else if surplus < 0.0 {
            self.wait += (-surplus * self.output_rate) as usize;
        }
        let Some(drift) = &mut self.drift else { return };
        if surplus != 0.0 {
            drift.release();
        }
        // Seconds of the output are those of the input's nominal rate, but for the bend. What is still waited for counts at
        // once, so that the lead that comes of it is the one that is aimed at.
        let read = frames as f64 - (self.wait + unread) as f64;
        let read = read / self.output_rate * (1.0 + self.bend);
        let taken = self.taken as f64 / self.input_rate;
        self.bend = drift.bend(&Look {
            now,
            ahead: taken + read - self.asked as f64 / self.output_rate,
            spare,
            wanted_spare,
        });
        self.status
            .drift_ppm
            .store(drift.drift_ppm() as i32, Ordering::Relaxed);
        // Within the limits it was made with, so it cannot fail.
        let _ = self
            .resampler
            .set_resample_ratio_relative(1.0 / (1.0 + self.bend), true);
    }

    /// What is to be thrown away at once, less than nothing where more is to be waited for, seconds. What is held is `over`
    /// the target, and `spare` will be left after the block, where `wanted` should be for the blocks' sake.
    fn surplus(&mut self, now: f64, over: f64, spare: f64, wanted: f64) -> f64 {
        if over > SURPLUS_SECONDS {
            self.status.surplus.fetch_add(1, Ordering::Relaxed);
            return over;
        }
        let over = self
            .young
            .as_mut()
            .and_then(|youth| youth.judge(now, spare));
        let Some((swing, least, is_gap)) = over else {
            return 0.0;
        };
        self.young = None;
        // Blocks of the start may have been longer than they are from now on.
        self.status.input_block.store(0, Ordering::Relaxed);
        self.swing = swing;
        let left = youth::surplus(least - wanted.max(SPARE_SHARE * swing) - self.more);
        let counted = if left > 0.0 {
            &self.status.surplus
        } else {
            &self.status.empty
        };
        counted.fetch_add(u32::from(is_gap && left != 0.0), Ordering::Relaxed);
        left
    }

    /// Throws so many seconds of the ring away, as far as it has them; gives how many.
    fn throw_away(&mut self, seconds: f64) -> f64 {
        let frames = (seconds * self.input_rate) as usize;
        let Ok(chunk) = self.ring.read_chunk(frames * self.channels) else {
            return 0.0;
        };
        chunk.commit_all();
        self.taken += frames as u64;
        frames as f64 / self.input_rate
    }

    /// By how much faster than its nominal pace the input is read now, as a share.
    pub fn bend(&self) -> f64 {
        self.bend
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
            self.status
                .empty
                .fetch_add(u32::from(!ended), Ordering::Relaxed);
            // What is not read now is held from now on: at first that alone finds how much bursts need.
            if let Some(youth) = &mut self.young {
                *youth = Youth::begin(self.last, youth.is_gap);
                self.drift.iter_mut().for_each(DriftControl::release);
            } else {
                self.filling = true;
                self.more = (2.0 * self.more + MORE_SECONDS).min(MOST_MORE_SECONDS);
            }
            return false;
        }
        let Ok(chunk) = self.ring.read_chunk(there) else {
            return false;
        };
        self.taken += (there / self.channels) as u64;
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
