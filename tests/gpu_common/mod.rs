//! What the tests of models on a GPU share.

use std::sync::Arc;

use statewave::engine::gpu::{Choice, Gpu};

use crate::kernel_common::Noise;

pub const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/models/denoise-live.safetensors"
);

/// The larger one that is shipped.
#[allow(dead_code)]
pub const STUDIO: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/models/denoise-studio.safetensors"
);

/// The best adapter; where there is none, that is said.
pub fn gpu() -> Option<Arc<Gpu>> {
    match Gpu::open(&Choice::any()) {
        Ok(gpu) => Some(Arc::new(gpu)),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// Spectra whose loudness comes and goes.
pub fn frames(seed: u64, time: usize, bins: usize) -> Vec<f32> {
    let mut noise = Noise(seed);
    (0..time)
        .flat_map(|t| {
            let loud = 20.0 * (1.0 + (t as f32 * 0.3).sin());
            noise.vec(2 * bins, loud)
        })
        .collect()
}
