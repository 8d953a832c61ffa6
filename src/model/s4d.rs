//! An S4D layer: RMSNorm, a diagonal time-invariant state space a channel, FiLM, SiLU or tanh, a dense layer, and the residual;
//! norm and FiLM where there are any.
//!
//! A stream runs it as a recurrence. Whole clips may run it as a convolution by FFT: the same function, for the state
//! space does not change with its input.

use serde::{Deserialize, Serialize};

use super::discretize::Sampling;
use super::layer::{Layer, Part};
use super::modes::{Convolution, Modes};
use super::pace::Pace;
use super::tensors::{TensorError, Tensors};
use crate::kernels::film::{PARTS, film};
use crate::kernels::gate::{silu, tanh};
use crate::kernels::norm::rms_norm;
use crate::kernels::proj::{Packed, proj};
use crate::kernels::scan::{S4d, s4d, s4d_paced};
use crate::kernels::{Aligned, Path};

/// What follows the state spaces of an S4D layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x · sigmoid(x).
    #[default]
    Silu,
    /// For what is to saturate.
    Tanh,
}

/// Sizes of an S4D layer, and how its continuous time becomes steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct S4dConfig {
    /// D, the width of the residual stream and the number of state spaces, a multiple of 8.
    pub width: usize,
    /// Complex states of a channel: half of the conjugate pairs' count that the papers call N.
    pub states: usize,
    /// How continuous time becomes steps.
    pub sampling: Sampling,
    /// Whether a condition scales and moves what comes out of the state spaces.
    pub film: bool,
    /// What follows.
    pub activation: Activation,
    /// Added to the mean square by the norm.
    pub eps: f32,
}

/// An S4D layer with its weights packed. Immutable; streams bring their own state.
///
/// State is the slot of its [`film`], if it has one, then `[batch][D/16][states][2][16]`; zeros at the start of a stream.
#[derive(Debug, Clone)]
pub struct S4dLayer {
    config: S4dConfig,
    /// None where the level of the signal must not be lost, as in effects.
    norm: Option<Aligned>,
    scan: S4d,
    modes: Modes,
    out_proj: Packed,
}

impl S4dLayer {
    /// Reads, under `prefix`: `norm.weight [D]` if it is there, the tensors of [`Modes::new`] with E = D, `mixer.out_proj.weight [D, D]`
    /// and, if it is there, `mixer.out_proj.bias [D]`.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape, or sizes that the kernels do not serve.
    pub fn new(
        config: S4dConfig,
        tensors: &Tensors,
        prefix: &str,
    ) -> Result<S4dLayer, TensorError> {
        let (width, states) = (config.width, config.states);
        if width == 0 || states == 0 || !width.is_multiple_of(8) {
            let reason = "the width must be a multiple of 8 and there must be a state".into();
            return Err(TensorError::Size {
                layer: prefix.into(),
                reason,
            });
        }
        let get = |name: &str, shape: &[usize]| tensors.get(&format!("{prefix}{name}"), shape);
        let modes = Modes::new(config.sampling, tensors, prefix, width, states)?;
        let bias = tensors.optional(&format!("{prefix}mixer.out_proj.bias"), &[width])?;
        Ok(S4dLayer {
            norm: tensors
                .optional(&format!("{prefix}norm.weight"), &[width])?
                .map(Aligned::from),
            scan: modes.packed_finely(),
            modes,
            out_proj: Packed::new(
                get("mixer.out_proj.weight", &[width, width])?,
                width,
                width,
                bias,
            ),
            config,
        })
    }

    /// The sizes it was made with.
    pub fn config(&self) -> &S4dConfig {
        &self.config
    }

    /// Floats of its film's slot, at the beginning of its state.
    pub fn slot_len(&self) -> usize {
        usize::from(self.config.film) * PARTS * self.config.width
    }

    /// The norm, where there is one.
    fn prepare(&self, path: Path, x: &[f32], u: &mut [f32], rows: usize) {
        match &self.norm {
            Some(norm) => rms_norm(path, x, norm, self.config.eps, u, rows),
            None => u.copy_from_slice(&x[..u.len()]),
        }
    }

    /// The activation, the dense layer and the residual.
    fn finish(&self, path: Path, y: &mut [f32], x: &mut [f32], rows: usize) {
        let width = self.config.width;
        match self.config.activation {
            Activation::Silu => silu(path, y),
            Activation::Tanh => tanh(path, y),
        }
        proj(path, &self.out_proj, y, width, x, width, rows, true);
    }

    /// What runs whole streams of `time` steps from an empty state, by the way that [`faster_way`] picks. Allocates.
    ///
    /// # Panics
    /// If the layer follows a condition.
    pub fn whole(&self, path: Path, time: usize) -> WholeS4d<'_> {
        self.whole_by(faster_way(path, self.config.states, time), path, time)
    }

    /// As [`Self::whole`], by a way of one's own choice.
    pub fn whole_by(&self, way: Way, path: Path, time: usize) -> WholeS4d<'_> {
        assert!(!self.config.film, "whole streams have no condition");
        let len = time * self.config.width;
        WholeS4d {
            layer: self,
            path,
            time,
            runner: match way {
                Way::Recurrence => Runner::Recurrence(vec![0.0; self.scan.state_len()]),
                Way::Convolution => Runner::Convolution(Box::new(self.modes.convolution(time))),
            },
            u: vec![0.0; len],
            y: vec![0.0; len],
        }
    }
}

/// How a time-invariant state space is run. Both are the same function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Step by step, from a state.
    Recurrence,
    /// All at once, as a convolution by FFT from an empty state.
    Convolution,
}

/// The faster way for streams of `time` steps with so many complex states a channel, once the convolution's kernel is
/// made. A step of the recurrence costs the same for every state, one of the convolution for every doubling of the time.
/// `cargo bench -p statewave-benches --bench s4d` shows what is picked beside what it measures.
pub fn faster_way(path: Path, states: usize, time: usize) -> Way {
    let recurrence = states as f64 * ns_a_state(path);
    if time > 0 && FFT_NS + FFT_NS_A_DOUBLING * ((2 * time) as f64).log2() < recurrence {
        Way::Convolution
    } else {
        Way::Recurrence
    }
}

/// Nanoseconds that a state adds to a step of a channel of the recurrence, as measured on a Zen 5.
fn ns_a_state(path: Path) -> f64 {
    match path {
        Path::Portable => 0.36,
        Path::Avx2 => 0.112,
        Path::Avx512 => 0.061,
    }
}

/// Nanoseconds of a step of a channel of the convolution, as measured there: so many at least, and for every doubling of the
/// length so many more.
const FFT_NS: f64 = 1.2;
const FFT_NS_A_DOUBLING: f64 = 0.235;

/// Whole streams of one length through a layer, one after the other, each from an empty state.
pub struct WholeS4d<'a> {
    layer: &'a S4dLayer,
    path: Path,
    time: usize,
    runner: Runner,
    u: Vec<f32>,
    y: Vec<f32>,
}

enum Runner {
    /// With its state.
    Recurrence(Vec<f32>),
    Convolution(Box<Convolution>),
}

impl WholeS4d<'_> {
    /// Which way it goes.
    pub fn way(&self) -> Way {
        match self.runner {
            Runner::Recurrence(_) => Way::Recurrence,
            Runner::Convolution(_) => Way::Convolution,
        }
    }

    /// [`Layer::forward`] of one stream, `[time][D]`, whose state was empty.
    ///
    /// # Panics
    /// If `x` has another length.
    pub fn run(&mut self, x: &mut [f32]) {
        let (layer, path, rows) = (self.layer, self.path, self.time);
        assert_eq!(x.len(), self.u.len(), "a stream of another length");
        layer.prepare(path, x, &mut self.u, rows);
        match &mut self.runner {
            Runner::Recurrence(state) => {
                state.fill(0.0);
                s4d(path, &layer.scan, &self.u, &mut self.y, 1, rows, state);
            }
            Runner::Convolution(convolution) => convolution.run(&self.u, &mut self.y),
        }
        layer.finish(path, &mut self.y, x, rows);
    }
}

impl Layer for S4dLayer {
    fn pieces(&self) -> usize {
        2
    }

    fn state_parts(&self, part: &mut dyn FnMut(Part)) {
        part(Part::Shared(self.slot_len()));
        part(Part::Each(self.scan.state_len()));
    }

    fn scratch_len(&self, batch: usize, time: usize) -> usize {
        2 * batch * time * self.config.width
    }

    fn pace_len(&self) -> usize {
        1 + self.scan.paced_len()
    }

    fn set_pace(&self, scale: f32, pace: &mut [f32]) {
        pace[0] = scale;
        self.modes.write_paced(&self.scan, scale, &mut pace[1..]);
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
        let (rows, width) = (batch * time, self.config.width);
        let (slot, h) = state[..self.state_len(batch)].split_at_mut(self.slot_len());
        let (u, y) = scratch[..self.scratch_len(batch, time)].split_at_mut(rows * width);
        match k {
            0 => {
                self.prepare(path, x, u, rows);
                if pace.is_own() {
                    s4d(path, &self.scan, u, y, batch, time, h);
                } else {
                    s4d_paced(path, &self.scan, pace.table(), u, y, batch, time, h);
                }
                if self.config.film {
                    film(path, slot, y, width, width, batch, time);
                }
            }
            1 => self.finish(path, y, x, rows),
            _ => panic!("an S4D layer has 2 pieces"),
        }
    }
}
