//! Whole recordings on a device, thousands of frames at once.
//!
//! Flows in: a recording. Flows out: the same, cleaned, as the live chain would have. Device memory depends on the frames
//! that are run at a time, never on the recording's length.

use std::sync::Arc;

use super::denoiser::GpuDenoiser;
use super::{Gpu, GpuError};
use crate::chain::{Chain, ChainConfig, ChainError, render_ahead};
use crate::controls::Controls;
use crate::engine::{Engine, offline};
use crate::latency::Latency;
use crate::model::Model;

/// Frames at a time, all channels together: some hundred megabytes of what lies between the shipped model's layers.
const FRAMES: usize = 4096;

/// Samples a channel that the chain is given at a time.
const BLOCK: usize = 4096;

/// Why a recording was not cleaned.
#[derive(Debug, thiserror::Error)]
pub enum WholeError {
    /// The device.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// The rate or the channels.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Frames of each of `channels` streams that are run at a time.
pub fn frames_at_once(channels: usize) -> usize {
    (FRAMES / channels.max(1)).max(1)
}

/// Replaces `audio`, a channel each at `rate` Hz, by `model`'s output in time with it, and returns the delays that the live
/// chain has. `told_of` hears how many samples a channel are finished.
///
/// # Errors
/// See [`WholeError`]; a part of `audio` is finished then.
pub fn render(
    gpu: &Arc<Gpu>,
    model: &Arc<Model>,
    audio: &mut [Vec<f32>],
    rate: u32,
    controls: &Controls,
    told_of: impl FnMut(usize),
) -> Result<Latency, WholeError> {
    let frames = frames_at_once(audio.len());
    render_by(gpu, model, audio, rate, controls, frames, told_of)
}

/// The same, `frames` of every channel at a time.
///
/// # Errors
/// As [`render`].
pub fn render_by(
    gpu: &Arc<Gpu>,
    model: &Arc<Model>,
    audio: &mut [Vec<f32>],
    rate: u32,
    controls: &Controls,
    frames: usize,
    told_of: impl FnMut(usize),
) -> Result<Latency, WholeError> {
    let (spec, net, channels) = (model.spec(), model.net(), audio.len());
    let mut denoiser = GpuDenoiser::new(Arc::clone(gpu), net, channels, frames)?;
    let (scout, player, mut batch) = offline::engines(2 * net.bins(), channels);
    let config = ChainConfig {
        sample_rate: rate,
        channels,
        max_block: BLOCK,
    };
    let chain =
        |engine: Box<dyn Engine>| Chain::new(engine, spec.front_end, spec.sample_rate, config);
    let (mut scout, mut player) = (chain(Box::new(scout))?, chain(Box::new(player))?);
    let hop = spec.front_end.hop as u64 * u64::from(rate) / u64::from(spec.sample_rate);
    render_ahead(
        (&mut scout, &mut player),
        frames * hop.max(1) as usize,
        || batch.run(&mut denoiser),
        audio,
        controls,
        told_of,
    )?;
    Ok(player.latency())
}
