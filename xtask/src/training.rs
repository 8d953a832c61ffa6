//! `cargo xtask training`: the tests of the code that trains, in a Python environment of its own.

use crate::shell::{Result, command, root, show};
use crate::{python, system};

/// What the tests import; PyTorch in the version that was tried.
const PACKAGES: [&str; 5] = ["numpy", "pytest", "scipy", "soundfile", "torch==2.15.0"];

/// PyTorch for processors, a tenth of the download of the one for CUDA that Linux gets else.
const PROCESSORS_ONLY: &str = "https://download.pytorch.org/whl/cpu";

const TESTS: [&str; 2] = ["test_capture.py", "test_scans.py"];

/// Fetch what is missing, and run the tests. The scans are compiled on first use.
pub fn run() -> Result {
    if cfg!(target_os = "linux") {
        system::fetch(&[("g++", "g++")])?;
    }
    let index = cfg!(target_os = "linux").then_some(PROCESSORS_ONLY);
    let python = python::environment("training", &PACKAGES, index)?;
    let mut tests = command(&python, &[&["-m", "pytest", "-q"], &TESTS[..]].concat());
    tests.current_dir(root().join("training"));
    show(tests)
}
