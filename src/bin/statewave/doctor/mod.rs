//! `statewave doctor`: what this machine has, what is wrong, and the remedy for each fault.

#[cfg(feature = "gpu")]
mod gpu;
#[cfg(feature = "devices")]
mod sound;
#[cfg(feature = "gpu")]
mod trial;

use std::process::ExitCode;
use std::thread;

use statewave::kernels::Path;
use statewave::model::catalogue;
use statewave::model::instrument::InstrumentModel;
use statewave::model::spec::Task;
use statewave::model::streams::StreamModel;

use crate::failure::{Failure, Result};
use crate::models;

/// Check the machine: CPU features, GPU, audio devices, models; each fault with its remedy.
#[derive(clap::Args)]
pub struct Arguments {}

/// What was found wrong, told at the end.
#[derive(Default)]
struct Report {
    /// What keeps the program from its work.
    faults: Vec<Failure>,
    /// What is not there but can be done without.
    notes: Vec<String>,
}

impl Report {
    fn fault(&mut self, what: String, help: String) {
        self.faults.push(Failure::new(what, help));
    }

    #[cfg(any(feature = "devices", feature = "gpu"))]
    fn note(&mut self, what: &str, help: &str) {
        self.notes.push(format!("note: {what}\n help: {help}"));
    }
}

/// Print all checks. Exit code 1 if there is a fault.
pub fn run(_: &Arguments) -> Result<ExitCode> {
    println!(
        "statewave {} on {} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let mut report = Report::default();
    cpu();
    adapters(&mut report);
    devices(&mut report);
    check_models(&mut report);
    report.notes.iter().for_each(|note| println!("{note}"));
    report.faults.iter().for_each(|fault| println!("{fault}"));
    if report.faults.is_empty() {
        println!("no faults found");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

#[cfg(feature = "gpu")]
fn adapters(report: &mut Report) {
    gpu::check(report);
}

#[cfg(not(feature = "gpu"))]
fn adapters(_: &mut Report) {
    println!("GPU adapters     not looked for: this build is without the feature `gpu`");
}

#[cfg(feature = "devices")]
fn devices(report: &mut Report) {
    sound::check(report);
}

#[cfg(not(feature = "devices"))]
fn devices(_: &mut Report) {
    println!("devices          not looked for: this build is without the feature `devices`");
}

/// A driver's or device's own words: control characters must not reach the terminal, and lines stay whole.
#[cfg(any(feature = "devices", feature = "gpu"))]
fn clean(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn cpu() {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let features = features();
    let found: Vec<_> = features
        .iter()
        .filter(|(_, there)| *there)
        .map(|(name, _)| *name)
        .collect();
    let missing: Vec<_> = features
        .iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| *name)
        .collect();
    let list = |names: &[&str]| {
        if names.is_empty() {
            "none".to_string()
        } else {
            names.join(", ")
        }
    };
    println!("CPU cores        {cores}");
    println!(
        "CPU features     {} (not here: {})",
        list(&found),
        list(&missing)
    );
    println!("kernels          {}", Path::detect().name());
}

/// The instructions that kernels can use, and whether they are here.
fn features() -> Vec<(&'static str, bool)> {
    #[cfg(target_arch = "x86_64")]
    let features = vec![
        ("AVX2", std::arch::is_x86_feature_detected!("avx2")),
        ("FMA", std::arch::is_x86_feature_detected!("fma")),
        ("AVX-512F", std::arch::is_x86_feature_detected!("avx512f")),
    ];
    #[cfg(target_arch = "aarch64")]
    let features = vec![("NEON", std::arch::is_aarch64_feature_detected!("neon"))];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let features = Vec::new();
    features
}

fn check_models(report: &mut Report) {
    for folder in catalogue::missing_folders() {
        let what = format!(
            "$STATEWAVE_MODELS names {}, which is not a folder",
            folder.display()
        );
        report.fault(what, "make it, or take it out of the variable".into());
    }
    let folder = catalogue::user_folder().map_or_else(
        || "none: this system names no folder for data".into(),
        |folder| folder.display().to_string(),
    );
    println!("your models      {folder}");
    let all = catalogue::all();
    if !all.iter().any(|found| found.name == catalogue::DEFAULT) {
        let folder = catalogue::user_folder()
            .map_or_else(|| "$STATEWAVE_MODELS".into(), |f| f.display().to_string());
        let what = format!("the usual model, {}, is not here", catalogue::DEFAULT);
        let help = format!("put {}.safetensors in {folder}", catalogue::DEFAULT);
        report.fault(what, help);
    }
    if all.is_empty() {
        println!("models           none");
    }
    for found in all.into_iter().chain(catalogue::others()) {
        let head = format!("{} ({})", found.name, found.place());
        // Made ready to play, for a sound container can still hold the wrong tensors.
        let sound = models::load(found).and_then(|model| {
            match model.task() {
                Some(Task::Generate) => drop(InstrumentModel::from_bytes(&model.bytes)?),
                _ => drop(StreamModel::from_bytes(&model.bytes)?),
            }
            Ok(model)
        });
        match sound {
            Ok(model) => println!("model            {head}: sound, {}", &model.sha256()[..12]),
            Err(failure) => {
                println!("model            {head}: broken");
                report.faults.push(failure);
            }
        }
    }
}
