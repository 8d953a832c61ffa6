//! The models the app can play: the one compiled in, those in the person's folder, files that were dropped.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use statewave::model::Model;

use crate::panel::host::Fault;

const SHIPPED: (&str, &[u8]) = (
    "denoise-live",
    include_bytes!("../../../assets/models/denoise-live.safetensors"),
);

/// Names, and where each is.
pub struct Models {
    names: Vec<String>,
    /// As many as there are names; `None` is the one compiled in.
    places: Vec<Option<PathBuf>>,
}

impl Models {
    /// Looks in the person's folder.
    pub fn find() -> Self {
        let mut models = Self {
            names: vec![SHIPPED.0.into()],
            places: vec![None],
        };
        let folder = crate::panel::presets::config_folder().map(|folder| folder.join("models"));
        let entries = folder.iter().filter_map(|f| std::fs::read_dir(f).ok());
        let mut paths: Vec<PathBuf> = entries
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        paths.retain(|path| path.extension().is_some_and(|e| e == "safetensors"));
        paths.sort();
        for path in paths {
            models.add(&path);
        }
        models
    }

    /// Names in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Adds a file, and gives its name.
    pub fn add(&mut self, path: &Path) -> String {
        let name = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        match self.names.iter().position(|known| *known == name) {
            Some(i) => self.places[i] = Some(path.to_owned()),
            None => {
                self.names.push(name.clone());
                self.places.push(Some(path.to_owned()));
            }
        }
        name
    }

    /// What finds a model again after a restart: the path of its file, or its name.
    pub fn place(&self, name: &str) -> String {
        let known = self
            .names
            .iter()
            .zip(&self.places)
            .find(|(known, _)| *known == name);
        let path = known.and_then(|(_, place)| place.as_deref());
        path.map_or_else(|| name.to_owned(), |path| path.display().to_string())
    }

    /// Reads and verifies one. Takes tens of milliseconds.
    ///
    /// # Errors
    /// When there is none of that name, or its file is no model.
    pub fn load(&self, name: &str) -> Result<Arc<Model>, Fault> {
        let Some(i) = self.names.iter().position(|known| known == name) else {
            return Err(Fault {
                what: format!("there is no model called {name}"),
                remedy: "drop its file on the window".into(),
            });
        };
        let read = match &self.places[i] {
            Some(path) => Model::open(path),
            None => Model::from_bytes(SHIPPED.1),
        };
        read.map(Arc::new).map_err(|error| Fault {
            what: format!("model {name}: {error}"),
            remedy: error.remedy().to_string(),
        })
    }
}
