//! The bridge is told again when callbacks came on real devices, as `statewave-app --trace FILE` wrote it.
//!
//! `STATEWAVE_TRACE=FILE cargo test -p statewave-plugin --test replay -- --ignored --nocapture` shows what it does with
//! another.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use statewave_plugin::app::bridge::bridge;

/// A callback: of the output, or of the input; its moment, seconds; its frames.
#[derive(Clone, Copy)]
struct Mark {
    is_out: bool,
    now: f64,
    frames: usize,
}

/// One opening of the streams.
struct Opening {
    rates: (u32, u32),
    marks: Vec<Mark>,
}

/// What a trace holds, in the order of time.
fn read(path: &Path) -> Vec<Opening> {
    let text = std::fs::read_to_string(path).expect("the trace can be read");
    let (mut all, mut places) = (Vec::<Opening>::new(), HashMap::new());
    for line in text.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |k: usize| fields[k].parse::<f64>().expect("a number");
        if fields[0] == "open" {
            let rates = (number(2) as u32, number(3) as u32);
            let marks = Vec::new();
            places.insert(fields[1].to_owned(), all.len());
            all.push(Opening { rates, marks });
            continue;
        }
        let mark = Mark {
            is_out: fields[0] == "out",
            now: number(2),
            frames: number(3) as usize,
        };
        let place = *places.get(fields[1]).expect("it was opened");
        all[place].marks.push(mark);
    }
    for opening in &mut all {
        opening.marks.sort_by(|a, b| a.now.total_cmp(&b.now));
    }
    all
}

/// What the bridge said after a callback of the output.
#[derive(Clone, Copy)]
struct Said {
    now: f64,
    empty: u32,
    surplus: u32,
    full: u32,
    held_ms: f64,
    found_ppm: i32,
}

/// Tells the bridge.
fn replay(opening: &Opening) -> Vec<Said> {
    let (from, to) = opening.rates;
    let (mut inlet, mut outlet) = bridge(1, from, to, true).expect("a bridge");
    let longest = opening.marks.iter().map(|mark| mark.frames).max();
    let mut planes = vec![vec![0.0; longest.unwrap_or(0)]];
    let status = outlet.status().clone();
    let mut said = Vec::new();
    for mark in &opening.marks {
        if !mark.is_out {
            inlet.write(mark.now, mark.frames, |_, _| 0.1);
            continue;
        }
        outlet.steer(mark.now, mark.frames);
        outlet.read(&mut planes, mark.frames);
        said.push(Said {
            now: mark.now,
            empty: status.empty.load(Ordering::Relaxed),
            surplus: status.surplus.load(Ordering::Relaxed),
            full: status.full.load(Ordering::Relaxed),
            held_ms: f64::from(status.held_us.load(Ordering::Relaxed)) / 1e3,
            found_ppm: status.drift_ppm.load(Ordering::Relaxed),
        });
    }
    said
}

/// A line a second, and one for each gap.
fn show(said: &[Said]) {
    let (mut counts, mut next) = ((0, 0, 0), 0.0);
    for s in said {
        let now = (s.empty, s.surplus, s.full);
        if now != counts || s.now > next {
            println!(
                "{:.3} s: {} empty, {} surplus, {} no room; {:.1} ms held; {:+} ppm found",
                s.now, s.empty, s.surplus, s.full, s.held_ms, s.found_ppm
            );
            (counts, next) = (now, s.now + 1.0);
        }
    }
}

/// Replays the only opening in a trace of this repository.
fn replayed(name: &str) -> Vec<Said> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join("traces");
    let said = replay(&read(&folder.join(name))[0]);
    show(&said);
    said
}

#[test]
#[ignore = "shows the trace that STATEWAVE_TRACE names"]
fn a_trace_that_is_named_is_shown() {
    let path = std::env::var_os("STATEWAVE_TRACE").expect("STATEWAVE_TRACE names a file");
    for opening in read(&PathBuf::from(path)) {
        println!("from {} to {} Hz", opening.rates.0, opening.rates.1);
        show(&replay(&opening));
    }
}

#[test]
fn alsa_before_pulseaudio_is_read_without_gaps() {
    // Its blocks of 341 frames lie ever later in those of the server, and then early again. The clocks differ by -97 ppm.
    let said = replayed("alsa.csv");
    let last = said.last().expect("callbacks");
    assert_eq!((last.empty, last.surplus, last.full), (0, 0, 0));
    let off = said.iter().map(|s| (s.found_ppm + 97).abs()).max();
    assert!(off < Some(250), "{off:?} ppm off");
    assert!(
        (last.found_ppm + 97).abs() < 90,
        "{} ppm found",
        last.found_ppm
    );
}

#[test]
fn a_machine_that_stands_still_costs_one_gap() {
    // Both processors stand still for 12 ms, at 17.05 s: the server runs empty, plays silence, and 28 ms more are held then.
    let said = replayed("stall.csv");
    let last = said.last().expect("callbacks");
    assert_eq!((last.empty, last.surplus, last.full), (0, 1, 0));
    let cut = said
        .iter()
        .find(|s| s.surplus > 0)
        .expect("something was thrown away");
    assert!((17.05..19.6).contains(&cut.now), "at {} s", cut.now);
    assert!(last.held_ms < 45.0, "{} ms held", last.held_ms);
}
