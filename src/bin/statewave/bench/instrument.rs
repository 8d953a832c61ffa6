//! How fast an instrument is: what its voices take of a core.

use std::sync::Arc;
use std::time::Instant;

use statewave::instrument::{Event, Happening, Instrument, InstrumentControls};
use statewave::kernels::Path;
use statewave::model::instrument::InstrumentModel;

use super::RUNS;
use super::chains::{BLOCK, RATE};

/// Measure and print, of one voice and of many, in as many runs of a second as `seconds` says, [`RUNS`] at most.
pub fn run(name: &str, model: &Arc<InstrumentModel>, seconds: u32) {
    println!("model            {name}");
    println!("kernels          {}", Path::detect().name());
    println!("block            {BLOCK} samples at {RATE} Hz");
    for voices in [1, 16, 32] {
        let mut instrument = Instrument::new(Arc::clone(model), RATE, voices);
        let controls = InstrumentControls::default();
        let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
        let mut best = f64::INFINITY;
        let runs = RUNS.min(seconds as usize);
        for _ in 0..runs {
            // Struck anew, for a note of a piano ends by itself.
            let keys = (0..voices).map(|voice| Event {
                sample: voice % BLOCK,
                what: Happening::On {
                    id: None,
                    channel: 0,
                    key: 36 + voice as u8,
                    velocity: 0.7,
                },
            });
            let mut keys: Vec<_> = keys.collect();
            let start = Instant::now();
            for _ in (0..RATE as usize).step_by(BLOCK) {
                instrument.process(&controls, &keys, &mut left, &mut right);
                keys.clear();
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        let what = match voices {
            1 => "1 voice".into(),
            _ => format!("{voices} voices"),
        };
        println!(
            "{what:<16} {:.2} % of a core, {:.3} % a voice",
            100.0 * best,
            100.0 * best / voices as f64
        );
    }
}
