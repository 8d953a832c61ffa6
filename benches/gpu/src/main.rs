//! `statewave-gpu-bench`: everything there is to measure on a GPU, in one run, with nothing needed beside the program.
//!
//!     statewave-gpu-bench run --out out/card.tsv
//!     statewave-gpu-bench table "a card=out/card.tsv" "another=out/other.tsv"
//!
//! Flows out: rows of section, name and value; and, of the rows of several runs, one table for docs/gpu.md.

mod cpu;
mod live;
mod parity;
mod report;
mod scan;
mod whole;

// What the program reads, writes and streams with.
#[allow(dead_code, unused_imports)]
#[path = "../../../src/bin/statewave/audio/mod.rs"]
mod audio;
#[allow(dead_code)]
#[path = "../../../src/bin/statewave/failure.rs"]
mod failure;
#[allow(dead_code)]
#[path = "../../../src/bin/statewave/streamed.rs"]
mod streamed;
#[allow(dead_code)]
#[path = "../../../src/bin/statewave/temporary.rs"]
mod temporary;

#[path = "../../../tests/gpu_cases/mod.rs"]
mod gpu_cases;
#[path = "../../../tests/kernel_common/mod.rs"]
mod kernel_common;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use statewave::engine::gpu::{Choice, Gpu, shared};
use statewave::model::{Model, catalogue};

use report::Rows;

/// Measure Statewave on a GPU.
#[derive(Parser)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure, print, and keep the figures
    Run(Settings),
    /// Make one table of the figures of several runs; a run whose file is not there was not made
    Table {
        /// What the column is called, and the file of its figures
        #[arg(required = true, value_name = "NAME=FILE")]
        runs: Vec<String>,
    },
}

/// How much is measured.
#[derive(Args)]
struct Settings {
    /// Part of the adapter's name [default: the best, be it one that works on the CPU]
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Threads that wait for frames and for the device stay awake
    #[arg(long)]
    awake: bool,
    /// Small sizes and short times, for a machine without a card
    #[arg(long)]
    short: bool,
    /// Steps of the scan's chunks [default: as the engine chooses]
    #[arg(long, value_name = "STEPS")]
    chunk: Option<usize>,
    /// Only the scans, for trying chunks
    #[arg(long)]
    scans: bool,
    /// Only whole recordings
    #[arg(long, conflicts_with = "scans")]
    whole: bool,
    /// Only the minutes without a miss
    #[arg(long, conflicts_with_all = ["scans", "whole"])]
    hold: bool,
    /// Frames of every channel of a whole recording at a time [default: as the engine chooses]
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u32).range(1..))]
    frames: Option<u32>,
    /// Minutes that streams play without a miss, or not
    #[arg(long, value_name = "MINUTES", default_value_t = 10.0)]
    minutes: f64,
    /// Milliseconds that their frames may take beside what the trip asks for
    #[arg(long, value_name = "MS", default_value_t = 0)]
    room: u16,
    /// Where the figures go
    #[arg(long, value_name = "TSV", default_value = "out/gpu.tsv")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let done = match Program::parse().command {
        Command::Run(settings) => open(&settings).and_then(|gpu| {
            run(&gpu, &settings).map_err(|error| match gpu.fault() {
                Some(fault) => format!("{error}: {fault}").into(),
                None => error,
            })
        }),
        Command::Table { runs } => report::table(&runs).map(|table| print!("{table}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn choice(settings: &Settings) -> Choice {
    Choice {
        name: settings.adapter.clone(),
        awake: settings.awake,
        ..Choice::any()
    }
}

fn open(settings: &Settings) -> Result<Arc<Gpu>, Box<dyn Error>> {
    let gpu = Gpu::open(&choice(settings)).map_err(|e| format!("{e}\n help: {}", e.remedy()))?;
    Ok(Arc::new(gpu))
}

fn run(gpu: &Arc<Gpu>, settings: &Settings) -> Result<(), Box<dyn Error>> {
    let found = catalogue::find(catalogue::DEFAULT).ok_or("no model is here")?;
    let model = Arc::new(Model::from_bytes(&found.bytes()?)?);
    let mut rows = Rows::new(&settings.out);
    let info = gpu.info();
    rows.section("Run");
    rows.add("adapter", &info.name);
    rows.add("driver", &format!("{} {}", info.driver, info.driver_info));
    rows.add("model", &found.name);
    rows.add("lengths", if settings.short { "short" } else { "full" });
    let room = Duration::from_millis(settings.room.into());
    let recordings = (
        settings.short,
        settings.frames.map(|frames| frames as usize),
    );
    if settings.whole {
        whole::run(gpu, &model, recordings, &mut rows)?;
        return Ok(rows.save()?);
    }
    if settings.hold {
        let hub = shared::hub(&choice(settings))?;
        live::hold(&hub, &model, settings.minutes, room, &mut rows)?;
        return Ok(rows.save()?);
    }
    let half = Gpu::open(&Choice {
        half: true,
        ..choice(settings)
    })
    .map_err(|e| e.to_string())?;
    let half = half.abilities().half.then(|| Arc::new(half));
    parity::run(gpu, half.as_ref(), &mut rows);
    drop(half);
    scan::run(gpu, settings.short, settings.chunk, &mut rows)?;
    if settings.scans {
        return Ok(rows.save()?);
    }
    whole::run(gpu, &model, recordings, &mut rows)?;
    cpu::run(&model, settings.short, &mut rows)?;
    let hub = shared::hub(&choice(settings))?;
    live::run(&hub, &model, settings.short, &mut rows)?;
    live::hold(&hub, &model, settings.minutes, room, &mut rows)?;
    rows.save()?;
    Ok(())
}
