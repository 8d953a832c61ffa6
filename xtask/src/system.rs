//! System packages that a build needs, installed on Debian and its kin when they are missing.
//!
//! A compiler's driver and linker, the C library's headers, and, with the program that finds them, the headers of what
//! the program's view of sound devices and the plugin's window link to.

use std::path::Path;

use crate::shell::{Result, command, output, show};

/// A program that must be there, and the package that brings it.
const NEEDED: &[(&str, &str)] = &[
    ("cc", "gcc"),
    ("ld", "binutils"),
    ("pkg-config", "pkg-config"),
];

/// Headers without which nothing links.
const C_LIBRARY: (&str, &str) = ("/usr/include/stdlib.h", "libc6-dev");

/// What pkg-config calls headers and their library, and the package that brings them: sound, then the window.
const LIBRARIES: &[(&str, &str)] = &[
    ("alsa", "libasound2-dev"),
    ("gl", "libgl1-mesa-dev"),
    ("jack", "libjack-jackd2-dev"),
    ("x11", "libx11-dev"),
    ("x11-xcb", "libx11-xcb-dev"),
    ("xcb", "libxcb1-dev"),
    ("xcb-dri2", "libxcb-dri2-0-dev"),
    ("xcb-icccm", "libxcb-icccm4-dev"),
    ("xcursor", "libxcursor-dev"),
    ("xkbcommon", "libxkbcommon-dev"),
    ("xkbcommon-x11", "libxkbcommon-x11-dev"),
];

/// Programs that make a screen in memory, with a window manager, and move its pointer; and their packages.
const SCREEN: &[(&str, &str)] = &[
    ("Xvfb", "xvfb"),
    ("openbox", "openbox"),
    ("xdotool", "xdotool"),
];

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
    let is_missing = |library: &str| output(command("pkg-config", &["--exists", library])).is_err();
    missing.extend(
        LIBRARIES
            .iter()
            .filter(|(library, _)| is_missing(library))
            .map(|(_, package)| *package),
    );
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !on_path("apt-get") {
        return Err(format!(
            "packages that the build needs are missing\n help: install what Debian calls {list}"
        ));
    }
    install(&missing)
}

/// A Vulkan driver that computes and draws on the processor, for tests and pictures on machines without a graphics card.
pub fn prepare_vulkan() -> Result {
    let folders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let there = |folder: &&str| {
        Path::new(folder)
            .read_dir()
            .is_ok_and(|mut found| found.next().is_some())
    };
    if !cfg!(target_os = "linux") || folders.iter().any(there) || !on_path("apt-get") {
        return Ok(());
    }
    install(&["mesa-vulkan-drivers", "libvulkan1"])
}

/// A screen without hardware, and hands at it. `false`, and word of it, where they are not here and cannot be fetched.
pub fn prepare_screen() -> Result<bool> {
    let can_fetch = cfg!(target_os = "linux") && on_path("apt-get");
    let missing = packages_of(SCREEN);
    if !missing.is_empty() && !can_fetch {
        let list = missing.join(" ");
        eprintln!("left out: the window is not driven, for want of what Debian calls {list}");
        return Ok(false);
    }
    fetch(SCREEN).map(|()| true)
}

/// See to it that programs are here, each by its name or path and the package that brings it.
pub fn fetch(programs: &[(&str, &str)]) -> Result {
    let missing = packages_of(programs);
    if missing.is_empty() {
        return Ok(());
    }
    if !on_path("apt-get") {
        let list = missing.join(" ");
        return Err(format!(
            "programs are missing\n help: install what Debian calls {list}"
        ));
    }
    install(&missing)
}

/// The packages of those programs that are not here.
fn packages_of<'a>(programs: &[(&str, &'a str)]) -> Vec<&'a str> {
    let missing = programs.iter().filter(|(program, _)| !on_path(program));
    missing.map(|(_, package)| *package).collect()
}

/// Fetch packages of Debian and its kin.
fn install(packages: &[&str]) -> Result {
    eprintln!("installing missing system packages: {}", packages.join(" "));
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
}

/// apt-get as it is when root, with sudo when not. It waits for another one to finish, as there is on a machine that
/// has just started.
fn apt(arguments: &[&str]) -> Result {
    let all = [&["apt-get", "-o", "DPkg::Lock::Timeout=300"], arguments].concat();
    if is_root() {
        return show(command(all[0], &all[1..]));
    }
    if !on_path("sudo") {
        return Err(format!(
            "apt-get needs root and sudo is not here\n help: as root: {}",
            all.join(" ")
        ));
    }
    show(command("sudo", &all))
}

fn is_root() -> bool {
    output(command("id", &["-u"])).is_ok_and(|id| id.trim() == "0")
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).exists())
    })
}
