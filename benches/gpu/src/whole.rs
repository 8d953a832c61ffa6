//! Whole recordings: from file to file, as `statewave render` does it, and from memory to memory; and where the time goes.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use statewave::controls::Controls;
use statewave::engine::gpu::Gpu;
use statewave::engine::gpu::whole::{InPlace, Settings, Stages, Whole};
use statewave::model::Model;

use crate::audio::{self, Depth, FileOut, Reader};
use crate::kernel_common::Noise;
use crate::report::Rows;
use crate::streamed::{self, Threads};

/// Rate of most recordings, Hz.
pub const RATE: u32 = 48_000;

/// Recordings, and how often each is cleaned.
#[derive(Clone, Copy)]
pub struct Size {
    seconds: usize,
    /// The fastest counts.
    rounds: usize,
}

impl Size {
    /// For a card, or for a machine without one.
    pub fn new(short: bool) -> Size {
        let (seconds, rounds) = if short { (4, 1) } else { (600, 4) };
        Size { seconds, rounds }
    }

    /// No longer than so many seconds.
    pub fn up_to(self, seconds: usize) -> Size {
        Size {
            seconds: self.seconds.min(seconds),
            ..self
        }
    }
}

/// A kind of file.
struct Kind {
    name: &'static str,
    channels: usize,
    rate: u32,
    depth: Depth,
}

const KINDS: [Kind; 3] = [
    Kind {
        name: "mono",
        channels: 1,
        rate: RATE,
        depth: Depth::Float,
    },
    Kind {
        name: "stereo, 16 bits",
        channels: 2,
        rate: RATE,
        depth: Depth::Int(16),
    },
    Kind {
        name: "mono, 16 bits, 44.1 kHz",
        channels: 1,
        rate: 44_100,
        depth: Depth::Int(16),
    },
];

/// What a recording took, stage by stage.
struct Round {
    name: String,
    all: Duration,
    /// Buffers and bindings.
    prepared: Duration,
    /// Of files: on the threads beside.
    files: Option<[Duration; 2]>,
    stages: Stages,
}

/// Notes seconds of sound a second, `frames` at a time of every channel or as many as the engine takes.
pub fn run(
    gpu: &Arc<Gpu>,
    model: &Arc<Model>,
    (short, frames): (bool, Option<usize>),
    rows: &mut Rows,
) -> Result<(), Box<dyn Error>> {
    rows.section("Whole recordings, times real time");
    let size = Size::new(short);
    let length = size.seconds;
    let mut rounds = Vec::new();
    for kind in &KINDS {
        let round = file_to_file(gpu, model, kind, (size, frames))?;
        let speed = length as f64 / round.all.as_secs_f64();
        let name = format!("GPU, file to file, {}, {length} s", kind.name);
        rows.add(&name, &format!("{speed:.1}"));
        rounds.push(round);
    }
    for channels in [1, 8] {
        let round = in_memory(gpu, model, channels, (size, frames))?;
        let sound = (channels * length) as f64;
        let name = format!("GPU, engine alone, {channels} at once");
        let speed = sound / round.all.as_secs_f64();
        rows.add(&name, &format!("{speed:.1}"));
        if let Some([_, model, _]) = round.stages.device {
            let name = format!("GPU, model alone by its clock, {channels} at once");
            let speed = sound / model.as_secs_f64();
            rows.add(&name, &format!("{speed:.1}"));
        }
        rounds.push(round);
    }
    rows.section("Whole recordings, where the time goes, ms");
    for round in &rounds {
        note(round, rows);
    }
    Ok(())
}

fn note(round: &Round, rows: &mut Rows) {
    let ms = |time: Duration| format!("{:.1}", 1e3 * time.as_secs_f64());
    let mut add = |what: &str, value: &str| rows.add(&format!("{}: {what}", round.name), value);
    let stages = &round.stages;
    add("all", &ms(round.all));
    add("prepare buffers and bindings", &ms(round.prepared));
    if let Some([decode, encode]) = round.files {
        add("decode, beside", &ms(decode));
        add("encode and write, beside", &ms(encode));
    }
    add("chunks", &stages.chunks.to_string());
    add("take the next samples, or wait for them", &ms(stages.read));
    add("look at them, keep the dry signal", &ms(stages.prepare));
    add("upload", &ms(stages.upload));
    add("encode and submit", &ms(stages.submit));
    add("wait for the device", &ms(stages.wait));
    add("readback and mix", &ms(stages.readback));
    add("hand on, or wait for that", &ms(stages.write));
    if let Some([there, model, back]) = stages.device {
        add("device: resample, analyse", &ms(there));
        add("device: model", &ms(model));
        add("device: synthesise, join, resample", &ms(back));
    }
}

fn settings(rate: u32, channels: usize, frames: Option<usize>) -> Settings {
    Settings {
        frames,
        timed: true,
        ..Settings::new(rate, channels, &Controls::default())
    }
}

/// The fastest of some rounds.
fn fastest(
    rounds: usize,
    mut round: impl FnMut() -> Result<Round, Box<dyn Error>>,
) -> Result<Round, Box<dyn Error>> {
    let mut best = round()?;
    for _ in 1..rounds {
        let next = round()?;
        if next.all < best.all {
            best = next;
        }
    }
    Ok(best)
}

/// From a WAV file to another, up to the last byte that the system takes.
fn file_to_file(
    gpu: &Arc<Gpu>,
    model: &Arc<Model>,
    kind: &Kind,
    (size, frames): (Size, Option<usize>),
) -> Result<Round, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (from, to) = (folder.path().join("from.wav"), folder.path().join("to.wav"));
    let sound = recording(kind.channels, size.seconds * kind.rate as usize);
    write(&from, &sound, kind.rate, kind.depth)?;
    fastest(size.rounds, || {
        let begun = Instant::now();
        let input = Reader::open(&from).map_err(|e| e.to_string())?;
        let (rate, channels, depth) = (input.rate(), input.channels(), input.depth());
        let mut whole = Whole::new(gpu, model, settings(rate, channels, frames))?;
        let prepared = begun.elapsed();
        let out = BufWriter::new(File::create(&to)?);
        let out = FileOut::new(&to, out, channels, rate, depth).map_err(|e| e.to_string())?;
        let mut stages = Stages::default();
        let run = |tape: &mut Threads| {
            stages = whole.run(tape)?;
            Ok(())
        };
        let (streamed, out) =
            streamed::clean(input, out, run, |_| (), |_| ()).map_err(|e| e.to_string())?;
        out.into_inner()?;
        if streamed.clipped > 0 || !streamed.notes.is_empty() {
            return Err(format!("{} is not what it was written as", from.display()).into());
        }
        Ok(Round {
            name: format!("file to file, {}", kind.name),
            all: begun.elapsed(),
            prepared,
            files: Some([streamed.decode, streamed.encode]),
            stages,
        })
    })
}

/// From samples in memory to samples in memory, `channels` recordings at once.
fn in_memory(
    gpu: &Arc<Gpu>,
    model: &Arc<Model>,
    channels: usize,
    (size, frames): (Size, Option<usize>),
) -> Result<Round, Box<dyn Error>> {
    let begun = Instant::now();
    let mut whole = Whole::new(gpu, model, settings(RATE, channels, frames))?;
    let prepared = begun.elapsed();
    let mut sound = recording(channels, size.seconds * RATE as usize);
    fastest(size.rounds, || {
        let begun = Instant::now();
        let stages = whole.run(&mut InPlace::new(&mut sound, |_| ()))?;
        Ok(Round {
            name: format!("engine alone, {channels} at once"),
            all: begun.elapsed(),
            prepared,
            files: None,
            stages,
        })
    })
}

/// Seconds of sound a second, from a WAV file to another through `clean`, one after the other.
pub fn in_turn(
    size: Size,
    mut clean: impl FnMut(&mut [Vec<f32>]) -> Result<(), Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (from, to) = (folder.path().join("from.wav"), folder.path().join("to.wav"));
    write(
        &from,
        &recording(1, size.seconds * RATE as usize),
        RATE,
        Depth::Float,
    )?;
    let mut best = f64::INFINITY;
    for _ in 0..size.rounds {
        let begun = Instant::now();
        let mut sound = audio::read(&from).map_err(|e| e.to_string())?;
        clean(&mut sound.channels)?;
        write(&to, &sound.channels, sound.rate, sound.depth)?;
        best = best.min(begun.elapsed().as_secs_f64());
    }
    Ok(size.seconds as f64 / best)
}

fn recording(channels: usize, samples: usize) -> Vec<Vec<f32>> {
    let channel = |channel| Noise(3 + channel as u64).vec(samples, 0.1);
    (0..channels).map(channel).collect()
}

fn write(path: &Path, sound: &[Vec<f32>], rate: u32, depth: Depth) -> Result<(), Box<dyn Error>> {
    let out = BufWriter::new(File::create(path)?);
    let told = |e: crate::failure::Failure| e.to_string();
    let mut wav = FileOut::new(path, out, sound.len(), rate, depth).map_err(told)?;
    wav.write(sound).map_err(told)?;
    wav.finish().map_err(told)?.0.into_inner()?;
    Ok(())
}
