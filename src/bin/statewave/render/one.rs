//! One file: read, cleaned, written and measured at the same time, in pieces, so that memory does not grow with it.

use std::array;
use std::fs;
use std::path::Path;
use std::time::Instant;

use indicatif::ProgressBar;
use statewave::model::spec::Task;

use super::passing::{self, Measured, Wanted};
use super::plan::Job;
use super::report::{self, Report};
use crate::audio::{self, FileOut, Reader};
use crate::denoise::{Cleaner, Runner, Settings};
use crate::drawing;
use crate::failure::{Failure, Result};
use crate::models::Loaded;
use crate::spectrogram;
use crate::streamed;
use crate::temporary::Temporary;

/// Do one job. Nothing is written unless all of it succeeds.
pub fn render(
    job: &Job,
    model: &Loaded,
    (settings, runner): (&Settings, &Runner),
    force: bool,
    bar: &ProgressBar,
) -> Result<Report> {
    let paths = || {
        [Some(&job.output), job.picture.as_ref()]
            .into_iter()
            .flatten()
    };
    for path in paths() {
        audio::refuse_to_overwrite(path, force)?;
    }
    let input = Reader::open(&job.input)?;
    let (rate, channels) = (input.rate(), input.channels());
    // How much sound a column shows follows from the length, and only reading says it for sure.
    let length = job.picture.as_ref().map(|_| audio::length(&job.input));
    let length = length.transpose()?;
    bar.set_length(input.claimed().unwrap_or(0));
    let start = Instant::now();
    let mut cleaner = Cleaner::new(model, (rate, channels), settings, runner)?;
    for path in paths() {
        make_parent(path)?;
    }
    let (temporary, out) = Temporary::beside(&job.output)?;
    let out = FileOut::new(&job.output, out, channels, rate, input.depth())?;
    let wanted = Wanted {
        noise: model.task() != Some(Task::Effect),
        levels: length
            .map(|samples| array::from_fn(|_| spectrogram::analysis((rate, channels), samples))),
        removed: settings.removed,
    };
    let (mut incoming, mut outgoing) = passing::ends(wanted, rate);
    let (streamed, out) = streamed::clean(
        input,
        out,
        |tape| cleaner.run(tape),
        |piece| incoming.hear(piece),
        |piece| {
            outgoing.hear(piece);
            bar.inc(piece[0].len() as u64);
        },
    )?;
    let output = temporary.close(out)?;
    let elapsed = start.elapsed().as_secs_f64();
    let measured = Measured::new(incoming, outgoing);
    let [read, written] = measured.samples;
    report::check_length(job, read, written)?;
    let picture = job.picture.as_ref().zip(measured.levels.as_ref());
    let picture =
        picture.map(|(path, levels)| drawing::closed(path, &spectrogram::draw(levels, rate, read)));
    let picture = picture.transpose()?;
    output.keep(force)?;
    if let Some(picture) = picture {
        picture.keep(force)?;
    }
    let seconds = read as f64 / f64::from(rate);
    let mut report = Report {
        input: job.input.clone(),
        output: job.output.clone(),
        picture: job.picture.clone(),
        shape: (rate, channels),
        seconds,
        speed: seconds / elapsed.max(1e-9),
        runner: runner.name(),
        latency_ms: cleaner.latency().total_ms(),
        noise_db: measured.noise_db,
        time: [streamed.decode, streamed.engine, streamed.encode],
        notes: streamed.notes,
    };
    report.note_clipped(streamed.clipped);
    Ok(report)
}

/// Makes the folder that a file is to be in.
fn make_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            fs::create_dir_all(folder).map_err(|e| Failure::io("make the folder", folder, &e))
        }
        _ => Ok(()),
    }
}
