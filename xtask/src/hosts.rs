//! `cargo xtask hosts`: the bundles in hosts that need neither a screen nor a sound device; scripts in `tests/hosts`.

use std::path::{Path, PathBuf};

use crate::shell::{Result, answer, command, release, root, show, target};
use crate::{plugin, system};

/// Python packages that are hosts, in the versions that were tried, and what reads their sound.
const PACKAGES: [&str; 3] = [
    "dawdreamer==0.9.0",
    "pedalboard==0.9.26",
    "soundfile==0.14.0",
];

/// Ardour's command-line programs, and what compares sounds; each with the Debian package that brings it.
const ARDOUR: [(&str, &str); 3] = [
    ("ardour7-lua", "ardour"),
    ("ardour7-export", "ardour"),
    ("sox", "sox"),
];

/// What is tried.
struct Built {
    vst3: PathBuf,
    clap: PathBuf,
    program: PathBuf,
}

/// A host: its name, and what tries it.
type Host = (&'static str, fn(&Built) -> Result);

const HOSTS: [Host; 4] = [
    ("pedalboard", |built| python("in_pedalboard.py", built)),
    ("dawdreamer", |built| python("in_dawdreamer.py", built)),
    ("qtractor", qtractor),
    ("ardour", ardour),
];

/// Try the hosts of those names, or all of them. What a host needs and cannot be had is a fault, not a host left out.
pub fn run(names: &[&str]) -> Result {
    let known = HOSTS.map(|(name, _)| name);
    if let Some(odd) = names.iter().find(|name| !known.contains(name)) {
        return Err(format!(
            "{odd} is no host that is known\n help: one of {}",
            known.join(", ")
        ));
    }
    let bundles = plugin::bundle()?;
    let ending = |ending: &str| {
        let found = bundles
            .iter()
            .find(|path| path.extension().is_some_and(|e| e == ending));
        found
            .cloned()
            .ok_or_else(|| format!("no {ending} was made"))
    };
    let built = Built {
        vst3: ending("vst3")?,
        clap: ending("clap")?,
        program: release("statewave", "statewave")?,
    };
    let mut faults = Vec::new();
    for (name, host) in HOSTS {
        if names.is_empty() || names.contains(&name) {
            println!("\n{name}");
            faults.extend(host(&built).err().map(|fault| format!("{name}: {fault}")));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(faults.join("\n"))
}

/// A script with the hosts that are Python packages, in an environment of its own.
fn python(script: &str, built: &Built) -> Result {
    let folder = target().join("hosts");
    let bin = if cfg!(windows) { "Scripts" } else { "bin" };
    let name = format!("python{}", std::env::consts::EXE_SUFFIX);
    let python = folder.join(bin).join(name);
    if !python.exists() {
        let system = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
        show(command(&system, &["-m", "venv", &folder.to_string_lossy()]))?;
    }
    let python = python.to_string_lossy();
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    show(command(&python, &[&install, &PACKAGES[..]].concat()))?;
    let script = Path::new("tests").join("hosts").join(script);
    attempt(&python, &[&script, &built.vst3, &built.program])
}

fn attempt(program: &str, paths: &[&PathBuf]) -> Result {
    let words: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
    let words: Vec<_> = words.iter().map(|word| &**word).collect();
    show(command(program, &words))
}

/// Qtractor's scanner, which loads a plugin as the program would, finds the CLAP.
fn qtractor(built: &Built) -> Result {
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let scanner = format!("/usr/lib/{triple}/qtractor/qtractor_plugin_scan");
    system::fetch(&[(&scanner, "qtractor")])?;
    let question = format!("CLAP:{}\n", built.clap.display());
    let said = answer(command(&scanner, &[]), &question)?;
    print!("{said}");
    // A line a plugin: its kind, its name, channels in and out, and more.
    let found = said
        .lines()
        .map(|line| line.split('|').collect::<Vec<_>>())
        .any(|fields| fields.len() > 4 && fields[0] == "CLAP" && fields[1] == "Statewave");
    found
        .then_some(())
        .ok_or_else(|| "qtractor's scanner does not find the plugin".into())
}

/// Ardour scans the VST3, and exports what the program renders.
fn ardour(built: &Built) -> Result {
    system::fetch(&ARDOUR)?;
    let script = root().join("tests").join("hosts").join("ardour.sh");
    attempt(&script.to_string_lossy(), &[&built.vst3, &built.program])
}
