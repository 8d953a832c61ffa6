//! Streams on a hub, each under a supervisor, beside streams that are never interrupted: stalls, a lost device, instances that come
//! and go, and what whoever watches sees.
#![cfg(feature = "gpu")]

mod gpu_common;
mod kernel_common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gpu_common::{MODEL, frames, gpu};
use kernel_common::{large, wide};
use statewave::engine::cpu::CpuEngine;
use statewave::engine::gpu::hub::{GpuHub, Seat};
use statewave::engine::gpu::{Abilities, Choice, Gpu, GpuError};
use statewave::engine::supervisor::{Playing, Policy, Supervisor};
use statewave::engine::{Engine, Exchange};
use statewave::kernels::oracle;
use statewave::model::Model;
use statewave::telemetry::Deltas;

/// A stream that goes through a supervisor on a hub, beside one that is never interrupted.
struct Stream {
    supervisor: Supervisor,
    seat: Seat,
    plain: CpuEngine,
    truth: [Vec<f32>; 2],
    sound: Vec<f32>,
    out: Vec<f32>,
    /// Signal to error of every frame, dB.
    snrs: Vec<f64>,
}

impl Stream {
    fn join(hub: &GpuHub, model: &Arc<Model>, channels: usize, frames_count: u64) -> Stream {
        let policy = Policy {
            // A frame is due behind the next.
            handoff: model.spec().front_end.hop + 80,
            save_every: 8,
            punctual: 10,
        };
        let (supervisor, bench) = Supervisor::new(model, channels, policy);
        let plain = CpuEngine::new(model, channels);
        let len = channels * plain.frame_len();
        Stream {
            supervisor,
            seat: hub.join(model, channels, bench).unwrap(),
            plain,
            truth: [vec![0.0; len], vec![0.0; len]],
            sound: frames(31 + channels as u64, frames_count as usize, len / 2),
            out: vec![0.0; len],
            snrs: Vec::new(),
        }
    }

    /// Gives frame `seq`.
    fn give(&mut self, seq: u64) {
        let len = self.out.len();
        let input = &self.sound[(seq as usize - 1) * len..][..len];
        self.plain.submit(seq, input);
        self.truth.swap(0, 1);
        self.plain.collect(seq, &mut self.truth[1]);
        self.supervisor.submit(seq, input);
    }

    /// Waits for the worker, so that the test does not depend on the machine's speed.
    fn wait(&mut self) {
        let since = Instant::now();
        while !self.supervisor.has_all() && since.elapsed().as_secs() < 20 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Takes the frame before `seq`.
    fn take(&mut self, seq: u64) {
        if seq > 1 {
            assert_eq!(
                self.supervisor.collect(seq - 1, &mut self.out),
                Exchange::Ready
            );
            self.snrs
                .push(oracle::snr_db(&wide(&self.truth[0]), &self.out));
        }
    }

    fn assert_unbroken(&self) {
        assert!(self.snrs.iter().all(|snr| *snr > 80.0), "{:?}", self.snrs);
    }
}

#[test]
fn whoever_watches_sees_the_deltas_of_who_plays() {
    let Some(gpu) = gpu() else { return };
    let model = Arc::new(Model::open(MODEL).unwrap());
    let hub = GpuHub::start(gpu, Choice::any()).unwrap();
    // Another stream that nobody watches takes part in the same submits.
    let mut streams = [1, 2].map(|channels| Stream::join(&hub, &model, channels, 40));
    streams[1].supervisor.observe(true);
    streams[1].plain.observe(true);
    let mut before = Deltas::default();
    for seq in 1..=40 {
        for stream in &mut streams {
            stream.give(seq);
        }
        for stream in &mut streams {
            stream.wait();
            stream.take(seq);
        }
        let mut seen = Deltas::default();
        streams[1].supervisor.deltas(&mut seen);
        // What was taken is the frame before.
        for (seen, wanted) in seen
            .values
            .iter()
            .flatten()
            .zip(before.values.iter().flatten())
        {
            assert!(
                seq <= 2 || (seen - wanted).abs() <= 1e-4 * wanted.abs(),
                "{seen} at {seq}, and {wanted} there"
            );
        }
        before = Deltas::default();
        streams[1].plain.deltas(&mut before);
    }
    assert_eq!(streams[1].supervisor.playing(), Playing::Worker);
    assert!(
        before.values[0].iter().all(|delta| *delta > 0.0),
        "{before:?}"
    );
    let mut unwatched = Deltas::default();
    streams[0].supervisor.deltas(&mut unwatched);
    assert_eq!(unwatched.values, Deltas::default().values);
}

#[test]
fn a_stall_of_the_gpu_is_not_heard() {
    let Some(gpu) = gpu() else { return };
    let model = Arc::new(Model::open(MODEL).unwrap());
    let hub = GpuHub::start(gpu, Choice::any()).unwrap();
    let mut stream = Stream::join(&hub, &model, 2, 120);
    for seq in 1..=120 {
        stream.give(seq);
        // Frames 40 to 60 are asked for faster than any GPU could.
        if !(40..60).contains(&seq) {
            stream.wait();
        }
        stream.take(seq);
    }
    let stats = stream.supervisor.stats();
    eprintln!("{stats:?}");
    assert!(stats.by_worker > 40, "{stats:?}");
    stream.assert_unbroken();
}

#[test]
fn a_gpu_destroyed_while_it_plays_is_not_heard_and_comes_back() {
    let Some(gpu) = gpu() else { return };
    let model = Arc::new(Model::open(MODEL).unwrap());
    let hub = GpuHub::start(Arc::clone(&gpu), Choice::any()).unwrap();
    let mut stream = Stream::join(&hub, &model, 1, 2000);
    let mut given_back_at = 0;
    for seq in 1..=2000 {
        if seq == 60 {
            assert_eq!(stream.supervisor.playing(), Playing::Worker);
            gpu.destroy();
        }
        stream.give(seq);
        if seq > 60 {
            // Time passes, in which the device is opened again.
            std::thread::sleep(Duration::from_millis(20));
            assert!(
                seq < 2000,
                "the device does not come back: {:?}",
                stream.supervisor.stats()
            );
        }
        stream.wait();
        stream.take(seq);
        if seq > 60 && stream.supervisor.playing() == Playing::Worker && given_back_at == 0 {
            given_back_at = seq;
        }
        if given_back_at > 0 && seq > given_back_at + 20 {
            break;
        }
    }
    let stats = stream.supervisor.stats();
    eprintln!("{stats:?}");
    assert_eq!((stats.taken_over, stats.given_back), (1, 2), "{stats:?}");
    stream.assert_unbroken();
}

#[test]
fn a_model_that_cannot_be_prepared_fails_alone() {
    // Eight streams of the one model fit, and none of the other.
    let little = Abilities {
        binding_bytes: 1 << 20,
        ..Abilities::ALL
    };
    let gpu = match Gpu::open_with(&Choice::any(), little, None) {
        Ok(gpu) => Arc::new(gpu),
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let (model, large) = (
        Arc::new(Model::open(MODEL).unwrap()),
        Arc::new(large::model()),
    );
    let hub = GpuHub::start(Arc::clone(&gpu), Choice::any()).unwrap();
    let opened = hub.adapter();
    let mut streams = vec![Stream::join(&hub, &model, 1, 120)];
    for seq in 1..=120u64 {
        match seq {
            30 => streams.push(Stream::join(&hub, &large, 1, 120)),
            // With these there would be sixteen.
            60 => streams.push(Stream::join(&hub, &model, 8, 120)),
            _ => {}
        }
        for (stream, since) in streams.iter_mut().zip([0, 29, 59]) {
            stream.give(seq - since);
            stream.wait();
            stream.take(seq - since);
        }
    }
    let [one, other, eight] = &streams[..] else {
        panic!("three streams")
    };
    for refused in [other, eight] {
        let why = refused.seat.refused();
        assert!(matches!(why, Some(GpuError::Room { .. })), "{why:?}");
        assert_eq!(refused.supervisor.stats().by_worker, 0);
    }
    assert_eq!(one.seat.refused(), None);
    assert_eq!(one.supervisor.playing(), Playing::Worker);
    streams.iter().for_each(Stream::assert_unbroken);
    // The device is the one that was opened at first, and says what it has no room for.
    assert!(!gpu.is_lost() && hub.adapter() == opened);
    let trip = hub.round_trip(&large, Policy::SAVE_EVERY);
    assert!(matches!(trip, Err(GpuError::Room { .. })), "{trip:?}");
    let trip = hub.round_trip(&model, Policy::SAVE_EVERY);
    assert!(trip.is_ok(), "{trip:?}: {:?}", gpu.fault());
}

#[test]
fn instances_come_and_go_on_one_device() {
    let Some(gpu) = gpu() else { return };
    let model = Arc::new(Model::open(MODEL).unwrap());
    let hub = GpuHub::start(gpu, Choice::any()).unwrap();
    let mut streams: Vec<(u64, Stream)> = Vec::new();
    for seq in 1..=90u64 {
        match seq {
            // The third makes the model be prepared for more sessions, under those that play.
            1 | 20 | 40 => streams.push((
                seq - 1,
                Stream::join(&hub, &model, 1 + streams.len() % 2, 90),
            )),
            60 => drop(streams.remove(0)),
            70 => streams.push((seq - 1, Stream::join(&hub, &model, 1, 90))),
            _ => {}
        }
        for (since, stream) in &mut streams {
            stream.give(seq - *since);
        }
        for (since, stream) in &mut streams {
            stream.wait();
            stream.take(seq - *since);
        }
    }
    for (_, stream) in &streams {
        let stats = stream.supervisor.stats();
        eprintln!("{stats:?}");
        assert!(stats.by_worker > 0, "{stats:?}");
        stream.assert_unbroken();
    }
}
