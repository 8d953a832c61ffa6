//! Where a system keeps what belongs to one person: the one place that knows each system's custom.

use std::path::PathBuf;

/// Everything of ours lies in a folder of this name.
const NAME: &str = "statewave";

/// The folder for what a person collects, such as models. `None` where the system names none; it need not be there.
pub fn data() -> Option<PathBuf> {
    ours("XDG_DATA_HOME", ".local/share")
}

/// The folder for what a person has set. `None` where the system names none; it need not be there.
pub fn config() -> Option<PathBuf> {
    ours("XDG_CONFIG_HOME", ".config")
}

/// The folder for what can be made anew. `None` where the system names none; it need not be there.
pub fn cache() -> Option<PathBuf> {
    ours("XDG_CACHE_HOME", ".cache")
}

/// On systems with one folder for all, that one; elsewhere that of the variable, or `below_home`.
fn ours(variable: &str, below_home: &str) -> Option<PathBuf> {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let base = if cfg!(windows) {
        set("APPDATA")
    } else if cfg!(target_os = "macos") {
        set("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        set(variable).or_else(|| set("HOME").map(|home| home.join(below_home)))
    };
    base.map(|base| base.join(NAME))
}
