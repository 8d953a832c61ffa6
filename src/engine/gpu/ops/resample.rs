//! `shaders/resample.wgsl`: another sample rate, as `frame::resample` has it.

use wgpu::Buffer;

use super::{MOST_GROUPS, Step};
use crate::engine::gpu::device::Gpu;
use crate::engine::gpu::shader::{Shader, Source};
use crate::frame::Filter;

/// Outputs from one place that is given to the next.
pub const PLACES: usize = 1024;

/// Sizes of a change of rate: output j lies at (j · `rate_in` + offset) / `rate_out` of the input.
#[derive(Debug, Clone, Copy)]
pub struct Resample {
    /// The input's rate; both in their smallest whole numbers.
    pub rate_in: u64,
    /// The output's.
    pub rate_out: u64,
    /// Floats of a session's input.
    pub from: usize,
    /// Floats of a session's output.
    pub to: usize,
}

/// The source for `sizes`.
pub fn resample_source(sizes: Resample) -> Source {
    source(sizes, &Filter::new(sizes.rate_in, sizes.rate_out))
}

fn source(sizes: Resample, filter: &Filter) -> Source {
    let Resample {
        rate_in, rate_out, ..
    } = sizes;
    Source::new(Shader::Resample)
        .size("TAPS", filter.taps)
        .size("PHASES", rate_out as usize)
        .size("ROWS", filter.table_phases as usize)
        .size("STEP_WHOLE", (rate_in / rate_out) as usize)
        .size("STEP_REST", (rate_in % rate_out) as usize)
        .size("FROM", sizes.from)
        .size("TO", sizes.to)
}

/// The step from `from`, `[session][sizes.from]`, to `to`, `[session][sizes.to]`. The `time` of the run are its outputs, and
/// `places` says of every [`PLACES`]th of them where its first tap is, and its phase.
pub fn resample(
    gpu: &Gpu,
    sizes: Resample,
    run: &Buffer,
    places: &Buffer,
    (from, to): (&Buffer, &Buffer),
) -> Step {
    let filter = Filter::new(sizes.rate_in, sizes.rate_out);
    let taps = gpu.holding("resample.taps", &filter.table);
    let buffers = [(0, run), (1, &taps), (2, places), (3, from), (4, to)];
    let dispatch = gpu.dispatch(&source(sizes, &filter), "main", &buffers);
    Step::new(dispatch, |run| {
        let columns = run.time.div_ceil(64);
        [columns.min(MOST_GROUPS as u32), run.batch, 1]
    })
}
