//! What the audio thread tells a panel, once a frame of the model.

use crate::chain::ChainStats;

/// Bands of the spectra, spaced evenly in pitch from [`LOW_HZ`] to [`HIGH_HZ`].
pub const BANDS: usize = 96;

/// Lower edge of the lowest band, Hz.
pub const LOW_HZ: f32 = 40.0;

/// Upper edge of the highest band, Hz.
pub const HIGH_HZ: f32 = 20_000.0;

/// Layers whose steps are told, at most.
pub const DELTA_LAYERS: usize = 4;

/// Bands of a layer whose steps are told, at most.
pub const DELTA_BANDS: usize = 32;

/// One frame as the audio thread saw it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot {
    /// Frames since the stream began.
    pub frame: u64,
    /// Largest sample of the input since the last snapshot, a channel each, linear.
    pub input_peak: [f32; 2],
    /// The same of the output.
    pub output_peak: [f32; 2],
    /// What the model was given, dBFS a band.
    pub input_db: [f32; BANDS],
    /// What the model gave back, dBFS a band.
    pub output_db: [f32; BANDS],
    /// The step Δ that Mamba-2 chose, a time layer and band each, mean of its heads; 0 where there is no such layer.
    pub delta: [[f32; DELTA_BANDS]; DELTA_LAYERS],
    /// Share of real time that processing takes.
    pub load: f32,
    /// What became of the frames so far.
    pub stats: ChainStats,
    /// Blocks that took longer than they last.
    pub missed: u64,
}
