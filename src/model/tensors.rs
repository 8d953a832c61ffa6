//! Tensors by name: what a layer is made from, whoever read the file.

use std::collections::BTreeMap;
use thiserror::Error;

use super::container::Tensor;

/// A tensor that a layer needs is missing or has the wrong shape.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TensorError {
    /// No tensor of that name.
    #[error("tensor `{name}` is missing; the layer needs it with shape {expected:?}")]
    Missing {
        /// The full name looked for.
        name: String,
        /// The shape it should have.
        expected: Vec<usize>,
    },
    /// A tensor of that name, but another shape.
    #[error("tensor `{name}` has shape {found:?}; the layer needs {expected:?}")]
    Shape {
        /// The full name.
        name: String,
        /// The shape it should have.
        expected: Vec<usize>,
        /// The shape it has.
        found: Vec<usize>,
    },
    /// The sizes a layer was asked for do not fit together, or the kernels do not serve them.
    #[error("layer `{layer}`: {reason}")]
    Size {
        /// The layer's prefix.
        layer: String,
        /// What does not fit, and what would.
        reason: String,
    },
}

/// Tensors by full name, row-major f32.
///
/// ```
/// use statewave::model::tensors::Tensors;
/// let mut tensors = Tensors::new();
/// tensors.insert("norm.weight", vec![2], vec![1.0, 1.0]);
/// assert_eq!(tensors.get("norm.weight", &[2]).unwrap(), [1.0, 1.0]);
/// let error = tensors.get("norm.weight", &[3]).unwrap_err();
/// assert_eq!(error.to_string(), "tensor `norm.weight` has shape [2]; the layer needs [3]");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tensors {
    by_name: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl FromIterator<(String, Tensor)> for Tensors {
    fn from_iter<T: IntoIterator<Item = (String, Tensor)>>(read: T) -> Tensors {
        let mut tensors = Tensors::new();
        for (name, tensor) in read {
            tensors.insert(name, tensor.shape, tensor.data);
        }
        tensors
    }
}

impl Tensors {
    /// None yet.
    pub fn new() -> Tensors {
        Tensors::default()
    }

    /// Adds a tensor, or replaces the one of that name.
    ///
    /// # Panics
    /// If the shape's product is not the number of values.
    pub fn insert(&mut self, name: impl Into<String>, shape: Vec<usize>, values: Vec<f32>) {
        let name = name.into();
        assert_eq!(
            shape.iter().product::<usize>(),
            values.len(),
            "shape of `{name}` does not fit its values"
        );
        self.by_name.insert(name, (shape, values));
    }

    /// The values of `name`, which must have `shape`.
    ///
    /// # Errors
    /// [`TensorError::Missing`] or [`TensorError::Shape`].
    pub fn get(&self, name: &str, shape: &[usize]) -> Result<&[f32], TensorError> {
        match self.by_name.get(name) {
            None => Err(TensorError::Missing {
                name: name.into(),
                expected: shape.into(),
            }),
            Some((found, values)) if found == shape => Ok(values),
            Some((found, _)) => Err(TensorError::Shape {
                name: name.into(),
                expected: shape.into(),
                found: found.clone(),
            }),
        }
    }

    /// As [`Tensors::get`], but a tensor that is not there is `None`: for biases that a model may lack.
    ///
    /// # Errors
    /// [`TensorError::Shape`].
    pub fn optional(&self, name: &str, shape: &[usize]) -> Result<Option<&[f32]>, TensorError> {
        if self.by_name.contains_key(name) {
            self.get(name, shape).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The shape of `name`, if it is there.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.by_name.get(name).map(|(shape, _)| shape.as_slice())
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }
}
