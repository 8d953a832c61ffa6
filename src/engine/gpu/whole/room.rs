//! How long the buffers of a chunk are, and how many frames of it fit a device.

use super::timing::Timing;
use crate::engine::gpu::denoiser::GpuDenoiser;
use crate::engine::gpu::{Gpu, GpuError};
use crate::model::Model;
use crate::model::spec::FrontEnd;

/// Floats a channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lengths {
    /// The most host samples that a chunk takes and gives.
    pub(super) most_in: usize,
    pub(super) most_out: usize,
    /// Samples at the model's rate that a chunk's windows cover.
    pub(super) heard: usize,
    /// What filters to the host's rate reach back to.
    pub(super) kept: usize,
    pub(super) joined: usize,
    /// Of all frames, before they are joined.
    pub(super) segments: usize,
}

impl Lengths {
    pub(super) fn of(front_end: &FrontEnd, timing: &Timing, frames: usize) -> Lengths {
        let (hop, overlap) = (front_end.hop, front_end.overlap);
        let (most_in, most_out) = timing.most(frames as i64);
        let kept = timing.rates.map_or(0, |rates| 2 * rates.half_out);
        Lengths {
            most_in,
            most_out,
            heard: front_end.window - hop + frames * hop,
            kept,
            joined: kept + frames * hop,
            segments: frames * (hop + overlap),
        }
    }

    fn fit(&self, gpu: &Gpu, channels: usize) -> Result<(), GpuError> {
        gpu.has_room(&[
            ("samples in", channels * self.most_in),
            ("samples out", channels * self.most_out),
            ("samples at the model's rate", channels * self.heard),
            ("joined samples", channels * self.joined),
            ("samples of frames", channels * self.segments),
        ])
    }
}

/// The most frames of each of `channels` at a time, up to `wanted`, of which shaders of `gpu` reach every buffer.
///
/// # Errors
/// [`GpuError::Room`] where not even one fits.
pub(super) fn frames_that_fit(
    gpu: &Gpu,
    model: &Model,
    timing: &Timing,
    channels: usize,
    wanted: usize,
) -> Result<usize, GpuError> {
    let front_end = model.spec().front_end;
    let fit = |frames: usize| {
        GpuDenoiser::fits(gpu, model.net(), channels, frames)?;
        Lengths::of(&front_end, timing, frames).fit(gpu, channels)
    };
    fit(1)?;
    // Every size grows with the frames.
    let (mut fits, mut not) = (1, wanted + 1);
    while not - fits > 1 {
        let middle = fits.midpoint(not);
        match fit(middle) {
            Ok(()) => fits = middle,
            Err(_) => not = middle,
        }
    }
    Ok(fits)
}
