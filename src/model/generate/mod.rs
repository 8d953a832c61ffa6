//! Models of raw sound that go on by themselves, sample by sample: SaShiMi's shape (Goel, Gu, Donahue and Ré 2022) with
//! S4D where the rate is high and Mamba's S6 where it is low. Twin of training/generate.py.
//!
//! ```text
//! sample t ─► μ-law ─► embedding ─► S4D ──────────────────────────── + ─► S4D ─► norm ─► 256 logits of sample t + 1
//!                                    └► 4 to 1 ─► S4D ────── + ─► S4D ─► 1 to 4 ┘
//!                                                  └► 4 to 1 ─► S6 ─► 1 to 4 ┘
//! ```
//! Flows in: a model file of task `continue`. Flows out: logits of whole recordings ([`GenerateModel::logits`]), and
//! streams ([`GenerateStream`]) that hear a sample at a time.

pub mod mu_law;
mod stream;
mod tiers;

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file::{Limits, ModelError, ModelFile, read_bytes, sha256};
use super::spec::{Task, check_sound};
use super::stack::StackConfig;
use super::tensors::Tensors;
use crate::kernels;
pub use stream::{GenerateStream, StreamState};
use tiers::Tiers;

/// What a generative model's file says of itself. The kinds and sizes of its blocks are those of its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GenerateSpec {
    /// See [`FORMAT_VERSION`](super::spec::FORMAT_VERSION).
    pub format_version: u32,
    /// The model's own name.
    pub name: String,
    /// [`Task::Continue`].
    pub task: Task,
    /// The rate it was trained at, Hz.
    pub sample_rate: u32,
    /// Added to the mean square by every RMSNorm.
    pub norm_eps: f64,
    /// Rows of a tier that make one of the tier below, from the sample rate down.
    pub pools: Vec<usize>,
    /// Onsets a second of what it was trained on, at evenly spaced shares of it from the sparsest to the densest.
    #[serde(default)]
    pub onsets_a_second: Vec<f32>,
    /// Level of what it was trained on, RMS in dBFS, the median over streams. The input is brought to it and what it makes back;
    /// without it neither is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level_db: Option<f32>,
    /// Licence, training data, scores and the like.
    #[serde(flatten)]
    pub notes: serde_json::Map<String, Value>,
}

/// How dense what is to come should be.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Density {
    /// Share of the training set that is sparser, 0 to 1.
    pub share: f32,
    /// How much that is to count: 0 leaves it to what was heard, 1 is as in training.
    pub weight: f32,
}

/// A generative model, verified when read. Immutable; streams are [`GenerateStream`]s.
#[derive(Debug)]
pub struct GenerateModel {
    spec: GenerateSpec,
    tiers: Tiers,
    parameters: usize,
    sha256: String,
}

impl GenerateModel {
    /// Reads a model file of at most [`Limits::MODEL`].
    ///
    /// # Errors
    /// See [`ModelError`]: each says what is wrong, and its remedy.
    pub fn open(path: impl AsRef<Path>) -> Result<GenerateModel, ModelError> {
        GenerateModel::from_bytes(&read_bytes(path.as_ref(), Limits::MODEL)?)
    }

    /// Reads the bytes of a whole model file.
    ///
    /// # Errors
    /// As [`GenerateModel::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<GenerateModel, ModelError> {
        let file = ModelFile::from_bytes(bytes)?;
        let parameters = file.parameters();
        let spec: GenerateSpec = file.spec(Task::Continue)?;
        let fail = |why: String| Err(ModelError::Spec(why));
        check_sound(spec.sample_rate, spec.norm_eps)?;
        if spec.pools.is_empty() || spec.pools.len() > 4 {
            return fail("it pools in 1 to 4 stages".into());
        }
        if !spec.pools.iter().all(|pool| (2..=16).contains(pool)) {
            return fail("a stage pools 2 to 16 rows".into());
        }
        let tensors: Tensors = file.tensors.into_iter().collect();
        let config = StackConfig {
            eps: spec.norm_eps as f32,
            ..StackConfig::default()
        };
        Ok(GenerateModel {
            tiers: Tiers::new(config, &spec.pools, &tensors)?,
            spec,
            parameters,
            sha256: sha256(bytes),
        })
    }

    /// What the model says of itself.
    pub fn spec(&self) -> &GenerateSpec {
        &self.spec
    }

    /// Number of weights.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// SHA-256 of the file, in lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Samples that make one row of the middle: the period of a stream's work.
    pub fn period(&self) -> usize {
        self.spec.pools.iter().product()
    }

    /// Logits of the samples behind each of `tokens`, `[time][256]`, a whole recording at once from an empty past. Tokens
    /// beyond a multiple of [`GenerateModel::period`] are left out. Allocates: for files.
    pub fn logits(&self, path: kernels::Path, tokens: &[u8], density: Density) -> Vec<f32> {
        self.tiers.whole(path, tokens, density)
    }
}
