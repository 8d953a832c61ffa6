//! Read-only data for all: spec, file, layers.

pub(crate) mod block;
pub mod catalogue;
mod container;
pub mod denoise;
pub mod discretize;
pub mod effect;
mod error;
pub mod file;
pub mod film;
pub mod generate;
mod half;
pub mod instrument;
pub mod layer;
pub mod mamba;
pub mod mamba2;
pub mod modes;
pub mod pace;
pub mod s4d;
pub mod selective;
pub mod sequence;
pub mod spec;
pub mod stack;
pub mod streams;
pub mod tensors;

use std::path::Path;
use std::sync::Arc;

use denoise::DenoiseNet;
use file::{Limits, ModelError, ModelFile, read_bytes, sha256};
use spec::{FrontEnd, ModelSpec, Task};
use tensors::Tensors;

/// The longest analysis window that is accepted, in samples: 1.4 s at 48 kHz.
const MAX_WINDOW: usize = 1 << 16;

/// A model: its spec, its weights packed for the kernels, and its identity. Immutable, verified when read, shared in an
/// `Arc` by all that play it.
///
/// ```no_run
/// use std::sync::Arc;
/// use statewave::chain::{Chain, ChainConfig};
/// use statewave::engine::cpu::CpuEngine;
/// use statewave::model::Model;
///
/// let model = Arc::new(Model::open("denoise-live.safetensors")?);
/// let engine = Box::new(CpuEngine::new(&model, 2));
/// let config = ChainConfig { sample_rate: 44_100, channels: 2, max_block: 512 };
/// let chain = Chain::new(engine, model.spec().front_end, model.spec().sample_rate, config)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Model {
    spec: ModelSpec,
    net: Arc<DenoiseNet>,
    parameters: usize,
    sha256: String,
}

impl Model {
    /// Reads a model file of at most [`Limits::MODEL`].
    ///
    /// # Errors
    /// See [`ModelError`]: each says what is wrong, and its remedy.
    pub fn open(path: impl AsRef<Path>) -> Result<Model, ModelError> {
        Model::from_bytes(&read_bytes(path.as_ref(), Limits::MODEL)?)
    }

    /// Reads the bytes of a whole model file.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Model, ModelError> {
        let file = ModelFile::from_bytes(bytes)?;
        let parameters = file.parameters();
        let spec: ModelSpec = file.spec(Task::Denoise)?;
        check(&spec)?;
        let tensors: Tensors = file.tensors.into_iter().collect();
        let net = Arc::new(DenoiseNet::new(&spec, &tensors)?);
        Ok(Model {
            spec,
            net,
            parameters,
            sha256: sha256(bytes),
        })
    }

    /// What the model says of itself.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// The denoiser's weights.
    pub fn net(&self) -> &Arc<DenoiseNet> {
        &self.net
    }

    /// Number of weights.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Multiply-accumulates a second and channel.
    pub fn macs_per_second(&self) -> f64 {
        self.net.macs() as f64 * f64::from(self.spec.sample_rate) / self.spec.front_end.hop as f64
    }

    /// SHA-256 of the file, in lower-case hexadecimal: what a project state remembers it by.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// What the layers rely on.
fn check(spec: &ModelSpec) -> Result<(), ModelError> {
    let fail = |why: String| Err(ModelError::Spec(why));
    if !(8_000..=192_000).contains(&spec.sample_rate) {
        return fail(format!("a rate of {} Hz", spec.sample_rate));
    }
    let FrontEnd {
        hop,
        window,
        overlap,
        spread,
    } = spec.front_end;
    let sound = window <= MAX_WINDOW
        && window.is_multiple_of(2)
        && (1..=window).contains(&hop)
        && (1..=hop).contains(&overlap)
        && hop + overlap <= window
        && spread <= hop;
    if !sound {
        return fail(format!(
            "its front end does not fit together: {:?}",
            spec.front_end
        ));
    }
    if !(spec.norm_eps.is_finite() && spec.norm_eps > 0.0) {
        return fail("norm_eps must be above 0".into());
    }
    Ok(())
}
