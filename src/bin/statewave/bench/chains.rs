//! How fast an effect is, or a model that goes on by itself: ns a sample, and how many of them one core carries.

use std::sync::Arc;
use std::time::Instant;

use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::continuation::Continue;
use statewave::kernels::Path;
use statewave::model::effect::EffectModel;
use statewave::model::generate::GenerateModel;

use super::{RUNS, test_sound};
use crate::failure::{Failure, Result};

/// Samples a block: a common buffer.
pub const BLOCK: usize = 64;

/// The rate of a host, for models that have another.
pub const RATE: u32 = 48_000;

/// Runs of a model that goes on: each takes a good part of the time it lasts.
const LONG_RUNS: usize = 4;

/// Measure an effect at its own rate.
pub fn effect(name: &str, model: &EffectModel, seconds: u32) -> Result<()> {
    let make = |config| {
        Chain::of_effect(model, config).map_err(|e| {
            Failure::new(
                e.to_string(),
                "export the model again with training/capture.py",
            )
        })
    };
    let rate = model.spec().sample_rate;
    measure(name, (rate, RUNS), &Controls::default(), make, seconds)
}

/// Measure a model that goes on by itself, while it does.
pub fn continuation(name: &str, model: &Arc<GenerateModel>, seconds: u32) -> Result<()> {
    let make = |config| {
        Chain::of_continuation(Arc::clone(model), config).map_err(|e| {
            Failure::new(
                e.to_string(),
                "this is a fault of Statewave; please report it",
            )
        })
    };
    let controls = Controls {
        continuation: Continue {
            go_on: true,
            ..Continue::default()
        },
        ..Controls::default()
    };
    measure(name, (RATE, LONG_RUNS), &controls, make, seconds)
}

/// Measure and print, of one channel and of two.
fn measure(
    name: &str,
    (rate, runs): (u32, usize),
    controls: &Controls,
    make: impl Fn(ChainConfig) -> Result<Chain>,
    seconds: u32,
) -> Result<()> {
    println!("model            {name}");
    println!("kernels          {}", Path::detect().name());
    println!("block            {BLOCK} samples at {rate} Hz");
    for channels in [1, 2] {
        let config = ChainConfig {
            sample_rate: rate,
            channels,
            max_block: BLOCK,
        };
        let mut chain = make(config)?;
        let sound = test_sound(rate, seconds);
        let mut best = f64::INFINITY;
        for _ in 0..runs {
            let mut audio = vec![sound.clone(); channels];
            let start = Instant::now();
            for at in (0..sound.len()).step_by(BLOCK) {
                let end = (at + BLOCK).min(sound.len());
                let mut block: Vec<&mut [f32]> =
                    audio.iter_mut().map(|c| &mut c[at..end]).collect();
                chain.process(&mut block, controls);
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        let ns = 1e9 * best / sound.len() as f64;
        let kind = if channels == 1 { "mono" } else { "stereo" };
        println!(
            "{kind:<16} {ns:.0} ns a sample, {:.2} % of a core, {:.0} instances a core",
            100.0 * best / f64::from(seconds),
            (f64::from(seconds) / best).floor()
        );
    }
    Ok(())
}
