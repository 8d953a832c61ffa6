//! `statewave bench`: how fast a model runs here, beside the machine's floor and beside others.

mod chains;
mod instrument;
mod peer;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use statewave::chain;
use statewave::kernels::{Path, peak};
use statewave::model::catalogue;
use statewave::model::effect::EffectModel;
use statewave::model::generate::GenerateModel;
use statewave::model::instrument::InstrumentModel;
use statewave::model::spec::Task;

use crate::audio::{Audio, Depth};
use crate::denoise::{self, Settings};
use crate::failure::Result;
use crate::inspect::grouped;
use crate::models::{self, Loaded};
use peer::{Files, Peer};

/// Measure a model on one core: ns a hop (of effects and of what goes on by itself, ns a sample and how many fit a core; of instruments, the share of a core that voices take), real-time factor, share of the machine's floor.
///
/// The floor is what the multiply-accumulates of a hop take at the peak of fused multiply-adds of one core, measured
/// in the same run. The time of a hop is that of all the work: transforms, resampling and mix as well.
#[derive(clap::Args)]
pub struct Arguments {
    /// A model's name, or the path of its file
    #[arg(default_value = catalogue::DEFAULT)]
    model: String,
    /// Seconds of sound to clean in each of the runs
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Another program to time on the same sound, mono WAV at the model's rate; may come more than once. {in} and
    /// {out} stand for the files, {folder} for one to write to. Its start, timed on a tenth of a second of sound, is
    /// taken off. If none is named, nnnoiseless and deep-filter are timed where they are on the path
    #[arg(long = "peer", value_name = "COMMAND {in} {out}", value_parser = Peer::parse)]
    peers: Vec<Peer>,
}

/// Runs; the fastest counts, as others can only have been disturbed.
const RUNS: usize = 20;

/// Peers run once in this many runs: they are whole programs, and slow ones too.
const RUNS_A_PEER: usize = 4;

/// Measure and print.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let model = models::open(&arguments.model)?;
    let (name, seconds) = (&model.name, arguments.seconds);
    match model.task() {
        Some(Task::Effect) => {
            let effect = EffectModel::from_bytes(&model.bytes)?;
            chains::effect(name, &effect, seconds)?;
        }
        Some(Task::Continue) => {
            let continuation = Arc::new(GenerateModel::from_bytes(&model.bytes)?);
            chains::continuation(name, &continuation, seconds)?;
        }
        Some(Task::Generate) => {
            let instrument = Arc::new(InstrumentModel::from_bytes(&model.bytes)?);
            instrument::run(name, &instrument, seconds);
        }
        Some(Task::Denoise | Task::Sequence) | None => frames(&model, arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The same of a model that recordings are cleaned by, beside the machine's floor and other programs.
fn frames(model: &Loaded, arguments: &Arguments) -> Result<()> {
    let playable = model.model()?;
    let spec = playable.spec();
    let (rate, hop) = (spec.sample_rate, spec.front_end.hop);
    let sound = test_sound(rate, arguments.seconds);
    let peers = match arguments.peers.is_empty() {
        true => Peer::installed(),
        false => arguments.peers.clone(),
    };
    let files = match peers.is_empty() {
        true => None,
        false => Some(Files::new(&mono(&sound, rate))?),
    };
    let settings = Settings {
        amount_db: f32::INFINITY,
        mix: 1.0,
        removed: false,
        tone: Default::default(),
    };
    let path = Path::detect();
    let mut peak = peak::gflops(path);
    let mut best = f64::INFINITY;
    let mut times = vec![peer::Times::NONE; peers.len()];
    for run in 0..RUNS {
        let start = Instant::now();
        let (mut chain, controls) = denoise::chain_for(model, (rate, 1), &settings)?;
        chain::render(&mut chain, &mut [sound.clone()], &controls, |_| ());
        best = best.min(start.elapsed().as_secs_f64());
        if let Some(files) = files.as_ref().filter(|_| run % RUNS_A_PEER == 0) {
            for (peer, times) in peers.iter().zip(&mut times) {
                times.keep_best(peer.time(files)?);
            }
        }
    }
    peak = peak.max(peak::gflops(path));

    let seconds = f64::from(arguments.seconds);
    let ns = 1e9 * best * hop as f64 / sound.len() as f64;
    let floor_ns = 2.0 * playable.net().macs() as f64 / peak;
    let [whole_ns, whole_floor_ns, hop_ns] =
        [ns, floor_ns, 1e9 * hop as f64 / f64::from(rate)].map(|x| grouped(x as usize));
    println!("model            {}", model.name);
    println!("kernels          {}", path.name());
    println!("one hop          {whole_ns} ns of {hop_ns} ns");
    println!("real-time factor {:.1}", seconds / best);
    println!("load of a core   {:.2} %", 100.0 * best / seconds);
    println!(
        "work             {} multiply-accumulates a hop, {:.1} million a second",
        grouped(playable.net().macs()),
        playable.macs_per_second() / 1e6
    );
    println!(
        "share of floor   {:.0} % (floor {whole_floor_ns} ns: the work at {peak:.1} GFLOP/s)",
        100.0 * floor_ns / ns
    );
    for (peer, times) in peers.iter().zip(&times) {
        let time = times.without_start(seconds);
        println!(
            "peer             {}: {:.2} % of real time, {:.2} times ours",
            peer.name(),
            100.0 * time / seconds,
            time / best
        );
    }
    Ok(())
}

fn mono(sound: &[f32], rate: u32) -> Audio {
    Audio {
        channels: vec![sound.to_vec()],
        rate,
        depth: Depth::Int(16),
    }
}

/// Noise that swells and fades like syllables; a fixed seed, so that runs compare.
fn test_sound(rate: u32, seconds: u32) -> Vec<f32> {
    let mut seed = 1u32;
    (0..rate * seconds)
        .map(|t| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (seed >> 8) as f32 / (1 << 24) as f32 - 0.5;
            let swell = (std::f32::consts::TAU * 4.0 * (t % rate) as f32 / rate as f32).sin();
            noise * (0.11 + 0.1 * swell)
        })
        .collect()
}
