//! Promise: every shipped model that goes on by itself does so for ten minutes without silence, without a blow-up, and within
//! what it heard; how often it was taken back is counted.
//!
//! Minutes of work, so it is run by hand: `cargo test --release --test continue_minutes -- --ignored --nocapture`.

mod kernel_common;
mod voice;

use std::f32::consts::TAU;
use std::sync::Arc;

use kernel_common::Noise;
use statewave::engine::continuation::{Continuation, Continue, LOUD_SECONDS, SILENT_SECONDS};
use statewave::model::catalogue;
use statewave::model::generate::GenerateModel;

/// The models' own, so that nothing is resampled and bounds are exact.
const RATE: usize = 16_000;
const PRIME_SECONDS: usize = 3;
const SECONDS: usize = 600;

/// What is looked at together, samples: a tenth of a second.
const STRETCH: usize = RATE / 10;

/// More than once a minute it should not need to be taken back.
const MOST_RESTARTS: u64 = 10;

/// Strokes of a drum and of a hat in turns, four a second.
fn drums() -> Vec<f32> {
    let mut noise = Noise(4);
    let stroke = RATE / 4;
    let at = |t: usize| {
        let seconds = (t % stroke) as f32 / RATE as f32;
        match t / stroke % 2 {
            0 => (TAU * 60.0 * seconds).sin() * (-12.0 * seconds).exp(),
            _ => 0.5 * noise.next() * (-40.0 * seconds).exp(),
        }
    };
    (0..PRIME_SECONDS * RATE).map(at).collect()
}

fn power(x: &[f32]) -> f32 {
    x.iter().map(|x| x * x).sum::<f32>() / x.len() as f32
}

/// The longest run of stretches of which something holds, seconds.
fn longest(powers: &[f32], holds: impl Fn(f32) -> bool) -> f32 {
    let runs = powers.split(|power| !holds(*power)).map(<[f32]>::len);
    (runs.max().unwrap_or(0) * STRETCH) as f32 / RATE as f32
}

fn goes_on(name: &str, mut prime: Vec<f32>) {
    let found = catalogue::find(name).expect("it is shipped");
    let model = GenerateModel::from_bytes(&found.bytes().unwrap()).unwrap();
    let (rate, known) = (model.spec().sample_rate, model.spec().level_db);
    assert_eq!(rate as usize, RATE);
    // At the level that it knows, so that what is silent for it is so here.
    let known = 10f32.powf(known.expect("it says its level") / 20.0);
    let gain = known / power(&prime).sqrt();
    prime.iter_mut().for_each(|x| *x *= gain);
    let heard = prime.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
    let mut stream = Continuation::new(Arc::new(model), rate, 1, 512);
    stream.process(&mut [&mut prime], &Continue::default());
    let on = Continue {
        go_on: true,
        ..Continue::default()
    };
    let most = (2.0 * heard).min(1.0);
    let mut powers = Vec::new();
    let mut audio = vec![0.0; STRETCH];
    for stretch in 0..SECONDS * RATE / STRETCH {
        audio.fill(0.0);
        stream.process(&mut [&mut audio], &on);
        let peak = audio.iter().fold(0.0f32, |peak, x| peak.max(x.abs()));
        assert!(
            audio.iter().all(|x| x.is_finite()) && peak <= most,
            "{name}: {peak} at {} s",
            stretch as f32 / 10.0
        );
        powers.push(power(&audio));
    }
    let restarts = stream.restarts();
    // -58 dBFS, below what the watch takes for silence; -4 dBFS, above what it takes for a blow-up.
    let silent = longest(&powers, |power| power < 1.6e-6);
    let loud = longest(&powers, |power| power > 0.4);
    println!(
        "{name}: {restarts:?} in {SECONDS} s, silent for {silent:.1} s and loud for {loud:.1} s at the longest"
    );
    // What it was taken back to may begin with a pause of its own.
    assert!(silent <= 2.0 * SILENT_SECONDS, "{name}: silent {silent} s");
    assert!(loud <= 2.0 * LOUD_SECONDS, "{name}: loud {loud} s");
    assert!(restarts.total() <= MOST_RESTARTS, "{name}: {restarts:?}");
}

#[test]
#[ignore = "ten minutes of sound: run by hand"]
fn drums_go_on_for_ten_minutes() {
    goes_on("continue-drums", drums());
}

#[test]
#[ignore = "ten minutes of sound: run by hand"]
fn a_piano_goes_on_for_ten_minutes() {
    goes_on("continue-piano", voice::piano());
}

#[test]
#[ignore = "ten minutes of sound: run by hand"]
fn plucked_strings_go_on_for_ten_minutes() {
    goes_on("continue-plucked", voice::piano());
}
