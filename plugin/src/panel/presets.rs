//! Presets: those of the house, compiled in, and the person's own, a file each.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};
use statewave::model::spec::Task;

use super::host::{Fault, PanelHost, Param, change};

/// Presets lie beside the other settings.
pub use statewave::folders::config as config_folder;

/// The format that is written; newer ones are refused.
const FORMAT: u32 = 1;

/// A preset file. Parameters that it does not name are reset, but for those that are played with
/// ([`Param::is_played`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// Version of the format.
    pub format: u32,
    /// As in the menu.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// What the models are for that it is meant for.
    #[serde(default = "denoise")]
    pub task: Task,
    /// The model's name; that which plays is kept where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// SHA-256 of the model's file; without it, whatever has that name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// The file of the impulse response behind an effect, or that there is to be none; the one there is is kept where it says
    /// nothing.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "said"
    )]
    pub cabinet: Option<Option<PathBuf>>,
    /// Plain values by [`Param::key`].
    pub values: BTreeMap<String, f32>,
}

/// A field that is there, even if it is null.
fn said<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<PathBuf>>, D::Error> {
    Deserialize::deserialize(field).map(Some)
}

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
        };
        Self {
            what,
            remedy: remedy.into(),
        }
    }
}

impl Preset {
    /// What is set now, under a name.
    pub fn of(host: &dyn PanelHost, name: &str) -> Self {
        let kept = Param::ALL.into_iter().filter(|&p| !p.is_played());
        Self {
            format: FORMAT,
            name: name.trim().to_owned(),
            about: String::new(),
            task: host.task(),
            model: Some(host.model().to_owned()),
            sha256: host.model_sha256().to_owned(),
            cabinet: (host.task() == Task::Effect).then(|| host.cabinet().map(PathBuf::from)),
            values: kept
                .map(|p| (p.key().to_owned(), host.list().plain(p, host.value(p))))
                .collect(),
        }
    }

    /// What it sets: normalised values.
    fn wanted(&self, host: &dyn PanelHost) -> Vec<(Param, f32)> {
        let kept = Param::ALL.into_iter().filter(|&p| !p.is_played());
        kept.map(|param| {
            let value = match self.values.get(param.key()) {
                Some(&plain) => host.list().normalised(param, plain),
                None => host.list().default_value(param),
            };
            (param, value)
        })
        .collect()
    }

    /// Whether everything is as it sets it.
    pub fn is_set(&self, host: &dyn PanelHost) -> bool {
        let same = |(param, value): (Param, f32)| {
            let list = host.list();
            list.text(param, host.value(param)) == list.text(param, value)
        };
        self.other_model(host).is_none()
            && self.other_cabinet(host).is_none()
            && self.wanted(host).into_iter().all(same)
    }

    /// The model it sets, if it is not the one that plays. What is not read yet counts as what it is called.
    fn other_model(&self, host: &dyn PanelHost) -> Option<&str> {
        let now = host.model_sha256();
        let same_file = self.sha256.is_empty() || now.is_empty() || self.sha256 == now;
        self.model
            .as_deref()
            .filter(|&model| model != host.model() || !same_file)
    }

    /// The impulse response it sets, or none, if another is set.
    fn other_cabinet(&self, host: &dyn PanelHost) -> Option<Option<&Path>> {
        let cabinet = self.cabinet.as_ref().map(Option::as_deref);
        cabinet.filter(|&cabinet| cabinet != host.cabinet())
    }

    /// Sets it.
    pub fn apply(&self, host: &mut dyn PanelHost) {
        for (param, value) in self.wanted(host) {
            if host.value(param) != value {
                change(host, param, value);
            }
        }
        if let Some(model) = self.other_model(host) {
            host.recall_model(model, &self.sha256);
        }
        if let Some(cabinet) = self.other_cabinet(host) {
            host.load_cabinet(cabinet);
        }
    }
}

/// Presets were for nothing else once.
fn denoise() -> Task {
    Task::Denoise
}

/// Those that come with the program.
pub fn factory() -> Vec<Preset> {
    const FILES: [&str; 10] = [
        include_str!("../../../assets/presets/clean.json"),
        include_str!("../../../assets/presets/gentle.json"),
        include_str!("../../../assets/presets/call.json"),
        include_str!("../../../assets/presets/half.json"),
        include_str!("../../../assets/presets/noise.json"),
        include_str!("../../../assets/presets/edge.json"),
        include_str!("../../../assets/presets/crunch.json"),
        include_str!("../../../assets/presets/level.json"),
        include_str!("../../../assets/presets/drummer.json"),
        include_str!("../../../assets/presets/pianist.json"),
    ];
    FILES
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect()
}

/// The preset of that name, in any case: one's own first, which are on the `shelf`, else that of the house.
///
/// # Errors
/// When there is none, or it cannot be read.
pub fn named(name: &str, shelf: &Shelf) -> Result<Preset, PresetError> {
    let is_named = |other: &str| other.to_lowercase() == name.trim().to_lowercase();
    let (own, house) = (shelf.names(), factory());
    if let Some(own) = own.iter().find(|own| is_named(own)) {
        return shelf.load(own);
    }
    if let Some(preset) = house.iter().find(|preset| is_named(&preset.name)) {
        return Ok(preset.clone());
    }
    let there = own.into_iter().chain(house.into_iter().map(|p| p.name));
    Err(PresetError::Unknown(name.into(), there.collect()))
}

/// The person's own, in a folder.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: Option<PathBuf>,
}

impl Shelf {
    /// Where the system keeps a person's settings.
    pub fn of_user() -> Self {
        Self {
            folder: config_folder().map(|folder| folder.join("presets")),
        }
    }

    /// In a folder, which need not be there yet.
    pub fn at(folder: PathBuf) -> Self {
        Self {
            folder: Some(folder),
        }
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

    /// Reads one.
    ///
    /// # Errors
    /// When there is none of that name, or it is no preset.
    pub fn load(&self, name: &str) -> Result<Preset, PresetError> {
        let path = self.path(name)?;
        let text = fs::read_to_string(&path).map_err(|e| PresetError::File(path.clone(), e))?;
        let preset: Preset = serde_json::from_str(&text)
            .map_err(|e| PresetError::Format(path.clone(), e.to_string()))?;
        if preset.format > FORMAT {
            let why = format!(
                "its format is {}, this program reads {FORMAT}",
                preset.format
            );
            return Err(PresetError::Format(path, why));
        }
        Ok(preset)
    }

    /// Writes one; over another of that name only if `replace`.
    ///
    /// # Errors
    /// [`PresetError::Exists`] without `replace`, and when it cannot be written.
    pub fn save(&self, preset: &Preset, replace: bool) -> Result<(), PresetError> {
        let path = self.path(&preset.name)?;
        let fault = |e| PresetError::File(path.clone(), e);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(fault)?;
        }
        let mut text = serde_json::to_string_pretty(preset)
            .map_err(|e| PresetError::Format(path.clone(), e.to_string()))?;
        text.push('\n');
        if replace {
            return fs::write(&path, text).map_err(fault);
        }
        match fs::File::create_new(&path) {
            Ok(mut file) => file.write_all(text.as_bytes()).map_err(fault),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(PresetError::Exists),
            Err(e) => Err(fault(e)),
        }
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
