//! A block of any kind, as its tensors' names and shapes tell it.

use super::discretize::Sampling;
use super::layer::{DeltaRows, Layer, Part};
use super::mamba::{MambaBlock, MambaConfig, Space};
use super::mamba2::{Mamba2Block, Mamba2Config};
use super::pace::Pace;
use super::s4d::{Activation, S4dConfig, S4dLayer};
use super::selective::{SelectiveBlock, SelectiveConfig};
use super::tensors::{TensorError, Tensors};
use crate::kernels::Path;

/// What the shapes of a checkpoint's tensors do not say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StackConfig {
    /// `layer_norm_epsilon`.
    pub eps: f32,
    /// `n_groups` of Mamba-2.
    pub groups: usize,
    /// `time_step_limit` of Mamba-2.
    pub delta_limit: (f32, f32),
    /// How the continuous time of S4D layers becomes steps; selective blocks take its factor on Δ.
    pub sampling: Sampling,
    /// What follows the state spaces of S4D layers.
    pub activation: Activation,
}

impl Default for StackConfig {
    fn default() -> StackConfig {
        StackConfig {
            eps: 1e-5,
            groups: 1,
            delta_limit: (0.0, f32::INFINITY),
            sampling: Sampling::default(),
            activation: Activation::default(),
        }
    }
}

/// A block of any kind.
#[derive(Debug, Clone)]
pub enum Block {
    /// S6, or S4D in the same block.
    Mamba(MambaBlock),
    /// SSD.
    Mamba2(Mamba2Block),
    /// Diagonal and time-invariant.
    S4d(S4dLayer),
    /// S6 with nothing that counts in samples.
    Selective(SelectiveBlock),
}

/// `$f` of whichever block it is.
macro_rules! each {
    ($block:expr, $b:ident => $f:expr) => {
        match $block {
            Block::Mamba($b) => $f,
            Block::Mamba2($b) => $f,
            Block::S4d($b) => $f,
            Block::Selective($b) => $f,
        }
    };
}

impl Block {
    /// Reads the block under `prefix`, whose kind its tensors' names tell.
    pub(super) fn new(
        config: StackConfig,
        tensors: &Tensors,
        prefix: &str,
        width: usize,
        film: bool,
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
        let fixed = tensors.shape(&format!("{prefix}mixer.log_dt")).is_some();
        if fixed
            && tensors
                .shape(&format!("{prefix}mixer.in_proj.weight"))
                .is_none()
        {
            let config = S4dConfig {
                width,
                states: shape("mixer.A_imag", 2)?[1],
                sampling: config.sampling,
                film,
                activation: config.activation,
                eps,
            };
            return S4dLayer::new(config, tensors, prefix).map(Block::S4d);
        }
        let counts = tensors
            .shape(&format!("{prefix}mixer.conv1d.weight"))
            .is_some();
        if !counts
            && tensors
                .shape(&format!("{prefix}mixer.x_proj.weight"))
                .is_some()
        {
            let a = shape("mixer.A_log", 2)?;
            let config = SelectiveConfig {
                width,
                inner: a[0],
                states: a[1],
                rank: shape("mixer.dt_proj.weight", 2)?[1],
                film,
                delta_scale: config.sampling.delta_scale,
            };
            return SelectiveBlock::new(config, tensors, prefix).map(Block::Selective);
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
        let (states, space) = if fixed {
            (shape("mixer.A_imag", 2)?[1], Space::S4d(config.sampling))
        } else {
            let rank = shape("mixer.dt_proj.weight", 2)?[1];
            (shape("mixer.A_log", 2)?[1], Space::S6 { rank })
        };
        let inner = conv[0];
        let config = MambaConfig {
            width,
            inner,
            states,
            space,
            gated: shape("mixer.in_proj.weight", 2)?[0] != inner,
            taps: conv[2],
            eps,
        };
        MambaBlock::new(config, tensors, prefix).map(Block::Mamba)
    }

    /// Channels, or heads, whose Δ follows the input; none of a block that takes in all alike.
    pub fn selective(&self) -> usize {
        match self {
            Block::Mamba(block) => match block.config().space {
                Space::S6 { .. } => block.config().inner,
                Space::S4d(_) => 0,
            },
            Block::Mamba2(block) => block.config().heads,
            Block::S4d(_) => 0,
            Block::Selective(block) => block.config().inner,
        }
    }

    /// Δ of the call last made, as long as its scratch is not used for something else: rows of as many as
    /// [`Self::selective`] says.
    ///
    /// # Panics
    /// If `scratch` is shorter than `scratch_len` says.
    pub fn deltas<'a>(&self, batch: usize, time: usize, scratch: &'a [f32]) -> DeltaRows<'a> {
        match self {
            Block::Mamba(block) => block.deltas(batch, time, scratch),
            Block::Mamba2(block) => block.deltas(batch, time, scratch),
            Block::S4d(_) => DeltaRows::NONE,
            Block::Selective(block) => block.deltas(batch, time, scratch),
        }
    }

    /// Floats of its film's slot, at the beginning of its state.
    pub(super) fn slot_len(&self) -> usize {
        match self {
            Block::S4d(block) => block.slot_len(),
            Block::Selective(block) => block.slot_len(),
            Block::Mamba(_) | Block::Mamba2(_) => 0,
        }
    }
}

impl Layer for Block {
    fn pieces(&self) -> usize {
        each!(self, b => b.pieces())
    }

    fn state_parts(&self, part: &mut dyn FnMut(Part)) {
        each!(self, b => b.state_parts(part))
    }

    fn pace_len(&self) -> usize {
        each!(self, b => b.pace_len())
    }

    fn set_pace(&self, scale: f32, pace: &mut [f32]) {
        each!(self, b => b.set_pace(scale, pace));
    }

    fn scratch_len(&self, batch: usize, time: usize) -> usize {
        each!(self, b => b.scratch_len(batch, time))
    }

    fn piece_at(
        &self,
        path: Path,
        k: usize,
        x: &mut [f32],
        batch: usize,
        time: usize,
        state: &mut [f32],
        scratch: &mut [f32],
        pace: Pace,
    ) {
        each!(self, b => b.piece_at(path, k, x, batch, time, state, scratch, pace))
    }
}

/// `blocks` in order, each with its own part of `state`, of `batch` streams, and of `pace`, where these lie one after the
/// other.
pub(crate) fn parted<'a>(
    blocks: &'a [Block],
    batch: usize,
    mut state: &'a mut [f32],
    mut pace: Pace<'a>,
) -> impl Iterator<Item = (&'a Block, &'a mut [f32], Pace<'a>)> {
    blocks.iter().map(move |block| {
        let (own, rest) = std::mem::take(&mut state).split_at_mut(block.state_len(batch));
        let (own_pace, later) = pace.split(block.pace_len());
        (state, pace) = (rest, later);
        (block, own, own_pace)
    })
}
