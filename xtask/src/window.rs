//! `cargo xtask window`: the app's window on a screen without hardware, driven by xdotool, and the plugins' in a host's.

use crate::shell::{Result, cargo, show};
use crate::system;
use crate::test::TESTED;

/// The test of the plugins' windows, in a host of our own.
const SHOWN: &str = "window_shown::both_plugins_draw_their_windows_three_times_while_sound_flows";

/// Run `plugin/tests/window` and [`SHOWN`]; leave it out, and say so, where there is no such screen to be had.
pub fn run() -> Result {
    system::prepare()?;
    if !system::prepare_screen()? {
        return Ok(());
    }
    let run = |test: &[&str]| show(cargo(&[&["test"], TESTED, test].concat()));
    run(&["--test", "window", "--", "--ignored"])?;
    run(&["--test", "host", "--", "--ignored", "--exact", SHOWN])
}
