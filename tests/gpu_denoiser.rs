//! The denoiser on the GPU against the denoiser on the CPU: the same streams, whole and in pieces.
#![cfg(feature = "gpu")]

mod kernel_common;

use kernel_common::{Noise, wide};
use statewave::engine::cpu::CpuEngine;
use statewave::engine::gpu::denoiser::GpuDenoiser;
use statewave::engine::gpu::hub::{GpuHub, Seat};
use statewave::engine::gpu::{Abilities, Choice, Gpu};
use statewave::engine::supervisor::{Playing, Policy, Supervisor};
use statewave::engine::{Engine, Exchange};
use statewave::kernels::{Path, oracle};
use statewave::model::Model;
use statewave::model::denoise::DenoiseSession;
use statewave::telemetry::Deltas;
use std::sync::Arc;
use std::time::{Duration, Instant};

const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/models/denoise-live.safetensors"
);

fn gpu() -> Option<Arc<Gpu>> {
    match Gpu::open(&Choice::any()) {
        Ok(gpu) => Some(Arc::new(gpu)),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// Spectra whose loudness comes and goes.
fn frames(seed: u64, time: usize, bins: usize) -> Vec<f32> {
    let mut noise = Noise(seed);
    (0..time)
        .flat_map(|t| {
            let loud = 20.0 * (1.0 + (t as f32 * 0.3).sin());
            noise.vec(2 * bins, loud)
        })
        .collect()
}

#[test]
fn streams_together_equal_streams_alone_however_cut() {
    let Some(gpu) = gpu() else { return };
    let model = Model::open(MODEL).unwrap();
    let net = model.net();
    let (sessions, time, bins) = (3, 150, net.bins());
    let inputs: Vec<Vec<f32>> = (0..sessions)
        .map(|s| frames(s as u64 + 1, time, bins))
        .collect();
    let truths: Vec<Vec<f32>> = inputs
        .iter()
        .map(|input| {
            let mut session = DenoiseSession::new(Arc::clone(net), Path::detect(), time);
            let mut out = vec![0.0; input.len()];
            session.run(input, &mut out);
            out
        })
        .collect();
    let mut denoiser = GpuDenoiser::new(gpu, net, sessions, time).unwrap();
    for cuts in [vec![time], vec![1, 2, 3, 1, 140, 3]] {
        denoiser.reset();
        let mut outputs = vec![Vec::new(); sessions];
        let mut at = 0;
        for piece in cuts {
            let range = at * 2 * bins..(at + piece) * 2 * bins;
            let together: Vec<f32> = inputs
                .iter()
                .flat_map(|x| x[range.clone()].to_vec())
                .collect();
            let mut out = vec![0.0; together.len()];
            denoiser.run(piece, &together, &mut out).unwrap();
            for (output, part) in outputs.iter_mut().zip(out.chunks(piece * 2 * bins)) {
                output.extend_from_slice(part);
            }
            at += piece;
        }
        for (output, truth) in outputs.iter().zip(&truths) {
            let snr = oracle::snr_db(&wide(truth), output);
            eprintln!("{snr:.1} dB");
            assert!(snr >= 90.0, "{snr:.1} dB");
        }
    }
}

#[test]
fn a_state_goes_from_the_gpu_to_the_cpu_and_back() {
    let Some(gpu) = gpu() else { return };
    let model = Model::open(MODEL).unwrap();
    let net = model.net();
    let (sessions, bins) = (2, net.bins());
    let inputs: Vec<Vec<f32>> = (0..sessions)
        .map(|s| frames(s as u64 + 9, 60, bins))
        .collect();
    let piece = |from: usize, to: usize| -> Vec<f32> {
        inputs
            .iter()
            .flat_map(|x| x[from * 2 * bins..to * 2 * bins].to_vec())
            .collect()
    };
    let session = || DenoiseSession::new(Arc::clone(net), Path::detect(), 60);
    let run_here = |own: &mut Vec<DenoiseSession>, frames: &[f32]| -> Vec<f32> {
        let len = frames.len() / sessions;
        let mut out = vec![0.0; frames.len()];
        for (session, (x, y)) in own
            .iter_mut()
            .zip(frames.chunks(len).zip(out.chunks_mut(len)))
        {
            session.run(x, y);
        }
        out
    };
    let mut truth: Vec<DenoiseSession> = (0..sessions).map(|_| session()).collect();
    let truths = [(0, 20), (20, 40), (40, 60)].map(|(a, b)| run_here(&mut truth, &piece(a, b)));

    // Twenty frames on the GPU, twenty here, and twenty there again.
    let mut there = GpuDenoiser::new(gpu, net, sessions, 20).unwrap();
    let mut first = vec![0.0; truths[0].len()];
    there.run(20, &piece(0, 20), &mut first).unwrap();
    let mut here: Vec<DenoiseSession> = (0..sessions).map(|_| session()).collect();
    let len = there.state_len();
    assert_eq!(len, here[0].state_len());
    let mut state = vec![0.0; sessions * len];
    for (i, state) in state.chunks_mut(len).enumerate() {
        there.save_one(i, state).unwrap();
        here[i].restore(state);
    }
    let second = run_here(&mut here, &piece(20, 40));
    for (session, state) in here.iter().zip(state.chunks_mut(len)) {
        session.save(state);
    }
    there.reset();
    for (i, state) in state.chunks(len).enumerate() {
        there.restore_one(i, state);
    }
    let mut third = vec![0.0; truths[2].len()];
    there.run(20, &piece(40, 60), &mut third).unwrap();
    for (truth, got) in truths.iter().zip([first, second, third]) {
        let snr = oracle::snr_db(&wide(truth), &got);
        eprintln!("{snr:.1} dB");
        assert!(snr >= 90.0, "{snr:.1} dB");
    }
}

#[test]
fn those_who_take_no_part_stay_where_they_are() {
    // With lanes of subgroups where there are some, and as on an adapter without any.
    for abilities in [Abilities::ALL, Abilities::NONE] {
        match Gpu::open_with(&Choice::any(), abilities, None) {
            Ok(gpu) => some_take_part(Arc::new(gpu), abilities),
            Err(error) => return eprintln!("skipped: {error}"),
        }
    }
}

fn some_take_part(gpu: Arc<Gpu>, abilities: Abilities) {
    eprintln!("{:?} of {abilities:?}", gpu.abilities());
    let none = abilities == Abilities::NONE;
    assert!(!none || gpu.abilities() == Abilities::NONE);
    let model = Model::open(MODEL).unwrap();
    let net = model.net();
    let (sessions, time, bins) = (5, 30, net.bins());
    let mut denoiser = GpuDenoiser::new(gpu, net, sessions, 1).unwrap();
    let inputs: Vec<Vec<f32>> = (0..sessions)
        .map(|s| frames(s as u64 + 70, time, bins))
        .collect();
    let mut outputs = vec![Vec::new(); sessions];
    let mut noise = Noise(3);
    while outputs.iter().any(|out| out.len() < time * 2 * bins) {
        let active: Vec<usize> = (0..sessions)
            .rev()
            .filter(|s| outputs[*s].len() < time * 2 * bins && noise.next() > 0.0)
            .collect();
        let given: Vec<f32> = active
            .iter()
            .flat_map(|s| inputs[*s][outputs[*s].len()..][..2 * bins].to_vec())
            .collect();
        let mut out = vec![0.0; given.len()];
        denoiser.run_some(&active, 1, &given, &mut out).unwrap();
        for (session, out) in active.iter().zip(out.chunks(2 * bins)) {
            outputs[*session].extend_from_slice(out);
        }
    }
    for (input, output) in inputs.iter().zip(&outputs) {
        let mut truth = vec![0.0; input.len()];
        DenoiseSession::new(Arc::clone(net), Path::detect(), time).run(input, &mut truth);
        let snr = oracle::snr_db(&wide(&truth), output);
        assert!(snr >= 90.0, "{snr:.1} dB");
    }
}

#[test]
fn weights_in_half_precision_are_close_and_only_where_they_are_asked_for_and_can_be_had() {
    let model = Model::open(MODEL).unwrap();
    let (net, time) = (model.net(), 40);
    let input = frames(5, time, net.bins());
    let run = |choice: &Choice, abilities| {
        let gpu = Arc::new(Gpu::open_with(choice, abilities, None).ok()?);
        let half = gpu.abilities().half;
        let mut out = vec![0.0; input.len()];
        let mut denoiser = GpuDenoiser::new(gpu, net, 1, time).unwrap();
        denoiser.run(time, &input, &mut out).unwrap();
        Some((out, half))
    };
    let wanted = Choice {
        half: true,
        ..Choice::any()
    };
    let Some((full, _)) = run(&Choice::any(), Abilities::ALL) else {
        return eprintln!("skipped: no adapter");
    };
    let (plain, _) = run(&wanted, Abilities::NONE).unwrap();
    assert!(plain == full, "an adapter without halves has the others");
    let (half, can) = run(&wanted, Abilities::ALL).unwrap();
    let snr = oracle::snr_db(&wide(&full), &half);
    eprintln!("half precision: {snr:.1} dB to full");
    assert_eq!(half != full, can);
    assert!(snr >= 40.0, "{snr:.1} dB");
}

/// A stream that goes through a supervisor on a hub, beside one that is never interrupted.
struct Stream {
    supervisor: Supervisor,
    _seat: Seat,
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
            handoff: 400,
            save_every: 8,
            punctual: 10,
        };
        let (supervisor, bench) = Supervisor::new(model, channels, policy);
        let plain = CpuEngine::new(model, channels);
        let len = channels * plain.frame_len();
        Stream {
            supervisor,
            _seat: hub.join(model, channels, bench).unwrap(),
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
        for (seen, wanted) in seen.iter().flatten().zip(before.iter().flatten()) {
            assert!(
                seq <= 2 || (seen - wanted).abs() <= 1e-4 * wanted.abs(),
                "{seen} at {seq}, and {wanted} there"
            );
        }
        before = Deltas::default();
        streams[1].plain.deltas(&mut before);
    }
    assert_eq!(streams[1].supervisor.playing(), Playing::Worker);
    assert!(before[0].iter().all(|delta| *delta > 0.0), "{before:?}");
    let mut unwatched = Deltas::default();
    streams[0].supervisor.deltas(&mut unwatched);
    assert_eq!(unwatched, Deltas::default());
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
