//! A Mamba block: RMSNorm, the mixer of Hugging Face `transformers`' Mamba, and the residual.
//!
//! ```text
//! x ─┬─ norm ─ in_proj ─┬─ x ─ conv ─ SiLU ─┬───────────────────────────┐
//!    │                  │                   └─ x_proj ─┬─ B, C ───────── S6 ─ · ─ out_proj ─ + ─ x
//!    │                  │                              └─ dt_proj ─ Δ ──┘     │              │
//!    │                  └─ z ─ SiLU ──────────────────────────────────────────┘              │
//!    └───────────────────────────────────────────────────────────────────────────────────────┘
//! ```

use super::layer::Layer;
use super::tensors::{TensorError, Tensors};
use crate::kernels::conv::{PackedConv, conv};
use crate::kernels::gate::{silu, softplus};
use crate::kernels::norm::{gate_rows, rms_norm};
use crate::kernels::proj::{Packed, proj};
use crate::kernels::scan::{S6, S6Rows, s6};
use crate::kernels::{Aligned, Path};

/// Sizes of a Mamba block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MambaConfig {
    /// D, the width of the residual stream, a multiple of 8.
    pub width: usize,
    /// E, the inner width, a multiple of 8.
    pub inner: usize,
    /// N, states of a channel.
    pub states: usize,
    /// R, the rank of Δ.
    pub rank: usize,
    /// K, taps of the convolution, 1 to 4.
    pub taps: usize,
    /// Added to the mean square by the norm.
    pub eps: f32,
}

impl MambaConfig {
    fn check(&self, layer: &str) -> Result<(), TensorError> {
        let reason = if self.width == 0 || self.inner == 0 || self.states == 0 || self.rank == 0 {
            "a size is 0"
        } else if !self.width.is_multiple_of(8) || !self.inner.is_multiple_of(8) {
            "the width and the inner width must be multiples of 8"
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

/// A Mamba block with its weights packed. Immutable; streams bring their own state.
///
/// State is `[batch][3][E]`, then `[batch][E/16][N][16]`; zeros at the start of a stream.
#[derive(Debug, Clone)]
pub struct MambaBlock {
    config: MambaConfig,
    norm: Aligned,
    in_proj: Packed,
    conv: PackedConv,
    x_proj: Packed,
    dt_proj: Packed,
    scan: S6,
    out_proj: Packed,
}

impl MambaBlock {
    /// Reads `{prefix}norm.weight` and `{prefix}mixer.*` under the names `transformers` gives them; `prefix` is such as
    /// `layers.0.`. Biases of in_proj, out_proj and the convolution may be absent.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape, or sizes that the kernels do not serve.
    pub fn new(
        config: MambaConfig,
        tensors: &Tensors,
        prefix: &str,
    ) -> Result<MambaBlock, TensorError> {
        config.check(prefix)?;
        let MambaConfig {
            width: d,
            inner: e,
            states: n,
            rank: r,
            taps,
            ..
        } = config;
        let get = |name: &str, shape: &[usize]| tensors.get(&format!("{prefix}{name}"), shape);
        let optional =
            |name: &str, shape: &[usize]| tensors.optional(&format!("{prefix}{name}"), shape);
        let dense = |name: &str, outputs: usize, inputs: usize| -> Result<Packed, TensorError> {
            let weight = get(&format!("{name}.weight"), &[outputs, inputs])?;
            Ok(Packed::new(
                weight,
                outputs,
                inputs,
                optional(&format!("{name}.bias"), &[outputs])?,
            ))
        };
        Ok(MambaBlock {
            norm: get("norm.weight", &[d])?.into(),
            in_proj: dense("mixer.in_proj", 2 * e, d)?,
            conv: PackedConv::new(
                get("mixer.conv1d.weight", &[e, 1, taps])?,
                e,
                taps,
                optional("mixer.conv1d.bias", &[e])?,
            ),
            x_proj: dense("mixer.x_proj", r + 2 * n, e)?,
            dt_proj: dense("mixer.dt_proj", e, r)?,
            scan: S6::new(get("mixer.A_log", &[e, n])?, get("mixer.D", &[e])?, n),
            out_proj: dense("mixer.out_proj", d, e)?,
            config,
        })
    }

    /// The sizes it was made with.
    pub fn config(&self) -> &MambaConfig {
        &self.config
    }

    /// Floats from one row of x_proj's output to the next, padded to whole lines.
    fn gates_row(&self) -> usize {
        self.x_proj.outputs().next_multiple_of(16)
    }
}

impl Layer for MambaBlock {
    fn pieces(&self) -> usize {
        4
    }

    fn state_len(&self, batch: usize) -> usize {
        batch * (self.conv.state_len() + self.scan.state_len())
    }

    fn scratch_len(&self, batch: usize, time: usize) -> usize {
        let MambaConfig { width, inner, .. } = self.config;
        batch * time * (2 * inner + self.gates_row() + inner + width.max(inner))
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
        let (d, e, rows) = (self.config.width, self.config.inner, batch * time);
        if rows == 0 {
            return;
        }
        let (tails, h) = state[..self.state_len(batch)].split_at_mut(batch * self.conv.state_len());
        let (xz, rest) = scratch.split_at_mut(rows * 2 * e);
        let (gates, rest) = rest.split_at_mut(rows * self.gates_row());
        let (delta, y) = rest.split_at_mut(rows * e);
        match k {
            0 => {
                rms_norm(path, x, &self.norm, self.config.eps, y, rows);
                proj(path, &self.in_proj, y, d, xz, 2 * e, rows, false);
            }
            1 => {
                conv(path, &self.conv, xz, 2 * e, batch, time, tails);
                // x and z together: the longer, the better.
                silu(path, xz);
                proj(
                    path,
                    &self.x_proj,
                    xz,
                    2 * e,
                    gates,
                    self.gates_row(),
                    rows,
                    false,
                );
                proj(
                    path,
                    &self.dt_proj,
                    gates,
                    self.gates_row(),
                    delta,
                    e,
                    rows,
                    false,
                );
                softplus(path, delta);
            }
            2 => {
                let bc = &gates[self.config.rank..];
                let steps = S6Rows {
                    delta,
                    x: xz,
                    x_stride: 2 * e,
                    bc,
                    bc_stride: self.gates_row(),
                };
                s6(path, &self.scan, steps, y, batch, time, h);
            }
            3 => {
                gate_rows(path, y, &xz[e..], 2 * e, e, rows);
                proj(path, &self.out_proj, y, e, x, d, rows, true);
            }
            _ => panic!("a Mamba block has 4 pieces"),
        }
    }
}
