//! The program in a folder of its own, with recordings to give it.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use tempfile::TempDir;

/// A folder of its own for each test.
pub struct Bench {
    pub folder: TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Run the program in the folder.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_statewave"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("STATEWAVE_MODELS")
            .env("HOME", self.folder.path());
        command.output().unwrap()
    }

    /// Run `render` with the shipped model.
    pub fn render(&self, arguments: &[&str]) -> Output {
        let mut all = vec!["render"];
        all.extend(arguments);
        self.run(&all)
    }

    /// A file of quiet noise.
    pub fn wav(&self, name: &str, rate: u32, channels: u16, bits: u16, frames: usize) -> PathBuf {
        let sample_format = if bits == 32 {
            SampleFormat::Float
        } else {
            SampleFormat::Int
        };
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let spec = WavSpec {
            channels,
            sample_rate: rate,
            bits_per_sample: bits,
            sample_format,
        };
        let mut writer = WavWriter::create(&path, spec).unwrap();
        let mut seed = 1u32;
        for _ in 0..frames * usize::from(channels) {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let x = (seed >> 8) as f32 / (1 << 24) as f32 * 0.2 - 0.1;
            match sample_format {
                SampleFormat::Float => writer.write_sample(x).unwrap(),
                SampleFormat::Int => writer
                    .write_sample((x * (1u32 << (bits - 1)) as f32) as i32)
                    .unwrap(),
            }
        }
        writer.finalize().unwrap();
        path
    }

    /// Names in a folder, sorted.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Code, and both outputs for the message of a failed test.
pub fn code(output: &Output) -> i32 {
    eprintln!("{}{}", text(&output.stdout), text(&output.stderr));
    output.status.code().unwrap()
}

pub fn shape(path: &Path) -> (WavSpec, u32) {
    let reader = WavReader::open(path).unwrap();
    (reader.spec(), reader.duration())
}
