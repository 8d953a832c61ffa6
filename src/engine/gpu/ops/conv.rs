//! `shaders/conv.wgsl`: the causal convolution over time, with SiLU behind it.

use wgpu::Buffer;

use super::{MOST_GROUPS, Step};
use crate::engine::gpu::device::Gpu;
use crate::engine::gpu::shader::{Shader, Source};
use crate::kernels::conv::PackedConv;

/// Sizes of a convolution on rows of something larger.
#[derive(Debug, Clone, Copy)]
pub struct Conv {
    /// Channels.
    pub channels: usize,
    /// Floats from row to row of the input.
    pub x_row: usize,
    /// The first channel's place in a row.
    pub x_at: usize,
}

/// The source for `conv`.
pub fn source(conv: Conv) -> Source {
    Source::new(Shader::Conv)
        .size("CHANNELS", conv.channels)
        .size("X_ROW", conv.x_row)
        .size("X_AT", conv.x_at)
}

/// A step from rows of `x` to `y`, `[batch · time][channels]`. The last inputs go to `new_tails`, `[batch][3][channels]`,
/// which belong into `tails` before the next run.
#[allow(clippy::too_many_arguments)]
pub fn conv(
    gpu: &Gpu,
    sizes: Conv,
    w: &PackedConv,
    run: &Buffer,
    x: &Buffer,
    tails: &Buffer,
    new_tails: &Buffer,
    y: &Buffer,
) -> Step {
    let taps = gpu.holding("conv.taps", &w.taps_and_bias());
    let dispatch = gpu.dispatch(
        &source(sizes),
        "main",
        &[
            (0, run),
            (1, &taps),
            (2, x),
            (3, tails),
            (4, new_tails),
            (5, y),
        ],
    );
    let columns = sizes.channels.div_ceil(64) as u32;
    Step::new(dispatch, move |run| {
        let rows = run.time as usize * run.batch as usize;
        [columns, rows.min(MOST_GROUPS) as u32, 1]
    })
}
