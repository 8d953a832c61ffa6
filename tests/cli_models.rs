//! Promise: `statewave bench` and `inspect` say what models and effects are and cost, and `render` plays them on a GPU and with
//! their knobs, or says what to do.

mod cli_common;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::process::Command;

use cli_common::{Bench, code, shape, text};
use hound::WavReader;
use statewave::model::file::ModelFile;

/// A peer that copies: on the path it is found by its name, elsewhere it is named.
#[cfg(unix)]
#[test]
fn bench_times_the_model_and_its_peers() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let peer = bench.path("nnnoiseless");
    fs::write(&peer, "#!/bin/sh\ncp \"$1\" \"$2\"\n").unwrap();
    fs::set_permissions(&peer, fs::Permissions::from_mode(0o755)).unwrap();
    let system = std::env::var("PATH").unwrap();
    let path = format!("{}:{system}", bench.folder.path().display());
    let command = format!("{} {{in}} {{out}}", peer.display());
    let named = ["--peer", command.as_str()];
    for (path, arguments) in [(&path, &[][..]), (&system, &named[..])] {
        let output = Command::new(env!("CARGO_BIN_EXE_statewave"))
            .args([&["bench", "--seconds", "1"][..], arguments].concat())
            .env("PATH", path)
            .env("HOME", bench.folder.path())
            .output()
            .unwrap();
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        for line in [
            "one hop ",
            "real-time factor ",
            "share of floor ",
            "peer             nnnoiseless: ",
        ] {
            assert!(
                text(&output.stdout).contains(line),
                "{line}: {}",
                text(&output.stdout)
            );
        }
    }
    let output = bench.run(&["bench", "--seconds", "1", "--peer", "no-such-program {in}"]);
    assert_eq!(code(&output), 1);
    assert!(
        text(&output.stderr).contains("help: "),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn inspect_prints_what_other_programs_read() {
    let bench = Bench::new();
    let spec_json = serde_json::json!({
        "format_version": 1,
        "sample_rate": 48_000,
        "front_end": { "hop": 320, "window": 1280, "overlap": 128, "spread": 32 },
    });
    fs::write(
        bench.path("m.safetensors"),
        ModelFile {
            spec_json,
            tensors: Default::default(),
        }
        .to_bytes(),
    )
    .unwrap();
    let output = bench.run(&["inspect", "m.safetensors", "--json"]);
    assert_eq!(code(&output), 0);
    let facts: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(facts["latency_ms"], 10.0);
    assert_eq!(facts["sha256"].as_str().unwrap().len(), 64);
}

fn assert_same_sound(bench: &Bench, one: &str, other: &str) {
    let samples = |name: &str| -> Vec<f32> {
        let mut reader = WavReader::open(bench.path(name)).unwrap();
        reader.samples().map(Result::unwrap).collect()
    };
    let (one, other) = (samples(one), samples(other));
    assert_eq!(one.len(), other.len());
    assert!(one.iter().any(|x| x.abs() > 1e-3), "there is sound");
    let pairs = one.iter().zip(&other);
    let worst = pairs.fold(0.0f32, |w, (a, b)| w.max((a - b).abs()));
    assert!(worst < 1e-5, "a sample is off by {worst}");
}

fn pixels(path: &Path) -> Vec<u8> {
    let file = BufReader::new(File::open(path).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    pixels
}

#[test]
fn a_gpu_gives_the_same_sound_or_says_what_to_do() {
    let bench = Bench::new();
    bench.wav("in.wav", 44_100, 2, 32, 30_000);
    assert!(bench.render(&["in.wav", "-o", "cpu.wav"]).status.success());
    let mut engine = vec!["--engine", "gpu"];
    let on_gpu = ["in.wav", "-o", "gpu.wav"];
    let mut out = bench.render(&[&on_gpu[..], &engine].concat());
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    if !out.status.success() {
        assert!(said.contains("--engine cpu"), "{said}");
        // One that works on the CPU is taken only by its name.
        let only = said.split("no GPU was found, only ").nth(1);
        let Some((name, _)) = only.and_then(|rest| rest.split_once(", which works on the CPU"))
        else {
            assert!(said.contains("no GPU adapter was found"), "{said}");
            return;
        };
        engine.extend(["--adapter", name]);
        out = bench.render(&[&on_gpu[..], &engine].concat());
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(told.contains("on GPU, "), "{told}");
    assert_same_sound(&bench, "cpu.wav", "gpu.wav");

    // What was taken away, measured and drawn as it passes.
    let told = |name: &str, engine: &[&str]| {
        let (sound, picture) = (format!("{name}.wav"), format!("{name}.png"));
        let removed = [
            "in.wav",
            "--removed",
            "-o",
            &sound,
            "--spectrogram",
            &picture,
        ];
        let out = bench.render(&[&removed[..], engine].concat());
        assert_eq!(code(&out), 0);
        let told = text(&out.stdout);
        let noise = told.lines().find(|line| line.contains("noise taken"));
        noise.unwrap().to_string()
    };
    assert_eq!(told("removed-cpu", &[]), told("removed-gpu", &engine));
    assert_same_sound(&bench, "removed-cpu.wav", "removed-gpu.wav");
    let [cpu, gpu] = ["removed-cpu.png", "removed-gpu.png"].map(|name| pixels(&bench.path(name)));
    let off = cpu
        .iter()
        .zip(&gpu)
        .filter(|(a, b)| a.abs_diff(**b) > 8)
        .count();
    assert!(
        cpu.len() == gpu.len() && off < cpu.len() / 1000,
        "{off} of {}",
        cpu.len()
    );

    let out = bench.render(&[
        "in.wav",
        "-o",
        "x.wav",
        "--engine",
        "gpu",
        "--adapter",
        "no such card",
    ]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        !out.status.success() && said.contains("`no such card`; there are: "),
        "{said}"
    );
    assert!(!bench.path("x.wav").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn without_any_adapter_the_program_says_what_to_install() {
    let bench = Bench::new();
    bench.wav("in.wav", 48_000, 1, 16, 4_800);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_statewave"));
        // What Vulkan's loader looks for drivers by: none is there.
        for variable in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
            command.env(variable, bench.path("no driver.json"));
        }
        let command = command.args(arguments).current_dir(bench.folder.path());
        command.env("HOME", bench.folder.path()).output().unwrap()
    };
    let doctor = run(&["doctor"]);
    let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(told.contains("GPU adapters     none"), "{told}");
    assert!(told.contains("install a Vulkan driver"), "{told}");
    let out = run(&["render", "in.wav", "--engine", "gpu"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        !out.status.success() && said.contains("no GPU adapter was found"),
        "{said}"
    );
    assert!(said.contains("--engine cpu"), "{said}");
    assert!(run(&["render", "in.wav"]).status.success());
}

#[test]
fn inspect_says_how_an_effect_is_played_at_each_rate() {
    let bench = Bench::new();
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/models/tasks/rc-tanh.safetensors"
    );
    let out = bench.run(&["inspect", model]);
    assert!(out.status.success());
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(
        said.contains("Δ scaled by 0.5000, no resampler: 0 samples"),
        "{said}"
    );
}

#[test]
fn an_effect_is_played_with_its_knobs_and_says_what_it_does_not_have() {
    let bench = Bench::new();
    bench.wav("in.wav", 44_100, 2, 16, 8_820);
    bench.wav("cabinet.wav", 48_000, 1, 24, 480);
    let effect = |output: &str, more: &[&str]| {
        let mut all = vec!["render", "in.wav", "-o", output, "--model", "tone-drive"];
        all.extend(more);
        bench.run(&all)
    };
    let out = effect("low.wav", &["--knob", "drive=0"]);
    assert_eq!(code(&out), 0);
    let said = text(&out.stdout);
    assert!(
        said.contains("latency      0.0 ms when live") && !said.contains("noise"),
        "{said}"
    );
    assert_eq!(shape(&bench.path("low.wav")), shape(&bench.path("in.wav")));
    let all = [
        "--knob",
        "Drive=1",
        "--input-gain",
        "6",
        "--gate",
        "-60",
        "--cabinet",
        "cabinet.wav",
    ];
    assert_eq!(code(&effect("high.wav", &all)), 0);
    let bytes = |name: &str| fs::read(bench.path(name)).unwrap();
    assert_ne!(bytes("low.wav"), bytes("high.wav"));
    for (more, what) in [
        (&["--knob", "bass=1"][..], "its knobs: drive, tone"),
        (&["--knob", "drive=2"], "from 0 to 1"),
        (&["--cabinet", "none.wav"], "none.wav"),
    ] {
        let out = effect("bad.wav", more);
        assert_eq!(code(&out), 1);
        assert!(text(&out.stderr).contains(what), "{}", text(&out.stderr));
        assert!(!bench.path("bad.wav").exists());
    }
    assert_eq!(code(&effect("bad.wav", &["--knob", "drive"])), 2);
    let out = bench.render(&["in.wav", "--gate", "-60"]);
    assert_eq!(code(&out), 1);
    assert!(text(&out.stderr).contains("is no effect"));
}

#[test]
fn instruments_and_what_goes_on_are_inspected_measured_and_played_by_commands_of_their_own() {
    let bench = Bench::new();
    bench.wav("in.wav", 48_000, 1, 16, 4_800);
    let out = bench.run(&["inspect", "ensemble"]);
    assert_eq!(code(&out), 0, "{}", text(&out.stderr));
    assert!(text(&out.stdout).contains("cello"), "{}", text(&out.stdout));
    for (model, command, measured) in [
        ("ensemble", "statewave play", "32 voices"),
        ("continue-drums", "statewave continue", "stereo "),
    ] {
        let out = bench.run(&["render", "in.wav", "-o", "x.wav", "--model", model]);
        assert_eq!(code(&out), 1);
        assert!(text(&out.stderr).contains(command), "{}", text(&out.stderr));
        assert!(!bench.path("x.wav").exists());
        let out = bench.run(&["bench", model, "--seconds", "1"]);
        assert_eq!(code(&out), 0, "{}", text(&out.stderr));
        assert!(
            text(&out.stdout).contains(measured),
            "{}",
            text(&out.stdout)
        );
    }
    let out = bench.run(&["inspect", "no-such-model"]);
    assert!(
        text(&out.stderr).contains("ensemble"),
        "{}",
        text(&out.stderr)
    );
}

#[test]
fn doctor_looks_at_every_model_and_names_the_folder_of_ones_own() {
    let bench = Bench::new();
    let out = bench.run(&["doctor"]);
    let said = text(&out.stdout);
    let folder = said.lines().find(|line| line.starts_with("your models "));
    assert!(folder.is_some_and(|line| line.contains("models")), "{said}");
    for model in ["denoise-live", "tone-drive", "continue-drums", "ensemble"] {
        assert!(
            said.contains(&format!("{model} (compiled in): sound")),
            "{said}"
        );
    }
}
