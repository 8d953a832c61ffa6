//! What runs sessions of a model: frames of all channels in, frames out, never late on purpose.

pub mod continuation;
pub mod cost;
pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod supervisor;
pub mod wave;

use crate::state::Memory;
use crate::telemetry::Deltas;

/// What runs a model for the frames of a chain. All channels of a frame travel together, so they never drift apart.
pub trait Engine: Send {
    /// Length of one channel's frame in floats: complex bins interleaved as (re, im).
    fn frame_len(&self) -> usize;
    /// Number of channels the engine was prepared for.
    fn channels(&self) -> usize;
    /// Samples of the model's rate by which results may come later than the spread: the trip to another device and back.
    /// Constant for an engine's life, and part of the latency. Frames given meanwhile are in flight together.
    fn handoff(&self) -> usize {
        0
    }
    /// Give frame `seq` of all channels, `[channels][frame_len]`. Never waits and never allocates.
    fn submit(&mut self, seq: u64, input: &[f32]);
    /// Bring the work of the frame last given up to the share `done / of`. Engines that work elsewhere do nothing here.
    fn work(&mut self, done: u32, of: u32);
    /// Take the result of frame `seq`, `[channels][frame_len]`; finishes the work if a share is left.
    /// [`Exchange::Late`] and [`Exchange::Lost`] leave `output` untouched.
    fn collect(&mut self, seq: u64, output: &mut [f32]) -> Exchange;
    /// Forget the stream: every state back to its start. Real-time safe.
    fn reset(&mut self);
    /// Whether to keep what [`Engine::deltas`] shows. Real-time safe.
    fn observe(&mut self, _on: bool) {}
    /// Δ of the frame last collected, mean over channels; `deltas` comes as zeros. Engines that cannot say leave it.
    /// Real-time safe.
    fn deltas(&self, _deltas: &mut Deltas) {}
    /// What it remembers, for the controls of its state, between two frames. Engines that remember nothing have none.
    fn memory(&mut self) -> Option<&mut dyn Memory> {
        None
    }
    /// Who runs the frames, for whoever watches. Real-time safe.
    fn report(&self) -> EngineReport {
        EngineReport::default()
    }
}

/// Who runs the frames of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Player {
    /// This processor.
    #[default]
    Cpu,
    /// This processor, until another device has shown that it is on time.
    HandingOver,
    /// Another device.
    Gpu,
}

/// Who runs the frames, and how it has gone so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EngineReport {
    /// Who runs them now.
    pub player: Player,
    /// Frames of another device that were not there when they were due.
    pub late: u64,
    /// Frames that another device could not take or could not run.
    pub lost: u64,
    /// Times this processor took over.
    pub taken_over: u64,
    /// Frames by which the newest that came back from another device is behind the newest that was sent to it.
    pub age: u64,
    /// The most of that since the engine began, where a frame was due.
    pub worst_age: u64,
}

/// What came of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// The result was written.
    Ready,
    /// The result has not come yet.
    Late,
    /// The result will never come.
    Lost,
}
