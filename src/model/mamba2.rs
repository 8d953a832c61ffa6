//! A Mamba-2 block: RMSNorm, the mixer of Hugging Face `transformers`' Mamba-2, and the residual.
//!
//! ```text
//! x ─┬─ norm ─ in_proj ─┬─ z ──────────────────────────────┐
//!    │                  ├─ x,B,C ─ conv ─ SiLU ─┐          │
//!    │                  └─ Δ ─ softplus ────────┴─ SSD ─ gated norm ─ out_proj ─ + ─ x
//!    └─────────────────────────────────────────────────────────────────────────┘
//! ```

use super::layer::{DeltaRows, Layer, Part};
use super::pace::Pace;
use super::tensors::{TensorError, Tensors};
use crate::kernels::conv::{PackedConv, conv};
use crate::kernels::gate::silu_rows;
use crate::kernels::norm::{gated_rms_norm, rms_norm};
use crate::kernels::proj::{Packed, proj};
use crate::kernels::scan::{Ssd, ssd, ssd_gates};
use crate::kernels::{Aligned, Path};

/// Sizes of a Mamba-2 block. E = `heads · head_dim` is the inner width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mamba2Config {
    /// D, the width of the residual stream, a multiple of 8.
    pub width: usize,
    /// H.
    pub heads: usize,
    /// P, channels of a head, a multiple of 8.
    pub head_dim: usize,
    /// N, states of a channel.
    pub states: usize,
    /// G, groups of heads that share B and C; divides `heads`.
    pub groups: usize,
    /// K, taps of the convolution, 1 to 4.
    pub taps: usize,
    /// Δ is held within these, as `time_step_limit`.
    pub delta_limit: (f32, f32),
    /// Added to the mean square by the norm before the mixer.
    pub eps: f32,
    /// The same of the mixer's own gated norm.
    pub gated_eps: f32,
}

impl Mamba2Config {
    /// E.
    pub fn inner(&self) -> usize {
        self.heads * self.head_dim
    }

    /// Channels of the convolution: x, B and C.
    pub fn conv_channels(&self) -> usize {
        self.inner() + 2 * self.groups * self.states
    }

    fn check(&self, layer: &str) -> Result<(), TensorError> {
        let reason = if self.heads == 0 || self.head_dim == 0 || self.states == 0 || self.width == 0
        {
            "a size is 0"
        } else if !self.width.is_multiple_of(8) || !self.head_dim.is_multiple_of(8) {
            "the width and the head's dimension must be multiples of 8"
        } else if self.groups == 0 || !self.heads.is_multiple_of(self.groups) {
            "the groups must divide the heads"
        } else if !(2 * self.groups * self.states).is_multiple_of(8) {
            "twice the groups times the states must be a multiple of 8"
        } else if !(1..=4).contains(&self.taps) {
            "the convolution must have 1 to 4 taps"
        } else {
            return Ok(());
        };
        Err(TensorError::Size {
            layer: layer.into(),
            reason: reason.into(),
        })
    }
}

/// A Mamba-2 block with its weights packed. Immutable; streams bring their own state.
///
/// State is `[batch][3][conv channels]`, then `[batch][E/16][N][16]`; zeros at the start of a stream.
#[derive(Debug, Clone)]
pub struct Mamba2Block {
    pub(crate) config: Mamba2Config,
    pub(crate) norm: Aligned,
    pub(crate) in_proj: Packed,
    pub(crate) conv: PackedConv,
    pub(crate) scan: Ssd,
    pub(crate) gated_norm: Aligned,
    pub(crate) out_proj: Packed,
}

impl Mamba2Block {
    /// Reads `{prefix}norm.weight` and `{prefix}mixer.*` under the names `transformers` gives them; `prefix` is such as
    /// `layers.0.`. Biases of the projections and of the convolution may be absent.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape, or sizes that the kernels do not serve.
    pub fn new(
        config: Mamba2Config,
        tensors: &Tensors,
        prefix: &str,
    ) -> Result<Mamba2Block, TensorError> {
        config.check(prefix)?;
        let (d, e, h, conv) = (
            config.width,
            config.inner(),
            config.heads,
            config.conv_channels(),
        );
        let get = |name: &str, shape: &[usize]| tensors.get(&format!("{prefix}{name}"), shape);
        let optional =
            |name: &str, shape: &[usize]| tensors.optional(&format!("{prefix}{name}"), shape);
        let rows = e + conv + h;
        Ok(Mamba2Block {
            norm: get("norm.weight", &[d])?.into(),
            in_proj: Packed::new(
                get("mixer.in_proj.weight", &[rows, d])?,
                rows,
                d,
                optional("mixer.in_proj.bias", &[rows])?,
            )
            .padded(),
            conv: PackedConv::new(
                get("mixer.conv1d.weight", &[conv, 1, config.taps])?,
                conv,
                config.taps,
                optional("mixer.conv1d.bias", &[conv])?,
            ),
            scan: Ssd::new(
                get("mixer.A_log", &[h])?,
                get("mixer.dt_bias", &[h])?,
                get("mixer.D", &[h])?,
                config.head_dim,
                config.states,
                config.groups,
                config.delta_limit,
            ),
            gated_norm: get("mixer.norm.weight", &[e])?.into(),
            out_proj: Packed::new(
                get("mixer.out_proj.weight", &[d, e])?,
                d,
                e,
                optional("mixer.out_proj.bias", &[d])?,
            ),
            config,
        })
    }

    /// The sizes it was made with.
    pub fn config(&self) -> &Mamba2Config {
        &self.config
    }

    /// Floats from one row of in_proj's output to the next: z, x, B, C and Δ, padded to whole lines.
    fn row(&self) -> usize {
        self.in_proj.outputs().next_multiple_of(16)
    }

    /// Δ of the call last made, from its second piece until its scratch is used for something else.
    ///
    /// # Panics
    /// If `scratch` is shorter than `scratch_len` says.
    pub fn deltas<'a>(&self, batch: usize, time: usize, scratch: &'a [f32]) -> DeltaRows<'a> {
        let (rows, gates) = (batch * time, self.scan.gates_len());
        let all = &scratch[rows * self.row()..][..rows * gates];
        DeltaRows::new(all, gates, self.scan.heads())
    }
}

impl Layer for Mamba2Block {
    fn pieces(&self) -> usize {
        4
    }

    fn state_parts(&self, part: &mut dyn FnMut(Part)) {
        part(Part::Each(self.conv.state_len()));
        part(Part::Each(self.scan.state_len()));
    }

    fn scratch_len(&self, batch: usize, time: usize) -> usize {
        batch
            * time
            * (self.config.width.max(self.config.inner()) + self.row() + self.scan.gates_len())
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
        let (d, e, rows, row) = (
            self.config.width,
            self.config.inner(),
            batch * time,
            self.row(),
        );
        let (tails, h) = state[..self.state_len(batch)].split_at_mut(batch * self.conv.state_len());
        let (zxbcdt, rest) = scratch.split_at_mut(rows * row);
        let (gates, y) = rest.split_at_mut(rows * self.scan.gates_len());
        match k {
            0 => {
                rms_norm(path, x, &self.norm, self.config.eps, y, rows);
                proj(path, &self.in_proj, y, d, zxbcdt, row, rows, false);
            }
            1 => {
                if rows > 0 {
                    conv(path, &self.conv, &mut zxbcdt[e..], row, batch, time, tails);
                    // z, x, B and C together: the longer, the better.
                    silu_rows(path, zxbcdt, row, e + self.conv.channels(), rows);
                    ssd_gates(
                        path,
                        &self.scan,
                        &zxbcdt[e + self.conv.channels()..],
                        row,
                        pace.scale(),
                        gates,
                        rows,
                    );
                }
            }
            2 => {
                if rows > 0 {
                    ssd(
                        path,
                        &self.scan,
                        &zxbcdt[e..],
                        row,
                        gates,
                        y,
                        batch,
                        time,
                        h,
                    );
                }
            }
            3 => {
                gated_rms_norm(
                    path,
                    y,
                    zxbcdt,
                    row,
                    &self.gated_norm,
                    self.config.groups,
                    self.config.gated_eps,
                    rows,
                );
                proj(path, &self.out_proj, y, e, x, d, rows, true);
            }
            _ => panic!("a Mamba-2 block has 4 pieces"),
        }
    }
}
