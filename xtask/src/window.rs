//! `cargo xtask window`: the app's window on a screen without hardware, driven by xdotool.

use crate::shell::{Result, cargo, show};
use crate::system;
use crate::test::TESTED;

/// Run `plugin/tests/window`; leave it out, and say so, where there is no such screen to be had.
pub fn run() -> Result {
    system::prepare()?;
    if !system::prepare_screen()? {
        return Ok(());
    }
    show(cargo(
        &[&["test"], TESTED, &["--test", "window", "--", "--ignored"]].concat(),
    ))
}
