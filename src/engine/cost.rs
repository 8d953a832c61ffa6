//! What a model costs on this processor, measured before it plays, so that one that cannot be held is known before it
//! crackles.
//!
//! Flows in: a model, and how sound comes. Flows out: the share of the time there is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::supervisor::Policy;
use crate::kernels::Path;
use crate::model::Model;
use crate::model::denoise::DenoiseSession;
use crate::model::spec::FrontEnd;

/// Frames that are timed; the fastest counts, as others can only have been disturbed.
const FRAMES: usize = 8;

/// Above this share of a callback's time the sound is likely to break up: hosts and other tracks need some as well.
pub const MOST: f64 = 0.8;

/// What takes time on this processor, of one channel of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// A frame.
    pub frame: Duration,
    /// Taking up another device's state.
    pub restore: Duration,
}

/// Times of `model` here. Measured once a process and model, which takes ten frames.
pub fn times(model: &Arc<Model>) -> Times {
    static KNOWN: Mutex<Vec<(String, Times)>> = Mutex::new(Vec::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, times)) = known().iter().find(|(sha, _)| sha == model.sha256()) {
        return *times;
    }
    let len = 2 * model.net().bins();
    let frame: Vec<f32> = (0..len)
        .map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0)
        .collect();
    let mut session = DenoiseSession::new(Arc::clone(model.net()), Path::detect(), 1);
    let (mut out, mut state) = (vec![0.0; len], vec![0.0; session.state_len()]);
    let mut best = Times {
        frame: Duration::MAX,
        restore: Duration::MAX,
    };
    // The first two bring the weights into the caches.
    for run in 0..FRAMES + 2 {
        let began = Instant::now();
        session.run(&frame, &mut out);
        let ran = began.elapsed();
        session.save(&mut state);
        let began = Instant::now();
        session.restore(&state);
        if run >= 2 {
            best.frame = best.frame.min(ran);
            best.restore = best.restore.min(began.elapsed());
        }
    }
    known().push((model.sha256().into(), best));
    best
}

/// [`Times::frame`] of `model`.
pub fn frame_time(model: &Arc<Model>) -> Duration {
    times(model).frame
}

/// What a stream asks of this processor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Work of all channels for one hop.
    pub work: Duration,
    /// Time between two hops.
    pub hop: Duration,
    /// Work over time, in the dearest callback.
    pub share: f64,
}

impl Cost {
    /// Of `channels` streams whose frames take `frame` each, where sound comes in blocks of `block`. The work of a hop is
    /// due within the spread behind it, so a short block has it all, and a long one that of all hops in it.
    pub fn of(
        frame: Duration,
        channels: usize,
        front_end: &FrontEnd,
        rate: u32,
        block: Duration,
    ) -> Cost {
        let seconds = |samples: usize| samples as f64 / f64::from(rate);
        let (hop, spread) = (seconds(front_end.hop), seconds(front_end.spread));
        let (work, block) = (frame.as_secs_f64() * channels as f64, block.as_secs_f64());
        let share = if block < spread {
            work / spread
        } else {
            work * (block / hop).ceil() / block
        };
        Cost {
            work: frame * channels as u32,
            hop: Duration::from_secs_f64(hop),
            share,
        }
    }

    /// Whether the sound is likely to stay whole.
    pub fn is_held(&self) -> bool {
        self.share <= MOST
    }
}

/// What is asked of this processor by a take-over from another device: the frames since the last state that came back, all in
/// one callback, beside the work of that callback itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StandIn {
    /// Every so many-th frame is to bring its state back: the most that leaves time, [`Policy::SAVE_EVERY`] at the most.
    pub save_every: u64,
    /// Work of all channels in the callback of a take-over.
    pub work: Duration,
    /// That work over the time of the callback.
    pub share: f64,
}

impl StandIn {
    /// For `channels` streams whose frames take `times`, where sound comes in blocks of `block`.
    pub fn of(
        times: Times,
        channels: usize,
        front_end: &FrontEnd,
        rate: u32,
        block: Duration,
    ) -> StandIn {
        let usual = Cost::of(times.frame, channels, front_end, rate, block).share;
        let with = |save_every: u64| {
            let once = times.restore + times.frame * save_every as u32;
            let work = once * channels as u32 + block.mul_f64(usual);
            StandIn {
                save_every,
                work,
                share: work.as_secs_f64() / block.as_secs_f64(),
            }
        };
        let mut choices = (Policy::LEAST_SAVE_EVERY..=Policy::SAVE_EVERY)
            .rev()
            .map(with);
        let held = choices.find(StandIn::is_held);
        held.unwrap_or_else(|| with(Policy::LEAST_SAVE_EVERY))
    }

    /// Whether the sound is likely to stay whole.
    pub fn is_held(&self) -> bool {
        self.share <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dearest_callback_counts() {
        let front_end = FrontEnd {
            hop: 480,
            window: 1920,
            overlap: 128,
            spread: 48,
        };
        let share = |frame_us, channels, block_us| {
            let [frame, block] = [frame_us, block_us].map(Duration::from_micros);
            Cost::of(frame, channels, &front_end, 48_000, block).share
        };
        // Hops of 10 ms whose work is spread over 1 ms.
        assert!((share(100, 2, 500) - 0.2).abs() < 1e-9);
        assert!((share(100, 2, 2_000) - 0.1).abs() < 1e-9);
        assert!((share(100, 2, 10_000) - 0.02).abs() < 1e-9);
        assert!((share(100, 2, 11_000) - 0.4 / 11.0).abs() < 1e-9);
        let held = |frame_us| {
            let frame = Duration::from_micros(frame_us);
            Cost::of(frame, 2, &front_end, 48_000, Duration::from_micros(2_000)).is_held()
        };
        assert!(held(790) && !held(810));
    }

    #[test]
    fn states_come_as_often_as_a_take_over_needs_them() {
        let front_end = FrontEnd {
            hop: 960,
            window: 1_920,
            overlap: 192,
            spread: 480,
        };
        let stand_in = |frame_us, restore_us, block_us| {
            let [frame, restore, block] =
                [frame_us, restore_us, block_us].map(Duration::from_micros);
            let times = Times { frame, restore };
            StandIn::of(times, 2, &front_end, 48_000, block)
        };
        // Eight frames of two channels, and the usual hundredth of a block.
        let light = stand_in(50, 10, 1_333);
        assert_eq!((light.save_every, light.is_held()), (8, true));
        assert_eq!(light.work.as_micros(), 2 * (8 * 50 + 10) + 13);
        // Twice as dear: four frames and not five.
        let dear = stand_in(110, 20, 1_333);
        assert_eq!((dear.save_every, dear.is_held()), (4, true));
        assert!((dear.share - (2.0 * 460.0 / 1_333.0 + 0.022)).abs() < 1e-3);
        // Two frames are the least there are; longer blocks have time for all eight.
        let most = stand_in(1_000, 20, 1_333);
        assert_eq!((most.save_every, most.is_held()), (2, false));
        let longer = stand_in(1_000, 20, 30_000);
        assert_eq!((longer.save_every, longer.is_held()), (8, true));
    }
}
