//! `shaders/conv.wgsl`: the causal convolution over time, with SiLU behind it.

use wgpu::Buffer;

use super::{MOST_GROUPS, Step};
use crate::engine::gpu::device::Gpu;
use crate::engine::gpu::record::Run;
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

/// What a convolution reads and writes.
#[derive(Debug, Clone, Copy)]
pub struct ConvBuffers<'a> {
    /// How much.
    pub run: &'a Buffer,
    /// For whom.
    pub slots: &'a Buffer,
    /// Rows.
    pub x: &'a Buffer,
    /// `[slot][3][channels]`: the last inputs, before and after.
    pub tails: &'a Buffer,
    /// The same size, in use for a moment.
    pub new_tails: &'a Buffer,
    /// `[batch · time][channels]`.
    pub y: &'a Buffer,
}

/// Rows of a stream up to which one thread goes through them.
const SHORT: u32 = 16;

/// The steps from rows of `x` to `y`: one for few rows a stream, or two for many.
pub fn conv(gpu: &Gpu, sizes: Conv, w: &PackedConv, buffers: ConvBuffers) -> [Step; 3] {
    let taps = gpu.holding("conv.taps", &w.taps_and_bias());
    let source = source(sizes);
    let ConvBuffers {
        run,
        slots,
        x,
        tails,
        new_tails,
        y,
    } = buffers;
    let (run, slots, tails, new) = ((0, run), (15, slots), (3, tails), (4, new_tails));
    let (taps, x, y) = ((1, &taps), (2, x), (5, y));
    let step = gpu.dispatch(&source, "step", &[run, slots, taps, x, tails, y]);
    let main = gpu.dispatch(&source, "main", &[run, slots, taps, x, tails, new, y]);
    let settle = gpu.dispatch(&source, "settle", &[run, slots, tails, new]);
    let columns = sizes.channels.div_ceil(64) as u32;
    let streams = move |run: Run| run.batch.min(MOST_GROUPS as u32);
    [
        Step::new(step, move |run| {
            let few = run.time <= SHORT;
            [columns, if few { streams(run) } else { 0 }, 1]
        }),
        Step::new(main, move |run| {
            let rows = run.time as usize * run.batch as usize;
            let few = run.time <= SHORT;
            [
                columns,
                if few { 0 } else { rows.min(MOST_GROUPS) as u32 },
                1,
            ]
        }),
        Step::new(settle, move |run| {
            let few = run.time <= SHORT;
            [columns, if few { 0 } else { streams(run) }, 1]
        }),
    ]
}
