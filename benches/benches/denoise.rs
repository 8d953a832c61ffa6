//! CPU time of the shipped model through a whole chain, beside nnnoiseless on the same signal, in one run.
//!
//!     cargo bench -p statewave-benches --bench denoise
//!
//! One thread does all the work, and the best of many short runs counts, so the time on the clock is the CPU's.

use std::process::ExitCode;
use std::sync::Arc;

use nnnoiseless::DenoiseState;
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::Engine;
use statewave::engine::cpu::CpuEngine;
use statewave::kernels::{Path, peak};
use statewave::model::Model;
use statewave_benches::{Noise, in_turns};

/// The shipped model, in the repository.
const MODEL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../assets/models/denoise-live.safetensors"
);

/// Samples a call to the chain: a small host's, a frame of the peer's, a file's.
const BLOCKS: [usize; 3] = [64, 480, 4096];

/// Samples a second of the signal and of both denoisers.
const RATE: usize = 48_000;

const ROUNDS: usize = 300;

fn main() -> ExitCode {
    let model = match Model::open(MODEL) {
        Ok(model) => Arc::new(model),
        Err(error) => {
            eprintln!(
                "error: {error}\n help: this bench runs the shipped model: put denoise-live.safetensors in assets/models"
            );
            return ExitCode::FAILURE;
        }
    };
    if model.spec().sample_rate as usize != RATE {
        eprintln!("error: this bench is for models at {RATE} Hz\n help: use `statewave bench`");
        return ExitCode::FAILURE;
    }
    let path = Path::detect();
    let hop = model.spec().front_end.hop;
    let len = run_len(hop);
    let signal = signal(len);
    let hops = len / hop;

    let mut contenders: Vec<Box<dyn FnMut() + '_>> = Vec::new();
    for block in BLOCKS {
        contenders.push(through_chain(&model, block, &signal));
    }
    let (peer, peer_len) = nnnoiseless(&signal);
    contenders.push(peer);
    contenders.push(engine_alone(&model, hops));

    let before = peak::gflops(path);
    let best = in_turns(ROUNDS, &mut contenders);
    let peak = before.max(peak::gflops(path));

    let [small, middle, large, peer, engine] = best[..] else {
        unreachable!("five contenders")
    };
    let of_real_time = |seconds: f64, samples: usize| seconds * RATE as f64 / samples as f64;
    let peer = of_real_time(peer, peer_len);
    println!("| 48 kHz, mono | CPU ms a second of audio | times nnnoiseless |\n|---|---|---|");
    for (block, seconds) in BLOCKS.into_iter().zip([small, middle, large]) {
        let load = of_real_time(seconds, len);
        println!(
            "| denoise-live, blocks of {block} | {:.2} | {:.2} |",
            1e3 * load,
            load / peer
        );
    }
    let load = of_real_time(engine, len);
    println!(
        "| denoise-live, the engine alone | {:.2} | {:.2} |",
        1e3 * load,
        load / peer
    );
    println!("| nnnoiseless 0.5.2 | {:.2} | 1.00 |", 1e3 * peer);

    let (ns, macs) = (1e9 * engine / hops as f64, model.net().macs());
    let floor = 2.0 * macs as f64 / peak;
    println!(
        "\nThe engine alone, path {}: {ns:.0} ns a hop of {hop} samples, {:.0} % of the floor ({floor:.0} ns: {macs} \
         multiply-accumulates at {peak:.1} GFLOP/s).",
        path.name(),
        100.0 * floor / ns
    );
    ExitCode::SUCCESS
}

/// Samples in a run: a few milliseconds of work, and the same number of hops and blocks in each, or the best run would
/// be the one with a hop less.
fn run_len(hop: usize) -> usize {
    let longest = BLOCKS[2];
    (1..=hop)
        .map(|k| k * longest)
        .find(|len| len.is_multiple_of(hop))
        .unwrap_or(hop * longest)
}

/// Noise that swells and fades like syllables.
fn signal(len: usize) -> Vec<f32> {
    let swell = |t: usize| (std::f32::consts::TAU * 4.0 * t as f32 / RATE as f32).sin();
    let noise = Noise(1).vec(len, 1.0);
    (0..)
        .zip(noise)
        .map(|(t, x)| x * (0.11 + 0.1 * swell(t)))
        .collect()
}

fn through_chain<'a>(model: &Arc<Model>, block: usize, signal: &'a [f32]) -> Box<dyn FnMut() + 'a> {
    let config = ChainConfig {
        sample_rate: RATE as u32,
        channels: 1,
        max_block: block,
    };
    let engine = Box::new(CpuEngine::new(model, 1));
    let mut chain = Chain::new(engine, model.spec().front_end, RATE as u32, config)
        .expect("the model's own rate");
    let mut audio = signal.to_vec();
    Box::new(move || {
        audio.copy_from_slice(signal);
        for block in audio.chunks_mut(block) {
            chain.process(&mut [block], &Controls::default());
        }
    })
}

/// The peer, and the samples that it takes of the signal: whole frames, scaled to 16-bit numbers as it wants them.
fn nnnoiseless(signal: &[f32]) -> (Box<dyn FnMut()>, usize) {
    const FRAME: usize = DenoiseState::FRAME_SIZE;
    let scaled: Vec<f32> = signal.iter().map(|x| x * 32_768.0).collect();
    let len = scaled.len() / FRAME * FRAME;
    let (mut state, mut out) = (DenoiseState::new(), [0.0; FRAME]);
    let run = move || {
        for frame in scaled.chunks_exact(FRAME) {
            state.process_frame(&mut out, frame);
        }
    };
    (Box::new(run), len)
}

/// The network without transforms and mix: `hops` frames of noise at the level of the signal's.
fn engine_alone(model: &Arc<Model>, hops: usize) -> Box<dyn FnMut()> {
    let mut engine = CpuEngine::new(model, 1);
    let frames = Noise(2).vec(8 * engine.frame_len(), 2.0);
    let (mut out, mut seq) = (vec![0.0; engine.frame_len()], 0);
    Box::new(move || {
        for frame in frames.chunks_exact(engine.frame_len()).cycle().take(hops) {
            engine.submit(seq, frame);
            engine.collect(seq, &mut out);
            seq += 1;
        }
    })
}
