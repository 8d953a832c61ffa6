//! The denoiser on the GPU against the denoiser on the CPU: the same streams, whole and in pieces.
#![cfg(feature = "gpu")]

mod kernel_common;

use kernel_common::{Noise, wide};
use statewave::engine::gpu::denoiser::GpuDenoiser;
use statewave::engine::gpu::{Choice, Gpu};
use statewave::kernels::{Path, oracle};
use statewave::model::Model;
use statewave::model::denoise::DenoiseSession;
use std::sync::Arc;

const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/models/denoise-live.safetensors"
);

fn gpu() -> Option<Arc<Gpu>> {
    match Gpu::open(&Choice::default()) {
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
    there.save(&mut state).unwrap();
    for (session, state) in here.iter_mut().zip(state.chunks(len)) {
        session.restore(state);
    }
    let second = run_here(&mut here, &piece(20, 40));
    for (session, state) in here.iter().zip(state.chunks_mut(len)) {
        session.save(state);
    }
    there.reset();
    there.restore(&state);
    let mut third = vec![0.0; truths[2].len()];
    there.run(20, &piece(40, 60), &mut third).unwrap();
    for (truth, got) in truths.iter().zip([first, second, third]) {
        let snr = oracle::snr_db(&wide(truth), &got);
        eprintln!("{snr:.1} dB");
        assert!(snr >= 90.0, "{snr:.1} dB");
    }
}

/// A stream through a supervisor whose worker is the GPU, beside one that is never interrupted. The clock waits for the
/// worker while `patient` says so, so that the test does not depend on the machine's speed.
fn supervised(
    frames_count: u64,
    mut patient: impl FnMut(u64, &Gpu) -> bool,
) -> Option<(Vec<f64>, statewave::engine::supervisor::SupervisorStats)> {
    use statewave::engine::cpu::CpuEngine;
    use statewave::engine::gpu::worker::GpuWorker;
    use statewave::engine::supervisor::{Policy, Supervisor};
    use statewave::engine::{Engine, Exchange};

    let gpu = gpu()?;
    let model = Arc::new(Model::open(MODEL).unwrap());
    let policy = Policy {
        handoff: 400,
        save_every: 8,
        punctual: 10,
    };
    let (mut supervisor, bench) = Supervisor::new(&model, 1, policy);
    let worker = GpuWorker::start(Arc::clone(&gpu), Choice::default(), &model, 1, bench).unwrap();
    let mut plain = CpuEngine::new(&model, 1);
    let len = plain.frame_len();
    let sound = frames(31, frames_count as usize, len / 2);
    let (mut truth, mut out) = (vec![vec![0.0; len]; 2], vec![0.0; len]);
    let mut snrs = Vec::new();
    for seq in 1..=frames_count {
        let input = &sound[(seq as usize - 1) * len..][..len];
        plain.submit(seq, input);
        truth.swap(0, 1);
        plain.collect(seq, &mut truth[1]);
        let waits = patient(seq, &gpu);
        supervisor.submit(seq, input);
        let since = std::time::Instant::now();
        while waits && !supervisor.has_all() && since.elapsed().as_secs() < 20 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        if seq > 1 {
            assert_eq!(supervisor.collect(seq - 1, &mut out), Exchange::Ready);
            snrs.push(oracle::snr_db(&wide(&truth[0]), &out));
        }
    }
    drop(worker);
    Some((snrs, supervisor.stats()))
}

#[test]
fn a_stall_of_the_gpu_is_not_heard() {
    // Frames 40 to 60 are asked for faster than any GPU could.
    let Some((snrs, stats)) = supervised(120, |seq, _| !(40..60).contains(&seq)) else {
        return;
    };
    eprintln!("{stats:?}");
    assert!(stats.by_worker > 40, "{stats:?}");
    assert!(snrs.iter().all(|snr| *snr > 80.0), "{snrs:?}");
}

#[test]
fn a_gpu_destroyed_while_it_plays_is_not_heard_and_comes_back() {
    let Some((snrs, stats)) = supervised(400, |seq, gpu| {
        if seq == 60 {
            gpu.destroy();
        }
        if seq > 60 {
            // Time passes, in which the device is opened again.
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        seq != 60
    }) else {
        return;
    };
    eprintln!("{stats:?}");
    assert_eq!(stats.taken_over, 1, "{stats:?}");
    assert_eq!(stats.given_back, 2, "{stats:?}");
    assert!(snrs.iter().all(|snr| *snr > 80.0), "{snrs:?}");
}
