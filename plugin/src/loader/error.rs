//! What keeps a model from playing, and what helps.

use statewave::model::catalogue::{self, DEFAULT};
use statewave::model::file::ModelError;

use crate::fault::Fault;

/// Why a model does not play. The message says what is wrong, [`LoadError::remedy`] what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It was found and cannot be used.
    #[error("{place}: {source}")]
    Broken {
        /// Where it is, for people.
        place: String,
        /// What is wrong with it.
        source: ModelError,
    },
    /// It is not here, and another one plays.
    #[error("the model {name} of this project or preset is not here; {DEFAULT} plays instead")]
    Missing {
        /// The name the project or preset remembers.
        name: String,
    },
    /// One of that name is here, and not the one the project or preset was made with.
    #[error(
        "the model {name} is not the one this project or preset was made with; the one here plays instead"
    )]
    Changed {
        /// The name of both.
        name: String,
    },
    /// Not even the usual model is here.
    #[error("no model is here")]
    None,
}

impl LoadError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        let folder = || {
            catalogue::user_folder().map_or_else(
                || format!("a folder named by ${}", catalogue::VARIABLE),
                |f| f.display().to_string(),
            )
        };
        match self {
            Self::Broken { source, .. } => source.remedy().into(),
            Self::Missing { name } => format!(
                "put {name}.safetensors in {} and open the project or choose the preset again, or choose another model",
                folder()
            ),
            Self::Changed { .. } => {
                format!(
                    "put the old file in {} under another name, or save the project or preset to keep this one",
                    folder()
                )
            }
            Self::None => format!("put a model in {}", folder()),
        }
    }
}

impl From<LoadError> for Fault {
    fn from(error: LoadError) -> Self {
        Self {
            what: error.to_string(),
            remedy: error.remedy(),
        }
    }
}
