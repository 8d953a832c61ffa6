//! CPU time of the shipped model through a whole chain, beside nnnoiseless on the same signal, in one run.
//!
//!     cargo bench -p statewave-benches --bench denoise
//!
//! One thread does all the work, and the best of many short runs counts, so the time on the clock is the CPU's.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

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
    let hop = model.spec().front_end.hop;
    let len = run_len(hop);
    let (signal, silence) = (signal(len), vec![0.0; len]);
    let hops = len / hop;
    // Portable code is there for other processors than those with vectors of their own here.
    let mut paths = Path::available();
    paths.retain(|path| *path != Path::Portable || Path::detect() == Path::Portable);
    paths.reverse();

    let (peer, peer_len) = nnnoiseless(&signal);
    let mut contenders: Vec<Box<dyn FnMut() + '_>> = vec![peer];
    for path in &paths {
        for block in BLOCKS {
            contenders.push(through_chain(&model, *path, block, &signal));
        }
        contenders.push(engine_alone(&model, *path, hops));
    }
    contenders.push(through_chain(&model, paths[0], BLOCKS[1], &silence));

    let peaks = || -> Vec<f64> { paths.iter().map(|path| peak::gflops(*path)).collect() };
    let before = peaks();
    let best = in_turns(ROUNDS, &mut contenders);
    let after = peaks();

    let of_real_time = |seconds: f64, samples: usize| seconds * RATE as f64 / samples as f64;
    let peer = of_real_time(best[0], peer_len);
    println!(
        "| 48 kHz, mono | kernels | CPU ms a second of audio | times nnnoiseless |\n|---|---|---|---|"
    );
    for (path, best) in paths.iter().zip(best[1..].chunks_exact(BLOCKS.len() + 1)) {
        let whats = BLOCKS.map(|block| format!("blocks of {block}"));
        let alone = "the engine alone".to_string();
        for (what, seconds) in whats.into_iter().chain([alone]).zip(best) {
            let load = of_real_time(*seconds, len);
            println!(
                "| denoise-live, {what} | {} | {:.2} | {:.2} |",
                path.name(),
                1e3 * load,
                load / peer
            );
        }
    }
    println!("| nnnoiseless 0.5.2 | | {:.2} | 1.00 |\n", 1e3 * peer);
    println!(
        "Silence costs {:.2} times what sound does (blocks of {}).",
        best[best.len() - 1] / best[2],
        BLOCKS[1]
    );
    println!(
        "Ready in {:.1} ms: the model's file read and verified, weights packed, a chain prepared.\n",
        1e3 * seconds_to_be_ready()
    );

    let macs = model.net().macs();
    for (i, path) in paths.iter().enumerate() {
        let peak = before[i].max(after[i]);
        let ns = 1e9 * best[(i + 1) * (BLOCKS.len() + 1)] / hops as f64;
        let floor = 2.0 * macs as f64 / peak;
        println!(
            "The engine alone, path {}: {ns:.0} ns a hop of {hop} samples, {:.0} % of the floor ({floor:.0} ns: {macs} \
             multiply-accumulates at {peak:.1} GFLOP/s).",
            path.name(),
            100.0 * floor / ns
        );
    }
    ExitCode::SUCCESS
}

/// From a file to a chain that takes sound, the best of a few.
fn seconds_to_be_ready() -> f64 {
    let once = || {
        let start = Instant::now();
        let model = Arc::new(Model::open(MODEL).expect("it has been opened before"));
        drop(through_chain(&model, Path::detect(), BLOCKS[1], &[]));
        start.elapsed().as_secs_f64()
    };
    (0..5).map(|_| once()).fold(f64::MAX, f64::min)
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

/// A chain whose engine runs on `path`; its transforms run on the widest.
fn through_chain<'a>(
    model: &Arc<Model>,
    path: Path,
    block: usize,
    signal: &'a [f32],
) -> Box<dyn FnMut() + 'a> {
    let config = ChainConfig {
        sample_rate: RATE as u32,
        channels: 1,
        max_block: block,
    };
    let engine = Box::new(CpuEngine::with_path(model, 1, path));
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
fn engine_alone(model: &Arc<Model>, path: Path, hops: usize) -> Box<dyn FnMut()> {
    let mut engine = CpuEngine::with_path(model, 1, path);
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
