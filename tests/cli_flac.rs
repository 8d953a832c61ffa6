//! Promise: FLAC that `statewave render` writes is the same sound bit for bit as the WAV it writes, its header is true, and
//! what fails half way leaves the file that was there.

mod cli_common;

use std::fs::{self, File};
use std::path::Path;

use cli_common::{Bench, code, text};
use hound::WavReader;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::formats::TrackType;
use symphonia::core::formats::probe::Hint;
use symphonia::core::io::MediaSourceStream;

/// What is in a FLAC file, by a decoder that has nothing to do with the encoder.
struct Flac {
    /// Sample by sample of every channel.
    samples: Vec<i32>,
    /// Bytes of each frame.
    frames: Vec<usize>,
    /// The fields of the header's stream information (RFC 9639, section 8.2).
    blocks: [u64; 2],
    sizes: [u64; 2],
    rate: u64,
    channels: u64,
    bits: u64,
    total: u64,
}

impl Flac {
    /// Decodes; fails if the MD5 in the header is not that of the samples.
    fn open(path: &Path) -> Flac {
        let bytes = fs::read(path).unwrap();
        assert_eq!(
            &bytes[..8],
            b"fLaC\x80\0\0\x22",
            "stream information, and no more"
        );
        let field = |at: usize, bits: usize| {
            (at..at + bits).fold(0, |value, bit| {
                2 * value + u64::from(bytes[8 + bit / 8] >> (7 - bit % 8) & 1)
            })
        };
        let stream =
            MediaSourceStream::new(Box::new(File::open(path).unwrap()), Default::default());
        let mut format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, Default::default(), Default::default())
            .unwrap();
        let track = format.default_track(TrackType::Audio).unwrap();
        let params = track
            .codec_params
            .as_ref()
            .unwrap()
            .audio()
            .unwrap()
            .clone();
        let options = AudioDecoderOptions::default().verify(true);
        let mut decoder = symphonia::default::get_codecs()
            .make_audio_decoder(&params, &options)
            .unwrap();
        let bits = field(103, 5) + 1;
        let (mut samples, mut frames) = (Vec::new(), Vec::new());
        while let Some(packet) = format.next_packet().unwrap() {
            frames.push(packet.data.len());
            let mut decoded = Vec::<i32>::new();
            decoder
                .decode(&packet)
                .unwrap()
                .copy_to_vec_interleaved(&mut decoded);
            samples.extend(decoded.iter().map(|x| x >> (32 - bits)));
        }
        assert_eq!(decoder.finalize().verify_ok, Some(true), "MD5");
        Flac {
            samples,
            frames,
            blocks: [field(0, 16), field(16, 16)],
            sizes: [field(32, 24), field(56, 24)],
            rate: field(80, 20),
            channels: field(100, 3) + 1,
            bits,
            total: field(108, 36),
        }
    }
}

#[test]
fn flac_is_the_same_sound_as_wav_bit_for_bit() {
    let bench = Bench::new();
    // Lengths around those of frames, and of the batches in which they are encoded.
    for (rate, channels, bits, frames) in [
        (48_000, 1, 16, 1),
        (48_000, 2, 24, 4_095),
        (44_100, 1, 16, 4_096),
        (8_000, 3, 24, 4_097),
        (96_000, 2, 16, 33 * 4_096),
        (47_999, 8, 16, 20_011),
        (48_000, 2, 16, 150_001),
    ] {
        let what = format!("{rate} Hz, {channels} channels, {bits} bits, {frames} samples");
        bench.wav("in.wav", rate, channels, bits, frames);
        for name in ["out.wav", "out.flac"] {
            assert_eq!(
                code(&bench.render(&["in.wav", "-o", name, "--force"])),
                0,
                "{what}"
            );
        }
        let mut wav = WavReader::open(bench.path("out.wav")).unwrap();
        let samples: Vec<i32> = wav.samples().map(Result::unwrap).collect();
        assert!(
            frames == 1 || samples.iter().any(|x| *x != 0),
            "there is sound"
        );
        let flac = Flac::open(&bench.path("out.flac"));
        assert!(flac.samples == samples, "{what}");
        assert_eq!(flac.total, frames as u64, "{what}");
        assert_eq!((flac.rate, flac.channels), (rate.into(), channels.into()));
        assert_eq!((flac.bits, flac.blocks), (bits.into(), [4096; 2]), "{what}");
        let sizes = [flac.frames.iter().min(), flac.frames.iter().max()];
        assert_eq!(
            sizes.map(|size| *size.unwrap() as u64),
            flac.sizes,
            "{what}"
        );
    }
}

#[test]
fn a_hole_in_a_file_is_as_much_silence() {
    let bench = Bench::new();
    bench.wav("in.wav", 48_000, 1, 16, 300_000);
    let dry = ["--mix", "0", "--force"];
    let render = |from, to| {
        let output = bench.render(&[&[from, "-o", to][..], &dry].concat());
        assert_eq!(code(&output), 0);
        text(&output.stdout)
    };
    render("in.wav", "whole.flac");
    let mut bytes = fs::read(bench.path("whole.flac")).unwrap();
    let len = bytes.len();
    bytes[len / 4..3 * len / 4].fill(0);
    fs::write(bench.path("hole.flac"), bytes).unwrap();
    let told = render("hole.flac", "hole.wav");
    assert!(
        told.contains("damaged pieces that became silence"),
        "{told}"
    );
    let samples = |name: &str| -> Vec<i32> {
        let mut wav = WavReader::open(bench.path(name)).unwrap();
        wav.samples().map(Result::unwrap).collect()
    };
    let (whole, hole) = (samples("in.wav"), samples("hole.wav"));
    assert_eq!(hole.len(), whole.len());
    // The whole frames before and behind are where they were; between there is nothing.
    let silent = |x: &i32| *x == 0;
    assert!(hole[100_000..200_000].iter().all(silent));
    for part in [0..60_000, 240_000..300_000] {
        assert!(hole[part.clone()] == whole[part.clone()], "{part:?}");
    }
}

/// What is in the folder but the input is what was there before.
fn assert_untouched(bench: &Bench, old: &[&str]) {
    let mut names = bench.names(".");
    names.retain(|name| !name.starts_with("in."));
    assert_eq!(names, old);
    for name in old {
        assert_eq!(fs::read(bench.path(name)).unwrap(), b"old", "{name}");
    }
}

#[test]
fn what_has_no_samples_leaves_the_old_file() {
    let bench = Bench::new();
    bench.wav("in.wav", 48_000, 1, 16, 0);
    fs::write(bench.path("out.flac"), "old").unwrap();
    let output = bench.render(&["in.wav", "-o", "out.flac", "--force"]);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("it has no samples"));
    assert_untouched(&bench, &["out.flac"]);
}

#[test]
fn a_picture_that_cannot_be_written_leaves_the_old_sound() {
    let bench = Bench::new();
    bench.wav("in.wav", 48_000, 1, 16, 4_800);
    fs::write(bench.path("out.flac"), "old").unwrap();
    fs::create_dir(bench.path("in.pictures")).unwrap();
    let arguments = [
        "in.wav",
        "-o",
        "out.flac",
        "--force",
        "--spectrogram",
        "in.pictures",
    ];
    let output = bench.render(&arguments);
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("error: in.pictures is a folder\n help: name a file"));
    assert_untouched(&bench, &["out.flac"]);
}

/// A limit to the length of files stands in for a disk that is full: writing fails in the middle.
#[cfg(unix)]
#[test]
fn a_write_that_fails_half_way_leaves_the_old_files() {
    use std::process::Command;
    let bench = Bench::new();
    bench.wav("in.wav", 48_000, 2, 24, 300_000);
    for name in ["out.flac", "out.wav"] {
        fs::write(bench.path(name), "old").unwrap();
        // The signal that comes with it is ignored, so that it is an error like any other.
        let output = Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 500; exec \"$@\"", "sh"])
            .args([
                env!("CARGO_BIN_EXE_statewave"),
                "render",
                "in.wav",
                "-o",
                name,
            ])
            .args(["--force", "--removed"])
            .current_dir(bench.folder.path())
            .env("HOME", bench.folder.path())
            .output()
            .unwrap();
        assert_eq!(code(&output), 1);
        let told = text(&output.stderr);
        assert!(
            told.contains(&format!("error: cannot write {name}: ")),
            "{told}"
        );
        assert!(told.contains("help: "), "{told}");
        assert_untouched(&bench, &[name]);
        fs::remove_file(bench.path(name)).unwrap();
    }
}
