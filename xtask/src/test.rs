//! `cargo xtask test`: everything that must hold before a change goes in.

use crate::shell::{Result, cargo, show};
use crate::{models, screenshots, system, validate, window};

/// What is tested, built once with all its features. The benches have no tests, and their peers take minutes to compile.
pub const TESTED: &[&str] = &[
    "--workspace",
    "--exclude",
    "statewave-benches",
    "--features",
    screenshots::FEATURE,
];

/// Format, lints, documentation, all tests, pictures and windows of the panel, Steinberg's suite, the shipped models. Stops at
/// the first fault.
pub fn run() -> Result {
    system::prepare()?;
    system::prepare_vulkan()?;
    show(cargo(&["fmt", "--all", "--check"]))?;
    show(cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--features",
        screenshots::FEATURE,
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
    show(cargo(&[&["test"], TESTED].concat()))?;
    screenshots::check_built()?;
    window::run()?;
    validate::tested()?;
    models::run()
}
