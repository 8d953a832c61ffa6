//! Other programs timed on the same sound.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::audio::{self, Audio};
use crate::failure::{Failure, Result};

/// Length of the sound on which a program's start is timed.
const START_SECONDS: f64 = 0.1;

/// Denoisers that are timed where they are installed, with the words that each takes.
const KNOWN: [&str; 2] = [
    "nnnoiseless {in} {out}",
    "deep-filter --output-dir {folder} {in}",
];

/// A program with its arguments, in which `{in}` and `{out}` stand for the files, and `{folder}` for one to write to.
#[derive(Debug, Clone)]
pub struct Peer {
    words: Vec<String>,
}

impl Peer {
    /// Words are apart by spaces; quotes of either kind hold one together.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let (mut words, mut quote) = (vec![String::new()], None);
        for c in text.chars() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                (None, ' ') => words.push(String::new()),
                _ => words.last_mut().expect("never empty").push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        if quote.is_some() {
            return Err("a quote is not closed".into());
        }
        if words.len() < 2 || !words.iter().any(|word| word.contains("{in}")) {
            return Err(
                "name a program and where its input goes, as in \"program {in} {out}\"".into(),
            );
        }
        Ok(Self { words })
    }

    /// Those of [`KNOWN`] that are on the path.
    pub fn installed() -> Vec<Self> {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let there = |peer: &Self| {
            let file = format!("{}{}", peer.words[0], std::env::consts::EXE_SUFFIX);
            std::env::split_paths(&folders).any(|folder| folder.join(&file).is_file())
        };
        let known = KNOWN.map(|words| Self::parse(words).expect("words that make a command"));
        known.into_iter().filter(there).collect()
    }

    /// The program's name.
    pub fn name(&self) -> String {
        let name = Path::new(&self.words[0]).file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Run it on both files.
    pub fn time(&self, files: &Files) -> Result<Times> {
        Ok(Times {
            whole: self.seconds(files, "whole.wav")?,
            start: self.seconds(files, "start.wav")?,
        })
    }

    /// Seconds it takes for a file.
    fn seconds(&self, files: &Files, input: &str) -> Result<f64> {
        let [input, output, folder] =
            [input, "out.wav", OUTPUTS].map(|n| files.folder.join(n).display().to_string());
        let mut words = self.words.iter().map(|word| {
            word.replace("{in}", &input)
                .replace("{out}", &output)
                .replace("{folder}", &folder)
        });
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).stdin(Stdio::null());
        let start = Instant::now();
        let done = command.output();
        let seconds = start.elapsed().as_secs_f64();
        let failed = |why: String| {
            let what = format!("the peer {} failed: {why}", self.name());
            Failure::new(what, "run it by hand on a WAV file to see what it needs")
        };
        let done = done.map_err(|e| failed(e.to_string()))?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr);
            let last = said.trim_end().lines().last().unwrap_or_default();
            let why = format!("{} {last}", done.status);
            return Err(failed(why.trim_end().into()));
        }
        Ok(seconds)
    }
}

/// Seconds that a peer took.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    whole: f64,
    start: f64,
}

impl Times {
    /// Of no run yet.
    pub const NONE: Self = Self {
        whole: f64::INFINITY,
        start: f64::INFINITY,
    };

    /// The shorter of each: the longer was disturbed.
    pub fn keep_best(&mut self, other: Self) {
        self.whole = self.whole.min(other.whole);
        self.start = self.start.min(other.start);
    }

    /// What the sound alone took, of `seconds` of it.
    pub fn without_start(self, seconds: f64) -> f64 {
        (self.whole - self.start).max(0.0) * seconds / (seconds - START_SECONDS)
    }
}

/// Within [`Files`], the folder that peers write to which choose their outputs' names.
const OUTPUTS: &str = "outputs";

/// A folder with the sound and its beginning, removed when done with.
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// Write both files.
    pub fn new(sound: &Audio) -> Result<Self> {
        let name = format!("statewave-bench-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        for folder in [&folder, &folder.join(OUTPUTS)] {
            fs::create_dir(folder).map_err(|e| Failure::io("make the folder", folder, &e))?;
        }
        let files = Self { folder };
        let start_len = (START_SECONDS * f64::from(sound.rate)) as usize;
        let start = Audio {
            channels: vec![sound.channels[0][..start_len].to_vec()],
            rate: sound.rate,
            depth: sound.depth,
        };
        audio::write(&files.folder.join("whole.wav"), sound, false)?;
        audio::write(&files.folder.join("start.wav"), &start, false)?;
        Ok(files)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // A temporary folder that stays is no fault worth a word.
        let _ = fs::remove_dir_all(&self.folder);
    }
}
