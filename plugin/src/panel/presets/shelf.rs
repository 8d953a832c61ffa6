//! The person's own presets: a folder of files.

use std::fs;
use std::path::{Path, PathBuf};

use super::{FORMAT, Preset, Side, config_folder};
use crate::fault::Fault;
use crate::files::replace;

/// What is wrong with a preset.
#[derive(Debug)]
pub enum PresetError {
    /// There is none of that name among these.
    Unknown(String, Vec<String>),
    /// The name makes no file.
    Name,
    /// There is one of that name; it is replaced only when asked for.
    Exists,
    /// The system has no place for settings.
    NoFolder,
    /// A file cannot be read or written.
    File(PathBuf, std::io::Error),
    /// It is no preset, or one of a newer format.
    Format(PathBuf, String),
    /// It lies among those of a side that it is not for.
    Elsewhere(PathBuf, Side),
}

impl From<PresetError> for Fault {
    fn from(error: PresetError) -> Self {
        let (what, remedy) = match error {
            PresetError::Unknown(name, there) => {
                return Self {
                    what: format!("there is no preset {name}"),
                    remedy: format!("one of {}", there.join(", ")),
                };
            }
            PresetError::Name => (
                "the preset has no name that makes a file".into(),
                "use letters and digits",
            ),
            PresetError::Exists => (
                "there is a preset of that name".into(),
                "replace it, or take another name",
            ),
            PresetError::NoFolder => (
                "there is no folder for settings".into(),
                "set HOME or XDG_CONFIG_HOME",
            ),
            PresetError::File(path, error) => (
                format!("preset {}: {error}", path.display()),
                "check that you may write there",
            ),
            PresetError::Format(path, why) => (
                format!("{} is no preset: {why}", path.display()),
                "save it again with this version, or remove it",
            ),
            PresetError::Elsewhere(path, Side::Effect) => (
                format!("{} is a preset of the instrument", path.display()),
                "put it into the folder instrument beside it",
            ),
            PresetError::Elsewhere(path, Side::Instrument) => (
                format!("{} is no preset of the instrument", path.display()),
                "put it into the folder above",
            ),
        };
        Self {
            what,
            remedy: remedy.into(),
        }
    }
}

/// The person's own, in a folder.
#[derive(Debug, Clone)]
pub struct Shelf {
    side: Side,
    folder: Option<PathBuf>,
}

impl Shelf {
    /// Where the system keeps a person's settings.
    pub fn of_user(side: Side) -> Self {
        let place = match side {
            Side::Effect => "presets",
            Side::Instrument => "presets/instrument",
        };
        Self {
            side,
            folder: config_folder().map(|folder| folder.join(place)),
        }
    }

    /// In a folder, which need not be there yet.
    pub fn at(side: Side, folder: PathBuf) -> Self {
        Self {
            side,
            folder: Some(folder),
        }
    }

    /// Whose they are.
    pub fn side(&self) -> Side {
        self.side
    }

    /// Where they are; `None` where the system has no place for settings.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Names in order. Files that cannot be read are told of when they are chosen.
    pub fn names(&self) -> Vec<String> {
        let entries = self.folder.iter().filter_map(|f| fs::read_dir(f).ok());
        let mut names: Vec<_> = entries
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        names.sort_unstable();
        names
    }

    /// Reads one; it is called as its file is.
    ///
    /// # Errors
    /// When there is none of that name, or it is no preset, or one of the other side.
    pub fn load(&self, name: &str) -> Result<Preset, PresetError> {
        let path = self.path(name)?;
        let text = fs::read_to_string(&path).map_err(|e| PresetError::File(path.clone(), e))?;
        let mut preset: Preset = serde_json::from_str(&text)
            .map_err(|e| PresetError::Format(path.clone(), e.to_string()))?;
        if preset.format > FORMAT {
            let why = format!(
                "its format is {}, this program reads {FORMAT}",
                preset.format
            );
            return Err(PresetError::Format(path, why));
        }
        if !self.side.has(preset.task) {
            return Err(PresetError::Elsewhere(path, self.side));
        }
        name.trim().clone_into(&mut preset.name);
        Ok(preset)
    }

    /// Writes one, whole or not at all; over another of that name only if it `replaces` that.
    ///
    /// # Errors
    /// [`PresetError::Exists`] unless it `replaces`, and when it cannot be written.
    pub fn save(&self, preset: &Preset, replaces: bool) -> Result<(), PresetError> {
        let path = self.path(&preset.name)?;
        let fault = |e| PresetError::File(path.clone(), e);
        if !replaces && path.exists() {
            return Err(PresetError::Exists);
        }
        let mut text = serde_json::to_string_pretty(preset)
            .map_err(|e| PresetError::Format(path.clone(), e.to_string()))?;
        text.push('\n');
        replace(&path, text.as_bytes(), false).map_err(fault)
    }

    fn path(&self, name: &str) -> Result<PathBuf, PresetError> {
        let folder = self.folder.as_deref().ok_or(PresetError::NoFolder)?;
        let name = name.trim();
        let plain = |c: char| !c.is_control() && !r#"/\:*?"<>|"#.contains(c);
        let fit = !name.is_empty() && name.len() <= 100 && !name.starts_with('.');
        if !fit || !name.chars().all(plain) {
            return Err(PresetError::Name);
        }
        Ok(folder.join(Path::new(&format!("{name}.json"))))
    }
}
