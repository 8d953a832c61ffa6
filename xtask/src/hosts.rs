//! `cargo xtask hosts`: the bundles in hosts that need neither a screen nor a sound device; scripts in `tests/hosts`.

use std::path::{Path, PathBuf};

use crate::shell::{Result, answer, command, release, root, show};
use crate::{plugin, python, system};

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
    let python = python::environment("hosts", &PACKAGES, None)?;
    let script = Path::new("tests").join("hosts").join(script);
    attempt(&python, &[&script, &built.vst3, &built.program])
}

fn attempt(program: &str, paths: &[&PathBuf]) -> Result {
    let words: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
    let words: Vec<_> = words.iter().map(|word| &**word).collect();
    show(command(program, &words))
}

/// What qtractor's scanner says of a plugin: its name, audio inputs and outputs, MIDI inputs and outputs.
const SCANNED: [&[&str]; 2] = [
    &["CLAP", "Statewave", "2:2", "1:0"],
    &["CLAP", "Statewave Instrument", "0:2", "1:0"],
];

/// Qtractor's scanner, which loads a plugin as the program would, finds both of the CLAP.
fn qtractor(built: &Built) -> Result {
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    let scanner = format!("/usr/lib/{triple}/qtractor/qtractor_plugin_scan");
    system::fetch(&[(&scanner, "qtractor")])?;
    let question = format!("CLAP:{}\n", built.clap.display());
    let said = answer(command(&scanner, &[]), &question)?;
    print!("{said}");
    // A line a plugin: what is known of it above, and more behind that.
    let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split('|').collect()).collect();
    let missing = SCANNED
        .iter()
        .find(|plugin| !lines.iter().any(|line| line.starts_with(plugin)));
    match missing {
        None => Ok(()),
        Some(plugin) => Err(format!(
            "qtractor's scanner does not find {}",
            plugin.join("|")
        )),
    }
}

/// Ardour scans the VST3, and exports what the program renders.
fn ardour(built: &Built) -> Result {
    system::fetch(&ARDOUR)?;
    let script = root().join("tests").join("hosts").join("ardour.sh");
    attempt(&script.to_string_lossy(), &[&built.vst3, &built.program])
}
