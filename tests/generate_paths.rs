//! Promise: the shipped models of raw sound are one function on all instructions: to the bit where multiply-adds are fused, and
//! near enough elsewhere.
//!
//! Flows in: the shipped models, a voice, seeds. Flows out: logits of the same tokens and sound of the same seed, path by path.

mod kernel_common;
mod voice;

use std::sync::Arc;

use kernel_common::{assert_db, wide};
use statewave::engine::continuation::{Continuation, Continue};
use statewave::kernels::Path;
use statewave::model::generate::{Density, GenerateModel, GenerateStream, mu_law};

/// What logits reach at least where products are rounded before they are added.
const LEAST_DB: f64 = 110.0;

macro_rules! shipped {
    ($name:literal) => {
        include_bytes!(concat!(
            "../assets/models/continue/continue-",
            $name,
            ".safetensors"
        ))
    };
}

fn models() -> impl Iterator<Item = (&'static str, Arc<GenerateModel>)> {
    let shipped: [(_, &[u8]); 3] = [
        ("drums", shipped!("drums")),
        ("piano", shipped!("piano")),
        ("plucked", shipped!("plucked")),
    ];
    shipped.into_iter().map(|(name, bytes)| {
        let model = GenerateModel::from_bytes(bytes).expect("it is shipped whole");
        (name, Arc::new(model))
    })
}

/// Whether `self · b + c` is rounded once there.
fn is_fused(path: Path) -> bool {
    path != Path::Portable || cfg!(any(target_arch = "aarch64", target_feature = "fma"))
}

#[test]
fn logits_of_the_same_tokens_are_the_same_on_every_path() {
    let voice = voice::noisy_voice();
    let tokens: Vec<u8> = voice
        .iter()
        .step_by(3)
        .take(8_000)
        .map(|&x| mu_law::encode(x))
        .collect();
    let density = Density {
        share: 0.7,
        weight: 1.0,
    };
    for (name, model) in models() {
        let logits = |path| {
            let mut stream = GenerateStream::on(path, Arc::clone(&model));
            stream.set_density(density);
            let step = |&token| {
                stream.hear(token);
                stream.logits().to_vec()
            };
            tokens.iter().flat_map(step).collect::<Vec<f32>>()
        };
        let best = Path::detect();
        let truth = logits(best);
        for path in Path::available() {
            let got = logits(path);
            if is_fused(path) && is_fused(best) {
                assert!(got == truth, "{name} on {} is another", path.name());
            } else {
                assert_db(&wide(&truth), &got, LEAST_DB, name, path);
            }
        }
    }
}

#[test]
fn a_seed_makes_the_same_samples_wherever_multiply_adds_are_fused() {
    let fused: Vec<Path> = Path::available()
        .into_iter()
        .filter(|&p| is_fused(p))
        .collect();
    for (name, model) in models() {
        let sound = |path| {
            let mut stream = Continuation::on(path, Arc::clone(&model), 44_100, 1, 512);
            let mut audio = voice::noisy_voice()[..44_100].to_vec();
            let (heard, made) = audio.split_at_mut(22_050);
            stream.process(&mut [heard], &Continue::default());
            let on = Continue {
                go_on: true,
                seed: 7,
                ..Continue::default()
            };
            stream.process(&mut [made], &on);
            audio
        };
        let sounds: Vec<_> = fused.iter().map(|&path| sound(path)).collect();
        for (path, other) in fused.iter().zip(&sounds) {
            assert!(*other == sounds[0], "{name} on {}", path.name());
        }
    }
}
