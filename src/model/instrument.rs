//! Instruments: notes in; out, a frame at a time, how loud the partials of a note and its bands of noise are.
//!
//! ```text
//! note (mix of instruments, pitch, velocity, held) ─► condition ─► SiLU ─► in_linear ─► blocks ─► norm_f ─► out_linear ─► 2^x
//! ```
//! An additive and filtered-noise synthesiser in the spirit of DDSP (Engel et al. 2020) sounds by it: [`crate::instrument`].
//! Where the partials lie is measured, not learnt: a table of cents and of inharmonicity, by instrument and pitch.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file::{Limits, ModelError, ModelFile, read_bytes, sha256};
use super::spec::Task;
use super::stack::{Stack, StackConfig};
use super::tensors::Tensors;
use crate::kernels;
use crate::kernels::gate::{exp2, silu};
use crate::kernels::proj::{Packed, proj};
use crate::kernels::sines::SINES;

/// Evenly spaced pitches between which weights go in straight lines.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Knots(
    /// The first, in semitones (MIDI).
    pub f32,
    /// From one to the next, in semitones.
    pub f32,
    /// Their number.
    pub usize,
);

impl Knots {
    /// The knot below `pitch` and the share of the one above it; the outermost beyond the ends.
    fn place(&self, pitch: f32) -> (usize, f32) {
        let at = ((pitch - self.0) / self.1).clamp(0.0, (self.2 - 1) as f32);
        let below = (at as usize).min(self.2 - 2);
        (below, at - below as f32)
    }

    fn sound(&self) -> bool {
        self.0.is_finite() && self.1.is_finite() && self.1 > 0.0 && (2..=1024).contains(&self.2)
    }
}

/// What an instrument's file says of how it is told of notes, and of what it says of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentFacts {
    /// Names, in the order of the embedding.
    pub instruments: Vec<String>,
    /// Sines of a note, a multiple of [`SINES`].
    pub partials: usize,
    /// Bands of noise, triangles on the scale of equivalent rectangular bandwidths, from 0 to `top_hz`.
    pub bands: usize,
    /// Where partials and noise end, Hz.
    pub top_hz: f64,
    /// From frame to frame, at most 4 ms.
    pub frame_seconds: f64,
    /// For how long a note's first frame rises.
    pub onset_seconds: f64,
    /// Pitches that the network is told of.
    pub pitch_knots: Knots,
    /// Pitches whose tuning is known.
    pub tuning_knots: Knots,
    /// The exponents of 2 that amplitudes are held within.
    pub log2_range: (f32, f32),
}

/// What an instrument's file says of itself. The kinds and sizes of its blocks are those of its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstrumentSpec {
    /// See [`FORMAT_VERSION`](super::spec::FORMAT_VERSION).
    pub format_version: u32,
    /// The model's own name.
    pub name: String,
    /// [`Task::Generate`].
    pub task: Task,
    /// Added to the mean square by every RMSNorm.
    pub norm_eps: f64,
    /// What goes in and out.
    pub instrument: InstrumentFacts,
    /// Licence, training data, scores and the like.
    #[serde(flatten)]
    pub notes: serde_json::Map<String, Value>,
}

/// What the network is told of a note in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Told<'a> {
    /// Shares of the instruments, which sum to 1.
    pub mix: &'a [f32],
    /// Semitones (MIDI), not only whole ones.
    pub pitch: f32,
    /// 0 to 1.
    pub velocity: f32,
    /// Whether it is held.
    pub held: bool,
    /// Whether this is its first frame.
    pub begins: bool,
    /// Whether this is the first frame in which it is no longer held.
    pub ends: bool,
}

/// An instrument's weights, verified when read. Immutable; who plays it brings the state.
#[derive(Debug)]
pub struct InstrumentModel {
    spec: InstrumentSpec,
    condition: Packed,
    stack: Stack,
    /// `[instruments][knots][cents, log2(1e-5 + B)]`.
    tuning: Vec<f32>,
    parameters: usize,
    sha256: String,
}

/// Smaller inharmonicity than this is none.
const LEAST_B: f64 = 1e-5;

/// Inputs beside the instruments' shares and the pitch: velocity, its square, and three flags.
const BESIDE: usize = 5;

impl InstrumentModel {
    /// Reads a model file of at most [`Limits::MODEL`].
    ///
    /// # Errors
    /// See [`ModelError`]: each says what is wrong, and its remedy.
    pub fn open(path: impl AsRef<Path>) -> Result<InstrumentModel, ModelError> {
        InstrumentModel::from_bytes(&read_bytes(path.as_ref(), Limits::MODEL)?)
    }

    /// Reads the bytes of a whole model file.
    ///
    /// # Errors
    /// As [`InstrumentModel::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<InstrumentModel, ModelError> {
        let file = ModelFile::from_bytes(bytes)?;
        let parameters = file.parameters();
        let spec: InstrumentSpec = file.spec(Task::Generate)?;
        check(&spec)?;
        let tensors: Tensors = file.tensors.into_iter().collect();
        let config = StackConfig {
            eps: spec.norm_eps as f32,
            ..StackConfig::default()
        };
        let stack = Stack::new(config, &tensors)?;
        let facts = &spec.instrument;
        let (Some(hidden), Some(outputs)) = (stack.inputs(), stack.outputs()) else {
            let why = "an instrument has an in_linear and an out_linear".into();
            return Err(ModelError::Spec(why));
        };
        if outputs != facts.partials + facts.bands {
            return Err(ModelError::Spec(format!(
                "it gives {outputs} amplitudes for {} partials and {} bands",
                facts.partials, facts.bands
            )));
        }
        let inputs = facts.instruments.len() + facts.pitch_knots.2 + BESIDE;
        let condition = Packed::new(
            tensors.get("condition.weight", &[hidden, inputs])?,
            hidden,
            inputs,
            tensors.optional("condition.bias", &[hidden])?,
        );
        let shape = [facts.instruments.len(), facts.tuning_knots.2, 2];
        let tuning = tensors.get("tuning", &shape)?.to_vec();
        Ok(InstrumentModel {
            condition,
            stack,
            tuning,
            parameters,
            sha256: sha256(bytes),
            spec,
        })
    }

    /// What the model says of itself.
    pub fn spec(&self) -> &InstrumentSpec {
        &self.spec
    }

    /// What goes in and out.
    pub fn facts(&self) -> &InstrumentFacts {
        &self.spec.instrument
    }

    /// The place of an instrument, by its name in any case.
    pub fn instrument(&self, name: &str) -> Option<usize> {
        let names = &self.facts().instruments;
        names.iter().position(|own| own.eq_ignore_ascii_case(name))
    }

    /// The blocks with their ends.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// Number of weights.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// SHA-256 of the file, in lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Length of a row that tells of a note.
    pub fn inputs(&self) -> usize {
        self.condition.inputs()
    }

    /// Length of a row between the condition and the blocks.
    pub fn hidden(&self) -> usize {
        self.condition.outputs()
    }

    /// Amplitudes of a frame: partials, then bands.
    pub fn outputs(&self) -> usize {
        self.facts().partials + self.facts().bands
    }

    /// Writes what is told of a note as a row of [`Self::inputs`].
    ///
    /// # Panics
    /// If a slice is not as long as it should be.
    pub fn row(&self, told: &Told, row: &mut [f32]) {
        let facts = self.facts();
        row.fill(0.0);
        let (mix, rest) = row.split_at_mut(facts.instruments.len());
        mix.copy_from_slice(told.mix);
        let (pitch, beside) = rest.split_at_mut(facts.pitch_knots.2);
        let (below, above) = facts.pitch_knots.place(told.pitch);
        pitch[below] = 1.0 - above;
        pitch[below + 1] = above;
        let flag = |on: bool| f32::from(u8::from(on));
        beside.copy_from_slice(&[
            told.velocity,
            told.velocity * told.velocity,
            flag(told.held),
            flag(told.begins),
            flag(told.ends),
        ]);
    }

    /// The way in: `rows` of [`Self::inputs`], through `hidden` of [`Self::hidden`] each, to the residual stream `x`.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn way_in(
        &self,
        path: kernels::Path,
        told: &[f32],
        hidden: &mut [f32],
        x: &mut [f32],
        rows: usize,
    ) {
        let (w, len) = (&self.condition, rows * self.hidden());
        proj(path, w, told, w.inputs(), hidden, w.outputs(), rows, false);
        silu(path, &mut hidden[..len]);
        self.stack.project_in(path, hidden, x, rows);
    }

    /// The way out: amplitudes, `[rows]` of [`Self::outputs`], of the residual stream behind the last norm.
    ///
    /// # Panics
    /// If a slice is too short.
    pub fn way_out(&self, path: kernels::Path, x: &[f32], amplitudes: &mut [f32], rows: usize) {
        self.stack.project_out(path, x, amplitudes, rows);
        let (quietest, loudest) = self.facts().log2_range;
        let amplitudes = &mut amplitudes[..rows * self.outputs()];
        for exponent in amplitudes.iter_mut() {
            *exponent = exponent.max(quietest).min(loudest);
        }
        exp2(path, amplitudes);
    }

    /// The fundamental in Hz and the inharmonicity B of a pitch in semitones: partial k lies at
    /// k · f · sqrt(1 + B · k²) (Fletcher & Rossing 1998, section 2.18).
    ///
    /// # Panics
    /// If `mix` is not one a instrument.
    pub fn tuning(&self, mix: &[f32], pitch: f32) -> (f64, f64) {
        let knots = self.facts().tuning_knots;
        let (below, above) = knots.place(pitch);
        let (mut cents, mut log_b) = (0.0, 0.0);
        for (share, table) in mix.iter().zip(self.tuning.chunks_exact(2 * knots.2)) {
            let at = |knot: usize| (table[2 * knot], table[2 * knot + 1]);
            let (low, high) = (at(below), at(below + 1));
            cents += share * (low.0 + above * (high.0 - low.0));
            log_b += share * (low.1 + above * (high.1 - low.1));
        }
        let octaves = (f64::from(pitch) - 69.0) / 12.0 + f64::from(cents) / 1200.0;
        let b = f64::from(log_b).exp2() - LEAST_B;
        (440.0 * octaves.exp2(), b.max(0.0))
    }
}

fn check(spec: &InstrumentSpec) -> Result<(), ModelError> {
    let facts = &spec.instrument;
    let fault = if !(spec.norm_eps.is_finite() && spec.norm_eps > 0.0) {
        "norm_eps must be above 0"
    } else if facts.instruments.is_empty() || facts.instruments.len() > 256 {
        "it must have 1 to 256 instruments"
    } else if !facts.partials.is_multiple_of(SINES) || !(SINES..=512).contains(&facts.partials) {
        "its partials must be a multiple of 32, up to 512"
    } else if !(1..=128).contains(&facts.bands) {
        "it must have 1 to 128 bands of noise"
    } else if !(1_000.0..=96_000.0).contains(&facts.top_hz) {
        "top_hz must lie between 1 and 96 kHz"
    } else if !(0.0005..=0.004).contains(&facts.frame_seconds) {
        "a frame must last 0.5 to 4 ms"
    } else if !(0.0..=facts.frame_seconds).contains(&facts.onset_seconds) {
        "a note must rise within its first frame"
    } else if !facts.pitch_knots.sound() || !facts.tuning_knots.sound() {
        "knots need a first pitch, a step above 0, and 2 to 1024 of them"
    } else if !(facts.log2_range.0 >= -126.0
        && facts.log2_range.0 <= facts.log2_range.1
        && facts.log2_range.1 <= 4.0)
    {
        "log2_range must be in order, within -126 and 4"
    } else {
        return Ok(());
    };
    Err(ModelError::Spec(fault.into()))
}
