//! `cargo xtask validate`: Steinberg's VST3 test suite over the bundle.
//!
//! The SDK (MIT) comes with a crate that bundles it, fetched by cargo and never linked into anything that is shipped;
//! `vst3-validate/main.cpp` drives its tests. Everything is built in the target folder, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::Value;

use crate::shell::{Result, cargo, command, output, root, show, target};
use crate::{plugin, system};

/// The crate with the SDK within: its name, its version, and where the SDK is in it.
const CRATE: (&str, &str, &str) = ("clap-wrapper", "0.3.1", "external/vst3sdk");

/// The SDK's sources: folders, of which all `.cpp` files are meant, and single files.
const SOURCES: &[&str] = &[
    "base/source",
    "base/thread/source",
    "pluginterfaces/base",
    "public.sdk/source/common/commoniids.cpp",
    "public.sdk/source/common/commonstringconvert.cpp",
    "public.sdk/source/common/memorystream.cpp",
    "public.sdk/source/common/readfile.cpp",
    "public.sdk/source/common/threadchecker_linux.cpp",
    "public.sdk/source/vst/hosting/connectionproxy.cpp",
    "public.sdk/source/vst/hosting/eventlist.cpp",
    "public.sdk/source/vst/hosting/hostclasses.cpp",
    "public.sdk/source/vst/hosting/module.cpp",
    "public.sdk/source/vst/hosting/module_linux.cpp",
    "public.sdk/source/vst/hosting/parameterchanges.cpp",
    "public.sdk/source/vst/hosting/pluginterfacesupport.cpp",
    "public.sdk/source/vst/hosting/plugprovider.cpp",
    "public.sdk/source/vst/hosting/processdata.cpp",
    "public.sdk/source/vst/moduleinfo/moduleinfoparser.cpp",
    "public.sdk/source/vst/testsuite",
    "public.sdk/source/vst/testsuite/bus",
    "public.sdk/source/vst/testsuite/general",
    "public.sdk/source/vst/testsuite/noteexpression",
    "public.sdk/source/vst/testsuite/processing",
    "public.sdk/source/vst/testsuite/state",
    "public.sdk/source/vst/testsuite/unit",
    "public.sdk/source/vst/utility/stringconvert.cpp",
    "public.sdk/source/vst/utility/testing.cpp",
    "public.sdk/source/vst/vstinitiids.cpp",
    "public.sdk/source/vst/vstpresetfile.cpp",
];

/// Bundle the plugin for release, and run the suite over it.
pub fn run() -> Result {
    if !cfg!(target_os = "linux") {
        return Err("the runner is written for Linux\n help: use the SDK's own validator".into());
    }
    let bundles = plugin::bundle()?;
    let is_vst3 = |path: &&PathBuf| path.extension().is_some_and(|e| e == "vst3");
    suite(bundles.iter().find(is_vst3).ok_or("no VST3 was made")?)
}

/// The same of the library as tests build it, where there is a runner for this system: a use of the heap on the audio thread
/// ends it there.
pub fn tested() -> Result {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    suite(&plugin::tested_bundle("vst3")?)
}

/// Build the runner if it is not there, and run it.
fn suite(bundle: &Path) -> Result {
    system::fetch(&[("c++", "g++")])?;
    let folder = target().join("vst3-validate");
    let runner = build(&sdk(&folder)?, &folder)?;
    show(command(
        &runner.to_string_lossy(),
        &[&*bundle.to_string_lossy()],
    ))
}

/// The SDK's folder in cargo's registry, through a package that depends on its crate and does nothing else.
fn sdk(folder: &Path) -> Result<PathBuf> {
    let (name, version, within) = CRATE;
    let manifest = folder.join("Cargo.toml");
    let text = format!(
        "[workspace]\n[package]\nname = \"sdk\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\n{name} = \"={version}\"\n"
    );
    write(&manifest, &text)?;
    write(&folder.join("src").join("lib.rs"), "")?;
    let manifest = manifest.to_string_lossy();
    let arguments = [
        "metadata",
        "--format-version",
        "1",
        "--manifest-path",
        &*manifest,
    ];
    let metadata: Value =
        serde_json::from_str(&output(cargo(&arguments))?).map_err(|e| e.to_string())?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter(|package| package["name"] == name)
        .filter_map(|package| Path::new(package["manifest_path"].as_str()?).parent())
        .map(|package| package.join(within))
        .find(|sdk| sdk.is_dir())
        .ok_or(format!("{name} {version} has no {within}"))
}

/// Compile what is older than its source, and link.
fn build(sdk: &Path, folder: &Path) -> Result<PathBuf> {
    let runner = root().join("xtask").join("vst3-validate").join("main.cpp");
    let mut sources = vec![runner];
    for name in SOURCES {
        let path = sdk.join(name);
        if path.is_dir() {
            let entries =
                fs::read_dir(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
            let files = entries.flatten().map(|entry| entry.path());
            sources.extend(files.filter(|file| file.extension().is_some_and(|e| e == "cpp")));
        } else {
            sources.push(path);
        }
    }
    let objects: Vec<PathBuf> = (0..)
        .zip(&sources)
        .map(|(index, source)| {
            let stem = source.file_stem().unwrap_or_default().to_string_lossy();
            folder.join(format!("{stem}-{index}.o"))
        })
        .collect();
    let stale = Mutex::new(
        sources
            .iter()
            .zip(&objects)
            .filter(|(source, object)| !newer(object, source)),
    );
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let compile = || -> Result {
            while let Some((source, object)) = stale.lock().ok().and_then(|mut all| all.next()) {
                compile(sdk, source, object)?;
            }
            Ok(())
        };
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(compile)).collect();
        running
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or(Err("a thread failed".into())))
    })?;
    let program = folder.join("runner");
    let mut link = command("c++", &["-o", &program.to_string_lossy()]);
    link.args(&objects).args(["-ldl", "-lpthread"]);
    output(link)?;
    Ok(program)
}

fn compile(sdk: &Path, source: &Path, object: &Path) -> Result {
    eprintln!("compiling {}", source.display());
    // Complete or not at all, so that what is there after a fault is not taken for the object.
    let part = object.with_extension("part");
    let mut compiler = command("c++", &["-std=c++17", "-w", "-DRELEASE=1", "-c"]);
    compiler.arg("-I").arg(sdk).arg(source).arg("-o").arg(&part);
    output(compiler)?;
    fs::rename(&part, object).map_err(|e| format!("cannot write {}: {e}", object.display()))
}

fn newer(object: &Path, source: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    changed(object).is_some_and(|made| changed(source).is_some_and(|written| made > written))
}

fn write(path: &Path, text: &str) -> Result {
    let fault = |e: std::io::Error| format!("cannot write {}: {e}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(fault)?;
    fs::write(path, text).map_err(fault)
}
