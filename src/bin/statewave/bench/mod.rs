//! `statewave bench`: how fast a model runs here.

use std::process::ExitCode;
use std::time::Instant;

use serde_json::Value;

use crate::denoise::{self, Settings};
use crate::failure::Result;
use crate::inspect::grouped;
use crate::models;

/// Measure a model on one core: ns a hop, real-time factor, share of the machine's floor.
#[derive(clap::Args)]
pub struct Arguments {
    /// A model's name, or the path of its file
    #[arg(default_value = models::DEFAULT)]
    model: String,
    /// Seconds of sound to clean in each of the runs
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
}

/// Runs; the fastest counts, as others can only have been disturbed.
const RUNS: usize = 5;

/// Rate and hop of models that do not name theirs.
const USUAL: (u32, usize) = (48_000, 320);

/// Measure and print.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let model = models::open(&arguments.model)?;
    let (rate, hop) = rate_and_hop(&model.file.spec_json);
    let sound = test_sound(rate, arguments.seconds);
    let settings = Settings {
        amount_db: f32::INFINITY,
        mix: 1.0,
        removed: false,
    };
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let start = Instant::now();
        denoise::clean(&model, vec![sound.clone()], rate, &settings, &mut |_| {})?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    let hops = sound.len() as f64 / hop as f64;
    let ns = 1e9 * best / hops;
    println!("model            {}", model.name);
    println!(
        "one hop          {} ns of {} ns",
        grouped(ns as usize),
        grouped(1_000_000_000 * hop / rate as usize)
    );
    println!(
        "real-time factor {:.1}",
        f64::from(arguments.seconds) / best
    );
    println!(
        "load of a core   {:.2} %",
        100.0 * best / f64::from(arguments.seconds)
    );
    Ok(ExitCode::SUCCESS)
}

fn rate_and_hop(spec: &Value) -> (u32, usize) {
    let number = |value: Option<&Value>| {
        value
            .and_then(Value::as_u64)
            .filter(|&n| (1..=1_000_000).contains(&n))
    };
    let rate = number(spec.get("sample_rate")).map_or(USUAL.0, |n| n as u32);
    let hop =
        number(spec.get("front_end").and_then(|f| f.get("hop"))).map_or(USUAL.1, |n| n as usize);
    (rate, hop)
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
