//! `cargo xtask bundle`: the release archive of program, app and plugin for this system.

use std::fs;

use crate::shell::{Result, command, copy, copy_all, megabytes, release, root, show, strip};
use crate::{plugin, system};

/// What goes in beside the programs and the plugin, relative to the repository.
const FILES: [&str; 4] = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"];

/// Write out/statewave-VERSION-SYSTEM.tar.gz.
pub fn run() -> Result {
    system::prepare()?;
    let programs = [
        release("statewave", "statewave")?,
        release("statewave-plugin", "statewave-app")?,
    ];
    let plugins = plugin::bundle()?;
    let name = format!(
        "statewave-{}-{}-{}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let out = root().join("out");
    let folder = out.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .map_err(|e| format!("cannot clear {}: {e}", folder.display()))?;
    }
    for program in &programs {
        let to = folder.join(program.file_name().unwrap_or_default());
        copy(program, &to)?;
        strip(&to)?;
        println!("{}, {}", to.display(), megabytes(&to)?);
    }
    for plugin in &plugins {
        copy_all(plugin, &folder.join(plugin.file_name().unwrap_or_default()))?;
    }
    for file in FILES {
        copy(&root().join(file), &folder.join(file))?;
    }
    let models = root().join("assets").join("models");
    copy_all(&models, &folder.join("models"))?;
    let archive = format!("{name}.tar.gz");
    let mut tar = command("tar", &["--create", "--gzip", "--file", &archive, &name]);
    tar.current_dir(&out);
    show(tar)?;
    println!("out/{archive}, {}", megabytes(&out.join(&archive))?);
    Ok(())
}
