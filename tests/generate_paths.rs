//! Promise: the shipped models of raw sound are one function on all instructions.
//!
//! Flows in: the shipped models, a voice, seeds. Flows out: signal-to-error ratios of logits, samples bit for bit.

mod kernel_common;
mod voice;

use std::sync::Arc;

use kernel_common::{assert_db, wide};
use statewave::engine::continuation::{Continuation, Continue};
use statewave::kernels::Path;
use statewave::kernels::oracle::snr_db;
use statewave::model::generate::{Density, GenerateModel, GenerateStream, mu_law};

fn models() -> [(&'static str, Arc<GenerateModel>); 3] {
    let shipped: [(_, &[u8]); 3] = [
        ("drums", include_bytes!("../assets/models/continue/continue-drums.safetensors")),
        ("piano", include_bytes!("../assets/models/continue/continue-piano.safetensors")),
        ("plucked", include_bytes!("../assets/models/continue/continue-plucked.safetensors")),
    ];
    shipped.map(|(name, bytes)| (name, Arc::new(GenerateModel::from_bytes(bytes).expect("it is sound"))))
}

#[test]
fn probe() {
    let tokens: Vec<u8> = voice::noisy_voice().iter().step_by(3).take(8_000).map(|&x| mu_law::encode(x)).collect();
    for (name, model) in models() {
        let run = |path| {
            let mut stream = GenerateStream::on(path, Arc::clone(&model));
            stream.set_density(Density { share: 0.7, weight: 1.0 });
            let mut all = Vec::new();
            for &token in &tokens {
                stream.hear(token);
                all.extend_from_slice(stream.logits());
            }
            all
        };
        let portable = run(Path::Portable);
        let avx2 = run(Path::Avx2);
        let avx512 = run(Path::Avx512);
        println!("{name}: portable avx2 {:.1} portable avx512 {:.1} avx2 avx512 {:.1} same {}", snr_db(&wide(&portable), &avx2), snr_db(&wide(&portable), &avx512), snr_db(&wide(&avx2), &avx512), avx2 == avx512);
        let first = avx2.iter().zip(&avx512).position(|(a, b)| a != b);
        println!("first {:?}", first.map(|f| f / 256));
    }
}
