//! Models found and read, each once for all that play it.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use statewave::model::Model;
use statewave::model::catalogue::{self, DEFAULT, Found, Recalled};
use statewave::model::effect::EffectModel;
use statewave::model::file::sha256;
use statewave::model::generate::GenerateModel;
use statewave::model::streams::StreamModel;

use super::{LoadError, ModelChoice};

/// A model that was asked for, and what there is to say about it.
pub(super) struct Resolved {
    pub model: StreamModel,
    pub name: String,
    pub fault: Option<LoadError>,
}

/// Finds and reads what was asked for, or what plays in its place.
pub(super) fn resolve(choice: &ModelChoice) -> Result<Resolved, LoadError> {
    let named = || {
        choice
            .path
            .clone()
            .map(Found::file)
            .or_else(|| catalogue::find(&choice.name))
    };
    let missing = || LoadError::Missing {
        name: choice.name.clone(),
    };
    let (found, fault) = if choice.sha256.is_empty() {
        match named() {
            Some(found) => (Some(found), None),
            None => (None, Some(missing())),
        }
    } else {
        match catalogue::recall(&choice.name, &choice.sha256, choice.path.as_deref()) {
            Recalled::Same(found) => (Some(found), None),
            Recalled::Changed(found) => {
                let name = choice.name.clone();
                (Some(found), Some(LoadError::Changed { name }))
            }
            Recalled::Missing => (None, Some(missing())),
        }
    };
    let found = found
        .or_else(|| catalogue::find(DEFAULT))
        .ok_or(LoadError::None)?;
    Ok(Resolved {
        model: read(&found)?,
        name: found.name,
        fault,
    })
}

/// A model that somebody may be playing.
enum Played {
    Denoise(Weak<Model>),
    Effect(Weak<EffectModel>),
    Continue(Weak<GenerateModel>),
}

impl Played {
    fn of(model: &StreamModel) -> Self {
        match model {
            StreamModel::Denoise(model) => Self::Denoise(Arc::downgrade(model)),
            StreamModel::Effect(model) => Self::Effect(Arc::downgrade(model)),
            StreamModel::Continue(model) => Self::Continue(Arc::downgrade(model)),
        }
    }

    fn model(&self) -> Option<StreamModel> {
        match self {
            Self::Denoise(model) => model.upgrade().map(StreamModel::Denoise),
            Self::Effect(model) => model.upgrade().map(StreamModel::Effect),
            Self::Continue(model) => model.upgrade().map(StreamModel::Continue),
        }
    }
}

/// Reads a model, or shares it with whoever plays it already.
fn read(found: &Found) -> Result<StreamModel, LoadError> {
    static PLAYED: Mutex<Vec<Played>> = Mutex::new(Vec::new());
    let broken = |source| LoadError::Broken {
        place: found.place(),
        source,
    };
    let bytes = found.bytes().map_err(broken)?;
    let hash = sha256(&bytes);
    let played = || PLAYED.lock().unwrap_or_else(PoisonError::into_inner);
    let shared = played()
        .iter()
        .filter_map(Played::model)
        .find(|model| model.sha256() == hash);
    if let Some(model) = shared {
        return Ok(model);
    }
    let model = StreamModel::from_bytes(&bytes).map_err(broken)?;
    let mut played = played();
    played.retain(|played| played.model().is_some());
    played.push(Played::of(&model));
    Ok(model)
}
