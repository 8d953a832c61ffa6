//! A stack of blocks: an optional way in, the blocks, the last norm, and an optional head.
//!
//! Published Mamba and Mamba-2 checkpoints of Hugging Face `transformers` load as they are: sizes come from the tensors'
//! shapes, names with or without `backbone.`, `embedding.` or `embeddings.`.

use super::block::parted;
pub use super::block::{Block, StackConfig};
use super::film::{Film, steer};
use super::layer::{Layer, Part};
use super::pace::Pace;
use super::tensors::{TensorError, Tensors};
use crate::kernels::film::PARTS;
use crate::kernels::norm::rms_norm;
use crate::kernels::proj::{Packed, proj};
use crate::kernels::{Aligned, Path};

/// Blocks in order with their ends. Immutable; streams bring their own state, the blocks' states one after the other.
#[derive(Debug, Clone)]
pub struct Stack {
    width: usize,
    /// `[vocabulary][D]`.
    embedding: Option<(usize, Vec<f32>)>,
    input: Option<Packed>,
    blocks: Vec<Block>,
    norm: Option<Aligned>,
    eps: f32,
    head: Option<Packed>,
    film: Option<Film>,
}

impl Stack {
    /// Reads a checkpoint: `layers.N.*` and `norm_f.weight`, with or without `backbone.`; if there, `embedding.weight`
    /// or `embeddings.weight`, `in_linear.weight [D, inputs]` with its bias, and `lm_head.weight` or `out_linear.weight
    /// [outputs, D]` with its bias. Without a head of its own, an embedding is its own head. Only with an `in_linear` may
    /// `norm_f` be absent, as in effects.
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
        let ends = [&norm_name, "in_linear.weight"].map(|name| tensors.shape(name));
        let width = match ends {
            [Some([width]), _] | [None, Some([width, _])] => *width,
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
        let mut head = None;
        for name in ["lm_head", "out_linear"] {
            if let Some(&[outputs, _]) = tensors.shape(&format!("{name}.weight")) {
                head = Some(dense(name, outputs, width)?);
            }
        }
        if let (None, Some((rows, weight))) = (&head, &embedding) {
            head = Some(Packed::new(weight, *rows, width, None));
        }
        let film = Film::new(tensors)?;
        let mut blocks = Vec::new();
        let there = |layer: usize| {
            let name = |tensor: &str| format!("{at}layers.{layer}.{tensor}");
            ["norm.weight", "mixer.out_proj.weight"]
                .iter()
                .any(|tensor| tensors.shape(&name(tensor)).is_some())
        };
        while there(blocks.len()) {
            blocks.push(Block::new(
                config,
                tensors,
                &format!("{at}layers.{}.", blocks.len()),
                width,
                film.is_some(),
            )?);
        }
        let slots: usize = blocks.iter().map(Block::slot_len).sum();
        if let Some(film) = &film
            && film.outputs() * PARTS / 2 != slots
        {
            return Err(TensorError::Shape {
                name: "film.2.weight".into(),
                expected: vec![slots * 2 / PARTS, film.scratch_len()],
                found: vec![film.outputs(), film.scratch_len()],
            });
        }
        let norm = tensors.optional(&norm_name, &[width])?.map(Aligned::from);
        Ok(Stack {
            width,
            embedding,
            input,
            blocks,
            norm,
            eps: config.eps,
            head,
            film,
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

    /// Length of a row that the input layer takes, if there is one.
    pub fn inputs(&self) -> Option<usize> {
        self.input.as_ref().map(Packed::inputs)
    }

    /// Number of tokens, if there is an embedding.
    pub fn vocabulary(&self) -> Option<usize> {
        self.embedding.as_ref().map(|(rows, _)| *rows)
    }

    /// Length of an output row, if there is a head.
    pub fn outputs(&self) -> Option<usize> {
        self.head.as_ref().map(Packed::outputs)
    }

    /// What turns knobs into the condition of the blocks, if anything does.
    pub fn film(&self) -> Option<&Film> {
        self.film.as_ref()
    }

    /// Sends the condition of a stream's `state` towards what [`Film::run`] gave, within so many steps; with none it is there
    /// at once, as at the start of a stream. Whoever asks for steps has to come back after as many. Real-time safe.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn steer(&self, state: &mut [f32], batch: usize, target: &[f32], steps: usize) {
        let mut target = target;
        for (block, own, _) in parted(&self.blocks, batch, state, Pace::OWN) {
            let slot = &mut own[..block.slot_len()];
            let (now, later) = target.split_at(slot.len() * 2 / PARTS);
            steer(slot, now, steps);
            target = later;
        }
    }

    /// The last norm of `rows`, in place, if there is one: the piece behind the blocks.
    pub(crate) fn norm_last(&self, path: Path, x: &mut [f32], scratch: &mut [f32], rows: usize) {
        if let Some(norm) = &self.norm {
            let len = rows * self.width;
            rms_norm(path, x, norm, self.eps, scratch, rows);
            x[..len].copy_from_slice(&scratch[..len]);
        }
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

    fn state_parts(&self, part: &mut dyn FnMut(Part)) {
        self.blocks.iter().for_each(|b| b.state_parts(part));
    }

    fn pace_len(&self) -> usize {
        self.blocks.iter().map(Block::pace_len).sum()
    }

    fn set_pace(&self, scale: f32, mut pace: &mut [f32]) {
        for block in &self.blocks {
            let (own, rest) = pace.split_at_mut(block.pace_len());
            block.set_pace(scale, own);
            pace = rest;
        }
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

    fn piece_at(
        &self,
        path: Path,
        mut k: usize,
        x: &mut [f32],
        batch: usize,
        time: usize,
        state: &mut [f32],
        scratch: &mut [f32],
        pace: Pace,
    ) {
        for (block, own, own_pace) in parted(&self.blocks, batch, state, pace) {
            if k < block.pieces() {
                return block.piece_at(path, k, x, batch, time, own, scratch, own_pace);
            }
            k -= block.pieces();
        }
        self.norm_last(path, x, scratch, batch * time);
    }
}
