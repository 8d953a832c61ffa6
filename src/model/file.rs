//! A model on disk: one safetensors file whose metadata key `statewave` holds the JSON spec. Hostile until verified.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

pub use super::container::{Container, Limits, Tensor};
pub use super::error::ModelError;
use super::spec::{FORMAT_VERSION, METADATA_KEY, Task, check_task};

/// The spec's key for the version of the format.
pub const VERSION_KEY: &str = "format_version";

/// The most bytes of spec that are parsed: JSON can take thirty times its size in memory.
const MAX_SPEC: usize = 256 << 10;

/// A model file, verified as far as the container goes: sizes, shapes, finite weights, a version known here.
/// Whether the tensors are those that the spec calls for is for the reader of the spec; see [`Model`](super::Model).
///
/// ```
/// use statewave::model::file::{ModelFile, Tensor};
///
/// let mut file = ModelFile { spec_json: serde_json::json!({ "format_version": 1 }), tensors: Default::default() };
/// file.tensors.insert("gain".into(), Tensor { shape: vec![2], data: vec![0.5, 1.0] });
/// let read = ModelFile::from_bytes(&file.to_bytes())?;
/// assert_eq!(read.tensors["gain"].data, [0.5, 1.0]);
/// # Ok::<(), statewave::model::file::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// The spec as written; an object whose `format_version` is known here.
    pub spec_json: serde_json::Value,
    /// The weights by name, all finite.
    pub tensors: BTreeMap<String, Tensor>,
}

impl ModelFile {
    /// Read a file of at most [`Limits::MODEL`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        Self::from_bytes(&read_bytes(path.as_ref(), Limits::MODEL)?)
    }

    /// Read the bytes of a whole file of at most [`Limits::MODEL`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let Container { metadata, tensors } = Container::from_bytes(bytes, Limits::MODEL)?;
        let spec_json = spec_of(&metadata)?;
        let version = spec_json
            .get(VERSION_KEY)
            .and_then(serde_json::Value::as_u64);
        match version {
            Some(v) if v > u64::from(FORMAT_VERSION) => Err(ModelError::Version {
                found: v,
                newest: FORMAT_VERSION,
            }),
            Some(1..) => Ok(Self { spec_json, tensors }),
            _ => Err(ModelError::Spec(format!(
                "`{VERSION_KEY}` is not a version number"
            ))),
        }
    }

    /// The spec as one of a model for `task`.
    pub(super) fn spec<S: DeserializeOwned>(&self, task: Task) -> Result<S, ModelError> {
        check_task(&self.spec_json, task)?;
        S::deserialize(&self.spec_json).map_err(|e| ModelError::Spec(e.to_string()))
    }

    /// The bytes of a file that [`ModelFile::from_bytes`] reads back equal.
    pub fn to_bytes(&self) -> Vec<u8> {
        let metadata = BTreeMap::from([(METADATA_KEY.to_string(), self.spec_json.to_string())]);
        Container {
            metadata,
            tensors: self.tensors.clone(),
        }
        .to_bytes()
    }

    /// Number of weights in all tensors.
    pub fn parameters(&self) -> usize {
        self.tensors.values().map(|t| t.data.len()).sum()
    }
}

/// What a model is for, of as much of its file as the header takes. That the rest is sound is not looked at.
pub(super) fn task_of(file: impl Read) -> Result<Task, ModelError> {
    let spec = spec_of(&Container::metadata(file)?)?;
    let task = spec.get("task").cloned().unwrap_or_default();
    serde_json::from_value(task).map_err(|e| ModelError::Spec(format!("its task: {e}")))
}

fn spec_of(metadata: &BTreeMap<String, String>) -> Result<serde_json::Value, ModelError> {
    let spec = metadata.get(METADATA_KEY).ok_or(ModelError::NoSpec)?;
    if spec.len() > MAX_SPEC {
        let (bytes, max) = (spec.len() as u64, MAX_SPEC as u64);
        return Err(ModelError::TooLarge {
            what: "the spec",
            bytes,
            max,
        });
    }
    serde_json::from_str(spec).map_err(|e| ModelError::Spec(format!("it is not JSON: {e}")))
}

/// The bytes of a file, never more than the limit, whatever the file system says of its size.
pub fn read_bytes(path: &Path, limits: Limits) -> Result<Vec<u8>, ModelError> {
    let io = |source| ModelError::Io {
        path: path.into(),
        source,
    };
    let file = std::fs::File::open(path).map_err(io)?;
    let claimed = file.metadata().map_err(io)?.len();
    let too_large = |bytes| ModelError::TooLarge {
        what: "the file",
        bytes,
        max: limits.file,
    };
    if claimed > limits.file {
        return Err(too_large(claimed));
    }
    let mut bytes = Vec::with_capacity(claimed as usize);
    file.take(limits.file + 1)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    if bytes.len() as u64 > limits.file {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}

/// The identity of a model: SHA-256 of its file's bytes, in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
