//! Models of tokens, for the papers' tasks and for text: an embedding, blocks, the last norm, a head, tied or its own.
//!
//! Flows in: a Statewave model file of task `sequence`, or a checkpoint of Hugging Face `transformers` as it is. Flows
//! out: logits, from streams that each remember their own past.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file::{Container, Limits, ModelError, ModelFile, Tensor, read_bytes};
use super::layer::Layer;
use super::spec::Task;
use super::stack::{Stack, StackConfig};
use super::tensors::Tensors;
use crate::kernels;

/// What a sequence model's file says of itself. The kinds and sizes of its blocks are those of its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SequenceSpec {
    /// See [`FORMAT_VERSION`](super::spec::FORMAT_VERSION).
    pub format_version: u32,
    /// The model's own name.
    pub name: String,
    /// [`Task::Sequence`].
    pub task: Task,
    /// Added to the mean square by every RMSNorm.
    pub norm_eps: f64,
    /// What the tensors' shapes do not say.
    #[serde(default)]
    pub sequence: SequenceNotes,
    /// Licence, training data, scores and the like.
    #[serde(flatten)]
    pub notes: serde_json::Map<String, Value>,
}

/// What the shapes of a sequence model's tensors do not say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SequenceNotes {
    /// Groups of B and C of Mamba-2 blocks.
    pub groups: usize,
    /// The smallest and the largest Δ of Mamba-2 blocks; without the second there is no largest.
    pub delta_limit: (f32, Option<f32>),
}

impl Default for SequenceNotes {
    fn default() -> SequenceNotes {
        SequenceNotes {
            groups: 1,
            delta_limit: (0.0, None),
        }
    }
}

/// A model of tokens, verified when read. Immutable; streams are [`SequenceSession`]s.
#[derive(Debug)]
pub struct SequenceModel {
    stack: Stack,
    vocabulary: usize,
    outputs: usize,
    parameters: usize,
    notes: serde_json::Map<String, Value>,
}

impl SequenceModel {
    /// Reads the bytes of a whole model file of task `sequence`.
    ///
    /// # Errors
    /// See [`ModelError`]: each says what is wrong, and its remedy.
    pub fn from_bytes(bytes: &[u8]) -> Result<SequenceModel, ModelError> {
        let file = ModelFile::from_bytes(bytes)?;
        let spec: SequenceSpec = file.spec(Task::Sequence)?;
        let (low, high) = spec.sequence.delta_limit;
        let config = StackConfig {
            eps: spec.norm_eps as f32,
            groups: spec.sequence.groups,
            delta_limit: (low, high.unwrap_or(f32::INFINITY)),
            ..StackConfig::default()
        };
        SequenceModel::new(config, file.tensors, spec.notes)
    }

    /// Reads a folder that `transformers`' `save_pretrained` wrote of a `MambaForCausalLM` or `Mamba2ForCausalLM`:
    /// `config.json` and `model.safetensors`, of at most [`Limits::CHECKPOINT`].
    ///
    /// # Errors
    /// As [`SequenceModel::from_bytes`].
    pub fn open_checkpoint(folder: impl AsRef<Path>) -> Result<SequenceModel, ModelError> {
        let folder = folder.as_ref();
        let config = read_bytes(&folder.join("config.json"), Limits::MODEL)?;
        let config = checkpoint_config(&config)?;
        let bytes = read_bytes(&folder.join("model.safetensors"), Limits::CHECKPOINT)?;
        let container = Container::from_bytes(&bytes, Limits::CHECKPOINT)?;
        SequenceModel::new(config, container.tensors, serde_json::Map::new())
    }

    fn new(
        config: StackConfig,
        read: impl IntoIterator<Item = (String, Tensor)>,
        notes: serde_json::Map<String, Value>,
    ) -> Result<SequenceModel, ModelError> {
        if !(config.eps.is_finite() && config.eps > 0.0) {
            return Err(ModelError::Spec("the norms' eps must be above 0".into()));
        }
        if config.groups == 0 {
            return Err(ModelError::Spec("there must be a group".into()));
        }
        let (low, high) = config.delta_limit;
        if !(low >= 0.0 && low <= high) {
            return Err(ModelError::Spec("the limits of Δ are not in order".into()));
        }
        let mut parameters = 0;
        let counted = read
            .into_iter()
            .inspect(|(_, tensor)| parameters += tensor.data.len());
        let tensors: Tensors = counted.collect();
        let stack = Stack::new(config, &tensors)?;
        let (Some(vocabulary), Some(outputs)) = (stack.vocabulary(), stack.outputs()) else {
            let why = "a sequence model has an embedding, and this file has none".into();
            return Err(ModelError::Spec(why));
        };
        Ok(SequenceModel {
            stack,
            vocabulary,
            outputs,
            parameters,
            notes,
        })
    }

    /// Number of tokens it knows.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// Length of a row of logits.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Number of weights.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// The blocks with their ends.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// What the file says besides; empty for checkpoints.
    pub fn notes(&self) -> &serde_json::Map<String, Value> {
        &self.notes
    }
}

/// What a `config.json` of `transformers` says that the tensors' shapes do not.
fn checkpoint_config(json: &[u8]) -> Result<StackConfig, ModelError> {
    #[derive(Deserialize)]
    struct Config {
        model_type: String,
        layer_norm_epsilon: f64,
        hidden_act: String,
        n_groups: Option<usize>,
        /// The second number may be infinite, which JSON has no word for.
        time_step_limit: Option<(f32, Value)>,
    }
    let config: Config =
        serde_json::from_slice(json).map_err(|e| ModelError::Checkpoint(e.to_string()))?;
    if !matches!(config.model_type.as_str(), "mamba" | "mamba2") {
        let why = format!("its model_type is {:?}", config.model_type);
        return Err(ModelError::Checkpoint(why));
    }
    if config.hidden_act != "silu" {
        let why = format!(
            "its hidden_act is {:?}; only silu is run",
            config.hidden_act
        );
        return Err(ModelError::Checkpoint(why));
    }
    let default = StackConfig::default();
    Ok(StackConfig {
        eps: config.layer_norm_epsilon as f32,
        groups: config.n_groups.unwrap_or(default.groups),
        delta_limit: config
            .time_step_limit
            .map_or(default.delta_limit, |(low, high)| {
                (low, high.as_f64().map_or(f32::INFINITY, |v| v as f32))
            }),
        ..default
    })
}

/// A token that the model does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("token {token} is not among the {vocabulary} that the model knows")]
pub struct UnknownToken {
    /// The token.
    pub token: usize,
    /// The number of those known, from 0 on.
    pub vocabulary: usize,
}

/// Streams of one model that go on together: their states, and the rows of the steps last given.
///
/// ```no_run
/// use std::sync::Arc;
/// use statewave::model::sequence::{SequenceModel, SequenceSession};
///
/// let model = Arc::new(SequenceModel::open_checkpoint("mamba-130m")?);
/// let mut session = SequenceSession::new(model, 1);
/// session.feed(&[12, 7, 29])?;
/// let next = session.best();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SequenceSession {
    model: Arc<SequenceModel>,
    path: kernels::Path,
    batch: usize,
    state: Vec<f32>,
    scratch: Vec<f32>,
    /// `[batch][time][D]` of the steps last given.
    x: Vec<f32>,
    logits: Vec<f32>,
}

impl SequenceSession {
    /// So many streams at their start.
    pub fn new(model: Arc<SequenceModel>, batch: usize) -> SequenceSession {
        SequenceSession {
            path: kernels::Path::detect(),
            batch,
            state: vec![0.0; model.stack.state_len(batch)],
            scratch: Vec::new(),
            x: Vec::new(),
            logits: Vec::new(),
            model,
        }
    }

    /// Lets every stream hear as many tokens, `[batch][time]`. Allocates when `time` is longer than ever before.
    ///
    /// # Errors
    /// A token that the model does not know; the streams are then where they were.
    ///
    /// # Panics
    /// If the tokens are not as many for every stream.
    pub fn feed(&mut self, tokens: &[usize]) -> Result<(), UnknownToken> {
        assert!(
            tokens.len().is_multiple_of(self.batch),
            "streams hear different numbers of tokens"
        );
        let (stack, time) = (&self.model.stack, tokens.len() / self.batch);
        self.x.resize(tokens.len() * stack.width(), 0.0);
        if !stack.embed(tokens, &mut self.x) {
            let vocabulary = self.model.vocabulary;
            let token = *tokens.iter().find(|t| **t >= vocabulary).unwrap_or(&0);
            return Err(UnknownToken { token, vocabulary });
        }
        let scratch = stack.scratch_len(self.batch, time);
        if self.scratch.len() < scratch {
            self.scratch.resize(scratch, 0.0);
        }
        stack.forward(
            self.path,
            &mut self.x,
            self.batch,
            time,
            &mut self.state,
            &mut self.scratch,
        );
        Ok(())
    }

    /// Logits of every step last given, `[batch][time][outputs]`.
    pub fn logits(&mut self) -> &[f32] {
        let stack = &self.model.stack;
        let rows = self.x.len() / stack.width();
        self.logits.resize(rows * self.model.outputs, 0.0);
        stack.project_out(self.path, &self.x, &mut self.logits, rows);
        &self.logits
    }

    /// The most likely next token behind every step last given, `[batch][time]`; of several the first.
    pub fn best(&mut self) -> Vec<usize> {
        let outputs = self.model.outputs;
        let best = |row: &[f32]| {
            let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.iter().position(|v| *v == highest).unwrap_or(0)
        };
        self.logits().chunks_exact(outputs).map(best).collect()
    }
}
