//! Promise: a whole file run many frames at once equals the same file run live, whatever runs it, and however the file is
//! cut; a sample that is no number has the stream forgotten at the same place.

mod kernel_common;

use std::sync::Arc;

use kernel_common::{Noise, wide};
use statewave::chain::{self, Chain, ChainConfig};
use statewave::controls::{Controls, Listen};
use statewave::engine::Engine;
use statewave::engine::cpu::CpuEngine;
use statewave::engine::offline::{self, Whole};
use statewave::kernels::{Path, oracle};
use statewave::model::Model;
use statewave::model::denoise::DenoiseSession;

const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/assets/models/denoise-live.safetensors"
);

/// Frames of every channel by the CPU's own scan over many frames.
struct Scan {
    sessions: Vec<DenoiseSession>,
    frame: usize,
    longest: usize,
}

impl Scan {
    fn new(model: &Model, channels: usize, max_time: usize) -> Scan {
        let net = model.net();
        Scan {
            sessions: (0..channels)
                .map(|_| DenoiseSession::new(Arc::clone(net), Path::detect(), max_time))
                .collect(),
            frame: 2 * net.bins(),
            longest: 0,
        }
    }
}

impl Whole for Scan {
    type Error = String;

    fn run(&mut self, time: usize, frames: &[f32], out: &mut [f32]) -> Result<(), String> {
        self.longest = self.longest.max(time);
        let len = time * self.frame;
        for (session, (x, y)) in self
            .sessions
            .iter_mut()
            .zip(frames.chunks_exact(len).zip(out.chunks_exact_mut(len)))
        {
            session.run(x, y);
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.sessions.iter_mut().for_each(DenoiseSession::reset);
    }
}

fn chain_of(engine: Box<dyn Engine>, model: &Model, rate: u32, channels: usize) -> Chain {
    let config = ChainConfig {
        sample_rate: rate,
        channels,
        max_block: 4096,
    };
    let spec = model.spec();
    Chain::new(engine, spec.front_end, spec.sample_rate, config).unwrap()
}

/// Bursts of noise, with a sample that is no number in the middle if `hurt`.
fn recording(rate: u32, channels: usize, hurt: bool) -> Vec<Vec<f32>> {
    (0..channels)
        .map(|channel| {
            let mut noise = Noise(7 + channel as u64);
            let mut x: Vec<f32> = (0..2 * rate as usize)
                .map(|i| 0.2 * noise.next() * (i as f32 / rate as f32 * 9.0).sin())
                .collect();
            if hurt {
                x[rate as usize] = f32::NAN;
            }
            x
        })
        .collect()
}

/// The recording live, and ahead of itself by `whole` in stretches.
fn both<W: Whole<Error: std::fmt::Debug>>(
    model: &Arc<Model>,
    rate: u32,
    stretch: usize,
    controls: &Controls,
    hurt: bool,
    whole: &mut W,
) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
    let channels = 2;
    let mut live = recording(rate, channels, hurt);
    let mut chain = chain_of(
        Box::new(CpuEngine::new(model, channels)),
        model,
        rate,
        channels,
    );
    chain::render(&mut chain, &mut live, controls, |_| ());

    let mut ahead = recording(rate, channels, hurt);
    let (scout, player, mut batch) = offline::engines(2 * model.net().bins(), channels);
    let mut scout = chain_of(Box::new(scout), model, rate, channels);
    let mut player = chain_of(Box::new(player), model, rate, channels);
    let mut told = 0;
    chain::render_ahead(
        (&mut scout, &mut player),
        stretch,
        || batch.run(whole),
        &mut ahead,
        controls,
        |done| told = done,
    )
    .unwrap();
    assert!(told >= ahead[0].len(), "progress ends at {told}");
    assert_eq!(
        player.stats().late,
        0,
        "every frame was there when it was played"
    );
    (live, ahead)
}

#[test]
fn the_same_bits_by_the_scan_over_many_frames() {
    let model = Arc::new(Model::open(MODEL).unwrap());
    let removed = Controls {
        listen: Listen::Removed,
        mix: 0.7,
        ..Controls::default()
    };
    for (rate, stretch, controls, hurt) in [
        (48_000, 20_000, Controls::default(), false),
        (44_100, 1, Controls::default(), false),
        (96_000, 1 << 20, removed, false),
        (48_000, 30_000, Controls::default(), true),
    ] {
        let mut scan = Scan::new(&model, 2, 800);
        let (live, ahead) = both(&model, rate, stretch, &controls, hurt, &mut scan);
        assert!(scan.longest > 10, "{} frames at once", scan.longest);
        assert!(live.iter().flatten().all(|v| v.is_finite()));
        assert!(
            live == ahead,
            "at {rate} Hz in stretches of {stretch}: not the same bits"
        );
    }
}

/// Gives a frame that is no number, once, and is otherwise the scan.
struct Breaks(Scan, Option<usize>);

impl Whole for Breaks {
    type Error = String;

    fn run(&mut self, time: usize, frames: &[f32], out: &mut [f32]) -> Result<(), String> {
        self.0.run(time, frames, out)?;
        if let Some(at) = self.1.take() {
            out[at * self.0.frame] = f32::NAN;
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.0.reset();
    }
}

#[test]
fn a_frame_that_is_no_number_is_heard_as_it_came_and_the_rest_goes_on() {
    let model = Arc::new(Model::open(MODEL).unwrap());
    let mut breaks = Breaks(Scan::new(&model, 2, 800), Some(40));
    let controls = Controls::default();
    let (live, ahead) = both(&model, 48_000, 40_000, &controls, false, &mut breaks);
    assert!(ahead.iter().flatten().all(|v| v.is_finite()));
    // Before the fault the same bits; behind it the stream began anew, so not.
    let before = 38 * 320;
    assert!(live[0][..before] == ahead[0][..before]);
    assert!(live[0][before..] != ahead[0][before..]);
}

#[test]
fn a_fault_is_told_and_ends_the_work() {
    struct Fails;
    impl Whole for Fails {
        type Error = &'static str;
        fn run(&mut self, _: usize, _: &[f32], _: &mut [f32]) -> Result<(), &'static str> {
            Err("gone")
        }
        fn reset(&mut self) {}
    }
    let model = Arc::new(Model::open(MODEL).unwrap());
    let mut audio = recording(48_000, 1, false);
    let (scout, player, mut batch) = offline::engines(2 * model.net().bins(), 1);
    let mut scout = chain_of(Box::new(scout), &model, 48_000, 1);
    let mut player = chain_of(Box::new(player), &model, 48_000, 1);
    let told = chain::render_ahead(
        (&mut scout, &mut player),
        8192,
        || batch.run(&mut Fails),
        &mut audio,
        &Controls::default(),
        |_| (),
    );
    assert_eq!(told, Err("gone"));
}

#[cfg(feature = "gpu")]
#[test]
fn the_same_sound_by_the_gpu() {
    use statewave::engine::gpu::denoiser::GpuDenoiser;
    use statewave::engine::gpu::{Choice, Gpu};

    let gpu = match Gpu::open(&Choice::any()) {
        Ok(gpu) => Arc::new(gpu),
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let model = Arc::new(Model::open(MODEL).unwrap());
    // Less at a time than a stretch holds, and more.
    let mut denoiser = GpuDenoiser::new(gpu, model.net(), 2, 50).unwrap();
    let controls = Controls::default();
    for (rate, stretch) in [(44_100, 40_000), (48_000, 5_000)] {
        let (live, ahead) = both(&model, rate, stretch, &controls, false, &mut denoiser);
        for (live, ahead) in live.iter().zip(&ahead) {
            let worst = live
                .iter()
                .zip(ahead)
                .fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
            let snr = oracle::snr_db(&wide(live), ahead);
            eprintln!(
                "{rate} Hz: {snr:.1} dB, worst sample {:.1} dBFS",
                20.0 * worst.log10()
            );
            assert!(worst < 1e-5, "a sample is off by {worst}");
        }
    }
}

#[cfg(feature = "gpu")]
#[test]
fn a_long_recording_takes_no_more_of_the_device_than_a_short_one() {
    use statewave::engine::gpu::{Choice, Gpu, whole};

    let gpu = match Gpu::open(&Choice::any()) {
        Ok(gpu) => Arc::new(gpu),
        Err(error) => return eprintln!("skipped: {error}"),
    };
    let model = Arc::new(Model::open(MODEL).unwrap());
    // Stretches of 32 frames: five of them, and twenty.
    let most = |seconds: usize| {
        let mut audio = vec![vec![0.1; 48_000 * seconds]];
        let mut most = 0;
        let controls = Controls::default();
        whole::render_by(&gpu, &model, &mut audio, 48_000, &controls, 32, |_| {
            most = most.max(gpu.memory().unwrap_or(0));
        })
        .unwrap();
        most
    };
    let (short, long) = (most(1), most(4));
    if short == 0 {
        return eprintln!("skipped: the adapter does not tell what it has given");
    }
    eprintln!("{short} and {long} bytes");
    assert!(long <= short + short / 10, "{short} and then {long} bytes");
}
