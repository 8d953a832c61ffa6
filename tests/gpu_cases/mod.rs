//! Shaders beside the f64 oracle, for the tests and for the benchmark: sizes and a seed in, signal to error in dB out. With
//! odd seeds, scans share a channel out over lanes, where the adapter can do that.
#![allow(dead_code, clippy::type_complexity)]

mod maps;
mod samples;
mod scans;

use statewave::engine::gpu::Gpu;
use statewave::engine::gpu::ops::Step;
use statewave::engine::gpu::record::{Run, encode};

pub use maps::{conv, mix, proj};
pub use samples::stft;
pub use scans::{s4d, s6, ssd};

/// What was compared, and its signal to error, dB.
pub type Found = Vec<(&'static str, f64)>;

/// Runs the steps and reads `out`.
fn result(gpu: &Gpu, steps: &[Step], run: Run, out: &wgpu::Buffer, len: usize) -> Vec<f32> {
    let mut encoder = gpu.encoder();
    encode(
        &mut encoder,
        steps.iter().filter_map(|step| step.for_run(run)),
    );
    gpu.submit(encoder);
    let mut values = vec![0.0; len];
    gpu.read(out, 0, &mut values).expect("the device answers");
    values
}
