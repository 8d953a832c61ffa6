//! What the shipped instrument costs: share of a core of one voice at 48 kHz, and how many a core holds.
//!
//!     cargo bench -p statewave-benches --bench instrument

use std::sync::Arc;
use std::time::Instant;

use statewave::instrument::{Event, Happening, Instrument, InstrumentControls};
use statewave::model::instrument::InstrumentModel;

const MODEL: &[u8] = include_bytes!("../../assets/models/instruments/ensemble.safetensors");

const RATE: u32 = 48_000;

/// Samples of a host's block.
const BLOCK: usize = 64;

/// What is played at a time, and how often; the best counts.
const SECONDS: f64 = 1.0;
const ROUNDS: usize = 5;

fn main() {
    let model = Arc::new(InstrumentModel::from_bytes(MODEL).expect("it is shipped whole"));
    println!(
        "{} weights, {} Hz, blocks of {BLOCK}; the best of {ROUNDS} seconds",
        model.parameters(),
        RATE
    );
    println!("voices   share of a core   of one voice   voices a core   longest block");
    for voices in [1, 4, 16, 32, 64] {
        let (share, longest) = cost(&model, voices);
        println!(
            "{voices:6}   {:13.2} %   {:10.3} %   {:13.0}   {:10.3} ms",
            100.0 * share,
            100.0 * share / voices as f64,
            voices as f64 / share,
            1e3 * longest
        );
    }
}

/// The share of a core that so many voices take, and the seconds of the block that took longest, which the network's frame
/// falls into; each the best of all rounds.
fn cost(model: &Arc<InstrumentModel>, voices: usize) -> (f64, f64) {
    let clarinet = model.instrument("clarinet").expect("the model has one");
    let controls = InstrumentControls {
        a: clarinet,
        b: clarinet,
        ..InstrumentControls::default()
    };
    let mut instrument = Instrument::new(Arc::clone(model), RATE, voices);
    let (mut left, mut right) = ([0.0; BLOCK], [0.0; BLOCK]);
    // Begun apart, as notes are.
    for i in 0..voices {
        let what = Happening::On {
            id: None,
            channel: 0,
            key: 36 + (i * 7 % 48) as u8,
            velocity: 0.7,
        };
        let event = Event {
            sample: i * 5 % BLOCK,
            what,
        };
        instrument.process(&controls, &[event], &mut left, &mut right);
    }
    let blocks = (SECONDS * f64::from(RATE)) as usize / BLOCK;
    let (mut share, mut longest) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        let (mut total, mut worst) = (0.0, 0.0f64);
        for _ in 0..blocks {
            let start = Instant::now();
            instrument.process(&controls, &[], &mut left, &mut right);
            let seconds = start.elapsed().as_secs_f64();
            total += seconds;
            worst = worst.max(seconds);
        }
        assert_eq!(instrument.sounding(), voices, "a note has ended");
        share = share.min(total / SECONDS);
        longest = longest.min(worst);
    }
    (share, longest)
}
