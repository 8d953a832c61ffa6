//! Effects: audio in, audio out, sample by sample, without a frame and without latency.
//!
//! ```text
//! sample ─► in_linear ─► blocks ─► (norm_f) ─► out_linear ─► sample
//! ```
//! S4D and selective blocks know continuous time: made for another sample rate, their Δ is scaled and they are the same system.
//! Blocks that count in samples, as every convolution over taps does, are not, and such a model is played at its own rate.
//! Knobs of the device, if the model has learnt any, act on the blocks through [`Film`](super::film::Film).

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::discretize::{Rule, Sampling};
use super::file::{Limits, ModelError, ModelFile, read_bytes, sha256};
use super::s4d::Activation;
use super::spec::{Task, check_sound};
use super::stack::{Block, Stack, StackConfig};
use super::tensors::Tensors;

/// What an effect's file says of itself. The kinds and sizes of its blocks are those of its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EffectSpec {
    /// See [`FORMAT_VERSION`](super::spec::FORMAT_VERSION).
    pub format_version: u32,
    /// The model's own name.
    pub name: String,
    /// [`Task::Effect`].
    pub task: Task,
    /// The rate it was trained at, Hz.
    pub sample_rate: u32,
    /// How continuous time becomes steps.
    pub rule: Rule,
    /// What follows the state spaces of S4D blocks.
    #[serde(default)]
    pub activation: Activation,
    /// Added to the mean square by every RMSNorm, if there are any.
    #[serde(default = "default_eps")]
    pub norm_eps: f64,
    /// What can be turned, in the order of the network's inputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub knobs: Vec<Knob>,
    /// Licence, training data, scores and the like.
    #[serde(flatten)]
    pub notes: serde_json::Map<String, Value>,
}

/// Most knobs of a model: as many as hosts are told of.
pub const MAX_KNOBS: usize = 4;

/// A knob of a device, by the values that the network was trained with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Knob {
    /// As the device has it.
    pub name: String,
    /// All the way down.
    #[serde(default)]
    pub min: f32,
    /// All the way up.
    #[serde(default = "one")]
    pub max: f32,
    /// Where it stands at first.
    pub default: f32,
}

impl Knob {
    /// `value` brought into the knob's range; what is no number becomes the default.
    pub fn held(&self, value: f32) -> f32 {
        if value.is_nan() {
            self.default
        } else {
            value.clamp(self.min, self.max)
        }
    }

    /// The value at a share from 0 to 1 of the way up.
    pub fn at(&self, share: f32) -> f32 {
        self.held(self.min + share * (self.max - self.min))
    }

    /// How far up `value` is: the way back from [`Knob::at`].
    pub fn share(&self, value: f32) -> f32 {
        (value - self.min) / (self.max - self.min)
    }

    fn check(&self) -> Result<(), String> {
        let Knob { name, min, max, .. } = self;
        if name.is_empty() || name.chars().count() > 24 || name.chars().any(char::is_control) {
            return Err("a knob's name must have 1 to 24 characters".into());
        }
        if !(min.is_finite()
            && max.is_finite()
            && min < max
            && (*min..=*max).contains(&self.default))
        {
            return Err(format!("knob {name}: min, default and max must rise"));
        }
        Ok(())
    }
}

fn one() -> f32 {
    1.0
}

fn default_eps() -> f64 {
    f64::from(StackConfig::default().eps)
}

/// Why a knob cannot be set. The message says what is wrong, [`KnobError::remedy`] what to do about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum KnobError {
    /// The model has none of that name.
    #[error("the model {model} has no knob called {name}")]
    Unknown {
        /// The model.
        model: String,
        /// What was asked for.
        name: String,
        /// What there is.
        names: Vec<String>,
    },
    /// The knob does not go there.
    #[error("{name}={value} is beyond its range")]
    Range {
        /// The knob.
        name: String,
        /// What was asked for.
        value: f32,
        /// All the way down.
        min: f32,
        /// All the way up.
        max: f32,
    },
}

impl KnobError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            KnobError::Unknown { names, .. } if names.is_empty() => "this model has none".into(),
            KnobError::Unknown { names, .. } => format!("its knobs: {}", names.join(", ")),
            KnobError::Range { min, max, .. } => format!("give a value from {min} to {max}"),
        }
    }
}

impl EffectSpec {
    /// Which knob has that name, in letters of any size, and how far up `value` is, 0 to 1.
    ///
    /// # Errors
    /// A knob that the model does not have, or a value beyond its range.
    pub fn knob_share(&self, name: &str, value: f32) -> Result<(usize, f32), KnobError> {
        let found = self
            .knobs
            .iter()
            .position(|knob| knob.name.eq_ignore_ascii_case(name));
        let index = found.ok_or_else(|| KnobError::Unknown {
            model: self.name.clone(),
            name: name.into(),
            names: self.knobs.iter().map(|knob| knob.name.clone()).collect(),
        })?;
        let knob = &self.knobs[index];
        let (min, max) = (knob.min, knob.max);
        if !(min..=max).contains(&value) {
            let name = name.into();
            return Err(KnobError::Range {
                name,
                value,
                min,
                max,
            });
        }
        Ok((index, knob.share(value)))
    }
}

/// The name and the value of a knob as a command line has them, `NAME=VALUE`.
///
/// # Errors
/// Says what is wrong.
pub fn knob_setting(text: &str) -> Result<(String, f32), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("NAME=VALUE is needed, such as drive=0.7")?;
    match value.trim().parse::<f32>() {
        Ok(value) if value.is_finite() => Ok((name.trim().into(), value)),
        _ => Err(format!("{value} is no number")),
    }
}

/// How a model is played at a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RateWay {
    /// It was trained at this rate.
    Native,
    /// Its blocks are made anew with Δ times this: no resampler, no latency.
    Scaled(f64),
    /// It runs at its own rate between two resamplers, because of the first block that counts in samples.
    Resampled {
        /// That block, from 0 on.
        block: usize,
        /// What it is.
        kind: &'static str,
    },
}

impl fmt::Display for RateWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RateWay::Native => write!(f, "at its own rate"),
            RateWay::Scaled(factor) => write!(f, "Δ scaled by {factor:.4}, no resampler"),
            RateWay::Resampled { block, kind } => write!(
                f,
                "resampled to its own rate, for block {block} ({kind}) counts in samples"
            ),
        }
    }
}

/// An effect, verified when read. Immutable; streams are [`WaveEngine`](crate::engine::wave::WaveEngine)s.
#[derive(Debug)]
pub struct EffectModel {
    spec: EffectSpec,
    tensors: Tensors,
    /// At the trained rate.
    stack: Stack,
    sha256: String,
}

impl EffectModel {
    /// Reads a model file of at most [`Limits::MODEL`].
    ///
    /// # Errors
    /// See [`ModelError`]: each says what is wrong, and its remedy.
    pub fn open(path: impl AsRef<Path>) -> Result<EffectModel, ModelError> {
        EffectModel::from_bytes(&read_bytes(path.as_ref(), Limits::MODEL)?)
    }

    /// Reads the bytes of a whole model file.
    ///
    /// # Errors
    /// As [`EffectModel::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<EffectModel, ModelError> {
        let file = ModelFile::from_bytes(bytes)?;
        let spec: EffectSpec = file.spec(Task::Effect)?;
        let fail = |why: String| Err(ModelError::Spec(why));
        check_sound(spec.sample_rate, spec.norm_eps)?;
        let tensors: Tensors = file.tensors.into_iter().collect();
        if spec.knobs.len() > MAX_KNOBS {
            return fail(format!(
                "{} knobs, and {MAX_KNOBS} is the most",
                spec.knobs.len()
            ));
        }
        for (i, knob) in spec.knobs.iter().enumerate() {
            knob.check().map_err(ModelError::Spec)?;
            if spec.knobs[..i].iter().any(|other| other.name == knob.name) {
                return fail(format!("two knobs are called {}", knob.name));
            }
        }
        let stack = made(&spec, &tensors, 1.0)?;
        let knobs = stack.film().map_or(0, |film| film.knobs());
        if knobs != spec.knobs.len() {
            return fail(format!(
                "{} knobs are named, and the network has {knobs}",
                spec.knobs.len()
            ));
        }
        if (stack.inputs(), stack.outputs()) != (Some(1), Some(1)) {
            return fail(
                "an effect takes a sample and gives one: in_linear [D, 1], out_linear [1, D]"
                    .into(),
            );
        }
        Ok(EffectModel {
            spec,
            tensors,
            stack,
            sha256: sha256(bytes),
        })
    }

    /// What the model says of itself.
    pub fn spec(&self) -> &EffectSpec {
        &self.spec
    }

    /// SHA-256 of the file, in lower-case hexadecimal: what a project state remembers it by.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// How it is played at `sample_rate`, Hz.
    pub fn way(&self, sample_rate: u32) -> RateWay {
        if sample_rate == self.spec.sample_rate {
            return RateWay::Native;
        }
        let counts = |block: &Block| match block {
            Block::S4d(_) | Block::Selective(_) => None,
            Block::Mamba(_) => Some("a Mamba block's convolution"),
            Block::Mamba2(_) => Some("a Mamba-2 block's convolution"),
        };
        let mut blocks = self.stack.blocks().iter().enumerate();
        match blocks.find_map(|(block, b)| counts(b).map(|kind| (block, kind))) {
            Some((block, kind)) => RateWay::Resampled { block, kind },
            None => RateWay::Scaled(f64::from(self.spec.sample_rate) / f64::from(sample_rate)),
        }
    }

    /// The blocks with their ends, as `way` plays them. Allocates.
    ///
    /// # Errors
    /// None that reading the file has not found already.
    pub fn stack(&self, way: RateWay) -> Result<Stack, ModelError> {
        match way {
            RateWay::Scaled(factor) => made(&self.spec, &self.tensors, factor),
            RateWay::Native | RateWay::Resampled { .. } => Ok(self.stack.clone()),
        }
    }
}

fn made(spec: &EffectSpec, tensors: &Tensors, delta_scale: f64) -> Result<Stack, ModelError> {
    let config = StackConfig {
        eps: spec.norm_eps as f32,
        sampling: Sampling {
            rule: spec.rule,
            delta_scale,
        },
        activation: spec.activation,
        ..StackConfig::default()
    };
    Ok(Stack::new(config, tensors)?)
}
