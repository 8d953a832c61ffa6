//! A stack of blocks: an optional way in, the blocks, the last norm, and an optional head.
//!
//! Published Mamba and Mamba-2 checkpoints of Hugging Face `transformers` load as they are: sizes come from the tensors'
//! shapes, names with or without `backbone.`, `embedding.` or `embeddings.`.

use super::discretize::Rule;
use super::layer::Layer;
use super::mamba::{MambaBlock, MambaConfig};
use super::mamba2::{Mamba2Block, Mamba2Config};
use super::s4d::{S4dConfig, S4dLayer};
use super::tensors::{TensorError, Tensors};
use crate::kernels::norm::rms_norm;
use crate::kernels::proj::{Packed, proj};
use crate::kernels::{Aligned, Path};

/// What the shapes of a checkpoint's tensors do not say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StackConfig {
    /// `layer_norm_epsilon`.
    pub eps: f32,
    /// `n_groups` of Mamba-2.
    pub groups: usize,
    /// `time_step_limit` of Mamba-2.
    pub delta_limit: (f32, f32),
    /// The rule of S4D layers.
    pub rule: Rule,
    /// Factor on Δ of S4D layers: the trained sample rate divided by the rate they run at.
    pub delta_scale: f64,
}

impl Default for StackConfig {
    fn default() -> StackConfig {
        StackConfig {
            eps: 1e-5,
            groups: 1,
            delta_limit: (0.0, f32::INFINITY),
            rule: Rule::Zoh,
            delta_scale: 1.0,
        }
    }
}

/// A block of any kind.
#[derive(Debug, Clone)]
pub enum Block {
    /// S6.
    Mamba(MambaBlock),
    /// SSD.
    Mamba2(Mamba2Block),
    /// Diagonal and time-invariant.
    S4d(S4dLayer),
}

/// `$f` of whichever block it is.
macro_rules! each {
    ($block:expr, $b:ident => $f:expr) => {
        match $block {
            Block::Mamba($b) => $f,
            Block::Mamba2($b) => $f,
            Block::S4d($b) => $f,
        }
    };
}

impl Block {
    /// Reads the block under `prefix`, whose kind its tensors' names tell.
    fn new(
        config: StackConfig,
        tensors: &Tensors,
        prefix: &str,
        width: usize,
    ) -> Result<Block, TensorError> {
        let shape = |name: &str, rank: usize| -> Result<&[usize], TensorError> {
            let full = format!("{prefix}{name}");
            match tensors.shape(&full) {
                Some(found) if found.len() == rank => Ok(found),
                Some(found) => Err(TensorError::Shape {
                    name: full,
                    expected: vec![0; rank],
                    found: found.into(),
                }),
                None => Err(TensorError::Missing {
                    name: full,
                    expected: vec![0; rank],
                }),
            }
        };
        let eps = config.eps;
        if tensors.shape(&format!("{prefix}mixer.log_dt")).is_some() {
            let states = shape("mixer.A_imag", 2)?[1];
            let config = S4dConfig {
                width,
                states,
                rule: config.rule,
                delta_scale: config.delta_scale,
                eps,
            };
            return S4dLayer::new(config, tensors, prefix).map(Block::S4d);
        }
        let conv = shape("mixer.conv1d.weight", 3)?;
        if tensors.shape(&format!("{prefix}mixer.dt_bias")).is_some() {
            let (inner, heads) = (
                shape("mixer.norm.weight", 1)?[0],
                shape("mixer.A_log", 1)?[0],
            );
            let config = Mamba2Config {
                width,
                heads,
                head_dim: inner.checked_div(heads).unwrap_or(0),
                states: conv[0]
                    .saturating_sub(inner)
                    .checked_div(2 * config.groups)
                    .unwrap_or(0),
                groups: config.groups,
                taps: conv[2],
                delta_limit: config.delta_limit,
                eps,
                gated_eps: eps,
            };
            return Mamba2Block::new(config, tensors, prefix).map(Block::Mamba2);
        }
        let (a, dt) = (shape("mixer.A_log", 2)?, shape("mixer.dt_proj.weight", 2)?);
        let config = MambaConfig {
            width,
            inner: a[0],
            states: a[1],
            rank: dt[1],
            taps: conv[2],
            eps,
        };
        MambaBlock::new(config, tensors, prefix).map(Block::Mamba)
    }
}

impl Layer for Block {
    fn pieces(&self) -> usize {
        each!(self, b => b.pieces())
    }

    fn state_len(&self, batch: usize) -> usize {
        each!(self, b => b.state_len(batch))
    }

    fn scratch_len(&self, batch: usize, time: usize) -> usize {
        each!(self, b => b.scratch_len(batch, time))
    }

    fn piece(
        &self,
        path: Path,
        k: usize,
        x: &mut [f32],
        batch: usize,
        time: usize,
        state: &mut [f32],
        scratch: &mut [f32],
    ) {
        each!(self, b => b.piece(path, k, x, batch, time, state, scratch))
    }
}

/// Blocks in order with their ends. Immutable; streams bring their own state, the blocks' states one after the other.
#[derive(Debug, Clone)]
pub struct Stack {
    width: usize,
    /// `[vocabulary][D]`.
    embedding: Option<(usize, Vec<f32>)>,
    input: Option<Packed>,
    blocks: Vec<Block>,
    norm: Aligned,
    eps: f32,
    head: Option<Packed>,
}

impl Stack {
    /// Reads a checkpoint: `layers.N.*` and `norm_f.weight`, with or without `backbone.`; if there, `embedding.weight`
    /// or `embeddings.weight`, `in_linear.weight [D, inputs]` with its bias, and `lm_head.weight [outputs, D]` with its
    /// bias. Without a head of its own, an embedding is its own head.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape, or sizes that the kernels do not serve.
    pub fn new(config: StackConfig, tensors: &Tensors) -> Result<Stack, TensorError> {
        let at = if tensors.shape("backbone.norm_f.weight").is_some() {
            "backbone."
        } else {
            ""
        };
        let norm_name = format!("{at}norm_f.weight");
        let width = match tensors.shape(&norm_name) {
            Some([width]) => *width,
            _ => {
                return Err(TensorError::Missing {
                    name: norm_name,
                    expected: vec![0],
                });
            }
        };
        let dense = |name: &str, outputs: usize, inputs: usize| -> Result<Packed, TensorError> {
            let bias = tensors.optional(&format!("{name}.bias"), &[outputs])?;
            Ok(Packed::new(
                tensors.get(&format!("{name}.weight"), &[outputs, inputs])?,
                outputs,
                inputs,
                bias,
            ))
        };
        let mut embedding = None;
        for name in ["embedding", "embeddings"].map(|name| format!("{at}{name}.weight")) {
            if let Some(&[rows, _]) = tensors.shape(&name) {
                embedding = Some((rows, tensors.get(&name, &[rows, width])?.to_vec()));
            }
        }
        let input = match tensors.shape("in_linear.weight") {
            Some(&[_, inputs]) => Some(dense("in_linear", width, inputs)?),
            _ => None,
        };
        let head = match (tensors.shape("lm_head.weight"), &embedding) {
            (Some(&[outputs, _]), _) => Some(dense("lm_head", outputs, width)?),
            (_, Some((rows, weight))) => Some(Packed::new(weight, *rows, width, None)),
            _ => None,
        };
        let mut blocks = Vec::new();
        while tensors
            .shape(&format!("{at}layers.{}.norm.weight", blocks.len()))
            .is_some()
        {
            blocks.push(Block::new(
                config,
                tensors,
                &format!("{at}layers.{}.", blocks.len()),
                width,
            )?);
        }
        let norm = tensors.get(&norm_name, &[width])?.into();
        Ok(Stack {
            width,
            embedding,
            input,
            blocks,
            norm,
            eps: config.eps,
            head,
        })
    }

    /// D.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The blocks in order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Length of an output row, if there is a head.
    pub fn outputs(&self) -> Option<usize> {
        self.head.as_ref().map(Packed::outputs)
    }

    /// Rows of the embedding of `tokens` into `x`, `[tokens][D]`. False, and `x` as it was, if there is no embedding or
    /// a token is not in it.
    pub fn embed(&self, tokens: &[usize], x: &mut [f32]) -> bool {
        let Some((rows, weight)) = &self.embedding else {
            return false;
        };
        if tokens.iter().any(|token| token >= rows) {
            return false;
        }
        for (token, x) in tokens.iter().zip(x.chunks_exact_mut(self.width)) {
            x.copy_from_slice(&weight[token * self.width..][..self.width]);
        }
        true
    }

    /// `rows` of the input layer, `[rows][inputs]` into `x`, `[rows][D]`. False if there is none.
    pub fn project_in(&self, path: Path, input: &[f32], x: &mut [f32], rows: usize) -> bool {
        let Some(w) = &self.input else { return false };
        proj(path, w, input, w.inputs(), x, self.width, rows, false);
        true
    }

    /// `rows` of the head, `[rows][D]` into `out`, `[rows][outputs]`. False if there is none.
    pub fn project_out(&self, path: Path, x: &[f32], out: &mut [f32], rows: usize) -> bool {
        let Some(w) = &self.head else { return false };
        proj(path, w, x, self.width, out, w.outputs(), rows, false);
        true
    }
}

impl Layer for Stack {
    fn pieces(&self) -> usize {
        self.blocks.iter().map(Block::pieces).sum::<usize>() + 1
    }

    fn state_len(&self, batch: usize) -> usize {
        self.blocks.iter().map(|b| b.state_len(batch)).sum()
    }

    fn scratch_len(&self, batch: usize, time: usize) -> usize {
        let blocks = self
            .blocks
            .iter()
            .map(|b| b.scratch_len(batch, time))
            .max()
            .unwrap_or(0);
        blocks.max(batch * time * self.width)
    }

    fn piece(
        &self,
        path: Path,
        mut k: usize,
        x: &mut [f32],
        batch: usize,
        time: usize,
        mut state: &mut [f32],
        scratch: &mut [f32],
    ) {
        for block in &self.blocks {
            let (own, rest) = state.split_at_mut(block.state_len(batch));
            if k < block.pieces() {
                return block.piece(path, k, x, batch, time, own, scratch);
            }
            k -= block.pieces();
            state = rest;
        }
        let len = batch * time * self.width;
        rms_norm(path, x, &self.norm, self.eps, scratch, batch * time);
        x[..len].copy_from_slice(&scratch[..len]);
    }
}
