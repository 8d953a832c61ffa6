//! Whether this processor holds a model that it is to play, measured before it does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use statewave::chain::{Chain, EffectError};
use statewave::controls::Controls;
use statewave::engine::continuation::Continue;
use statewave::engine::cost::{Cost, MOST, StandIn, frame_time};
use statewave::model::Model;

use super::device::Stream;
use crate::fault::Fault;

/// Runs of a chain that are timed, and those before that bring its weights into the caches.
const RUNS: usize = 8;
const FIRST: usize = 2;

/// Samples of a run.
const RUN: usize = 512;

/// That a denoiser is too much for this processor, which plays it or stands in for the GPU called `on`; `None` where it is
/// not, or nobody listens.
pub(super) fn of_frames(
    model: &Arc<Model>,
    name: &str,
    stream: &Stream,
    on: Option<&str>,
) -> Option<Fault> {
    if stream.offline {
        return None;
    }
    if let Some(adapter) = on {
        let cost = stream.stand_in(model);
        return (!cost.is_held()).then(|| cannot_stand_in(&cost, name, adapter, stream));
    }
    let spec = model.spec();
    let cost = Cost::of(
        frame_time(model),
        stream.config.channels,
        &spec.front_end,
        spec.sample_rate,
        stream.block_time(),
    );
    (!cost.is_held()).then(|| told(&cost, name))
}

fn cannot_stand_in(cost: &StandIn, name: &str, adapter: &str, stream: &Stream) -> Fault {
    let ms = |time: Duration| 1e3 * time.as_secs_f64();
    Fault {
        what: format!(
            "this processor is too slow to stand in for {adapter} with the model {name}: where the GPU is late, {:.1} ms of \
             work in a callback of {:.1} ms",
            ms(cost.work),
            ms(stream.block_time())
        ),
        remedy: "choose longer blocks, more room for late frames (GPU, at the bottom), or a smaller model".into(),
    }
}

fn told(cost: &Cost, name: &str) -> Fault {
    let ms = |time: Duration| 1e3 * time.as_secs_f64();
    let share = 100.0 * cost.share;
    Fault {
        what: format!(
            "this processor is too slow for the model {name}: {:.1} ms of work in {:.1} ms, and {share:.0} % of a \
             callback",
            ms(cost.work),
            ms(cost.hop)
        ),
        remedy: "choose a smaller model, longer blocks, or a GPU (CPU, at the bottom)".into(),
    }
}

/// The same of a model that has no frames, run for a while in a chain that `make` gives.
pub(super) fn of_samples(
    make: &dyn Fn() -> Result<Chain, EffectError>,
    sha256: &str,
    name: &str,
    stream: &Stream,
) -> Option<Fault> {
    if stream.offline {
        return None;
    }
    let share = share(make, sha256, stream)?;
    (share > MOST).then(|| Fault {
        what: format!(
            "this processor is too slow for the model {name}: it takes {:.0} % of the time that its sound lasts",
            100.0 * share
        ),
        remedy: "choose a smaller model, or a lower sample rate".into(),
    })
}

/// Work over time of the fastest run, as others can only have been disturbed. Measured once a process, model, rate and
/// number of channels.
fn share(
    make: &dyn Fn() -> Result<Chain, EffectError>,
    sha256: &str,
    stream: &Stream,
) -> Option<f64> {
    type Known = (String, u32, usize, f64);
    static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let (rate, channels) = (stream.config.sample_rate, stream.config.channels);
    let same = |(sha, r, c, _): &&Known| sha == sha256 && (*r, *c) == (rate, channels);
    if let Some((.., share)) = known().iter().find(same) {
        return Some(*share);
    }
    let mut chain = make().ok()?;
    let controls = Controls {
        // That is when it works the most.
        continuation: Continue {
            go_on: true,
            ..Continue::default()
        },
        ..Controls::default()
    };
    let noise: Vec<f32> = (0..RUN)
        .map(|i| (i * 37 % 101) as f32 / 200.0 - 0.25)
        .collect();
    let mut best = Duration::MAX;
    for run in 0..FIRST + RUNS {
        let mut audio = vec![noise.clone(); channels];
        let mut slices: Vec<&mut [f32]> = audio.iter_mut().map(Vec::as_mut_slice).collect();
        let began = Instant::now();
        chain.process(&mut slices, &controls);
        if run >= FIRST {
            best = best.min(began.elapsed());
        }
    }
    let share = best.as_secs_f64() * f64::from(rate) / RUN as f64;
    known().push((sha256.into(), rate, channels, share));
    Some(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_that_is_too_slow_says_by_how_much() {
        let cost = Cost {
            work: Duration::from_micros(14_000),
            hop: Duration::from_micros(20_000),
            share: 2.1,
        };
        let Fault { what, remedy } = told(&cost, "denoise-large");
        assert_eq!(
            what,
            "this processor is too slow for the model denoise-large: 14.0 ms of work in 20.0 ms, and 210 % of a callback"
        );
        assert!(remedy.contains("GPU"));
    }

    #[test]
    fn one_that_cannot_stand_in_says_for_what_and_what_helps() {
        let config = statewave::chain::ChainConfig {
            sample_rate: 48_000,
            channels: 2,
            max_block: 64,
        };
        let stream = Stream::live(config, statewave::latency::LatencyMode::Live);
        let cost = StandIn {
            save_every: 2,
            work: Duration::from_micros(4_300),
            share: 3.2,
        };
        let Fault { what, remedy } = cannot_stand_in(&cost, "denoise-large", "a card", &stream);
        assert_eq!(
            what,
            "this processor is too slow to stand in for a card with the model denoise-large: where the GPU is late, 4.3 ms of \
             work in a callback of 1.3 ms"
        );
        assert!(
            remedy.contains("longer blocks")
                && remedy.contains("room")
                && remedy.contains("smaller")
        );
    }
}
