//! `shaders/link.wgsl`: one gain a bin for all channels.

use wgpu::Buffer;

use super::{MOST_GROUPS, Step};
use crate::engine::gpu::device::Gpu;
use crate::engine::gpu::shader::{Shader, Source};

/// The source for frames of `bins`, of which `past` of a session's `frames` lie before the first.
pub fn link_source((bins, past, frames): (usize, usize, usize)) -> Source {
    Source::new(Shader::Link)
        .size("BINS", bins)
        .size("PAST", past)
        .size("FRAMES", frames)
}

/// The step that gives all sessions of `filtered`, `[session · time][bins]`, one gain; sizes as in [`link_source`].
pub fn link(
    gpu: &Gpu,
    sizes: (usize, usize, usize),
    (run, slots): (&Buffer, &Buffer),
    (spectra, filtered): (&Buffer, &Buffer),
) -> Step {
    let (bins, ..) = sizes;
    let buffers = [(0, run), (15, slots), (1, spectra), (2, filtered)];
    let dispatch = gpu.dispatch(&link_source(sizes), "main", &buffers);
    let columns = bins.div_ceil(64) as u32;
    Step::new(dispatch, move |run| {
        [columns, run.time.min(MOST_GROUPS as u32), 1]
    })
}
