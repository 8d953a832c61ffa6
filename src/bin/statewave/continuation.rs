//! `statewave continue`: a recording, and what a model makes of it from where it ends.

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use statewave::engine::continuation::{Continuation, Continue, Restarts, Sampling};
use statewave::model::generate::{Density, GenerateModel};

use crate::audio::{self, Audio};
use crate::drawing;
use crate::failure::{Failure, Result};
use crate::models;
use crate::spectrogram;

/// Samples that are run at once, as a sound card would.
const BLOCK: usize = 64;

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
    let mut sound = audio::read(&arguments.input)?;
    if !(8_000..=192_000).contains(&sound.rate) {
        return Err(Failure::new(
            format!(
                "{} has a rate of {} Hz",
                arguments.input.display(),
                sound.rate
            ),
            "convert it to a rate from 8 to 192 kHz",
        ));
    }
    if let Some(prime) = arguments.prime {
        let keep = (prime * f64::from(sound.rate)).round() as usize;
        let before = sound.len().saturating_sub(keep);
        sound
            .channels
            .iter_mut()
            .for_each(|channel| drop(channel.drain(..before)));
    }
    let (made, report) = go_on(model, &sound, arguments);
    let output = Audio {
        channels: made,
        rate: sound.rate,
        depth: sound.depth,
    };
    audio::write(&arguments.output, &output, arguments.force)?;
    if let Some(path) = &arguments.spectrogram {
        let levels = [&sound.channels, &output.channels].map(|channels| {
            let shape = (sound.rate, channels.len());
            let mut analysis = spectrogram::analysis(shape, output.len());
            analysis.add(channels);
            analysis.finish()
        });
        let canvas = spectrogram::draw(&levels, sound.rate, output.len());
        drawing::write(path, &canvas, arguments.force)?;
    }
    let text = format!("{}\n{report}\n", arguments.output.display());
    // A reader that closed the pipe has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// The recording with its continuation, in time with the recording to the sample.
fn go_on(
    model: Arc<GenerateModel>,
    sound: &Audio,
    arguments: &Arguments,
) -> (Vec<Vec<f32>>, Report) {
    let (rate, heard) = (sound.rate, sound.len());
    let mut stream = Continuation::new(model, rate, sound.channels.len(), BLOCK);
    let delay = stream.latency().total();
    let seconds = heard as f64 / f64::from(rate) + arguments.seconds;
    let total = (seconds * f64::from(rate)).round() as usize + delay;
    let mut channels = sound.channels.clone();
    channels
        .iter_mut()
        .for_each(|channel| channel.resize(total, 0.0));
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
    let (start, mut worst, mut at) = (Instant::now(), Duration::ZERO, 0);
    while at < total {
        // The switch lies at the recording's end, and blocks are cut there.
        let end = if at < heard { heard } else { total };
        let next = (at + BLOCK).min(end);
        controls.go_on = at >= heard;
        let mut block: Vec<&mut [f32]> = channels.iter_mut().map(|c| &mut c[at..next]).collect();
        let began = Instant::now();
        stream.process(&mut block, &controls);
        worst = worst.max(began.elapsed());
        at = next;
    }
    let report = Report {
        seconds,
        share: start.elapsed().as_secs_f64() / (total as f64 / f64::from(rate)),
        worst,
        block: Duration::from_secs_f64(BLOCK as f64 / f64::from(rate)),
        restarts: stream.restarts(),
    };
    channels
        .iter_mut()
        .for_each(|channel| drop(channel.drain(..delay)));
    (channels, report)
}
