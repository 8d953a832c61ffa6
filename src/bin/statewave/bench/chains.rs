//! How fast an effect is: ns a sample, and how many of them one core carries.

use std::time::Instant;

use statewave::chain::{Chain, ChainConfig, EffectError};
use statewave::controls::Controls;
use statewave::kernels::Path;
use statewave::model::effect::EffectModel;

use super::{RUNS, test_sound};
use crate::failure::{Failure, Result};

/// Samples a block: a common buffer.
const BLOCK: usize = 64;

/// Measure and print, of one channel and of two.
pub fn run(name: &str, effect: &EffectModel, seconds: u32) -> Result<()> {
    println!("model            {name}");
    println!("kernels          {}", Path::detect().name());
    println!("block            {BLOCK} samples");
    for channels in [1, 2] {
        let rate = effect.spec().sample_rate;
        let config = ChainConfig {
            sample_rate: rate,
            channels,
            max_block: BLOCK,
        };
        let mut chain = Chain::of_effect(effect, config).map_err(|e: EffectError| {
            Failure::new(
                e.to_string(),
                "export the model again with training/capture.py",
            )
        })?;
        let sound = test_sound(rate, seconds);
        let mut best = f64::INFINITY;
        for _ in 0..RUNS {
            let mut audio = vec![sound.clone(); channels];
            let start = Instant::now();
            for at in (0..sound.len()).step_by(BLOCK) {
                let end = (at + BLOCK).min(sound.len());
                let mut block: Vec<&mut [f32]> =
                    audio.iter_mut().map(|c| &mut c[at..end]).collect();
                chain.process(&mut block, &Controls::default());
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
