//! `shaders/stft.wgsl`: frames of samples, and samples of frames.

use std::f64::consts::TAU;

use wgpu::Buffer;

use super::{MOST_GROUPS, Step};
use crate::engine::gpu::device::Gpu;
use crate::engine::gpu::record::Run;
use crate::engine::gpu::shader::{Shader, Source};
use crate::frame::stft::{analysis_window, synthesis_window};
use crate::model::spec::FrontEnd;

/// Sizes of a transform, and of the buffers around it.
#[derive(Debug, Clone, Copy)]
pub struct Stft {
    /// Its windows.
    pub front_end: FrontEnd,
    /// Floats of a session's input.
    pub samples: usize,
    /// Frames of a session's spectra that lie before the first, and all of them.
    pub past: usize,
    /// See `past`.
    pub frames: usize,
    /// Floats of a session's output, and those before its first.
    pub joined: usize,
    /// See `joined`.
    pub kept: usize,
}

/// What a transform reads and writes.
#[derive(Debug, Clone, Copy)]
pub struct StftBuffers<'a> {
    /// Frames of each session.
    pub run: &'a Buffer,
    /// For whom.
    pub slots: &'a Buffer,
    /// `[session][samples]`, the first frame's window at its start.
    pub samples: &'a Buffer,
    /// `[slot][frames][bins]`.
    pub spectra: &'a Buffer,
    /// `[session · time][bins]`.
    pub filtered: &'a Buffer,
    /// `[session · time][hop + overlap]`.
    pub segments: &'a Buffer,
    /// `[session][overlap]`: the end of the frame before the first.
    pub falls: &'a Buffer,
    /// `[session][joined]`.
    pub joined: &'a Buffer,
}

/// Bytes of workgroup memory that the shader takes.
pub fn stft_bytes(front_end: &FrontEnd) -> usize {
    2 * front_end.window / 2 * size_of::<[f32; 2]>()
}

/// The source for `sizes`.
pub fn stft_source(sizes: Stft) -> Source {
    let half = sizes.front_end.window / 2;
    let radices = radices(half);
    Source::new(Shader::Stft)
        .size("HALF", half)
        .size("HOP", sizes.front_end.hop)
        .size("OVERLAP", sizes.front_end.overlap)
        .size("STAGES", radices.len())
        .sizes("RADICES", radices)
        .size("SAMPLES", sizes.samples)
        .size("PAST", sizes.past)
        .size("FRAMES", sizes.frames)
        .size("JOINED", sizes.joined)
        .size("KEPT", sizes.kept)
}

/// The steps there, and those back.
pub fn stft(gpu: &Gpu, sizes: Stft, buffers: StftBuffers) -> (Step, [Step; 2]) {
    let FrontEnd { hop, window, .. } = sizes.front_end;
    let back = synthesis_window(&sizes.front_end).into_iter();
    let windows: Vec<f32> = analysis_window(&sizes.front_end)
        .into_iter()
        .chain(back.map(|s| s / window as f32))
        .collect();
    let root = |k: usize| {
        let (sin, cos) = (TAU * k as f64 / window as f64).sin_cos();
        [cos as f32, -sin as f32]
    };
    let windows = gpu.holding("stft.windows", &windows);
    let roots = gpu.holding("stft.roots", &(0..window).map(root).collect::<Vec<_>>());
    let StftBuffers {
        run,
        slots,
        samples,
        spectra,
        filtered,
        segments,
        falls,
        joined,
    } = buffers;
    let source = stft_source(sizes);
    let (run, windows, roots) = ((0, run), (2, &windows), (3, &roots));
    let analyse = [run, (15, slots), (1, samples), windows, roots, (4, spectra)];
    let synthesise = [run, windows, roots, (5, filtered), (6, segments)];
    let join = [run, (6, segments), (7, falls), (8, joined)];
    let frames = |run: Run| {
        let rows = run.time as usize * run.batch as usize;
        [rows.min(MOST_GROUPS) as u32, 1, 1]
    };
    (
        Step::new(gpu.dispatch(&source, "analyse", &analyse), frames),
        [
            Step::new(gpu.dispatch(&source, "synthesise", &synthesise), frames),
            Step::new(gpu.dispatch(&source, "join", &join), move |run| {
                let columns = (run.time as usize * hop).div_ceil(64);
                [columns.min(MOST_GROUPS) as u32, run.batch, 1]
            }),
        ],
    )
}

/// Factors of `points`, fours first: fewer stages for as many products as twos.
fn radices(points: usize) -> Vec<usize> {
    let mut radices = Vec::new();
    let mut rest = points;
    let mut radix = 4;
    while rest > 1 {
        if rest.is_multiple_of(radix) {
            radices.push(radix);
            rest /= radix;
        } else {
            radix = match radix {
                4 => 2,
                2 => 3,
                odd => odd + 2,
            };
        }
    }
    if radices.is_empty() {
        radices.push(1);
    }
    radices
}

#[cfg(test)]
mod tests {
    use super::radices;

    #[test]
    fn radices_multiply_up() {
        assert_eq!(radices(640), [4, 4, 4, 2, 5]);
        assert_eq!(radices(1), [1]);
        for points in 1..2000 {
            assert_eq!(radices(points).iter().product::<usize>(), points);
        }
    }
}
