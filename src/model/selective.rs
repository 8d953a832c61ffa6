//! A selective block for raw samples: S6 with nothing around it that counts in samples.
//!
//! ```text
//! x ─┬─ in_proj ─┬─ u ─ FiLM ─ SiLU ─┬───────────────────────────┐
//!    │           │                   └─ x_proj ─┬─ B, C ───────── S6 ─ · ─ out_proj ─ + ─ x
//!    │           │                              └─ dt_proj ─ Δ ──┘     │              │
//!    │           └─ z ─────────────────────────────────────────────────┘              │
//!    └────────────────────────────────────────────────────────────────────────────────┘
//! ```
//! It differs from a Mamba block where samples of sound ask for it. No norm, for level is what a device answers to. No
//! convolution, which would be another one at each sample rate. z has no SiLU, so that a gain that follows the level can
//! multiply the signal as it is. And S6 holds its input over a step (Mamba's equation 4), so that at another rate it is the
//! same system with Δ scaled.

use super::layer::{DeltaRows, Layer, Part};
use super::pace::{Pace, scale_deltas};
use super::tensors::{TensorError, Tensors};
use crate::kernels::Path;
use crate::kernels::film::{PARTS, film};
use crate::kernels::gate::{silu_rows, softplus};
use crate::kernels::norm::gate_rows;
use crate::kernels::proj::{Packed, proj};
use crate::kernels::scan::{S6, S6Rows, s6};

/// Sizes of a selective block.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelectiveConfig {
    /// D, the width of the residual stream, a multiple of 8.
    pub width: usize,
    /// E, the inner width, a multiple of 8.
    pub inner: usize,
    /// N, states of a channel.
    pub states: usize,
    /// R, the rank of Δ.
    pub rank: usize,
    /// Whether a condition scales and moves u.
    pub film: bool,
    /// Factor on every Δ: the trained sample rate divided by the rate it runs at.
    pub delta_scale: f64,
}

/// A selective block with its weights packed. Immutable; streams bring their own state.
///
/// State is the slot of its [`film`], if it has one, then `[batch][E/16][N][16]`.
#[derive(Debug, Clone)]
pub struct SelectiveBlock {
    config: SelectiveConfig,
    in_proj: Packed,
    x_proj: Packed,
    dt_proj: Packed,
    scan: S6,
    out_proj: Packed,
}

impl SelectiveBlock {
    /// Reads `{prefix}mixer.*` under the names that Mamba's have: `in_proj` (with bias, u before z), `x_proj`, `dt_proj`,
    /// `A_log`, `D`, `out_proj` (with bias).
    ///
    /// # Errors
    /// A tensor that is missing or has another shape, or sizes that the kernels do not serve.
    pub fn new(
        config: SelectiveConfig,
        tensors: &Tensors,
        prefix: &str,
    ) -> Result<SelectiveBlock, TensorError> {
        let SelectiveConfig {
            width: d,
            inner: e,
            states: n,
            rank,
            ..
        } = config;
        let sizes = [d, e, n, rank];
        if sizes.contains(&0) || !d.is_multiple_of(8) || !e.is_multiple_of(8) {
            return Err(TensorError::Size {
                layer: prefix.into(),
                reason: "no size may be 0, and both widths must be multiples of 8".into(),
            });
        }
        let get =
            |name: &str, shape: &[usize]| tensors.get(&format!("{prefix}mixer.{name}"), shape);
        let dense = |name: &str, outputs: usize, inputs: usize| -> Result<Packed, TensorError> {
            let weight = get(&format!("{name}.weight"), &[outputs, inputs])?;
            let bias = tensors.optional(&format!("{prefix}mixer.{name}.bias"), &[outputs])?;
            Ok(Packed::new(weight, outputs, inputs, bias))
        };
        Ok(SelectiveBlock {
            in_proj: dense("in_proj", 2 * e, d)?,
            x_proj: dense("x_proj", rank + 2 * n, e)?,
            dt_proj: dense("dt_proj", e, rank)?,
            scan: S6::held(
                get("A_log", &[e, n])?,
                get("D", &[e])?,
                n,
                config.delta_scale,
            ),
            out_proj: dense("out_proj", d, e)?,
            config,
        })
    }

    /// The sizes it was made with.
    pub fn config(&self) -> &SelectiveConfig {
        &self.config
    }

    /// Floats of its film's slot, at the beginning of its state.
    pub fn slot_len(&self) -> usize {
        usize::from(self.config.film) * PARTS * self.config.inner
    }

    /// Δ of the call last made, from its first piece until its scratch is used for something else.
    ///
    /// # Panics
    /// If `scratch` is shorter than `scratch_len` says.
    pub fn deltas<'a>(&self, batch: usize, time: usize, scratch: &'a [f32]) -> DeltaRows<'a> {
        let (rows, e) = (batch * time, self.config.inner);
        DeltaRows::new(
            &scratch[rows * (2 * e + self.gates_row())..][..rows * e],
            e,
            e,
        )
    }

    /// Floats from one row of x_proj's output to the next, padded to whole lines.
    fn gates_row(&self) -> usize {
        self.x_proj.outputs().next_multiple_of(16)
    }
}

impl Layer for SelectiveBlock {
    fn pieces(&self) -> usize {
        2
    }

    fn state_parts(&self, part: &mut dyn FnMut(Part)) {
        part(Part::Shared(self.slot_len()));
        part(Part::Each(self.scan.state_len()));
    }

    fn scratch_len(&self, batch: usize, time: usize) -> usize {
        batch * time * (4 * self.config.inner + self.gates_row())
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
        let SelectiveConfig {
            width: d,
            inner: e,
            rank,
            ..
        } = self.config;
        let (rows, gates_row) = (batch * time, self.gates_row());
        let (slot, h) = state[..self.state_len(batch)].split_at_mut(self.slot_len());
        let (uz, rest) = scratch.split_at_mut(rows * 2 * e);
        let (gates, rest) = rest.split_at_mut(rows * gates_row);
        let (delta, y) = rest.split_at_mut(rows * e);
        match k {
            0 => {
                proj(path, &self.in_proj, x, d, uz, 2 * e, rows, false);
                if self.config.film {
                    film(path, slot, uz, 2 * e, e, batch, time);
                }
                silu_rows(path, uz, 2 * e, e, rows);
                proj(path, &self.x_proj, uz, 2 * e, gates, gates_row, rows, false);
                proj(path, &self.dt_proj, gates, gates_row, delta, e, rows, false);
                softplus(path, delta);
                scale_deltas(pace, delta);
            }
            1 => {
                let steps = S6Rows {
                    delta,
                    x: uz,
                    x_stride: 2 * e,
                    bc: &gates[rank.min(gates.len())..],
                    bc_stride: gates_row,
                };
                s6(path, &self.scan, steps, y, batch, time, h);
                gate_rows(path, y, &uz[e.min(uz.len())..], 2 * e, e, rows);
                proj(path, &self.out_proj, y, e, x, d, rows, true);
            }
            _ => panic!("a selective block has 2 pieces"),
        }
    }
}
