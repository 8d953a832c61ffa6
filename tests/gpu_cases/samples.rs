//! The transform of samples, there and back.

use std::f64::consts::TAU;

use statewave::engine::gpu::Gpu;
use statewave::engine::gpu::ops::{self, Stft, StftBuffers};
use statewave::engine::gpu::record::Run;
use statewave::frame::stft::{analysis_window, synthesis_window};
use statewave::kernels::oracle;
use statewave::model::spec::FrontEnd;

use super::{Found, result};
use crate::kernel_common::{Noise, wide};

/// `channels` of `time` frames of `2 · half` samples, `hop` apart and `overlap` faded.
pub fn stft(
    gpu: &Gpu,
    (channels, time, half, hop, overlap): (usize, usize, usize, usize, usize),
    seed: u64,
) -> Found {
    let (window, segment) = (2 * half, hop + overlap);
    let front_end = FrontEnd {
        hop,
        window,
        overlap,
        spread: 0,
    };
    let (bins, past, kept) = (front_end.bins(), 3, 5);
    // More room than is used, as for a chunk at the end.
    let sizes = Stft {
        front_end,
        samples: window + time * hop,
        past,
        frames: past + time + 1,
        joined: kept + (time + 1) * hop,
        kept,
    };
    let mut noise = Noise(seed);
    let samples = noise.vec(channels * sizes.samples, 1.0);
    let filtered = noise.vec(channels * time * 2 * bins, 1.0);
    let falls = noise.vec(channels * overlap, 1.0);
    let run = Run::new(time, channels, time);
    let [spectra, segments, joined] = [
        gpu.zeros("spectra", channels * sizes.frames * 2 * bins),
        gpu.zeros("segments", channels * time * segment),
        gpu.zeros("joined", channels * sizes.joined),
    ];
    let buffers = StftBuffers {
        run: &gpu.run(run),
        slots: &gpu.slots(channels),
        samples: &gpu.holding("samples", &samples),
        spectra: &spectra,
        filtered: &gpu.holding("filtered", &filtered),
        segments: &segments,
        falls: &gpu.holding("falls", &falls),
        joined: &joined,
    };
    let (there, back) = ops::stft(gpu, sizes, buffers);
    let got = result(
        gpu,
        &[there],
        run,
        &spectra,
        channels * sizes.frames * 2 * bins,
    );
    let got_back = result(gpu, &back, run, &joined, channels * sizes.joined);

    let root = |k: usize| (TAU * (k % window) as f64 / window as f64).sin_cos();
    let analysis = wide(&analysis_window(&front_end));
    let synthesis = wide(&synthesis_window(&front_end));
    let (mut spectrum, mut bins_got) = (Vec::new(), Vec::new());
    let (mut signal, mut signal_got) = (Vec::new(), Vec::new());
    for channel in 0..channels {
        let mut fall = wide(&falls[channel * overlap..][..overlap]);
        for t in 0..time {
            let heard = wide(&samples[channel * sizes.samples + t * hop..][..window]);
            let heard: Vec<f64> = heard.iter().zip(&analysis).map(|(x, a)| x * a).collect();
            for k in 0..bins {
                let part = |f: fn((f64, f64)) -> f64| -> f64 {
                    heard
                        .iter()
                        .enumerate()
                        .map(|(n, x)| x * f(root(k * n)))
                        .sum()
                };
                spectrum.extend([part(|(_, cos)| cos), part(|(sin, _)| -sin)]);
            }
            let frame = channel * sizes.frames + past + t;
            bins_got.extend_from_slice(&got[frame * 2 * bins..][..2 * bins]);

            let frame = wide(&filtered[(channel * time + t) * 2 * bins..][..2 * bins]);
            let sample = |i: usize| -> f64 {
                let term = |k: usize| {
                    let (sin, cos) = root(k * (window - segment + i));
                    // Of the first and the last bin there is one, of the others a mirror image.
                    if k == 0 || k == half {
                        frame[2 * k] * cos
                    } else {
                        2.0 * (frame[2 * k] * cos - frame[2 * k + 1] * sin)
                    }
                };
                (0..bins).map(term).sum::<f64>() / window as f64 * synthesis[i]
            };
            let own: Vec<f64> = (0..segment).map(sample).collect();
            signal.extend((0..hop).map(|i| own[i] + fall.get(i).unwrap_or(&0.0)));
            fall = own[hop..].to_vec();
        }
        signal_got.extend_from_slice(&got_back[channel * sizes.joined + kept..][..time * hop]);
    }
    vec![
        ("analyse", oracle::snr_db(&spectrum, &bins_got)),
        ("synthesise and join", oracle::snr_db(&signal, &signal_got)),
    ]
}
