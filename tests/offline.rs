//! Promise: a whole file run on a GPU many frames at once equals the same file run live on the CPU, whatever its rate and however
//! it is cut; a sample that is no number has the stream forgotten at the same place; memory does not grow with the file.
#![cfg(feature = "gpu")]

mod kernel_common;
mod voice;

use std::sync::Arc;

use kernel_common::{Noise, large, wide};
use statewave::chain::{self, Chain, ChainConfig};
use statewave::controls::{Controls, Listen, Stereo};
use statewave::engine::cpu::CpuEngine;
use statewave::engine::gpu::denoiser::GpuDenoiser;
use statewave::engine::gpu::whole::{self, InPlace, Settings, Whole, WholeError};
use statewave::engine::gpu::{Abilities, Choice, Gpu, GpuError};
use statewave::kernels::oracle;
use statewave::model::Model;
use statewave::tape::Tape;
use voice::noisy_voice;

const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/models/denoise-live.safetensors"
);

const STUDIO: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/models/denoise-studio.safetensors"
);

fn gpu() -> Option<Arc<Gpu>> {
    match Gpu::open(&Choice::any()) {
        Ok(gpu) => Some(Arc::new(gpu)),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}

/// A noisy voice from another second on in every channel, and noise that is the channel's own.
fn recording(rate: u32, channels: usize, seconds: f64) -> Vec<Vec<f32>> {
    let (len, voice) = ((seconds * f64::from(rate)) as usize, noisy_voice());
    let channel = |channel: usize| {
        let noise = Noise(7 + channel as u64).vec(len, 0.01);
        let voice = &voice[48_000 / (channel + 1)..];
        noise.iter().zip(voice).map(|(n, v)| n + v).collect()
    };
    (0..channels).map(channel).collect()
}

fn live(model: &Arc<Model>, rate: u32, audio: &mut [Vec<f32>], controls: &Controls) -> Chain {
    let (spec, channels) = (model.spec(), audio.len());
    let config = ChainConfig {
        sample_rate: rate,
        channels,
        max_block: 4096,
    };
    let engine = Box::new(CpuEngine::new(model, channels));
    let mut chain = Chain::new(engine, spec.front_end, spec.sample_rate, config).unwrap();
    chain::render(&mut chain, audio, controls, |_| ());
    chain
}

/// No sample is off by -100 dBFS, and all together by less of what is heard.
fn assert_same(live: &[Vec<f32>], whole: &[Vec<f32>], what: &str) {
    for (live, whole) in live.iter().zip(whole) {
        assert_eq!(live.len(), whole.len());
        let worst = live
            .iter()
            .zip(whole)
            .fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
        let snr = oracle::snr_db(&wide(live), whole);
        eprintln!(
            "{what}: {snr:.1} dB, worst sample {:.1} dBFS",
            20.0 * worst.log10()
        );
        assert!(worst < 1e-5, "{what}: a sample is off by {worst}");
        assert!(snr > 80.0, "{what}: {snr:.1} dB");
    }
}

/// The recording live and whole, `frames` at a time.
fn compare(
    gpu: &Arc<Gpu>,
    audio: &[Vec<f32>],
    rate: u32,
    controls: &Controls,
    frames: usize,
    what: &str,
) {
    let model = Arc::new(Model::open(MODEL).unwrap());
    let mut truth = audio.to_vec();
    let chain = live(&model, rate, &mut truth, controls);
    let settings = Settings {
        frames: Some(frames),
        ..Settings::new(rate, audio.len(), controls)
    };
    let mut whole =
        Whole::new(gpu, &model, settings).unwrap_or_else(|e| panic!("{e}: {:?}", gpu.fault()));
    assert_eq!(whole.latency(), chain.latency());
    // The second recording finds nothing of the first.
    for round in ["first", "second"] {
        let (mut output, mut told) = (audio.to_vec(), 0);
        whole
            .run(&mut InPlace::new(&mut output, |done| told = done))
            .unwrap();
        assert_eq!(told, audio[0].len(), "progress ends");
        assert!(truth[0].iter().any(|x| x.abs() > 0.05), "there is sound");
        assert_same(&truth, &output, &format!("{what}, {round}"));
    }
}

#[test]
fn the_same_sound_at_any_rate_however_it_is_cut() {
    let Some(gpu) = gpu() else { return };
    let controls = Controls::default();
    for (rate, channels, frames) in [
        (48_000, 1, 400),
        (48_000, 2, 37),
        (44_100, 2, 50),
        (96_000, 1, 1),
        (16_000, 3, 64),
        (47_999, 1, 33),
    ] {
        let seconds = if frames == 1 { 0.3 } else { 1.1 };
        let audio = recording(rate, channels, seconds);
        let what = format!("{rate} Hz, {channels} channels, {frames} frames");
        compare(&gpu, &audio, rate, &controls, frames, &what);
    }
}

#[test]
fn the_same_sound_however_channels_share_the_model_and_whatever_is_mixed_in() {
    let Some(gpu) = gpu() else { return };
    let audio = recording(48_000, 2, 1.0);
    for stereo in [Stereo::Link, Stereo::MidSide] {
        let controls = Controls {
            stereo,
            ..Controls::default()
        };
        compare(&gpu, &audio, 48_000, &controls, 60, &format!("{stereo:?}"));
    }
    let removed = Controls {
        listen: Listen::Removed,
        output_gain_db: 3.0,
        ..Controls::default()
    };
    compare(&gpu, &audio[..1], 48_000, &removed, 60, "removed");
    let mixed = Controls {
        mix: 0.7,
        amount_db: 12.0,
        ..Controls::default()
    };
    compare(
        &gpu,
        &recording(44_100, 1, 1.0),
        44_100,
        &mixed,
        60,
        "mixed",
    );
}

#[test]
fn what_is_no_audio_has_the_stream_forgotten_at_the_same_place() {
    let Some(gpu) = gpu() else { return };
    let controls = Controls::default();
    for rate in [48_000, 44_100] {
        let mut audio = recording(rate, 2, 1.0);
        let at = rate as usize / 2;
        audio[0][at] = f32::NAN;
        audio[1][at + 1] = 1e30;
        audio[1][at + rate as usize / 10] = f32::INFINITY;
        // In the middle of a chunk, and where one ends.
        for frames in [500, 75] {
            let what = format!("hurt at {rate} Hz, {frames} frames");
            compare(&gpu, &audio, rate, &controls, frames, &what);
        }
    }
}

/// Rendered with as many frames at a time as are good and fit.
fn compare_at_most(gpu: &Arc<Gpu>, model: &Arc<Model>, audio: &[Vec<f32>], what: &str) {
    let controls = Controls::default();
    let (mut truth, mut output) = (audio.to_vec(), audio.to_vec());
    live(model, 48_000, &mut truth, &controls);
    whole::render(gpu, model, &mut output, 48_000, &controls, |_| ())
        .unwrap_or_else(|e| panic!("{what}: {e}"));
    assert!(truth[0].iter().any(|x| x.abs() > 1e-3), "there is sound");
    assert_same(&truth, &output, what);
}

#[test]
fn the_studio_model_gives_the_same_sound() {
    let Some(gpu) = gpu() else { return };
    let model = Arc::new(Model::open(STUDIO).unwrap());
    compare_at_most(&gpu, &model, &recording(48_000, 1, 0.8), "studio");
}

#[test]
fn large_models_are_cut_to_what_buffers_hold() {
    // As on an adapter whose shaders reach no more of a buffer than every adapter's do: 128 MiB.
    let least = Abilities {
        binding_bytes: Abilities::NONE.binding_bytes,
        ..Abilities::ALL
    };
    let gpu = match Gpu::open_with(&Choice::any(), least, None) {
        Ok(gpu) => Arc::new(gpu),
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let model = Arc::new(large::model());
    let (net, all) = (model.net(), whole::frames_at_once(1));
    let refused = GpuDenoiser::fits(&gpu, net, 1, all);
    assert!(matches!(refused, Err(GpuError::Room { .. })), "{refused:?}");
    compare_at_most(&gpu, &model, &recording(48_000, 1, 0.5), "large");
}

#[test]
fn frames_are_as_many_as_fit_and_where_none_do_that_is_said() {
    let open = |binding_bytes| {
        let abilities = Abilities {
            binding_bytes,
            ..Abilities::ALL
        };
        Gpu::open_with(&Choice::any(), abilities, None).map(Arc::new)
    };
    let gpu = match open(1 << 20) {
        Ok(gpu) => gpu,
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let model = Arc::new(Model::open(MODEL).unwrap());
    let fits = |frames| GpuDenoiser::fits(&gpu, model.net(), 2, frames);
    assert!(fits(4).is_ok() && fits(400).is_err());
    compare_at_most(&gpu, &model, &recording(48_000, 2, 1.1), "1 MiB");

    let gpu = open(10_000).unwrap();
    let settings = Settings::new(48_000, 1, &Controls::default());
    let Err(WholeError::Gpu(error)) = Whole::new(&gpu, &model, settings) else {
        panic!("it cannot fit");
    };
    let told = error.to_string();
    assert!(
        matches!(error, GpuError::Room { most: 10_000, .. }),
        "{told}"
    );
    assert!(!gpu.is_lost(), "{:?}", gpu.fault());
}

#[test]
fn a_lost_device_says_what_was_wrong() {
    let Some(gpu) = gpu() else { return };
    let model = Arc::new(Model::open(MODEL).unwrap());
    let settings = Settings::new(48_000, 1, &Controls::default());
    let mut whole = Whole::new(&gpu, &model, settings).unwrap();
    gpu.destroy();
    let mut audio = recording(48_000, 1, 0.2);
    let lost = whole.run(&mut InPlace::new(&mut audio, |_| ()));
    let Err(error) = lost else {
        panic!("it is gone")
    };
    let (told, fault) = (error.to_string(), gpu.fault().unwrap_or_default());
    assert!(!fault.is_empty() && told.contains(fault), "{told}; {fault}");
}

#[test]
fn the_shortest_recordings_go_through() {
    let Some(gpu) = gpu() else { return };
    let model = Arc::new(Model::open(MODEL).unwrap());
    let controls = Controls::default();
    for rate in [48_000, 44_100] {
        for len in [0, 1, 191, 193, 1000] {
            let mut audio = vec![Noise(1).vec(len, 0.1)];
            let mut truth = audio.clone();
            live(&model, rate, &mut truth, &controls);
            whole::render(&gpu, &model, &mut audio, rate, &controls, |_| ()).unwrap();
            assert_same(&truth, &audio, &format!("{len} samples at {rate} Hz"));
        }
    }
}

/// A tape that gives so many samples in small pieces, and then fails to give or to take.
struct Fails {
    left: usize,
    takes: usize,
}

#[derive(Debug)]
enum Fault {
    Read,
    Write,
    Device,
}

impl From<WholeError> for Fault {
    fn from(_: WholeError) -> Fault {
        Fault::Device
    }
}

impl Tape for Fails {
    type Error = Fault;

    fn read(&mut self, channels: &mut [Vec<f32>], most: usize) -> Result<usize, Fault> {
        let piece = self.left.min(most).min(777);
        self.left -= piece;
        channels[0].resize(channels[0].len() + piece, 0.1);
        if piece == 0 {
            Err(Fault::Read)
        } else {
            Ok(piece)
        }
    }

    fn write(&mut self, _: &mut [Vec<f32>]) -> Result<(), Fault> {
        self.takes = self.takes.checked_sub(1).ok_or(Fault::Write)?;
        Ok(())
    }
}

#[test]
fn a_fault_is_told_and_the_next_recording_is_whole() {
    let Some(gpu) = gpu() else { return };
    let model = Arc::new(Model::open(MODEL).unwrap());
    let controls = Controls::default();
    let settings = Settings {
        frames: Some(20),
        ..Settings::new(48_000, 1, &controls)
    };
    let mut whole = Whole::new(&gpu, &model, settings).unwrap();
    for (left, takes) in [(30_000, 100), (60_000, 3)] {
        let told = whole.run(&mut Fails { left, takes }).unwrap_err();
        assert!(matches!(
            (told, takes),
            (Fault::Read, 100) | (Fault::Write, 3)
        ));
        let mut audio = recording(48_000, 1, 0.7);
        let mut truth = audio.clone();
        live(&model, 48_000, &mut truth, &controls);
        whole.run(&mut InPlace::new(&mut audio, |_| ())).unwrap();
        assert_same(&truth, &audio, "behind a fault");
    }
    gpu.destroy();
    let mut audio = recording(48_000, 1, 0.7);
    let told = whole.run(&mut InPlace::new(&mut audio, |_| ()));
    assert!(matches!(told, Err(WholeError::Gpu(_))), "{told:?}");
}

/// A tape of so many samples that keeps none.
struct Long<'a> {
    left: usize,
    taken: usize,
    most: u64,
    gpu: &'a Gpu,
}

impl Tape for Long<'_> {
    type Error = WholeError;

    fn read(&mut self, channels: &mut [Vec<f32>], most: usize) -> Result<usize, WholeError> {
        let piece = self.left.min(most);
        self.left -= piece;
        // What is kept here is what a chunk needs.
        assert!(
            channels[0].len() <= 64 * 320,
            "{} are kept",
            channels[0].len()
        );
        channels[0].resize(channels[0].len() + piece, 0.1);
        Ok(piece)
    }

    fn write(&mut self, channels: &mut [Vec<f32>]) -> Result<(), WholeError> {
        self.taken += channels[0].len();
        self.most = self.most.max(self.gpu.memory().unwrap_or(0));
        Ok(())
    }
}

#[test]
fn a_long_recording_takes_no_more_memory_than_a_short_one() {
    let Some(gpu) = gpu() else { return };
    let model = Arc::new(Model::open(MODEL).unwrap());
    let settings = Settings {
        frames: Some(32),
        timed: true,
        ..Settings::new(48_000, 1, &Controls::default())
    };
    let mut whole = Whole::new(&gpu, &model, settings).unwrap();
    let mut most = |seconds: usize| {
        let mut tape = Long {
            left: 48_000 * seconds,
            taken: 0,
            most: 0,
            gpu: &gpu,
        };
        let stages = whole.run(&mut tape).unwrap();
        assert_eq!(tape.taken, 48_000 * seconds);
        assert_eq!(stages.chunks, (48_000 * seconds + 128).div_ceil(32 * 320));
        assert_eq!(stages.device.is_some(), gpu.abilities().timestamps);
        eprintln!("{stages:?}");
        tape.most
    };
    let (short, long) = (most(1), most(4));
    if short == 0 {
        return eprintln!("skipped: the adapter does not tell what it has given");
    }
    eprintln!("{short} and {long} bytes");
    assert!(long <= short + short / 10, "{short} and then {long} bytes");
}
