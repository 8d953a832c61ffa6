//! `cargo xtask test`: everything that must hold before a change goes in.

use crate::shell::{Result, cargo, show};
use crate::{models, system};

/// Format, lints, documentation, all tests, the shipped models. Stops at the first fault.
pub fn run() -> Result {
    system::prepare()?;
    show(cargo(&["fmt", "--all", "--check"]))?;
    show(cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    let mut doc = cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    show(doc)?;
    // The benches have no tests, and their peers take minutes to compile.
    show(cargo(&[
        "test",
        "--workspace",
        "--exclude",
        "statewave-benches",
    ]))?;
    models::run()
}
