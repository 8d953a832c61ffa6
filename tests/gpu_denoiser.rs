//! The denoiser on the GPU against the denoiser on the CPU: the same streams, whole and in pieces.
#![cfg(feature = "gpu")]

mod gpu_common;
mod kernel_common;

use std::sync::Arc;

use gpu_common::{MODEL, STUDIO, frames, gpu};
use kernel_common::{Noise, wide};
use statewave::engine::gpu::denoiser::GpuDenoiser;
use statewave::engine::gpu::{Abilities, Choice, Gpu};
use statewave::kernels::{Path, oracle};
use statewave::model::Model;
use statewave::model::denoise::DenoiseSession;

#[test]
fn streams_together_equal_streams_alone_however_cut() {
    let Some(gpu) = gpu() else { return };
    for (model, cuts) in [
        (MODEL, vec![1, 2, 3, 1, 140, 3]),
        (STUDIO, vec![1, 2, 1, 70, 1]),
    ] {
        together_and_alone(&gpu, &Model::open(model).unwrap(), cuts);
    }
}

fn together_and_alone(gpu: &Arc<Gpu>, model: &Model, cuts: Vec<usize>) {
    let net = model.net();
    let (sessions, time, bins) = (3, cuts.iter().sum(), net.bins());
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
    let mut denoiser = GpuDenoiser::new(Arc::clone(gpu), net, sessions, time).unwrap();
    for cuts in [vec![time], cuts] {
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
    for model in [MODEL, STUDIO] {
        there_and_back(&gpu, &Model::open(model).unwrap());
    }
}

fn there_and_back(gpu: &Arc<Gpu>, model: &Model) {
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
    let mut there = GpuDenoiser::new(Arc::clone(gpu), net, sessions, 20).unwrap();
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
fn more_states_than_are_packed_at_once_come_back_whole() {
    let Some(gpu) = gpu() else { return };
    let model = Model::open(MODEL).unwrap();
    let net = model.net();
    let (sessions, bins) = (19, net.bins());
    let mut there = GpuDenoiser::new(gpu, net, sessions, 3).unwrap();
    let all: Vec<usize> = (0..sessions).collect();
    let frames = frames(7, 3 * sessions, bins);
    let mut out = vec![0.0; frames.len()];
    // Backwards, so that a state's place and its session differ.
    let saved: Vec<usize> = all.iter().rev().copied().collect();
    let len = there.state_len();
    let mut states = vec![0.0; sessions * len];
    there
        .run_and_save(&all, 3, &frames, &mut out, &saved, &mut states)
        .unwrap();
    let mut own = vec![0.0; len];
    for (session, state) in saved.iter().zip(states.chunks_exact(len)) {
        there.save_one(*session, &mut own).unwrap();
        assert!(own == state && own.iter().any(|v| *v != 0.0), "{session}");
    }
    // And each goes where it is sent, leaving its neighbours alone.
    there.restore_one(4, &states[..len]);
    for session in [3, 4, 5] {
        there.save_one(session, &mut own).unwrap();
        let from = if session == 4 {
            0
        } else {
            sessions - 1 - session
        };
        assert!(own == states[from * len..][..len], "{session}");
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
