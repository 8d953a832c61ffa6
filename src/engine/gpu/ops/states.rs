//! `shaders/states.wgsl`: what sessions remember, packed as states.

use wgpu::Buffer;

use super::Step;
use crate::engine::gpu::device::Gpu;
use crate::engine::gpu::shader::{Shader, Source};

/// Where a part of the sessions' states lies, in floats.
#[derive(Debug, Clone, Copy)]
pub struct StatePart {
    /// Floats of a stream.
    pub len: usize,
    /// Streams of a session.
    pub each: usize,
    /// From one stream of a session to the next.
    pub each_step: usize,
    /// From one session to the next.
    pub slot_step: usize,
    /// Where it begins in a state.
    pub at: usize,
}

/// The source for `part` of states of `state` floats.
pub fn states_source(part: StatePart, state: usize) -> Source {
    Source::new(Shader::States)
        .size("LEN", part.len)
        .size("EACH", part.each)
        .size("EACH_STEP", part.each_step)
        .size("SLOT_STEP", part.slot_step)
        .size("AT", part.at)
        .size("STATE", state)
}

/// The steps that copy `part` out of `memory` into `packed`, `[session][state]`, and back; `slots` says whose.
pub fn states(
    gpu: &Gpu,
    (part, state): (StatePart, usize),
    (run, slots): (&Buffer, &Buffer),
    (memory, packed): (&Buffer, &Buffer),
) -> [Step; 2] {
    let source = states_source(part, state);
    let columns = (part.each * part.len).div_ceil(64) as u32;
    ["gather", "scatter"].map(|entry| {
        let buffers = [(0, run), (15, slots), (1, memory), (2, packed)];
        let dispatch = gpu.dispatch(&source, entry, &buffers);
        Step::new(dispatch, move |run| [columns, run.sessions, 1])
    })
}
