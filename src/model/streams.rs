//! Models that sound is sent through, whatever they are for.

use std::sync::Arc;

use super::Model;
use super::effect::EffectModel;
use super::file::{ModelError, task_of};
use super::generate::GenerateModel;
use super::spec::Task;

/// A model that takes sound and gives sound, shared by all that play it.
#[derive(Debug, Clone)]
pub enum StreamModel {
    /// [`Task::Denoise`].
    Denoise(Arc<Model>),
    /// [`Task::Effect`].
    Effect(Arc<EffectModel>),
    /// [`Task::Continue`].
    Continue(Arc<GenerateModel>),
}

impl StreamModel {
    /// Reads the bytes of a whole model file.
    ///
    /// # Errors
    /// See [`ModelError`]; that of a denoiser's reader for a file that is for nothing of this kind.
    pub fn from_bytes(bytes: &[u8]) -> Result<StreamModel, ModelError> {
        Ok(match task_of(bytes) {
            Ok(Task::Effect) => StreamModel::Effect(Arc::new(EffectModel::from_bytes(bytes)?)),
            Ok(Task::Continue) => {
                StreamModel::Continue(Arc::new(GenerateModel::from_bytes(bytes)?))
            }
            _ => StreamModel::Denoise(Arc::new(Model::from_bytes(bytes)?)),
        })
    }

    /// What it is for.
    pub fn task(&self) -> Task {
        match self {
            StreamModel::Denoise(_) => Task::Denoise,
            StreamModel::Effect(_) => Task::Effect,
            StreamModel::Continue(_) => Task::Continue,
        }
    }

    /// SHA-256 of its file, in lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        match self {
            StreamModel::Denoise(model) => model.sha256(),
            StreamModel::Effect(model) => model.sha256(),
            StreamModel::Continue(model) => model.sha256(),
        }
    }
}
