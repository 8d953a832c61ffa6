//! What is said of a cleaned file.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::plan::Job;
use crate::failure::{Failure, Result};

/// What is printed of a cleaned file.
pub struct Report {
    pub input: PathBuf,
    pub output: PathBuf,
    pub picture: Option<PathBuf>,
    /// Hz, and channels.
    pub shape: (u32, usize),
    pub seconds: f64,
    pub speed: f64,
    pub runner: String,
    pub latency_ms: f64,
    /// Of denoisers: what was taken away, if there is any to measure.
    pub noise_db: Option<Option<f64>>,
    /// What reading, cleaning and writing took, each on a thread of its own.
    pub time: [Duration; 3],
    pub notes: Vec<String>,
}

impl Report {
    /// Notes that samples were clipped, if any were.
    pub fn note_clipped(&mut self, clipped: usize) {
        if clipped > 0 {
            self.notes.push(format!(
                "{clipped} samples of the output were over full scale and clipped"
            ));
        }
    }
}

/// Fails if the output is not as long as the input.
pub fn check_length(job: &Job, input: usize, output: usize) -> Result<()> {
    if input == output {
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "{}: the output is not as long as the input",
            job.input.display()
        ),
        "this is a fault of Statewave; please report it with the file",
    ))
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
        let [read, cleaned, written] = self.time.map(|time| time.as_secs_f64());
        write!(
            f,
            "\n  time         read {read:.2} s, cleaned {cleaned:.2} s, written {written:.2} s, side by side"
        )?;
        if let Some(picture) = &self.picture {
            write!(f, "\n  picture      {}", picture.display())?;
        }
        for note in &self.notes {
            write!(f, "\n  note         {note}")?;
        }
        Ok(())
    }
}
