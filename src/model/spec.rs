//! What a model file says of itself: the JSON under the metadata key `statewave`.

use serde::{Deserialize, Serialize};

/// The newest format version this program reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// The metadata key of the safetensors file that holds the spec.
pub const METADATA_KEY: &str = "statewave";

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Noise out of speech.
    Denoise,
    /// Audio to audio, such as an amplifier.
    Effect,
    /// Sound from nothing, from notes or from what came before.
    Generate,
    /// Tokens to tokens, such as the papers' tasks.
    Sequence,
}

/// The short-time Fourier transform around a frame model. All lengths in samples of the model's rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrontEnd {
    /// Samples between frames.
    pub hop: usize,
    /// Length of the analysis window and of the transform.
    pub window: usize,
    /// Length of the cross-fade between neighbouring frames, at most `hop`: the falling edge of both windows.
    pub overlap: usize,
    /// Samples over which the work of a hop is spread.
    pub spread: usize,
}

impl FrontEnd {
    /// Bins of the transform: `window / 2 + 1`.
    pub fn bins(&self) -> usize {
        self.window / 2 + 1
    }

    /// Algorithmic latency: a sample waits for its hop, for the cross-fade behind it, and for the work of the hop.
    pub fn latency(&self) -> usize {
        self.hop + self.overlap + self.spread
    }
}
