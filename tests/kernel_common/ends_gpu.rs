//! The ends of a denoiser on a GPU beside the f64 oracle: features, split, head and filters.
#![allow(dead_code)]

use std::sync::Arc;

use statewave::engine::gpu::Gpu;
use statewave::engine::gpu::denoiser::GpuDenoiser;
use statewave::kernels::oracle;
use statewave::model::Model;

use super::Noise;
use super::ends::{BINS, FRAMES, file, spectra};

/// (frames at a time, signal to error in dB).
pub fn ends(gpu: &Arc<Gpu>, gated: bool) -> Vec<(usize, f64)> {
    let mut noise = Noise(1);
    let file = file(gated, &mut noise);
    let model = Model::from_bytes(&file.to_bytes()).expect("it is sound");
    let (input, truth) = spectra(&file, gated, &mut noise);
    let run = |at_once: usize| {
        let gpu = Arc::clone(gpu);
        let mut denoiser = GpuDenoiser::new(gpu, model.net(), 1, at_once).expect("it is served");
        let mut output = vec![0.0; input.len()];
        let len = at_once * 2 * BINS;
        for (input, output) in input.chunks(len).zip(output.chunks_mut(len)) {
            denoiser
                .run(at_once, input, output)
                .expect("the device answers");
        }
        (at_once, oracle::snr_db(&truth, &output))
    };
    [1, 3, FRAMES].map(run).to_vec()
}
