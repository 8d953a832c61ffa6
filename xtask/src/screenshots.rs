//! `cargo xtask screenshots`: pictures of the panel, drawn without a screen by a Vulkan driver, into docs/img.
//! `cargo xtask screenshots --check` draws them anew and compares.

use crate::shell::{Result, cargo, command, show, target};
use crate::system;

/// With it on, all of the plugin's package is built at once: pictures, app and tests.
pub const FEATURE: &str = "statewave-plugin/screenshots";

/// Draw all pictures, dark and light, at scale 1 and 2.
pub fn run() -> Result {
    draw(&[])
}

/// Fail if one of them, drawn anew, is not as it is kept.
pub fn check() -> Result {
    draw(&["--", "--check"])
}

/// The same with the program that is built for the tests already. Other systems than Linux draw letters and edges in
/// their own way.
pub fn check_built() -> Result {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    system::prepare_vulkan()?;
    let program = target().join("debug").join("screenshots");
    show(command(&program.to_string_lossy(), &["--check"]))
}

fn draw(arguments: &[&str]) -> Result {
    system::prepare()?;
    system::prepare_vulkan()?;
    let run = [
        "run",
        "--package",
        "statewave-plugin",
        "--features",
        FEATURE,
        "--bin",
        "screenshots",
    ];
    show(cargo(&[&run, arguments].concat()))
}
