//! The plugin's bundles: made from the library that cargo builds, and put where hosts look for them.
//!
//! A CLAP is the library itself under another name, a VST3 a folder with the library within; on macOS both are folders.
//! The models are inside the library, so that a bundle works wherever it is copied.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::shell::{
    Result, cargo, command, copy, copy_all, megabytes, output, root, show, strip, target,
};
use crate::system;
use crate::test::TESTED;

const NAME: &str = "Statewave";
const PACKAGE: &str = "statewave-plugin";
const LIBRARY: &str = "statewave_plugin";

/// A kind of plugin: the ending of its bundles, and where each system keeps them.
struct Format {
    ending: &'static str,
    /// The user's own folder, below the home folder (below the folder of local program data on Windows).
    own: &'static str,
    /// The folder of all users.
    shared: &'static str,
}

#[cfg(target_os = "linux")]
const FORMATS: [Format; 2] = [
    Format {
        ending: "vst3",
        own: ".vst3",
        shared: "/usr/lib/vst3",
    },
    Format {
        ending: "clap",
        own: ".clap",
        shared: "/usr/lib/clap",
    },
];

#[cfg(target_os = "macos")]
const FORMATS: [Format; 2] = [
    Format {
        ending: "vst3",
        own: "Library/Audio/Plug-Ins/VST3",
        shared: "/Library/Audio/Plug-Ins/VST3",
    },
    Format {
        ending: "clap",
        own: "Library/Audio/Plug-Ins/CLAP",
        shared: "/Library/Audio/Plug-Ins/CLAP",
    },
];

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
const FORMATS: [Format; 2] = [
    Format {
        ending: "vst3",
        own: "Programs\\Common\\VST3",
        shared: "C:\\Program Files\\Common Files\\VST3",
    },
    Format {
        ending: "clap",
        own: "Programs\\Common\\CLAP",
        shared: "C:\\Program Files\\Common Files\\CLAP",
    },
];

/// Build the bundles into `out/` and say where they belong.
pub fn bundle() -> Result<Vec<PathBuf>> {
    let library = build()?;
    let bundles: Vec<PathBuf> = FORMATS
        .iter()
        .map(|format| lay_out(&library, &root().join("out"), format.ending))
        .collect::<Result<_>>()?;
    for (bundle, format) in bundles.iter().zip(&FORMATS) {
        let own = home()?.join(format.own);
        println!(
            "{}, {}\n  for you: {}\n  for all: {}",
            bundle.display(),
            megabytes(bundle)?,
            own.display(),
            format.shared
        );
    }
    Ok(bundles)
}

/// A bundle of the library as tests build it, in the target folder.
pub fn tested_bundle(ending: &str) -> Result<PathBuf> {
    // `cargo build` would make another one: the features of what only tests depend on are not its.
    let built = cargo(&[&["test"], TESTED, &["--no-run", "--message-format=json"]].concat());
    let library = output(built)?
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .find_map(|made: Value| library_of(&made))
        .ok_or_else(|| format!("cargo has built no {}", library_name()))?;
    lay_out(&library, &target().join("tested"), ending)
}

/// The plugin's library, if that is what cargo says that it has made.
fn library_of(made: &Value) -> Option<PathBuf> {
    let files = made["filenames"].as_array()?.iter();
    let files = files.filter_map(|file| Some(PathBuf::from(file.as_str()?)));
    let is_library = |file: &PathBuf| {
        file.file_name()
            .is_some_and(|name| *name == *library_name())
    };
    files.into_iter().find(is_library)
}

/// Build the bundles and put them into the user's own folders.
pub fn install() -> Result {
    let bundles = bundle()?;
    for (bundle, format) in bundles.iter().zip(&FORMATS) {
        let to = home()?.join(format.own).join(file_name(format.ending));
        clear(&to)?;
        copy_all(bundle, &to)?;
        println!("installed {}", to.display());
    }
    println!("have the host look for new plugins");
    Ok(())
}

/// What cargo calls the library.
fn library_name() -> String {
    format!(
        "{}{LIBRARY}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    )
}

/// The library, built for release and stripped.
fn build() -> Result<PathBuf> {
    system::prepare()?;
    show(cargo(&[
        "build",
        "--release",
        "--package",
        PACKAGE,
        "--lib",
    ]))?;
    let name = library_name();
    let built = target().join("release").join(&name);
    let stripped = target().join("bundled").join(&name);
    copy(&built, &stripped)?;
    strip(&stripped)?;
    Ok(stripped)
}

/// The bundle of a format, from the library; returns where it is.
fn lay_out(library: &Path, out: &Path, ending: &str) -> Result<PathBuf> {
    let bundle = out.join(file_name(ending));
    clear(&bundle)?;
    if cfg!(target_os = "macos") {
        let contents = bundle.join("Contents");
        copy(library, &contents.join("MacOS").join(NAME))?;
        write(&contents.join("PkgInfo"), "BNDL????")?;
        write(&contents.join("Info.plist"), &property_list(ending))?;
        // Without any signature, the system refuses the library on Arm.
        let path = bundle.to_string_lossy();
        show(command("codesign", &["--force", "--sign", "-", &path]))?;
    } else if ending == "vst3" {
        let (folder, file) = if cfg!(windows) {
            ("win", format!("{NAME}.vst3"))
        } else {
            ("linux", format!("{NAME}.so"))
        };
        let folder = format!("{}-{folder}", std::env::consts::ARCH);
        copy(library, &bundle.join("Contents").join(folder).join(file))?;
    } else {
        copy(library, &bundle)?;
    }
    Ok(bundle)
}

fn property_list(ending: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>CFBundleExecutable</key><string>{NAME}</string>
  <key>CFBundleIdentifier</key><string>org.statewave.statewave.{ending}</string>
  <key>CFBundleName</key><string>{NAME}</string>
  <key>CFBundleDisplayName</key><string>{NAME}</string>
  <key>CFBundlePackageType</key><string>BNDL</string>
  <key>CFBundleSignature</key><string>????</string>
  <key>CFBundleShortVersionString</key><string>{version}</string>
  <key>CFBundleVersion</key><string>{version}</string>
  <key>NSHighResolutionCapable</key><true/>
</dict>
</plist>
"#
    )
}

fn file_name(ending: &str) -> String {
    format!("{NAME}.{ending}")
}

/// What the folders of plugins lie below.
fn home() -> Result<PathBuf> {
    let variable = if cfg!(windows) {
        "LOCALAPPDATA"
    } else {
        "HOME"
    };
    std::env::var_os(variable)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .ok_or(format!(
            "${variable} is not set\n help: set it to your folder"
        ))
}

fn clear(path: &Path) -> Result {
    let gone = if path.is_dir() {
        fs::remove_dir_all(path)
    } else if path.exists() {
        fs::remove_file(path)
    } else {
        Ok(())
    };
    gone.map_err(|e| format!("cannot clear {}: {e}", path.display()))
}

fn write(path: &Path, text: &str) -> Result {
    fs::write(path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))
}
