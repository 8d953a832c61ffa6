//! `cargo xtask run`: from a fresh machine to a cleaned recording. `cargo xtask bench`: how fast.

use std::fs;

use crate::shell::{Result, cargo, command, release_program, root, show};
use crate::system;

const SAMPLE: &str = "assets/samples/noisy_voice.flac";
const SOUND: &str = "out/noisy_voice-clean.wav";
const PICTURE: &str = "out/noisy_voice-clean.png";

/// Build, clean the shipped sample with the shipped model, and show the figures.
pub fn run() -> Result {
    system::prepare()?;
    let program = release_program()?;
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
    let program = release_program()?;
    show(command(&program.to_string_lossy(), &["bench"]))?;
    show(cargo(&["bench", "--package", "statewave-benches"]))
}
