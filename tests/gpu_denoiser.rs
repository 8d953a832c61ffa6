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
