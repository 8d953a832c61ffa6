//! `shaders/deltas.wgsl`: Δ of a layer over time, for whoever watches.

use wgpu::Buffer;

use super::{SsdScan, Step};
use crate::engine::gpu::device::Gpu;
use crate::engine::gpu::shader::{Shader, Source};
use crate::kernels::scan::Ssd;
use crate::telemetry::DELTA_LAYERS;

/// The source for the `layer`th layer, with raw Δ `dt_row` apart from `dt_at` on.
pub fn deltas_source(s: &Ssd, dt_row: usize, dt_at: usize, layer: usize) -> Source {
    let (least, most) = s.limit();
    Source::new(Shader::Deltas)
        .size("HEADS", s.heads())
        .size("DT_ROW", dt_row)
        .size("DT_AT", dt_at)
        .number("DELTA_LEAST", least)
        .number("DELTA_MOST", most)
        .size("LAYERS", DELTA_LAYERS)
        .size("LAYER", layer)
}

/// The step that puts the layer's Δ into `deltas`, `[session][DELTA_LAYERS][band]`.
pub fn deltas(
    gpu: &Gpu,
    s: &Ssd,
    rows: SsdScan,
    layer: usize,
    (run, deltas): (&Buffer, &Buffer),
) -> Step {
    let biases: Vec<f32> = (0..s.heads()).map(|h| s.dt_bias(h)).collect();
    let biases = gpu.holding("deltas.biases", &biases);
    let source = deltas_source(s, rows.dt_row, rows.dt_at, layer);
    let buffers = [(0, run), (1, &biases), (2, rows.dt), (3, deltas)];
    let dispatch = gpu.dispatch(&source, "main", &buffers);
    Step::new(dispatch, |run| [run.batch.div_ceil(64), 1, 1])
}
