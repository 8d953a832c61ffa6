//! Streams in real time: how long frames are on their way, how many streams a card holds, and whether it misses any.

use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::Player;
use statewave::engine::gpu::GpuError;
use statewave::engine::gpu::hub::GpuHub;
use statewave::engine::gpu::round_trip::{Probe, RoundTrip};
use statewave::engine::gpu::session::GpuEngine;
use statewave::engine::supervisor::Policy;
use statewave::model::Model;

use crate::kernel_common::Noise;
use crate::report::Rows;

/// Rate of the streams, Hz.
const RATE: u32 = 48_000;

/// How long a device may take to prepare for many streams.
const PREPARATION: Duration = Duration::from_secs(120);

/// The most streams that are tried.
const MOST_STREAMS: usize = 4096;

/// Stereo instances that play for minutes, and samples of their blocks.
const INSTANCES: usize = 4;
const BLOCK: usize = 64;

/// How long a callback that was late itself may make frames late.
const BEHIND: Duration = Duration::from_millis(50);

/// Notes round trips, and how many streams a card holds.
pub fn run(hub: &GpuHub, model: &Arc<Model>, short: bool, rows: &mut Rows) -> Result<(), GpuError> {
    let seconds = if short { 3.0 } else { 10.0 };
    rows.section("Round trips in real time, ms: p50, p99, p99.9 (frames refused or failed)");
    for block in [64, 128, 480] {
        for sessions in [1, 16, 128] {
            let name = format!("blocks of {block}, {sessions} mono streams");
            let (trip, failed) = trips(hub, model, sessions, block, seconds)?;
            rows.add(&name, &words(trip, failed));
        }
    }
    rows.section(
        "Mono streams at 48 kHz that a card holds, blocks of 64: p99.9 within the time there is",
    );
    let spec = model.spec();
    let of = |samples: usize| Duration::from_secs_f64(samples as f64 / f64::from(spec.sample_rate));
    let (front_end, seconds) = (spec.front_end, if short { 2.0 } else { 5.0 });
    for (name, limit) in [
        ("10 ms in all", of(front_end.spread)),
        ("a hop more", of(front_end.spread + front_end.hop)),
    ] {
        let mut held = 0;
        let mut streams = 1;
        while streams <= MOST_STREAMS {
            let (trip, failed) = trips(hub, model, streams, 64, seconds)?;
            if failed > 0 || trip.is_none_or(|trip| trip.p999 > limit) {
                break;
            }
            held = streams;
            streams *= 2;
        }
        rows.add(name, &format!("{held} (powers of two)"));
    }
    Ok(())
}

fn words(trip: Option<RoundTrip>, failed: usize) -> String {
    let Some(trip) = trip else {
        return format!("none came back ({failed})");
    };
    let [p50, p99, p999] = [trip.p50, trip.p99, trip.p999].map(|t| 1e3 * t.as_secs_f64());
    format!("{p50:.2}, {p99:.2}, {p999:.2} ({failed})")
}

/// Trips of `sessions` streams whose sound comes in blocks of `block`, for some seconds: in each callback the frames that
/// have become complete are sent, and between two callbacks results are looked for.
fn trips(
    hub: &GpuHub,
    model: &Arc<Model>,
    sessions: usize,
    block: usize,
    seconds: f64,
) -> Result<(Option<RoundTrip>, usize), GpuError> {
    let hop = model.spec().front_end.hop;
    let probes = (0..sessions).map(|_| Probe::join(hub, model, 1, Policy::SAVE_EVERY));
    let mut probes = probes.collect::<Result<Vec<_>, _>>()?;
    // All must have been there before the clock starts: the last makes the device prepare for all.
    for _ in 0..2 {
        for probe in &mut probes {
            probe.send();
        }
        for probe in &mut probes {
            // The first may fail while others join.
            let _ = probe.wait(PREPARATION);
        }
    }
    let (mut times, mut failed) = (Vec::new(), 0);
    let began = Instant::now();
    let callbacks = (seconds * f64::from(RATE) / block as f64) as usize;
    for callback in 0..callbacks {
        let at = |callback: usize| {
            began + Duration::from_secs_f64((callback * block) as f64 / f64::from(RATE))
        };
        for (i, probe) in probes.iter_mut().enumerate() {
            // Streams began at different samples.
            let offset = i * hop / sessions;
            let frames = |callback: usize| (callback * block + offset) / hop;
            for _ in frames(callback)..frames(callback + 1) {
                failed += usize::from(!probe.send());
            }
        }
        while Instant::now() < at(callback + 1) {
            for probe in &mut probes {
                match probe.take() {
                    Some(Ok(time)) => times.push(time),
                    Some(Err(_)) => failed += 1,
                    None => {}
                }
            }
            thread::yield_now();
        }
    }
    Ok((RoundTrip::of(&mut times), failed))
}

/// Notes what was missed by some stereo instances in whole chains, each in a thread and at a time of its own, in real time,
/// for some minutes. Frames may take `room` beside what their trip asks for.
pub fn hold(
    hub: &Arc<GpuHub>,
    model: &Arc<Model>,
    minutes: f64,
    room: Duration,
    rows: &mut Rows,
) -> Result<(), Box<dyn Error>> {
    rows.section("Without a miss");
    let name = format!("{INSTANCES} stereo instances, blocks of {BLOCK}, {minutes} minutes");
    let spec = model.spec();
    let trip = hub.round_trip(model, Policy::SAVE_EVERY)?;
    let handoff = trip.handoff(&spec.front_end, spec.sample_rate, block_time(), room);
    let Some(handoff) = handoff else {
        rows.add(&name, "too slow to play live");
        return Ok(());
    };
    let config = ChainConfig {
        sample_rate: RATE,
        channels: 2,
        max_block: BLOCK,
    };
    let mut chains = Vec::new();
    for _ in 0..INSTANCES {
        let engine = Box::new(GpuEngine::new(hub, model, 2, handoff, false)?);
        chains.push(Chain::new(
            engine,
            spec.front_end,
            spec.sample_rate,
            config,
        )?);
    }
    let latency = chains[0].latency().total_ms();
    let callbacks = (60.0 * minutes * f64::from(RATE)) as usize / BLOCK;
    let hop = Duration::from_secs_f64(spec.front_end.hop as f64 / f64::from(spec.sample_rate));
    let began = Instant::now();
    let held: Vec<Held> = thread::scope(|scope| {
        let threads: Vec<_> = (0..INSTANCES as u32)
            .zip(chains)
            .map(|(i, chain)| {
                scope.spawn(move || play(chain, began + hop * i / INSTANCES as u32, callbacks))
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.collect::<Result<_, _>>()
    })
    .map_err(|_| "a stream's thread panicked")?;
    let sum = |of: fn(&Held) -> u64| held.iter().map(of).sum::<u64>();
    let longest = held.iter().map(|h| h.longest).max().unwrap_or_default();
    rows.add(
        &name,
        &format!(
            "{} late ({} of them in callbacks that had been punctual for 50 ms), {} lost, taken over {} times; the device played {:.3} %; {latency:.1} ms of latency; {} callbacks of {} late \
             themselves, the longest {:.2} ms",
            sum(|h| h.late),
            sum(|h| h.late_alone),
            sum(|h| h.lost),
            sum(|h| h.taken_over),
            100.0 * sum(|h| h.by_device) as f64 / (INSTANCES * callbacks) as f64,
            sum(|h| h.overran),
            INSTANCES * callbacks,
            1e3 * longest.as_secs_f64(),
        ),
    );
    Ok(())
}

fn block_time() -> Duration {
    Duration::from_secs_f64(BLOCK as f64 / f64::from(RATE))
}

/// What befell a stream.
#[derive(Default)]
struct Held {
    late: u64,
    /// Late frames that no callback's own lateness explains.
    late_alone: u64,
    lost: u64,
    taken_over: u64,
    /// Callbacks in which the device played.
    by_device: u64,
    /// Callbacks that ended later than the next was due.
    overran: u64,
    longest: Duration,
}

/// Plays noise from `begin` on for so many callbacks, and before them for the time that a device may take to prepare.
fn play(mut chain: Chain, begin: Instant, callbacks: usize) -> Held {
    let noise = Noise(5).vec(RATE as usize, 0.1);
    let mut block = [[0.0; BLOCK]; 2];
    let (mut before, mut held) = (chain.engine_report(), None::<Held>);
    let (mut callback, mut proving) = (0, 0);
    let (mut late, mut overran) = (0, None::<Instant>);
    let most = (PREPARATION.as_secs_f64() * f64::from(RATE)) as usize / BLOCK;
    while callback < callbacks {
        let from = (proving + callback) * BLOCK % (noise.len() - BLOCK);
        for channel in &mut block {
            channel.copy_from_slice(&noise[from..from + BLOCK]);
        }
        let [left, right] = &mut block;
        let started = Instant::now();
        chain.process(&mut [left, right], &Controls::default());
        let ended = Instant::now();
        let due = begin + block_time().mul_f64((proving + callback + 1) as f64);
        let playing = chain.engine_report().player == Player::Gpu;
        match &mut held {
            // The clock runs once the device plays, or would have had to long ago.
            None if playing || proving >= most => {
                before = chain.engine_report();
                late = before.late;
                held = Some(Held::default());
                proving += 1;
            }
            None => proving += 1,
            Some(held) => {
                held.by_device += u64::from(playing);
                if ended > due {
                    held.overran += 1;
                    overran = Some(ended);
                }
                let now = chain.engine_report().late;
                if overran.is_none_or(|overran| ended - overran > BEHIND) {
                    held.late_alone += now - late;
                }
                late = now;
                held.longest = held.longest.max(ended - started);
                callback += 1;
            }
        }
        // A sleep may last milliseconds longer than was asked for, and it is the device that is measured.
        while Instant::now() < due {
            std::hint::spin_loop();
        }
    }
    let now = chain.engine_report();
    let mut held = held.unwrap_or_default();
    held.late = now.late - before.late;
    held.lost = now.lost - before.lost;
    held.taken_over = now.taken_over - before.taken_over;
    held
}
