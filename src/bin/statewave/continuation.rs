//! `statewave continue`: a recording, and what a model makes of it from where it ends.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use statewave::engine::continuation::{Continuation, Continue, Restarts, Sampling};
use statewave::model::generate::{Density, GenerateModel};
use statewave::tape::Tape;

use crate::audio::{self, FileOut, Reader};
use crate::drawing;
use crate::failure::{Failure, Result};
use crate::models;
use crate::spectrogram;
use crate::streamed::{self, Fault, Threads};
use crate::temporary::Temporary;

/// Samples that are run at once, as a sound card would.
const BLOCK: usize = 64;

/// Samples that are handed on at once.
const PIECE: usize = 4096;

/// Let a model go on where a recording ends: the recording, then as many seconds as are wanted, in one file.
///
/// What is made depends on the recording, the model and the seed alone. Printed: the share of one core that the work would
/// have taken live, the longest block of 64 samples beside what it may last, and how often the model had to be taken back.
#[derive(clap::Args)]
pub struct Arguments {
    /// The recording to go on from
    #[arg(value_name = "FILE")]
    input: PathBuf,
    /// The file to write (.wav or .flac)
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// A model's name, or the path of its file
    #[arg(long, value_name = "NAME|FILE", default_value = "continue-drums")]
    model: String,
    /// Seconds of the recording's end to hear and to keep [default: all of it]
    #[arg(long, value_name = "S", value_parser = seconds)]
    prime: Option<f64>,
    /// Seconds to go on
    #[arg(long, value_name = "S", default_value = "20", value_parser = seconds)]
    seconds: f64,
    /// What random numbers begin from
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,
    /// 0 takes the likeliest sample each time, 1 draws as was learnt, up to 2
    #[arg(long, value_name = "T", default_value_t = Sampling::default().temperature, value_parser = within::<2>)]
    temperature: f32,
    /// Draw from the likeliest samples that have this share of the probability together, 0 to 1
    #[arg(long, value_name = "P", default_value_t = Sampling::default().top_p, value_parser = within::<1>)]
    top_p: f32,
    /// Onsets to aim for: 0 as the sparsest music learnt from, 1 as the densest [default: as the recording]
    #[arg(long, value_name = "D", value_parser = within::<1>)]
    density: Option<f32>,
    /// Overwrite files that are there
    #[arg(long)]
    force: bool,
    /// Write a picture: above the recording alone, below with what was made of it
    #[arg(long, value_name = "PNG")]
    spectrogram: Option<PathBuf>,
}

fn seconds(text: &str) -> std::result::Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(s) if s > 0.0 && s <= 86_400.0 => Ok(s),
        _ => Err("a number of seconds above 0 is needed, at most a day".into()),
    }
}

fn within<const MOST: u8>(text: &str) -> std::result::Result<f32, String> {
    match text.trim().parse::<f32>() {
        Ok(x) if (0.0..=f32::from(MOST)).contains(&x) => Ok(x),
        _ => Err(format!("a number from 0 to {MOST} is needed")),
    }
}

/// What is printed.
struct Report {
    seconds: f64,
    share: f64,
    worst: Duration,
    block: Duration,
    restarts: Restarts,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(
            f,
            "  {:.1} s, {:.1} % of a core; the longest of {BLOCK} samples took {:.2} ms of {:.2} ms",
            self.seconds,
            100.0 * self.share,
            1e3 * self.worst.as_secs_f64(),
            1e3 * self.block.as_secs_f64(),
        )?;
        let Restarts {
            silent,
            blown_up,
            stuck,
        } = self.restarts;
        write!(
            f,
            "  taken back {} times: {silent} for silence, {blown_up} for a blow-up, {stuck} for a loop",
            self.restarts.total()
        )
    }
}

/// Read, go on, write, report.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let model = models::open(&arguments.model)?;
    let model = Arc::new(GenerateModel::from_bytes(&model.bytes)?);
    for path in [Some(&arguments.output), arguments.spectrogram.as_ref()]
        .into_iter()
        .flatten()
    {
        audio::refuse_to_overwrite(path, arguments.force)?;
    }
    audio::Container::of(&arguments.output)?;
    let input = Reader::open(&arguments.input)?;
    let (rate, channels) = (input.rate(), input.channels());
    if !(8_000..=192_000).contains(&rate) {
        return Err(Failure::new(
            format!("{} has a rate of {rate} Hz", arguments.input.display()),
            "convert it to a rate from 8 to 192 kHz",
        ));
    }
    // How much is in front of what is to be heard follows from the length, and only reading says it for sure.
    let length = audio::length(&arguments.input)?;
    let prime = arguments.prime.unwrap_or(f64::INFINITY);
    let heard = length.min((prime * f64::from(rate)).round() as usize);
    let seconds = heard as f64 / f64::from(rate) + arguments.seconds;
    let parts = Parts {
        skipped: length - heard,
        heard,
        all: (seconds * f64::from(rate)).round() as usize,
    };
    let picture = arguments.spectrogram.as_ref();
    let analysis = || picture.map(|_| spectrogram::analysis((rate, channels), parts.all));
    let (mut before, mut after) = (analysis(), analysis());
    let mut stream = Continuation::new(model, rate, channels, BLOCK);
    let (temporary, out) = Temporary::beside(&arguments.output)?;
    let out = FileOut::new(&arguments.output, out, channels, rate, input.depth())?;
    let mut report = None;
    let (streamed, out) = streamed::clean(
        input,
        out,
        |tape| {
            let hear = |block: &[Vec<f32>]| before.iter_mut().for_each(|levels| levels.add(block));
            report = Some(go_on(
                &mut stream,
                tape,
                (&parts, rate, channels),
                arguments,
                hear,
            )?);
            Ok(())
        },
        |_| (),
        |piece| after.iter_mut().for_each(|levels| levels.add(piece)),
    )?;
    let output = temporary.close(out)?;
    let picture = picture
        .zip(before.zip(after))
        .map(|(path, (before, after))| {
            let levels = [before.finish(), after.finish()];
            drawing::closed(path, &spectrogram::draw(&levels, rate, parts.all))
        });
    let picture = picture.transpose()?;
    output.keep(arguments.force)?;
    if let Some(picture) = picture {
        picture.keep(arguments.force)?;
    }
    let mut text = format!("{}\n", arguments.output.display());
    report
        .iter()
        .for_each(|report| text += &format!("{report}\n"));
    let notes = streamed.notes.iter();
    notes.for_each(|note| text += &format!("  note: {note}\n"));
    // A reader that closed the pipe has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// Samples a channel.
struct Parts {
    /// Of the recording, in front of what is heard.
    skipped: usize,
    heard: usize,
    /// What is heard and what is made of it.
    all: usize,
}

/// What is heard of the recording on `tape` and its continuation, in time with it to the sample. `hear` is given the first, block
/// by block.
fn go_on(
    stream: &mut Continuation,
    tape: &mut Threads,
    (parts, rate, channels): (&Parts, u32, usize),
    arguments: &Arguments,
    mut hear: impl FnMut(&[Vec<f32>]),
) -> std::result::Result<Report, Fault> {
    let mut controls = Continue {
        go_on: false,
        sampling: Sampling {
            temperature: arguments.temperature,
            top_p: arguments.top_p,
        },
        density: arguments
            .density
            .map_or_else(Density::default, |share| Density { share, weight: 1.0 }),
        seed: arguments.seed,
        ..Continue::default()
    };
    let (mut block, mut piece) = (vec![Vec::new(); channels], vec![Vec::new(); channels]);
    let mut skipped = 0;
    while skipped < parts.skipped {
        block.iter_mut().for_each(Vec::clear);
        match tape.read(&mut block, PIECE.min(parts.skipped - skipped))? {
            0 => break,
            read => skipped += read,
        }
    }
    let mut late = stream.latency().total();
    let (total, mut at) = (parts.all + late, 0);
    let (mut work, mut worst) = (Duration::ZERO, Duration::ZERO);
    while at < total {
        // The switch lies at the recording's end, and blocks are cut there.
        controls.go_on = at >= parts.heard;
        let end = if controls.go_on { total } else { parts.heard };
        let len = BLOCK.min(end - at);
        block.iter_mut().for_each(Vec::clear);
        if !controls.go_on {
            let mut missing = len;
            while missing > 0 {
                match tape.read(&mut block, missing)? {
                    0 => break,
                    read => missing -= read,
                }
            }
            hear(&block);
        }
        block
            .iter_mut()
            .for_each(|channel| channel.resize(len, 0.0));
        let mut slices: Vec<&mut [f32]> = block.iter_mut().map(Vec::as_mut_slice).collect();
        let began = Instant::now();
        stream.process(&mut slices, &controls);
        let took = began.elapsed();
        (work, worst) = (work + took, worst.max(took));
        let gone = late.min(len);
        late -= gone;
        for (piece, block) in piece.iter_mut().zip(&block) {
            piece.extend_from_slice(&block[gone..]);
        }
        at += len;
        if piece[0].len() >= PIECE || at == total {
            tape.write(&mut piece)?;
            piece.iter_mut().for_each(Vec::clear);
        }
    }
    let rate = f64::from(rate);
    Ok(Report {
        seconds: parts.all as f64 / rate,
        share: work.as_secs_f64() / (total as f64 / rate),
        worst,
        block: Duration::from_secs_f64(BLOCK as f64 / rate),
        restarts: stream.restarts(),
    })
}
