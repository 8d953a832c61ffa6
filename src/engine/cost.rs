//! What a model costs on this processor, measured before it plays, so that one that cannot be held is known before it
//! crackles.
//!
//! Flows in: a model, and how sound comes. Flows out: the share of the time there is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::kernels::Path;
use crate::model::Model;
use crate::model::denoise::DenoiseSession;
use crate::model::spec::FrontEnd;

/// Frames that are timed; the fastest counts, as others can only have been disturbed.
const FRAMES: usize = 8;

/// Above this share of a callback's time the sound is likely to break up: hosts and other tracks need some as well.
pub const MOST: f64 = 0.8;

/// Time that one frame of one channel of `model` takes here. Measured once a process and model, which takes ten frames.
pub fn frame_time(model: &Arc<Model>) -> Duration {
    static KNOWN: Mutex<Vec<(String, Duration)>> = Mutex::new(Vec::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, time)) = known().iter().find(|(sha, _)| sha == model.sha256()) {
        return *time;
    }
    let len = 2 * model.net().bins();
    let frame: Vec<f32> = (0..len)
        .map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0)
        .collect();
    let mut session = DenoiseSession::new(Arc::clone(model.net()), Path::detect(), 1);
    let mut out = vec![0.0; len];
    let mut best = Duration::MAX;
    // The first two bring the weights into the caches.
    for run in 0..FRAMES + 2 {
        let began = Instant::now();
        session.run(&frame, &mut out);
        if run >= 2 {
            best = best.min(began.elapsed());
        }
    }
    known().push((model.sha256().into(), best));
    best
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
}
