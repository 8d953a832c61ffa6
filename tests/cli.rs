//! Promise: `statewave render` keeps length, rate and depth, on odd files too, and says what is wrong with bad ones.

mod cli_common;

use std::fs;

use cli_common::{Bench, code, shape, text};
use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

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
