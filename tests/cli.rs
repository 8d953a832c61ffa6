//! Promise: `statewave render` keeps length, rate and depth, on odd files too, and says what is wrong with bad ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};
use statewave::model::file::ModelFile;
use tempfile::TempDir;

/// A folder of its own for each test.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Run the program in the folder.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_statewave"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("STATEWAVE_MODELS")
            .env("HOME", self.folder.path());
        command.output().unwrap()
    }

    /// Run `render` with the shipped model.
    fn render(&self, arguments: &[&str]) -> Output {
        let mut all = vec!["render"];
        all.extend(arguments);
        all.extend(self.model());
        self.run(&all)
    }

    /// Until a model is shipped, an empty one, which the program without an engine takes.
    fn model(&self) -> Vec<&'static str> {
        if Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/assets/models/denoise-live.safetensors"
        ))
        .exists()
        {
            return Vec::new();
        }
        let spec_json = serde_json::json!({ "format_version": 1, "task": "denoise" });
        fs::write(
            self.path("empty.safetensors"),
            ModelFile {
                spec_json,
                tensors: Default::default(),
            }
            .to_bytes(),
        )
        .unwrap();
        vec!["--model", "empty.safetensors"]
    }

    /// A file of quiet noise.
    fn wav(&self, name: &str, rate: u32, channels: u16, bits: u16, frames: usize) -> PathBuf {
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
    fn names(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Code, and both outputs for the message of a failed test.
fn code(output: &Output) -> i32 {
    eprintln!("{}{}", text(&output.stdout), text(&output.stderr));
    output.status.code().unwrap()
}

fn shape(path: &Path) -> (WavSpec, u32) {
    let reader = WavReader::open(path).unwrap();
    (reader.spec(), reader.duration())
}

#[test]
fn length_rate_channels_and_depth_are_kept() {
    let bench = Bench::new();
    for (rate, channels, bits, frames) in [
        (48_000, 1, 16, 4801),
        (44_100, 2, 24, 10_007),
        (8_000, 1, 8, 1234),
        (192_000, 2, 32, 20_011),
        (96_000, 8, 16, 3000),
        (16_000, 3, 32, 999),
    ] {
        bench.wav("in.wav", rate, channels, bits, frames);
        let output = bench.render(&["in.wav", "-o", "out.wav", "--force"]);
        assert_eq!(
            code(&output),
            0,
            "{rate} Hz, {channels} channels, {bits} bits"
        );
        assert_eq!(shape(&bench.path("out.wav")), shape(&bench.path("in.wav")));
    }
}

#[test]
fn the_shortest_recordings_go_through() {
    let bench = Bench::new();
    for frames in [0, 1, 2] {
        bench.wav("in.wav", 48_000, 1, 16, frames);
        assert_eq!(
            code(&bench.render(&["in.wav", "-o", "out.wav", "--force"])),
            0,
            "{frames} samples"
        );
        assert_eq!(shape(&bench.path("out.wav")).1, frames as u32);
    }
}

#[test]
fn flac_out_and_in_again_keeps_the_shape() {
    let bench = Bench::new();
    bench.wav("in.wav", 44_100, 2, 24, 9_999);
    assert_eq!(code(&bench.render(&["in.wav", "-o", "middle.flac"])), 0);
    assert_eq!(&fs::read(bench.path("middle.flac")).unwrap()[..4], b"fLaC");
    assert_eq!(code(&bench.render(&["middle.flac", "-o", "out.wav"])), 0);
    assert_eq!(shape(&bench.path("out.wav")), shape(&bench.path("in.wav")));
}

#[test]
fn what_flac_cannot_hold_is_said() {
    let bench = Bench::new();
    bench.wav("fast.wav", 192_000, 1, 16, 100);
    bench.wav("many.wav", 48_000, 9, 16, 100);
    for name in ["fast.wav", "many.wav"] {
        let output = bench.render(&[name, "-o", "out.flac"]);
        assert_eq!(code(&output), 1);
        assert!(text(&output.stderr).contains("help: end the output's name in .wav"));
    }
    assert!(!bench.path("out.flac").exists());
}

#[test]
fn names_of_all_scripts_work() {
    let bench = Bench::new();
    let name = "日本語 – Grüße 🎙.wav";
    bench.wav(name, 48_000, 1, 16, 480);
    assert_eq!(code(&bench.render(&[name])), 0);
    assert!(bench.path("日本語 – Grüße 🎙-clean.wav").exists());
}

#[test]
fn nothing_is_overwritten_unless_told() {
    let bench = Bench::new();
    bench.wav("in.wav", 48_000, 1, 16, 480);
    fs::write(bench.path("out.wav"), "mine").unwrap();
    let output = bench.render(&["in.wav", "-o", "out.wav"]);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("--force"));
    assert_eq!(fs::read(bench.path("out.wav")).unwrap(), b"mine");
    assert_eq!(
        code(&bench.render(&["in.wav", "-o", "out.wav", "--force"])),
        0
    );
    assert_eq!(shape(&bench.path("out.wav")).1, 480);
}

#[test]
fn a_missing_or_empty_file_is_said_with_its_remedy() {
    let bench = Bench::new();
    let output = bench.render(&["missing.wav", "-o", "out.wav"]);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("error: cannot open missing.wav"));
    assert!(text(&output.stderr).contains("help: check the spelling"));
    fs::write(bench.path("empty.wav"), "").unwrap();
    let output = bench.render(&["empty.wav", "-o", "out.wav"]);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("is empty"));
    assert!(!bench.path("out.wav").exists());
}

#[test]
fn a_broken_file_does_not_stop_the_rest() {
    let bench = Bench::new();
    bench.wav("in/a.wav", 48_000, 1, 16, 4800);
    bench.wav("in/deep/er/c.wav", 22_050, 2, 16, 2000);
    fs::write(bench.path("in/b.wav"), [7; 3000]).unwrap();
    fs::write(bench.path("in/notes.txt"), "no sound").unwrap();
    let output = bench.render(&[
        "in",
        "-o",
        "out",
        "--jobs",
        "2",
        "--spectrogram",
        "pictures",
    ]);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stdout).contains("2 of 3 files cleaned"));
    assert!(text(&output.stderr).contains("b.wav is not a sound file"));
    assert_eq!(bench.names("out"), ["a.wav", "deep"]);
    assert_eq!(
        shape(&bench.path("out/deep/er/c.wav")),
        shape(&bench.path("in/deep/er/c.wav"))
    );
    assert_eq!(bench.names("pictures"), ["a.png", "deep"]);
}

#[test]
fn files_of_one_name_get_two_names() {
    let bench = Bench::new();
    bench.wav("in/take.wav", 48_000, 1, 16, 480);
    fs::rename(
        bench.wav("in/other.wav", 48_000, 1, 16, 960),
        bench.path("in/take.wave"),
    )
    .unwrap();
    fs::rename(
        bench.wav("in/other.wav", 48_000, 1, 16, 960),
        bench.path("in/take.mp3"),
    )
    .unwrap();
    let output = bench.render(&["in", "-o", "out"]);
    code(&output);
    assert!(
        bench.names("out").contains(&"take.wav".into())
            && bench.names("out").contains(&"take.wave.wav".into())
    );
}

#[test]
fn an_output_folder_within_the_input_is_not_cleaned_again() {
    let bench = Bench::new();
    bench.wav("in/a.wav", 48_000, 1, 16, 480);
    assert_eq!(code(&bench.render(&["in", "-o", "in/out"])), 0);
    let output = bench.render(&["in", "-o", "in/out", "--force"]);
    assert_eq!(code(&output), 0);
    assert_eq!(bench.names("in/out"), ["a.wav"]);
}

#[test]
fn a_failed_run_leaves_no_pieces() {
    let bench = Bench::new();
    bench.wav("in.wav", 192_000, 1, 16, 480);
    assert_eq!(code(&bench.render(&["in.wav", "-o", "out.flac"])), 1);
    assert!(
        bench.names(".").iter().all(|name| !name.ends_with(".part")),
        "{:?}",
        bench.names(".")
    );
}

#[test]
fn a_float_file_with_nan_is_read_with_a_note() {
    let bench = Bench::new();
    let spec = WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: SampleFormat::Float,
    };
    let mut writer = WavWriter::create(bench.path("in.wav"), spec).unwrap();
    [0.1, f32::NAN, f32::INFINITY, 0.1]
        .iter()
        .for_each(|&x| writer.write_sample(x).unwrap());
    writer.finalize().unwrap();
    let output = bench.render(&["in.wav", "-o", "out.wav"]);
    assert_eq!(code(&output), 0);
    assert!(text(&output.stdout).contains("no number"));
    assert!(
        WavReader::open(bench.path("out.wav"))
            .unwrap()
            .samples::<f32>()
            .all(|x| x.unwrap().is_finite())
    );
}

#[test]
fn wrong_command_lines_end_with_two() {
    let bench = Bench::new();
    for arguments in [
        &["render"][..],
        &["render", "a.wav", "--mix", "200"],
        &["render", "a.wav", "--amount=-3"],
        &["clean"],
    ] {
        assert_eq!(code(&bench.run(arguments)), 2, "{arguments:?}");
    }
}

#[test]
fn models_that_are_not_there_or_broken_are_said() {
    let bench = Bench::new();
    bench.wav("in.wav", 48_000, 1, 16, 480);
    let output = bench.run(&["render", "in.wav", "--model", "no-such-model"]);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("there is no model called no-such-model"));
    fs::write(bench.path("bad.safetensors"), [0xff; 100]).unwrap();
    let output = bench.run(&["inspect", "bad.safetensors"]);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("help: "));
}

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

#[test]
fn a_gpu_gives_the_same_sound_or_says_what_to_do() {
    let bench = Bench::new();
    bench.wav("in.wav", 44_100, 2, 32, 30_000);
    assert!(bench.render(&["in.wav", "-o", "cpu.wav"]).status.success());
    let on_gpu = ["in.wav", "-o", "gpu.wav", "--engine", "gpu"];
    let mut out = bench.render(&on_gpu);
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
        out = bench.render(&[&on_gpu[..], &["--adapter", name]].concat());
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(told.contains("on GPU, "), "{told}");
    let samples = |name: &str| -> Vec<f32> {
        let mut reader = WavReader::open(bench.path(name)).unwrap();
        reader.samples().map(Result::unwrap).collect()
    };
    let (cpu, gpu) = (samples("cpu.wav"), samples("gpu.wav"));
    assert_eq!(cpu.len(), gpu.len());
    let worst = cpu
        .iter()
        .zip(&gpu)
        .fold(0.0f32, |w, (a, b)| w.max((a - b).abs()));
    assert!(worst < 1e-5, "a sample is off by {worst}");

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
