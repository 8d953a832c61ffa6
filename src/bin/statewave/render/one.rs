//! One file: read, clean, write, measure.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::ProgressBar;

use super::figures::noise_taken_db;
use super::plan::Job;
use crate::audio::{self, Audio};
use crate::denoise::{self, Runner, Settings};
use crate::failure::{Failure, Result};
use crate::models::Loaded;
use crate::spectrogram;

/// What is printed of a cleaned file.
pub struct Report {
    input: PathBuf,
    output: PathBuf,
    picture: Option<PathBuf>,
    shape: (u32, usize),
    seconds: f64,
    speed: f64,
    runner: String,
    latency_ms: f64,
    /// Of denoisers: what was taken away, if there is any to measure.
    noise_db: Option<Option<f64>>,
    notes: Vec<String>,
}

/// Do one job. Nothing is written unless all of it succeeds.
pub fn render(
    job: &Job,
    model: &Loaded,
    (settings, runner): (&Settings, &Runner),
    force: bool,
    bar: &ProgressBar,
) -> Result<Report> {
    for path in [Some(&job.output), job.picture.as_ref()]
        .into_iter()
        .flatten()
    {
        audio::refuse_to_overwrite(path, force)?;
    }
    let input = audio::read(&job.input)?;
    bar.set_length(input.len() as u64);
    let start = Instant::now();
    let cleaned = denoise::clean(
        model,
        input.channels.clone(),
        input.rate,
        settings,
        runner,
        &mut |n| bar.inc(n as u64),
    )?;
    let elapsed = start.elapsed().as_secs_f64();
    if cleaned
        .channels
        .iter()
        .any(|channel| channel.len() != input.len())
    {
        return Err(Failure::new(
            format!(
                "{}: the output is not as long as the input",
                job.input.display()
            ),
            "this is a fault of Statewave; please report it with the file",
        ));
    }
    let output = Audio {
        channels: cleaned.channels,
        rate: input.rate,
        depth: input.depth,
        notes: Vec::new(),
    };
    for path in [Some(&job.output), job.picture.as_ref()]
        .into_iter()
        .flatten()
    {
        make_parent(path)?;
    }
    let clipped = audio::write(&job.output, &output, force)?;
    let kept = if settings.removed {
        difference(&input.channels, &output.channels)
    } else {
        output.channels
    };
    if let Some(path) = &job.picture {
        spectrogram::write(path, &input.channels, &kept, input.rate, force)?;
    }
    let mut notes = input.notes.clone();
    if clipped > 0 {
        notes.push(format!(
            "{clipped} samples of the output were over full scale and clipped"
        ));
    }
    Ok(Report {
        input: job.input.clone(),
        output: job.output.clone(),
        picture: job.picture.clone(),
        shape: (input.rate, input.channels.len()),
        seconds: input.seconds(),
        speed: input.seconds() / elapsed.max(1e-9),
        runner: runner.name(),
        latency_ms: cleaned.latency.total_ms(),
        noise_db: model
            .effect()?
            .is_none()
            .then(|| noise_taken_db(&input.channels, &kept, input.rate)),
        notes,
    })
}

fn make_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::create_dir_all(folder).map_err(|e| Failure::io("make the folder", folder, &e))
        }
        _ => Ok(()),
    }
}

/// Input less what was taken away is what was kept.
fn difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> Vec<Vec<f32>> {
    a.iter()
        .zip(b)
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect())
        .collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (rate, channels) = self.shape;
        writeln!(f, "{} → {}", self.input.display(), self.output.display())?;
        let plural = if channels == 1 { "" } else { "s" };
        writeln!(
            f,
            "  audio        {:.2} s, {rate} Hz, {channels} channel{plural}",
            self.seconds
        )?;
        writeln!(
            f,
            "  speed        {:.1} × real time on {}",
            self.speed, self.runner
        )?;
        write!(f, "  latency      {:.1} ms when live", self.latency_ms)?;
        match self.noise_db {
            Some(Some(db)) => write!(f, "\n  noise taken  {db:.1} dB")?,
            Some(None) => write!(f, "\n  noise taken  none to measure")?,
            None => {}
        }
        if let Some(picture) = &self.picture {
            write!(f, "\n  picture      {}", picture.display())?;
        }
        for note in &self.notes {
            write!(f, "\n  note         {note}")?;
        }
        Ok(())
    }
}
