//! What a model file says of itself: the JSON under the metadata key `statewave`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::ModelError;

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
    /// Sound from nothing or from notes.
    Generate,
    /// Sound from what came before.
    Continue,
    /// Tokens to tokens, such as the papers' tasks.
    Sequence,
}

/// Whether a spec is of the task that is to be run: the first thing to know of it, for the rest follows from the task.
pub(super) fn check_task(spec: &Value, wanted: Task) -> Result<(), ModelError> {
    let task = spec.get("task").cloned().unwrap_or_default();
    match serde_json::from_value::<Task>(task) {
        Ok(task) if task == wanted => Ok(()),
        Ok(task) => Err(ModelError::Task {
            found: task,
            wanted,
        }),
        Err(e) => Err(ModelError::Spec(format!("its task: {e}"))),
    }
}

/// Whether a model of raw sound says what can be: its rate in Hz, and what its norms add to the mean square.
pub(super) fn check_sound(sample_rate: u32, norm_eps: f64) -> Result<(), ModelError> {
    if !(8_000..=192_000).contains(&sample_rate) {
        return Err(ModelError::Spec(format!("a rate of {sample_rate} Hz")));
    }
    if !(norm_eps.is_finite() && norm_eps > 0.0) {
        return Err(ModelError::Spec("norm_eps must be above 0".into()));
    }
    Ok(())
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

/// One layer of a frame model, in the order in which they run. Prefixes of tensor names follow from the order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LayerSpec {
    /// Bins to bands: a linear map of its own for every band, from (re, im, magnitude), power-compressed and divided by
    /// their running level. Tensors `split.weight.G`, `split.bias.G`, one a group of bands alike.
    BandSplit {
        /// (number of bands, bins each), from the lowest bin up.
        bands: Vec<(usize, usize)>,
        /// D, the width of the residual stream.
        width: usize,
        /// Exponent of the magnitude.
        compress: f64,
        /// Time constant of the running level.
        level_seconds: f64,
    },
    /// A Mamba-2 block over time, all bands as one batch. Tensors `layers.L.norm.weight`, `layers.L.mixer.*`.
    Mamba2 {
        /// H.
        heads: usize,
        /// P.
        head_dim: usize,
        /// N.
        states: usize,
        /// G.
        groups: usize,
        /// K.
        taps: usize,
    },
    /// Gated mixing across bands, one matrix a channel. Tensors `layers.L.bands.*`; L as the block before it.
    BandMix {
        /// C, channels that are mixed.
        channels: usize,
    },
    /// Bands to filters: complex coefficients a bin, over this and the frames before, `[width][taps][2]` a band, and then,
    /// if gated, the logit of a gate for each bin. Tensors `norm_f.weight`, `head.weight.G`, `head.bias.G`.
    FilterHead {
        /// Frames of the filter on the lowest bins; the others have one.
        taps: usize,
        /// Bins, from the lowest, that have `taps`.
        tap_bins: usize,
        /// Whether a bin's filter is multiplied by a gate between 0 and 1.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        gated: bool,
        /// What coefficients are held within; [`LIMIT`](crate::kernels::filter::LIMIT) where nothing is said. Filters and
        /// limit times the same factor are the model at another level.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<f32>,
    },
}

/// What a model file says of itself. Fields that only people read are kept as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// See [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The model's own name.
    pub name: String,
    /// What it is for.
    pub task: Task,
    /// Hz.
    pub sample_rate: u32,
    /// The transform around it.
    pub front_end: FrontEnd,
    /// Its layers.
    pub layers: Vec<LayerSpec>,
    /// Added to the mean square by every RMSNorm.
    pub norm_eps: f64,
    /// Licence, training data, scores and the like.
    #[serde(flatten)]
    pub notes: serde_json::Map<String, serde_json::Value>,
}
