//! Knobs: a small network from their values to the scale and offset of every block's channels (FiLM, Perez et al. 2018).

use super::tensors::{TensorError, Tensors};
use crate::kernels::Path;
use crate::kernels::film::PARTS;
use crate::kernels::gate::silu;
use crate::kernels::proj::{Packed, proj};

/// Knobs to scales and offsets: `film.0`, SiLU, `film.2`. Immutable.
#[derive(Debug, Clone)]
pub struct Film {
    first: Packed,
    second: Packed,
}

impl Film {
    /// Reads `film.0.weight [H, K]`, `film.0.bias [H]`, `film.2.weight [2W, H]` and `film.2.bias [2W]`, if they are there; W
    /// is the sum of the widths of all blocks. The outputs are γ and β of each block in turn, for `(1 + γ)·v + β`.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape.
    pub fn new(tensors: &Tensors) -> Result<Option<Film>, TensorError> {
        let Some(&[hidden, knobs]) = tensors.shape("film.0.weight") else {
            return Ok(None);
        };
        let outputs = match tensors.shape("film.2.weight") {
            Some(&[outputs, _]) => outputs,
            _ => 0,
        };
        let dense = |name: &str, outputs: usize, inputs: usize| -> Result<Packed, TensorError> {
            let weight = tensors.get(&format!("{name}.weight"), &[outputs, inputs])?;
            let bias = tensors.get(&format!("{name}.bias"), &[outputs])?;
            Ok(Packed::new(weight, outputs, inputs, Some(bias)))
        };
        Ok(Some(Film {
            first: dense("film.0", hidden, knobs)?,
            second: dense("film.2", outputs, hidden)?,
        }))
    }

    /// K.
    pub fn knobs(&self) -> usize {
        self.first.inputs()
    }

    /// 2W.
    pub fn outputs(&self) -> usize {
        self.second.outputs()
    }

    /// Floats of scratch of a call.
    pub fn scratch_len(&self) -> usize {
        self.first.outputs()
    }

    /// γ and β of all blocks at these knobs.
    ///
    /// # Panics
    /// If a slice is shorter than its length above.
    pub fn run(&self, path: Path, knobs: &[f32], out: &mut [f32], scratch: &mut [f32]) {
        let (hidden, outputs) = (self.first.outputs(), self.second.outputs());
        let inner = &mut scratch[..hidden];
        proj(
            path,
            &self.first,
            knobs,
            self.knobs(),
            inner,
            hidden,
            1,
            false,
        );
        silu(path, inner);
        proj(path, &self.second, inner, hidden, out, outputs, 1, false);
    }
}

/// Sends a block's slot, `[PARTS][width]` of its state, towards `target`, its γ and then its β, within so many `steps`; with
/// none it is there at once.
pub(super) fn steer(slot: &mut [f32], target: &[f32], steps: usize) {
    let width = slot.len() / PARTS;
    let (now, step) = slot.split_at_mut(2 * width);
    for (i, (now, step)) in now.iter_mut().zip(step).enumerate() {
        let target = target[i] + if i < width { 1.0 } else { 0.0 };
        if steps == 0 {
            (*now, *step) = (target, 0.0);
        } else {
            *step = (target - *now) / steps as f32;
        }
    }
}
