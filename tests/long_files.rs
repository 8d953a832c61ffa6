//! Promise: `statewave render` holds no recording in memory, whatever it writes: WAV, FLAC, what was taken away, pictures, on
//! the CPU and on a GPU.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use clap::Parser;
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use serde_json::json;
use statewave::model::file::{ModelFile, Tensor};

// The program itself, so that what it asks for is counted here.
#[allow(dead_code, unused_imports)]
#[path = "../src/bin/statewave/audio/mod.rs"]
mod audio;
#[path = "../src/bin/statewave/denoise.rs"]
mod denoise;
#[allow(dead_code)]
#[path = "../src/bin/statewave/drawing/mod.rs"]
mod drawing;
#[path = "../src/bin/statewave/failure.rs"]
mod failure;
#[allow(dead_code)]
#[path = "../src/bin/statewave/models.rs"]
mod models;
#[path = "../src/bin/statewave/render/mod.rs"]
mod render;
#[path = "../src/bin/statewave/spectrogram/mod.rs"]
mod spectrogram;
#[path = "../src/bin/statewave/streamed.rs"]
mod streamed;
#[path = "../src/bin/statewave/temporary.rs"]
mod temporary;
#[path = "../src/bin/statewave/tone.rs"]
mod tone;

/// Counts the bytes that are in use, and the most that were.
struct Count;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Count {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(
            NOW.fetch_add(layout.size(), Relaxed) + layout.size(),
            Relaxed,
        );
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNT: Count = Count;

const RATE: u32 = 96_000;
const CHANNELS: u16 = 2;
const SAMPLES: usize = 60 * RATE as usize;

/// What one copy of the recording in memory would take.
const COPY: usize = 4 * CHANNELS as usize * SAMPLES;

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    arguments: render::Arguments,
}

/// Renders in `folder`, and says how many bytes more than before were in use at the most.
fn most(folder: &Path, arguments: &[&str]) -> usize {
    let arguments = arguments
        .iter()
        .map(|text| match Path::new(text).extension() {
            Some(_) if !text.contains(' ') => folder.join(text).display().to_string(),
            _ => text.to_string(),
        });
    let program = Program::parse_from(["render".to_string()].into_iter().chain(arguments));
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let code = render::run(&program.arguments).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(code, ExitCode::SUCCESS);
    MOST.load(Relaxed) - before
}

/// A denoiser without layers at the recording's rate, with frames so short that a device's chunk is a second.
fn model() -> ModelFile {
    let tensor = |shape: &[usize]| Tensor {
        shape: shape.into(),
        data: vec![0.1; shape.iter().product()],
    };
    ModelFile {
        spec_json: json!({
            "format_version": 1, "name": "light", "task": "denoise", "sample_rate": RATE, "norm_eps": 1e-5,
            "front_end": { "hop": 48, "window": 64, "overlap": 16, "spread": 16 },
            "layers": [
                { "kind": "band_split", "bands": [[4, 8]], "width": 8, "compress": 0.3, "level_seconds": 1.0 },
                { "kind": "filter_head", "taps": 1, "tap_bins": 0 },
            ],
        }),
        tensors: BTreeMap::from([
            ("split.weight.0".into(), tensor(&[4, 8, 24])),
            ("split.bias.0".into(), tensor(&[4, 8])),
            ("norm_f.weight".into(), tensor(&[8])),
            ("head.weight.0".into(), tensor(&[4, 16, 8])),
            ("head.bias.0".into(), tensor(&[4, 16])),
        ]),
    }
}

fn recording(path: &Path) {
    let spec = WavSpec {
        channels: CHANNELS,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(path, spec).unwrap();
    let mut seed = 1u32;
    for _ in 0..SAMPLES * usize::from(CHANNELS) {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        writer.write_sample((seed >> 20) as i16 - 2048).unwrap();
    }
    writer.finalize().unwrap();
}

/// The adapter that there is, as `render` takes one that works on the CPU only by its name.
#[cfg(feature = "gpu")]
fn adapter() -> Option<String> {
    use statewave::engine::gpu::{Choice, Gpu};
    match Gpu::open(&Choice::any()) {
        Ok(gpu) => Some(gpu.name().to_string()),
        Err(error) => {
            eprintln!("skipped on a GPU: {error}");
            None
        }
    }
}

#[cfg(not(feature = "gpu"))]
fn adapter() -> Option<String> {
    None
}

#[test]
fn no_copy_of_a_recording_is_in_memory_whatever_is_written() {
    let folder = tempfile::tempdir().unwrap();
    recording(&folder.path().join("in.wav"));
    fs::write(folder.path().join("light.safetensors"), model().to_bytes()).unwrap();
    let render = |arguments: &[&str]| {
        let common = ["in.wav", "--model", "light.safetensors", "--force"];
        let most = most(folder.path(), &[&common, arguments].concat());
        eprintln!("{arguments:?}: {most} bytes, a copy has {COPY}");
        assert!(
            most < COPY,
            "{arguments:?}: {most} bytes, a copy has {COPY}"
        );
    };
    render(&["-o", "all.wav"]);
    let whole = WavReader::open(folder.path().join("all.wav")).unwrap();
    assert_eq!(whole.duration() as usize, SAMPLES);
    let all = [
        "-o",
        "removed.flac",
        "--removed",
        "--spectrogram",
        "removed.png",
    ];
    render(&all);
    if let Some(name) = adapter() {
        render(&[&all[..], &["--engine", "gpu", "--adapter", &name]].concat());
    }
}
