//! The weights of all tiers, and a whole recording through them.

use super::Density;
use super::mu_law::LEVELS;
use crate::kernels::norm::rms_norm;
use crate::kernels::proj::{Packed, proj};
use crate::kernels::{Aligned, Path};
use crate::model::layer::Layer;
use crate::model::stack::{Block, StackConfig};
use crate::model::tensors::{TensorError, Tensors};

/// Blocks in a row.
pub(super) type Blocks = Vec<Block>;

/// A tier that pools.
#[derive(Debug, Clone)]
pub(super) struct Tier {
    /// D.
    pub width: usize,
    /// Rows that make one of the tier below.
    pub pool: usize,
    /// Before and behind the tiers below.
    pub down: Blocks,
    pub up: Blocks,
    /// `[pool·D]` to the width below, and back.
    pub pool_in: Packed,
    pub pool_out: Packed,
}

/// See [`GenerateModel`](super::GenerateModel).
#[derive(Debug, Clone)]
pub(super) struct Tiers {
    /// `[256][D]`.
    embedding: Vec<f32>,
    /// From the sample rate down, without the middle.
    pub tiers: Vec<Tier>,
    /// The width of the middle.
    pub width: usize,
    pub middle: Blocks,
    density: Packed,
    norm: Aligned,
    eps: f32,
    head: Packed,
}

impl Tiers {
    /// Reads `embedding.weight [256, D]`; for each of `pools` `down.N.layers.*`, `down.N.pool`, `up.N.layers.*`, `up.N.pool`;
    /// `middle.layers.*`, `density.weight [D, 2]`, `norm_f.weight` and `lm_head`.
    pub fn new(
        config: StackConfig,
        pools: &[usize],
        tensors: &Tensors,
    ) -> Result<Tiers, TensorError> {
        let dense = |name: &str, outputs: usize, inputs: usize| -> Result<Packed, TensorError> {
            let weight = tensors.get(&format!("{name}.weight"), &[outputs, inputs])?;
            let bias = tensors.optional(&format!("{name}.bias"), &[outputs])?;
            Ok(Packed::new(weight, outputs, inputs, bias))
        };
        let first = match tensors.shape("embedding.weight") {
            Some(&[_, width]) => width,
            _ => 0,
        };
        let embedding = tensors.get("embedding.weight", &[LEVELS, first])?.to_vec();
        let mut width = first;
        let mut tiers = Vec::new();
        for (n, &pool) in pools.iter().enumerate() {
            let name = format!("down.{n}.pool");
            let below = match tensors.shape(&format!("{name}.bias")) {
                Some(&[below]) => below,
                _ => 0,
            };
            tiers.push(Tier {
                width,
                pool,
                down: blocks(config, tensors, &format!("down.{n}."), width)?,
                up: blocks(config, tensors, &format!("up.{n}."), width)?,
                pool_in: dense(&name, below, pool * width)?,
                pool_out: dense(&format!("up.{n}.pool"), pool * width, below)?,
            });
            width = below;
        }
        if width == 0 || tiers.iter().any(|tier| tier.width == 0) {
            return Err(TensorError::Size {
                layer: "embedding".into(),
                reason: "a tier has no width".into(),
            });
        }
        Ok(Tiers {
            embedding,
            tiers,
            width,
            middle: blocks(config, tensors, "middle.", width)?,
            density: dense("density", width, 2)?,
            norm: tensors.get("norm_f.weight", &[first])?.into(),
            eps: config.eps,
            head: dense("lm_head", LEVELS, first)?,
        })
    }

    /// All blocks in the order of a stream's states.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        let tiers = self.tiers.iter().flat_map(|tier| [&tier.down, &tier.up]);
        tiers.chain([&self.middle]).flatten()
    }

    /// The row of a token.
    pub fn embedded(&self, token: u8) -> &[f32] {
        let width = self.embedding.len() / LEVELS;
        &self.embedding[usize::from(token) * width..][..width]
    }

    /// What density adds in the middle.
    pub fn density_row(&self, path: Path, density: Density, row: &mut [f32]) {
        let told = [density.share * density.weight, density.weight];
        proj(path, &self.density, &told, 2, row, self.width, 1, false);
    }

    /// Logits of `rows` rows `x`, which are normed into `scratch`.
    pub fn head(
        &self,
        path: Path,
        x: &[f32],
        scratch: &mut [f32],
        logits: &mut [f32],
        rows: usize,
    ) {
        rms_norm(path, x, &self.norm, self.eps, scratch, rows);
        let width = self.norm.len();
        proj(
            path, &self.head, scratch, width, logits, LEVELS, rows, false,
        );
    }

    /// See [`GenerateModel::logits`](super::GenerateModel::logits).
    pub fn whole(&self, path: Path, tokens: &[u8], density: Density) -> Vec<f32> {
        let period: usize = self.tiers.iter().map(|tier| tier.pool).product();
        let tokens = &tokens[..tokens.len() / period * period];
        let mut x: Vec<f32> = tokens
            .iter()
            .flat_map(|&t| self.embedded(t))
            .copied()
            .collect();
        let mut rows = tokens.len();
        let mut kept = Vec::new();
        for tier in &self.tiers {
            run_whole(path, &tier.down, &mut x, rows);
            rows /= tier.pool;
            let (wide, below) = (tier.pool_in.inputs(), tier.pool_in.outputs());
            let mut pooled = vec![0.0; rows * below];
            proj(
                path,
                &tier.pool_in,
                &x,
                wide,
                &mut pooled,
                below,
                rows,
                false,
            );
            kept.push(std::mem::replace(&mut x, pooled));
        }
        let mut told = vec![0.0; self.width];
        self.density_row(path, density, &mut told);
        for row in x.chunks_exact_mut(self.width) {
            row.iter_mut().zip(&told).for_each(|(x, told)| *x += told);
        }
        run_whole(path, &self.middle, &mut x, rows);
        for (tier, mut above) in self.tiers.iter().zip(kept).rev() {
            let (wide, below) = (tier.pool_out.outputs(), tier.pool_out.inputs());
            let mut unpooled = vec![0.0; rows * wide];
            proj(
                path,
                &tier.pool_out,
                &x,
                below,
                &mut unpooled,
                wide,
                rows,
                false,
            );
            rows *= tier.pool;
            // The first row of a frame comes with the frame's own last sample.
            let late = (tier.pool - 1) * tier.width;
            let sums = above.iter_mut().skip(late).zip(&unpooled);
            sums.for_each(|(above, unpooled)| *above += unpooled);
            run_whole(path, &tier.up, &mut above, rows);
            x = above;
        }
        let mut scratch = vec![0.0; x.len()];
        let mut logits = vec![0.0; rows * LEVELS];
        self.head(path, &x, &mut scratch, &mut logits, rows);
        logits
    }
}

fn blocks(
    config: StackConfig,
    tensors: &Tensors,
    at: &str,
    width: usize,
) -> Result<Blocks, TensorError> {
    let mut blocks = Blocks::new();
    loop {
        let prefix = format!("{at}layers.{}.", blocks.len());
        if tensors.shape(&format!("{prefix}norm.weight")).is_none() {
            return Ok(blocks);
        }
        blocks.push(Block::new(config, tensors, &prefix, width, false)?);
    }
}

fn run_whole(path: Path, blocks: &Blocks, x: &mut [f32], rows: usize) {
    for block in blocks {
        let mut state = vec![0.0; block.state_len(1)];
        let mut scratch = vec![0.0; block.scratch_len(1, rows)];
        block.forward(path, x, 1, rows, &mut state, &mut scratch);
    }
}
