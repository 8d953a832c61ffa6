//! What a memory time costs: effects and continuations at other paces than their own, beside their own, in one run.
//!
//!     cargo bench -p statewave-benches --bench pace
//!
//! Chains at 48 kHz, stereo, in blocks of 64. All paces of a model take turns; each block counts with the best of its rounds, the
//! mean over blocks is the cost, the dearest block what a callback must have room for.

use std::sync::Arc;
use std::time::Instant;

use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::continuation::Continue;
use statewave::kernels::Path;
use statewave::model::effect::EffectModel;
use statewave::model::generate::GenerateModel;
use statewave::state::StateControls;
use statewave_benches::Noise;

const RATE: u32 = 48_000;
const BLOCK: usize = 64;
const BLOCKS: usize = 750;
const ROUNDS: usize = 15;

/// Blocks from one end of a memory time that never rests to the other: 75 ms, within which the pace gets there.
const TURN: usize = 56;

/// The factor on time constants at a block, and what it is called.
type Memory = (&'static str, fn(usize) -> f32);

const MEMORIES: [Memory; 5] = [
    ("× 1", |_| 1.0),
    ("× 2", |_| 2.0),
    ("× 64", |_| 64.0),
    ("× ¼", |_| 0.25),
    ("moving, ¼ to 2", |block| {
        if (block / TURN).is_multiple_of(2) {
            0.25
        } else {
            2.0
        }
    }),
];

macro_rules! shipped {
    ($path:literal) => {
        include_bytes!(concat!("../../assets/models/", $path, ".safetensors"))
    };
}

fn main() {
    println!("path {}, stereo, blocks of {BLOCK}", Path::detect().name());
    println!(
        "\n| model | memory time | µs a sample | beside its own | dearest block, µs | beside its own |"
    );
    println!("|---|---|---|---|---|---|");
    let config = ChainConfig {
        sample_rate: RATE,
        channels: 2,
        max_block: BLOCK,
    };
    let effects: [(&str, &[u8]); 3] = [
        ("tone-drive", shipped!("tone/tone-drive")),
        ("tone-triode", shipped!("tone/tone-triode")),
        ("tone-opto", shipped!("tone/tone-opto")),
    ];
    for (name, bytes) in effects {
        let model = EffectModel::from_bytes(bytes).expect("it is shipped whole");
        table(name, || Chain::of_effect(&model, config).expect("its rate"));
    }
    let drums = shipped!("continue/continue-drums");
    let model = Arc::new(GenerateModel::from_bytes(drums).expect("it is shipped whole"));
    table("continue-drums", || {
        Chain::of_continuation(Arc::clone(&model), config).expect("a usual rate")
    });
}

/// A row for each memory time.
fn table(name: &str, make: impl Fn() -> Chain) {
    let mut chains = MEMORIES.map(|_| make());
    let mut seconds = MEMORIES.map(|_| vec![f64::MAX; BLOCKS]);
    let sound = Noise(3).vec(BLOCKS * BLOCK, 0.25);
    for _ in 0..ROUNDS {
        for ((chain, best), (_, memory)) in chains.iter_mut().zip(&mut seconds).zip(MEMORIES) {
            play(chain, memory, &sound, best);
        }
    }
    let mean = |all: &[f64]| 1e6 * all.iter().sum::<f64>() / (BLOCKS * BLOCK) as f64;
    let most = |all: &[f64]| 1e6 * all.iter().copied().fold(0.0, f64::max);
    for ((memory, _), all) in MEMORIES.iter().zip(&seconds) {
        println!(
            "| {name} | {memory} | {:.3} | {:.2} | {:.1} | {:.2} |",
            mean(all),
            mean(all) / mean(&seconds[0]),
            most(all),
            most(all) / most(&seconds[0]),
        );
    }
}

/// A second, from the same state of the controls each time; what each block took goes into `best` if it is less.
fn play(chain: &mut Chain, memory: fn(usize) -> f32, sound: &[f32], best: &mut [f64]) {
    for (block, (piece, best)) in sound.chunks_exact(BLOCK).zip(best).enumerate() {
        let controls = Controls {
            continuation: Continue {
                go_on: true,
                ..Continue::default()
            },
            state: StateControls {
                memory: memory(block),
                ..StateControls::default()
            },
            ..Controls::default()
        };
        let (mut left, mut right) = (piece.to_vec(), piece.to_vec());
        let start = Instant::now();
        chain.process(&mut [&mut left, &mut right], &controls);
        *best = best.min(start.elapsed().as_secs_f64());
    }
}
