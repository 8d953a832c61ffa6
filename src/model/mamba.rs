//! A Mamba block: RMSNorm, the mixer of Hugging Face `transformers`' Mamba, and the residual.
//!
//! ```text
//! x ─┬─ norm ─ in_proj ─┬─ x ─ conv ─ SiLU ─┬───────────────────────────┐
//!    │                  │                   └─ x_proj ─┬─ B, C ───────── S6 ─ · ─ out_proj ─ + ─ x
//!    │                  │                              └─ dt_proj ─ Δ ──┘     │              │
//!    │                  └─ z ─ SiLU ──────────────────────────────────────────┘              │
//!    └───────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//! The same block serves the ablations of the Mamba paper (table 1 and appendix E.1): without z, and with the
//! time-invariant S4D where S6 is, which then has no x_proj and no dt_proj.

use super::discretize::Sampling;
use super::layer::{DeltaRows, Layer, Part};
use super::modes::Modes;
use super::pace::{Pace, scale_deltas};
use super::tensors::{TensorError, Tensors};
use crate::kernels::conv::{PackedConv, conv};
use crate::kernels::gate::{silu, softplus};
use crate::kernels::norm::{gate_rows, rms_norm};
use crate::kernels::proj::{Packed, proj};
use crate::kernels::scan::{S4d, S6, S6Rows, s4d, s4d_paced, s6};
use crate::kernels::{Aligned, Path};

/// Sizes of a Mamba block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MambaConfig {
    /// D, the width of the residual stream, a multiple of 8.
    pub width: usize,
    /// E, the inner width, a multiple of 8.
    pub inner: usize,
    /// N, states of a channel: real ones of S6, conjugate pairs of S4D.
    pub states: usize,
    /// What the states obey.
    pub space: Space,
    /// Whether SiLU(z) multiplies what comes out of the states.
    pub gated: bool,
    /// K, taps of the convolution, 1 to 4.
    pub taps: usize,
    /// Added to the mean square by the norm.
    pub eps: f32,
}

/// The state space model of a block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Space {
    /// Selective: Δ, B and C follow the input.
    S6 {
        /// R, the rank of Δ.
        rank: usize,
    },
    /// Time-invariant.
    S4d(Sampling),
}

impl MambaConfig {
    fn check(&self, layer: &str) -> Result<(), TensorError> {
        let reason = if self.width == 0
            || self.inner == 0
            || self.states == 0
            || self.space == (Space::S6 { rank: 0 })
        {
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
/// State is `[batch][3][E]`, then the states of the scan, such as `[batch][E/16][N][16]`; zeros at the start of a stream.
#[derive(Debug, Clone)]
pub struct MambaBlock {
    config: MambaConfig,
    norm: Aligned,
    in_proj: Packed,
    conv: PackedConv,
    scan: Scan,
    out_proj: Packed,
}

/// The weights of a [`Space`].
#[derive(Debug, Clone)]
enum Scan {
    S6 {
        rank: usize,
        x_proj: Packed,
        dt_proj: Packed,
        scan: S6,
    },
    S4d {
        scan: S4d,
        modes: Modes,
    },
}

impl MambaBlock {
    /// Reads `{prefix}norm.weight` and `{prefix}mixer.*` under the names `transformers` gives them; `prefix` is such as
    /// `layers.0.`. Biases of in_proj, out_proj and the convolution may be absent. Without a gate, in_proj is `[E, D]`;
    /// S4D's own tensors are those of [`S4dLayer`](super::s4d::S4dLayer), with E in the place of D.
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
            in_proj: dense("mixer.in_proj", e * (1 + usize::from(config.gated)), d)?,
            conv: PackedConv::new(
                get("mixer.conv1d.weight", &[e, 1, taps])?,
                e,
                taps,
                optional("mixer.conv1d.bias", &[e])?,
            ),
            scan: match config.space {
                Space::S6 { rank } => Scan::S6 {
                    rank,
                    x_proj: dense("mixer.x_proj", rank + 2 * n, e)?,
                    dt_proj: dense("mixer.dt_proj", e, rank)?,
                    scan: S6::new(get("mixer.A_log", &[e, n])?, get("mixer.D", &[e])?, n),
                },
                Space::S4d(sampling) => {
                    let modes = Modes::new(sampling, tensors, prefix, e, n)?;
                    Scan::S4d {
                        scan: modes.packed(),
                        modes,
                    }
                }
            },
            out_proj: dense("mixer.out_proj", d, e)?,
            config,
        })
    }

    /// The sizes it was made with.
    pub fn config(&self) -> &MambaConfig {
        &self.config
    }

    /// Δ of the call last made, from its second piece until its scratch is used for something else.
    ///
    /// # Panics
    /// If `scratch` is shorter than `scratch_len` says.
    pub fn deltas<'a>(&self, batch: usize, time: usize, scratch: &'a [f32]) -> DeltaRows<'a> {
        match &self.scan {
            Scan::S6 { .. } => {
                let (rows, e) = (batch * time, self.config.inner);
                let before = rows * (self.in_proj.outputs() + self.gates_row());
                DeltaRows::new(&scratch[before..][..rows * e], e, e)
            }
            Scan::S4d { .. } => DeltaRows::NONE,
        }
    }

    /// Floats from one row of x_proj's output to the next, padded to whole lines.
    fn gates_row(&self) -> usize {
        match &self.scan {
            Scan::S6 { x_proj, .. } => x_proj.outputs().next_multiple_of(16),
            Scan::S4d { .. } => 0,
        }
    }

    /// Floats of state of one stream behind the convolution.
    fn scan_state_len(&self) -> usize {
        match &self.scan {
            Scan::S6 { scan, .. } => scan.state_len(),
            Scan::S4d { scan, .. } => scan.state_len(),
        }
    }
}

impl Layer for MambaBlock {
    fn pieces(&self) -> usize {
        4
    }

    fn state_parts(&self, part: &mut dyn FnMut(Part)) {
        part(Part::Each(self.conv.state_len()));
        part(Part::Each(self.scan_state_len()));
    }

    fn scratch_len(&self, batch: usize, time: usize) -> usize {
        let MambaConfig { width, inner, .. } = self.config;
        batch * time * (self.in_proj.outputs() + self.gates_row() + inner + width.max(inner))
    }

    fn pace_len(&self) -> usize {
        match &self.scan {
            Scan::S6 { .. } => 1,
            Scan::S4d { scan, .. } => 1 + scan.paced_len(),
        }
    }

    fn set_pace(&self, scale: f32, pace: &mut [f32]) {
        pace[0] = scale;
        if let Scan::S4d { scan, modes } = &self.scan {
            modes.write_paced(scan, scale, &mut pace[1..]);
        }
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
        let (d, e, rows) = (self.config.width, self.config.inner, batch * time);
        if rows == 0 {
            return;
        }
        let (row, gates_row) = (self.in_proj.outputs(), self.gates_row());
        let (tails, h) = state[..self.state_len(batch)].split_at_mut(batch * self.conv.state_len());
        let (xz, rest) = scratch.split_at_mut(rows * row);
        let (gates, rest) = rest.split_at_mut(rows * gates_row);
        // Δ of S6; the input of S4D, which has no Δ of its own.
        let (delta, y) = rest.split_at_mut(rows * e);
        match k {
            0 => {
                rms_norm(path, x, &self.norm, self.config.eps, y, rows);
                proj(path, &self.in_proj, y, d, xz, row, rows, false);
            }
            1 => {
                conv(path, &self.conv, xz, row, batch, time, tails);
                // x and z together: the longer, the better.
                silu(path, xz);
                match &self.scan {
                    Scan::S6 {
                        x_proj, dt_proj, ..
                    } => {
                        proj(path, x_proj, xz, row, gates, gates_row, rows, false);
                        proj(path, dt_proj, gates, gates_row, delta, e, rows, false);
                        softplus(path, delta);
                        scale_deltas(pace, delta);
                    }
                    Scan::S4d { .. } => {
                        for (u, xz) in delta.chunks_exact_mut(e).zip(xz.chunks_exact(row)) {
                            u.copy_from_slice(&xz[..e]);
                        }
                    }
                }
            }
            2 => match &self.scan {
                Scan::S6 { rank, scan, .. } => {
                    let steps = S6Rows {
                        delta,
                        x: xz,
                        x_stride: row,
                        bc: &gates[*rank..],
                        bc_stride: gates_row,
                    };
                    s6(path, scan, steps, y, batch, time, h);
                }
                Scan::S4d { scan, .. } if pace.is_own() => {
                    s4d(path, scan, delta, y, batch, time, h);
                }
                Scan::S4d { scan, .. } => {
                    s4d_paced(path, scan, pace.table(), delta, y, batch, time, h);
                }
            },
            3 => {
                if self.config.gated {
                    gate_rows(path, y, &xz[e..], row, e, rows);
                }
                proj(path, &self.out_proj, y, e, x, d, rows, true);
            }
            _ => panic!("a Mamba block has 4 pieces"),
        }
    }
}
