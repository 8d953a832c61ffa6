//! One file: read, clean, write, measure.

use std::fs;
use std::path::Path;
use std::time::Instant;

use indicatif::ProgressBar;

use super::figures::{Energies, noise_taken_db};
#[cfg(feature = "gpu")]
use super::pieces;
use super::plan::Job;
use super::report::{self, Report};
use crate::audio::{self, Audio};
use crate::denoise::{self, Runner, Settings};
use crate::failure::{Failure, Result};
use crate::models::Loaded;
use crate::spectrogram;

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
    #[cfg(feature = "gpu")]
    if let Runner::Gpu(gpu) = runner
        && pieces::will_do(job, model, settings)?
    {
        return pieces::render(job, model, (settings, gpu, runner), force, bar);
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
    for channel in &cleaned.channels {
        report::check_length(job, input.len(), channel.len())?;
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
    let noise = || {
        let energies = |channels| Energies::of(channels, input.rate);
        noise_taken_db(&energies(&input.channels), &energies(&kept))
    };
    let mut report = Report {
        input: job.input.clone(),
        output: job.output.clone(),
        picture: job.picture.clone(),
        shape: (input.rate, input.channels.len()),
        seconds: input.seconds(),
        speed: input.seconds() / elapsed.max(1e-9),
        runner: runner.name(),
        latency_ms: cleaned.latency.total_ms(),
        noise_db: model.effect()?.is_none().then(noise),
        time: None,
        notes: input.notes.clone(),
    };
    report.note_clipped(clipped);
    Ok(report)
}

/// Makes the folder that a file is to be in.
pub(super) fn make_parent(path: &Path) -> Result<()> {
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
