//! `cargo xtask run`: from a fresh machine to a cleaned voice, live or recorded. `cargo xtask bench`: how fast.

use std::fs;
use std::path::Path;

use crate::shell::{Result, cargo, command, release, root, show};
use crate::system;

const SAMPLE: &str = "assets/samples/noisy_voice.flac";
const SOUND: &str = "out/noisy_voice-clean.wav";
const PICTURE: &str = "out/noisy_voice-clean.png";

/// The app where there are a screen and a sound device; elsewhere a recording.
pub fn run() -> Result {
    system::prepare()?;
    if has_screen() && has_sound() {
        return app();
    }
    eprintln!(
        "no screen or no sound device: cleaning a recording; `cargo xtask app` opens the app all the same"
    );
    sample()
}

/// The app, whatever there is.
pub fn app() -> Result {
    system::prepare()?;
    let app = release("statewave-plugin", "statewave-app")?;
    show(command(&app.to_string_lossy(), &[]))
}

/// Whether a window can be opened; systems other than Unix have a screen.
fn has_screen() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// Whether there is a sound card or a sound server.
fn has_sound() -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let cards = fs::read_to_string("/proc/asound/cards").unwrap_or_default();
    let card = cards.lines().any(|line| line.contains(']'));
    let server = |folder: std::ffi::OsString| {
        let folder = Path::new(&folder);
        folder.join("pulse/native").exists() || folder.join("pipewire-0").exists()
    };
    card || std::env::var_os("PULSE_SERVER").is_some()
        || std::env::var_os("XDG_RUNTIME_DIR").is_some_and(server)
}

/// Build, clean the shipped sample with the shipped model, and show the figures.
fn sample() -> Result {
    let program = release("statewave", "statewave")?;
    fs::create_dir_all(root().join("out"))
        .map_err(|e| format!("cannot make the folder out: {e}"))?;
    let arguments = [
        "render",
        SAMPLE,
        "-o",
        SOUND,
        "--spectrogram",
        PICTURE,
        "--force",
    ];
    show(command(&program.to_string_lossy(), &arguments))
}

/// The model in the program, then the benches of the kernels and of the denoiser beside others.
pub fn bench() -> Result {
    system::prepare()?;
    let program = release("statewave", "statewave")?;
    show(command(&program.to_string_lossy(), &["bench"]))?;
    show(cargo(&["bench", "--package", "statewave-benches"]))
}
