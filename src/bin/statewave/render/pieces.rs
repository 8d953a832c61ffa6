//! One file on a GPU: read, cleaned, written and measured at the same time, in pieces.

use std::sync::Arc;
use std::time::Instant;

use indicatif::ProgressBar;
use statewave::engine::gpu::Gpu;
use statewave::engine::gpu::whole::{self, Whole};

use super::figures::{Energies, noise_taken_db};
use super::one::make_parent;
use super::plan::Job;
use super::report::{self, Report};
use crate::audio::{Container, Reader, WavOut};
use crate::denoise::{Runner, Settings};
use crate::failure::Result;
use crate::models::Loaded;
use crate::streamed;
use crate::temporary::Temporary;

/// Whether nothing that is asked for takes the whole recording at once, as pictures and FLAC do.
pub fn will_do(job: &Job, model: &Loaded, settings: &Settings) -> Result<bool> {
    let is_wav = Container::of(&job.output)? == Container::Wav;
    // What was kept of a recording of which the rest is written is measured by both at once.
    let apart = job.picture.is_some() || settings.removed;
    Ok(is_wav && !apart && model.effect()?.is_none())
}

/// Does the job. Nothing is written unless all of it succeeds.
pub fn render(
    job: &Job,
    model: &Loaded,
    (settings, gpu, runner): (&Settings, &Arc<Gpu>, &Runner),
    force: bool,
    bar: &ProgressBar,
) -> Result<Report> {
    let input = Reader::open(&job.input)?;
    let (rate, channels) = (input.rate(), input.channels());
    bar.set_length(input.claimed().unwrap_or(0));
    let start = Instant::now();
    let kind = whole::Settings::new(rate, channels, &settings.controls());
    let mut whole = Whole::new(gpu, &model.model()?, kind)?;
    make_parent(&job.output)?;
    let (temporary, out) = Temporary::beside(&job.output)?;
    let out = WavOut::new(&job.output, out, channels, rate, input.depth())?;
    let (mut before, mut after) = (Energies::new(rate), Energies::new(rate));
    let (mut read, mut written) = (0, 0);
    let (streamed, out) = streamed::clean(
        input,
        out,
        &mut whole,
        |piece| {
            before.add(piece);
            read += piece[0].len();
        },
        |piece| {
            after.add(piece);
            written += piece[0].len();
            bar.inc(piece[0].len() as u64);
        },
    )?;
    let elapsed = start.elapsed().as_secs_f64();
    report::check_length(job, read, written)?;
    temporary.keep(out, force)?;
    let seconds = read as f64 / f64::from(rate);
    let mut report = Report {
        input: job.input.clone(),
        output: job.output.clone(),
        picture: None,
        shape: (rate, channels),
        seconds,
        speed: seconds / elapsed.max(1e-9),
        runner: runner.name(),
        latency_ms: whole.latency().total_ms(),
        noise_db: Some(noise_taken_db(&before, &after)),
        time: Some(format!(
            "read {:.2} s, GPU {:.2} s, written {:.2} s, side by side",
            streamed.decode.as_secs_f64(),
            streamed.stages.engine().as_secs_f64(),
            streamed.encode.as_secs_f64()
        )),
        notes: streamed.notes,
    };
    report.note_clipped(streamed.clipped);
    Ok(report)
}
