//! System packages that a build needs, installed on Debian and its kin when they are missing.
//!
//! All that is built today is Rust, so the list is a compiler's driver and linker; libraries for windows and sound
//! devices join it with the parts that need them.

use std::path::Path;

use crate::shell::{Result, command, show};

/// A program that must be there, and the package that brings it.
const NEEDED: &[(&str, &str)] = &[("cc", "gcc"), ("ld", "binutils")];

/// Headers without which nothing links.
const C_LIBRARY: (&str, &str) = ("/usr/include/stdlib.h", "libc6-dev");

/// Install what is missing. On other systems than Linux the Rust installer has seen to it.
pub fn prepare() -> Result {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let mut missing: Vec<&str> = NEEDED
        .iter()
        .filter(|(program, _)| !on_path(program))
        .map(|(_, package)| *package)
        .collect();
    if !Path::new(C_LIBRARY.0).exists() && on_path("apt-get") {
        missing.push(C_LIBRARY.1);
    }
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !on_path("apt-get") {
        return Err(format!(
            "a C compiler and linker are missing\n help: install them (on Debian: {list})"
        ));
    }
    eprintln!("installing missing system packages: {list}");
    apt(&["update"])?;
    apt(&[
        &["install", "--yes", "--no-install-recommends"],
        &missing[..],
    ]
    .concat())
}

/// apt-get as it is when root, with sudo when not.
fn apt(arguments: &[&str]) -> Result {
    if is_root() {
        return show(command("apt-get", arguments));
    }
    if !on_path("sudo") {
        return Err(format!(
            "apt-get needs root and sudo is not here\n help: as root: apt-get {}",
            arguments.join(" ")
        ));
    }
    show(command("sudo", &[&["apt-get"], arguments].concat()))
}

fn is_root() -> bool {
    crate::shell::output(command("id", &["-u"])).is_ok_and(|id| id.trim() == "0")
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).exists())
    })
}
