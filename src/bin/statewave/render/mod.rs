//! `statewave render`: clean files and folders, many at once.

mod figures;
mod one;
mod passing;
mod plan;
mod report;

use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use statewave::model::catalogue;

use crate::denoise::{Runner, Settings};
use crate::failure::{Failure, Result};
use crate::models::{self, Loaded};
use crate::tone::ToneArguments;
use plan::Job;

/// Clean recordings: WAV, FLAC, MP3 or Ogg Vorbis in, WAV or FLAC out, at the input's rate and length.
///
/// The output is in time with the input, to the sample. Folders are searched with all that is in them, and their
/// structure is kept under the output folder. Files are read, cleaned and written at the same time, in memory that does
/// not grow with their length.
///
/// Printed for each file: its length; the real-time factor (seconds of audio a second of work); the latency that the
/// model has when it runs live; what reading, cleaning and writing took; and the noise taken away, which is 10·log10 of input energy over output energy in
/// the quietest 20 % of the input's 20 ms frames, where a recording of a voice holds noise alone.
#[derive(clap::Args)]
pub struct Arguments {
    /// Files or folders to clean
    #[arg(required = true, value_name = "FILES OR FOLDERS")]
    inputs: Vec<PathBuf>,
    /// The file to write (.wav or .flac), or a folder if there are several inputs [default: INPUT-clean.wav]
    #[arg(short, long, value_name = "FILE OR FOLDER")]
    output: Option<PathBuf>,
    /// A model's name, or the path of its file
    #[arg(long, value_name = "NAME|FILE", default_value = catalogue::DEFAULT)]
    model: String,
    /// The most to take away, in dB, from 0 up [default: all that the model hears as noise]
    #[arg(long, value_name = "DB", value_parser = amount)]
    amount: Option<f32>,
    /// Share of the cleaned sound in the output, in per cent; the rest is the input
    #[arg(long, value_name = "PCT", default_value = "100", value_parser = percent)]
    mix: f32,
    /// Write what is taken away instead of what is kept
    #[arg(long)]
    removed: bool,
    /// Files cleaned at a time [default: the machine's cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// What runs the model: this processor, or a GPU, which takes long files thousands of frames at once
    #[arg(long, value_enum, value_name = "cpu|gpu", default_value = "cpu")]
    engine: EngineKind,
    /// The GPU: part of an adapter's name as `statewave doctor` shows it [default: the fastest kind, none that works on
    /// the CPU]
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    /// Overwrite files that are there
    #[arg(long)]
    force: bool,
    /// Write a picture of the sound before and after; with several inputs, a folder of pictures. Each file is read once more
    /// for it, to know its length
    #[arg(long, value_name = "PNG")]
    spectrogram: Option<PathBuf>,
    #[command(flatten)]
    tone: ToneArguments,
}

/// What runs a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum EngineKind {
    Cpu,
    Gpu,
}

fn amount(text: &str) -> std::result::Result<f32, String> {
    match text.trim_end_matches("dB").trim().parse::<f32>() {
        Ok(db) if db >= 0.0 => Ok(db),
        _ => Err("a number of dB from 0 up is needed".into()),
    }
}

fn percent(text: &str) -> std::result::Result<f32, String> {
    match text.trim_end_matches('%').trim().parse::<f32>() {
        Ok(share) if (0.0..=100.0).contains(&share) => Ok(share),
        _ => Err("a number from 0 to 100 is needed".into()),
    }
}

impl Arguments {
    fn settings(&self, model: &Loaded) -> Result<Settings> {
        let amount_db = self.amount.unwrap_or(f32::INFINITY);
        if model.effect()?.is_none() && !self.tone.is_empty() {
            return Err(Failure::new(
                format!(
                    "{} is no effect, and has neither knobs nor a cabinet",
                    model.name
                ),
                "leave those options away, or name an effect with --model",
            ));
        }
        Ok(Settings {
            amount_db,
            mix: self.mix / 100.0,
            removed: self.removed,
            tone: self.tone.read()?,
        })
    }
}

impl Arguments {
    /// Opens what was asked for.
    fn runner(&self) -> Result<Runner> {
        match self.engine {
            EngineKind::Cpu => Ok(Runner::Cpu),
            EngineKind::Gpu => gpu_runner(self.adapter.clone()),
        }
    }
}

#[cfg(feature = "gpu")]
fn gpu_runner(name: Option<String>) -> Result<Runner> {
    use statewave::engine::gpu::{Choice, Gpu};

    let choice = Choice {
        name,
        ..Choice::default()
    };
    match Gpu::open(&choice) {
        Ok(gpu) => Ok(Runner::Gpu(gpu.into())),
        Err(e) => Err(Failure::new(
            e.to_string(),
            format!("{}; or clean with --engine cpu", e.remedy()),
        )),
    }
}

#[cfg(not(feature = "gpu"))]
fn gpu_runner(_: Option<String>) -> Result<Runner> {
    Err(Failure::new(
        "this build is without the feature `gpu`",
        "clean with --engine cpu, or build with that feature",
    ))
}

/// Clean all, report, and say whether all went well.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let model = models::open(&arguments.model)?;
    if let Some(failure) = model.played_elsewhere() {
        return Err(failure);
    }
    let jobs = plan::plan(
        &arguments.inputs,
        arguments.output.as_deref(),
        arguments.spectrogram.as_deref(),
    )?;
    if jobs.is_empty() {
        return Err(Failure::new(
            "there are no sound files in there",
            "name files, or folders that hold some",
        ));
    }
    let (settings, runner) = (arguments.settings(&model)?, arguments.runner()?);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let workers = arguments.jobs.map_or(cores, usize::from).min(jobs.len());
    let bars = MultiProgress::new();
    let total = (jobs.len() > 1).then(|| bars.add(total_bar(jobs.len() as u64)));
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let bar = bars.insert_from_back(usize::from(total.is_some()), file_bar(job));
                    let result = guarded(job, &model, (&settings, &runner), arguments.force, &bar);
                    bar.finish_and_clear();
                    match result {
                        Ok(report) => bars.suspend(|| println!("{report}")),
                        Err(failure) => {
                            faults
                                .lock()
                                .unwrap_or_else(PoisonError::into_inner)
                                .push((&job.input, failure));
                        }
                    }
                    total.iter().for_each(|bar| bar.inc(1));
                }
            });
        }
    });
    total.iter().for_each(ProgressBar::finish_and_clear);
    let mut faults = faults.into_inner().unwrap_or_else(PoisonError::into_inner);
    faults.sort_by_key(|(input, _)| *input);
    for (_, failure) in &faults {
        eprintln!("{failure}");
    }
    if jobs.len() > 1 {
        println!(
            "{} of {} files cleaned",
            jobs.len() - faults.len(),
            jobs.len()
        );
    }
    Ok(if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One job; a decoder that panics on a broken file is that file's fault and not the end of the others.
fn guarded(
    job: &Job,
    model: &Loaded,
    how: (&Settings, &Runner),
    force: bool,
    bar: &ProgressBar,
) -> Result<report::Report> {
    panic::catch_unwind(AssertUnwindSafe(|| {
        one::render(job, model, how, force, bar)
    }))
    .unwrap_or_else(|_| {
        let what = format!("{} broke the program", job.input.display());
        Err(Failure::new(
            what,
            "this is a fault of Statewave; please report it with the file",
        ))
    })
}

fn file_bar(job: &Job) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg:24!} {bar:40.cyan/dim} {percent:>3} %  {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
    let name = job
        .input
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    ProgressBar::new(0)
        .with_style(style.progress_chars("━━╌"))
        .with_message(name)
}

fn total_bar(files: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:24!} {bar:40.green/dim} {pos}/{len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(files)
        .with_style(style.progress_chars("━━╌"))
        .with_message("all files")
}
