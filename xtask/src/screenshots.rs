//! `cargo xtask screenshots`: pictures of the panel, drawn without a screen by a Vulkan driver, into docs/img.

use crate::shell::{Result, cargo, show};
use crate::system;

/// Draw all pictures, dark and light, at scale 1 and 2.
pub fn run() -> Result {
    system::prepare()?;
    system::prepare_pictures()?;
    show(cargo(&[
        "run",
        "--package",
        "statewave-plugin",
        "--features",
        "screenshots",
        "--bin",
        "screenshots",
    ]))
}
