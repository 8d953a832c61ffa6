//! Promise: `statewave continue` writes the recording and then what the model makes of it, the same for the same seed, and
//! says what is wrong with bad requests.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/golden/generate.safetensors"
);
const RATE: u32 = 44_100;

/// Half a second of noise in 16 bits, two channels, the right one at half the level.
fn recording(folder: &Path) -> PathBuf {
    let path = folder.join("in.wav");
    let spec = WavSpec {
        channels: 2,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(&path, spec).unwrap();
    let mut seed = 1u32;
    for _ in 0..RATE / 2 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let x = (seed >> 18) as i16 - 8192;
        writer.write_sample(x).unwrap();
        writer.write_sample(x / 2).unwrap();
    }
    writer.finalize().unwrap();
    path
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_statewave"))
        .args(["continue", "in.wav"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Samples of a file written with the small model.
fn made(folder: &Path, name: &str, arguments: &[&str]) -> Vec<i16> {
    let mut all = vec!["-o", name, "--model", MODEL, "--seconds", "0.25"];
    all.extend(arguments);
    let output = run(folder, &all);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("taken back 0 times"), "{told}");
    let mut reader = WavReader::open(folder.join(name)).unwrap();
    assert_eq!(
        (reader.spec().sample_rate, reader.spec().channels),
        (RATE, 2)
    );
    reader.samples().map(|x| x.unwrap()).collect()
}

#[test]
fn the_recording_comes_first_and_the_seed_says_what_follows() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let heard: Vec<i16> = WavReader::open(recording(folder))
        .unwrap()
        .samples()
        .map(|x| x.unwrap())
        .collect();
    let first = made(folder, "a.wav", &["--seed", "3"]);
    assert_eq!(first.len(), heard.len() + 2 * (RATE as usize / 4));
    assert_eq!(first[..heard.len()], heard);
    assert_eq!(first, made(folder, "b.wav", &["--seed", "3"]));
    assert_ne!(first, made(folder, "c.wav", &["--seed", "4"]));
    assert_ne!(
        first,
        made(folder, "d.wav", &["--seed", "3", "--density", "0.9"])
    );
    let primed = made(folder, "e.wav", &["--prime", "0.1"]);
    let kept = 2 * (RATE as usize / 10);
    assert_eq!(primed.len(), kept + 2 * (RATE as usize / 4));
    assert_eq!(primed[..kept], heard[heard.len() - kept..]);
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recording(folder);
    let fails = |arguments: &[&str], code: i32, what: &str| {
        let output = run(folder, arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(what), "{told}");
    };
    fails(&["-o", "in.wav", "--model", MODEL], 1, "exists already");
    fails(&["-o", "out.ogg", "--model", MODEL], 1, ".wav and .flac");
    fails(&["-o", "out.wav", "--model", "denoise-live"], 1, "Continue");
    fails(&["-o", "out.wav", "--model", "no-such"], 1, "no model");
    fails(&["-o", "out.wav", "--temperature", "3"], 2, "0 to 2");
    fails(&["-o", "out.wav", "--seconds", "0"], 2, "above 0");
}
