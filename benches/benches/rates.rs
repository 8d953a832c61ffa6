//! An effect at other sample rates than its own: Δ scaled, our own resampler around it, rubato's around it.
//!
//!     cargo bench -p statewave-benches --bench rates
//!
//! The model learnt an RC low-pass into a tanh at 48 kHz (training/effect.py), which is known in closed form for sums of
//! sines at every rate. Errors are of the whole way against that form; the cost is that of one sample and channel.

use std::f64::consts::TAU;

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler};
use statewave::engine::wave::WaveEngine;
use statewave::model::effect::EffectModel;
use statewave_benches::in_turns;

const MODEL: &[u8] = include_bytes!("../../assets/models/tasks/rc-tanh.safetensors");

/// The same network, trained with a zero-order hold instead of a first-order one.
const HELD: &[u8] = include_bytes!("../../assets/models/tasks/rc-tanh-zoh.safetensors");

/// Of training/effect.py.
const CORNER_HZ: f64 = 800.0;
const DRIVE: f64 = 4.0;

const SECONDS: f64 = 1.0;

/// What is left out at both ends: settling, and resamplers that begin and end in silence.
const EDGE_SECONDS: f64 = 0.05;

const BLOCK: usize = 256;

/// (Hz, amplitude): in harmony with nothing, to 12 kHz.
const SINES: [(f64, f64); 8] = [
    (61.0, 0.12),
    (187.0, 0.10),
    (433.0, 0.08),
    (997.0, 0.07),
    (2213.0, 0.05),
    (4409.0, 0.04),
    (8009.0, 0.03),
    (11987.0, 0.02),
];

/// The circuit's input and output at a rate.
fn circuit(rate: u32) -> (Vec<f32>, Vec<f64>) {
    (0..(SECONDS * f64::from(rate)) as usize)
        .map(|k| {
            let t = k as f64 / f64::from(rate);
            let (mut u, mut v) = (0.0f64, 0.0f64);
            for (i, (hz, amplitude)) in SINES.into_iter().enumerate() {
                let phase = TAU * hz * t + i as f64;
                let ratio = hz / CORNER_HZ;
                u += amplitude * phase.sin();
                v += amplitude / (1.0 + ratio * ratio).sqrt() * (phase - ratio.atan()).sin();
            }
            (u as f32, (DRIVE * v).tanh())
        })
        .unzip()
}

/// Error to signal in dB of `y`, which is `delay` samples late.
fn error_db(truth: &[f64], y: &[f32], delay: usize, rate: u32) -> f64 {
    let edge = (EDGE_SECONDS * f64::from(rate)) as usize;
    let (mut error, mut signal) = (0.0f64, 0.0f64);
    for k in edge..truth.len() - edge - delay {
        error += (f64::from(y[k + delay]) - truth[k]).powi(2);
        signal += truth[k].powi(2);
    }
    10.0 * (error / signal).log10()
}

fn run(engine: &mut WaveEngine, audio: &mut [f32]) {
    for block in audio.chunks_mut(BLOCK) {
        engine.process(&mut [block]);
    }
}

/// A whole signal to another rate, its delay taken off.
fn rubato(resampler: &mut Fft<f32>, input: &[f32]) -> Vec<f32> {
    let fits = "a buffer of the length that rubato asks for";
    let len = resampler.process_all_needed_output_len(input.len());
    let mut output = vec![0.0; len];
    let source = InterleavedSlice::new(input, 1, input.len()).expect(fits);
    let mut target = InterleavedSlice::new_mut(&mut output, 1, len).expect(fits);
    let (_, produced) = resampler
        .process_all_into_buffer(&source, &mut target, input.len(), None)
        .expect(fits);
    output.truncate(produced);
    resampler.reset();
    output
}

fn fft(from: u32, to: u32) -> Fft<f32> {
    Fft::new(from as usize, to as usize, BLOCK, 1, FixedSync::Both).expect("rates that are served")
}

fn main() {
    let model = EffectModel::from_bytes(MODEL).expect("the shipped model");
    let held = EffectModel::from_bytes(HELD).expect("the shipped model");
    let own = model.spec().sample_rate;
    println!(
        "| rate | way | error dB | ns a sample | latency samples (ms) |\n|---|---|---|---|---|"
    );
    for rate in [44_100, 48_000, 88_200, 96_000, 192_000] {
        let (input, truth) = circuit(rate);
        let mut at_rate = WaveEngine::new(&model, rate, 1, BLOCK).expect("the shipped model");
        let resampled = WaveEngine::resampled(&model, rate, 1, BLOCK).expect("the shipped model");
        let mut engine = WaveEngine::new(&model, own, 1, BLOCK).expect("the shipped model");
        let row = |way: &str, y: &[f32], delay: usize, seconds: f64, latency: usize| {
            println!(
                "| {rate} | {way} | {:.1} | {:.1} | {latency} ({:.2}) |",
                error_db(&truth, y, delay, rate),
                1e9 * seconds / input.len() as f64,
                1e3 * latency as f64 / f64::from(rate),
            );
        };
        let mut scaled = input.clone();
        run(&mut at_rate, &mut scaled);
        let mut held_at_rate = WaveEngine::new(&held, rate, 1, BLOCK).expect("the shipped model");
        let mut with_hold = input.clone();
        run(&mut held_at_rate, &mut with_hold);
        let Some(mut ours) = resampled else {
            let mut audio = input.clone();
            let seconds = in_turns(5, &mut [Box::new(|| run(&mut at_rate, &mut audio))]);
            row("native", &scaled, 0, seconds[0], 0);
            row("native, zero-order hold", &with_hold, 0, seconds[0], 0);
            continue;
        };
        let (mut inward, mut outward) = (fft(rate, own), fft(own, rate));
        // A block is waited for, and the filters reach half their length ahead, there and back.
        let theirs = inward.input_frames_next()
            + inward.output_delay() * rate as usize / own as usize
            + outward.output_delay();
        let mut around = input.clone();
        run(&mut ours, &mut around);
        let mut there = rubato(&mut inward, &input);
        run(&mut engine, &mut there);
        let back = rubato(&mut outward, &there);

        let mut audio = [input.clone(), input.clone()];
        let [first, second] = &mut audio;
        let seconds = in_turns(
            5,
            &mut [
                Box::new(|| run(&mut at_rate, first)),
                Box::new(|| run(&mut ours, second)),
                Box::new(|| {
                    let mut there = rubato(&mut inward, &input);
                    run(&mut engine, &mut there);
                    rubato(&mut outward, &there);
                }),
            ],
        );
        let late = ours.latency().total();
        row(&at_rate.way().to_string(), &scaled, 0, seconds[0], 0);
        row("the same, zero-order hold", &with_hold, 0, seconds[0], 0);
        row("our resampler", &around, late, seconds[1], late);
        row("rubato's FFT resampler", &back, 0, seconds[2], theirs);
    }
}
