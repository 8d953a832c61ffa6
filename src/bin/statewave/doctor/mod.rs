//! `statewave doctor`: what this machine has, what is wrong, and the remedy for each fault.

use std::process::ExitCode;
use std::thread;

use crate::failure::Result;
use crate::models;

/// Check the machine: CPU features, GPU, audio devices, models; each fault with its remedy.
#[derive(clap::Args)]
pub struct Arguments {}

/// Print all checks. Exit code 1 if there is a fault.
pub fn run(_: &Arguments) -> Result<ExitCode> {
    println!(
        "statewave {} on {} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH
    );
    let mut faults = Vec::new();
    cpu();
    println!("GPU adapters     this build has no GPU layer yet; models run on the CPU");
    println!(
        "audio devices    this build has no device layer yet; use `statewave render` on files"
    );
    check_models(&mut faults);
    if faults.is_empty() {
        println!("no faults found");
        return Ok(ExitCode::SUCCESS);
    }
    faults.iter().for_each(|fault| println!("{fault}"));
    Ok(ExitCode::FAILURE)
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

fn check_models(faults: &mut Vec<String>) {
    for folder in models::missing_folders() {
        let what = format!(
            "error: $STATEWAVE_MODELS names {}, which is not a folder",
            folder.display()
        );
        faults.push(format!(
            "{what}\n help: make it, or take it out of the variable"
        ));
    }
    let all = models::all();
    if !all.iter().any(|found| found.name == models::DEFAULT) {
        let folder = models::user_folder()
            .map_or_else(|| "$STATEWAVE_MODELS".into(), |f| f.display().to_string());
        let what = format!("error: the usual model, {}, is not here", models::DEFAULT);
        faults.push(format!(
            "{what}\n help: put {}.safetensors in {folder}",
            models::DEFAULT
        ));
    }
    if all.is_empty() {
        println!("models           none");
    }
    for found in all {
        let head = format!("{} ({})", found.name, found.place);
        match found.load() {
            Ok(model) => println!("model            {head}: sound, {}", &model.sha256()[..12]),
            Err(failure) => {
                println!("model            {head}: broken");
                faults.push(failure.to_string());
            }
        }
    }
}
