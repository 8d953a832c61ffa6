//! The app without a window: opens the route, says what happens, ends when it is told to.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::devices;
use super::flags::Flags;
use super::front::Front;
use super::midi::Midi;
use crate::panel::host::{Fault, PanelHost};

/// Between two looks at the route.
const LOOK: Duration = Duration::from_millis(100);

/// Between two lines about the route.
const REPORT: Duration = Duration::from_secs(10);

/// How long a route may take to open before the app gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs until the time is up, the file has ended, or the process is ended.
pub fn run(flags: &Flags, mut front: Front) -> ExitCode {
    let began = Instant::now();
    let (mut shown, mut reported) = (String::new(), Instant::now());
    let (mut told, mut played) = (false, false);
    let (mut load, mut missed) = (0.0, 0);
    loop {
        for fault in front.pump() {
            tell(&fault);
        }
        while let Some(snapshot) = front.desk.snapshot() {
            (load, missed) = (snapshot.load, snapshot.missed);
        }
        if let Some(route) = front.route.clone() {
            let line = format!(
                "{} ({} Hz) -> {} ({} Hz), {:.2} ms in the model's path",
                route.input,
                route.rates.0,
                route.output,
                route.rates.1,
                front.desk.latency.map_or(0.0, |latency| latency.total_ms()),
            );
            if line != shown {
                println!("{line}");
                shown = line;
            }
            if !told {
                told = true;
                start(flags, &front);
            }
            if reported.elapsed() > REPORT {
                reported = Instant::now();
                println!(
                    "{:.0} s: drift {} ppm, {:.1} ms held, gaps: {} empty, {} too full; load {:.0} %, {missed} missed",
                    began.elapsed().as_secs_f64(),
                    route.drift_ppm(),
                    route.held_ms(),
                    route.gaps().0,
                    route.gaps().1,
                    100.0 * load
                );
            }
        } else if began.elapsed() > PATIENCE && !told {
            return ExitCode::FAILURE;
        }
        played |= front.playing.is_some();
        let ended = flags.play.is_some() && played && front.playing.is_none();
        let timed_out = flags
            .seconds
            .is_some_and(|s| began.elapsed().as_secs_f64() > s);
        if ended || timed_out {
            return ExitCode::SUCCESS;
        }
        std::thread::sleep(LOOK);
    }
}

/// What the flags want of a route that runs.
fn start(flags: &Flags, front: &Front) {
    if let Some(file) = &flags.play {
        front.play(Some(file.clone()));
    }
    if let Some(path) = &flags.record {
        front.record(Some(path.clone()));
    }
}

/// Prints what there is.
pub fn list() {
    let devices = devices::list();
    for (title, list) in [("inputs", devices.inputs), ("outputs", devices.outputs)] {
        println!("{title}:");
        for device in list {
            println!("  {}  ({})", device.name, device.id);
        }
    }
    println!("MIDI ports:");
    for port in Midi::ports() {
        println!("  {port}");
    }
}

/// Says what is wrong, and what helps.
pub fn tell(fault: &Fault) {
    eprintln!("error: {}\n help: {}", fault.what, fault.remedy);
}
