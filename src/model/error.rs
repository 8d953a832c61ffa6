//! What can be wrong with a model file, each with its remedy.

use std::path::PathBuf;

use super::spec::Task;

/// Why a model file was refused. The message says what is wrong; [`ModelError::remedy`] says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file could not be read at all.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file, its header or the memory it asks for is over the cap.
    #[error("{what} is {bytes} bytes, more than the {max} allowed")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size in bytes.
        bytes: u64,
        /// The cap in bytes.
        max: u64,
    },
    /// The file ends before what its header promises.
    #[error("the file ends early: {needed} bytes are needed and {found} are there")]
    Truncated {
        /// Bytes that should be there.
        needed: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// Bytes that belong to no tensor.
    #[error("{0} bytes belong to no tensor")]
    Leftover(u64),
    /// The header is not the JSON of a safetensors file.
    #[error("the header is not that of a safetensors file: {0}")]
    Header(String),
    /// A tensor or a metadata key comes twice.
    #[error("`{0}` comes twice")]
    Duplicate(String),
    /// A tensor holds something other than F32, F16 or BF16.
    #[error("tensor `{name}` holds {dtype}; only F32, F16 and BF16 are read")]
    Dtype {
        /// The tensor.
        name: String,
        /// The type its entry names.
        dtype: String,
    },
    /// A tensor's shape and its bytes do not agree.
    #[error("tensor `{name}` of shape {shape:?} does not fit its {bytes} bytes")]
    Shape {
        /// The tensor.
        name: String,
        /// The shape its entry claims.
        shape: Vec<u64>,
        /// The bytes its entry points at.
        bytes: u64,
    },
    /// A tensor's bytes overlap another's or leave a hole.
    #[error("the bytes of tensor `{0}` do not follow those of the one before")]
    Layout(String),
    /// A weight is NaN or infinite.
    #[error("tensor `{name}` is not finite at element {index}")]
    NotFinite {
        /// The tensor.
        name: String,
        /// The first such element, counted in row order.
        index: usize,
    },
    /// A safetensors file without a Statewave spec.
    #[error("the file has no Statewave spec")]
    NoSpec,
    /// The spec is not what a spec should be.
    #[error("the spec is damaged: {0}")]
    Spec(String),
    /// A model for another purpose.
    #[error("it is a model of the task {found:?}, and one of the task {wanted:?} is needed")]
    Task {
        /// What it is for.
        found: Task,
        /// What is to be done.
        wanted: Task,
    },
    /// Written by a newer Statewave.
    #[error("the file has format version {found}; this Statewave reads up to {newest}")]
    Version {
        /// The version the file names.
        found: u64,
        /// The newest version read here.
        newest: u32,
    },
    /// The folder of a published checkpoint is not one that is read here.
    #[error("the checkpoint's config.json: {0}")]
    Checkpoint(String),
    /// A layer that the spec calls for cannot be made from the tensors.
    #[error(transparent)]
    Layer(#[from] super::tensors::TensorError),
}

impl ModelError {
    /// What a person can do about it, as one sentence.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Io { .. } => {
                "check the path and that you may read the file; `statewave doctor` lists the models found"
            }
            Self::TooLarge { .. } => {
                "this is probably not a Statewave model; `statewave doctor` lists the models found"
            }
            Self::Truncated { .. } | Self::Leftover(_) => {
                "the file was cut or damaged on its way; download or export it again"
            }
            Self::Header(_) => {
                "a model is a .safetensors file written by training/export.py; download or export it again"
            }
            Self::NoSpec => {
                "this is a safetensors file of another program; export it with training/export.py, which adds the spec"
            }
            Self::Task { .. } => {
                "give a model for this purpose; `statewave inspect` says what a model is for"
            }
            Self::Checkpoint(_) => {
                "give a folder as transformers' save_pretrained writes it of a Mamba or Mamba-2 language model"
            }
            Self::Version { .. } => "update Statewave, or export the model for this version",
            Self::NotFinite { .. } => "the training run diverged; export an earlier checkpoint",
            Self::Dtype { .. } => "convert the weights to F32, F16 or BF16 and export again",
            Self::Duplicate(_)
            | Self::Shape { .. }
            | Self::Layout(_)
            | Self::Spec(_)
            | Self::Layer(_) => {
                "the file was damaged or edited; export it again with training/export.py"
            }
        }
    }
}
