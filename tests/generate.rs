//! Promise: a model of raw sound is its PyTorch twin, whole recordings and streams are the same, and what it makes of a
//! seed is the same every time.

mod kernel_common;

use std::sync::Arc;

use kernel_common::{Noise, assert_db, wide};
use statewave::kernels::Path;
use statewave::model::file::ModelFile;
use statewave::model::generate::mu_law::LEVELS;
use statewave::model::generate::{Density, GenerateModel, GenerateStream};

/// What logits must reach against single precision in PyTorch.
const LEAST_DB: f64 = 100.0;

const GOLDEN: &[u8] = include_bytes!("golden/generate.safetensors");

fn golden() -> (Arc<GenerateModel>, Vec<u8>, Density, Vec<f64>) {
    let model = Arc::new(GenerateModel::from_bytes(GOLDEN).unwrap());
    let file = ModelFile::from_bytes(GOLDEN).unwrap();
    let of = |name: &str| file.tensors[&format!("golden.{name}")].data.clone();
    let tokens = of("tokens").iter().map(|&token| token as u8).collect();
    let density = of("density");
    let density = Density {
        share: density[0],
        weight: density[1],
    };
    (model, tokens, density, wide(&of("logits")))
}

fn streamed(stream: &mut GenerateStream, tokens: &[u8]) -> Vec<f32> {
    let step = |&token| {
        stream.hear(token);
        stream.logits().to_vec()
    };
    tokens.iter().flat_map(step).collect()
}

#[test]
fn logits_are_those_of_pytorch() {
    let (model, tokens, density, logits) = golden();
    for path in Path::available() {
        let whole = model.logits(path, &tokens, density);
        assert_db(&logits, &whole, LEAST_DB, "a whole recording", path);
        let mut stream = GenerateStream::on(path, Arc::clone(&model));
        stream.set_density(density);
        let steps = streamed(&mut stream, &tokens);
        assert_db(&logits, &steps, LEAST_DB, "a stream", path);
    }
}

#[test]
fn a_stream_is_the_scan_at_every_length_and_from_every_state() {
    let (model, ..) = golden();
    let mut noise = Noise(8);
    let tokens: Vec<u8> = (0..4096)
        .map(|_| (128.0 + 127.0 * noise.next()) as u8)
        .collect();
    let path = Path::detect();
    let density = Density {
        share: 0.2,
        weight: 0.5,
    };
    let whole = wide(&model.logits(path, &tokens, density));
    let mut stream = GenerateStream::on(path, Arc::clone(&model));
    stream.set_density(density);
    let steps = streamed(&mut stream, &tokens);
    assert_db(&whole, &steps, 100.0, "a long stream", path);
    // A state that was copied at an odd place goes on as the one it is of.
    stream.reset();
    let before = streamed(&mut stream, &tokens[..1003]);
    let mut copy = GenerateStream::on(path, Arc::clone(&model));
    copy.set_density(density);
    copy.state_mut().copy_from(stream.state());
    assert_eq!(streamed(&mut copy, &tokens[1003..]), steps[1003 * LEVELS..]);
    assert_eq!(before, steps[..1003 * LEVELS]);
}

#[test]
fn nothing_hears_its_future() {
    let (model, tokens, density, _) = golden();
    let path = Path::detect();
    let truth = model.logits(path, &tokens, density);
    for at in [0, 15, 16, 37, 63] {
        let mut changed = tokens.clone();
        changed[at] ^= 0x55;
        let got = model.logits(path, &changed, density);
        let same = |row: usize| got[row * LEVELS..][..LEVELS] == truth[row * LEVELS..][..LEVELS];
        assert!((0..at).all(same), "a sample before {at} has changed");
        assert!(!same(at), "sample {at} is not heard at once");
    }
}

#[test]
fn files_that_cannot_be_played_say_why() {
    let broken = |change: &dyn Fn(&mut ModelFile)| {
        let mut file = ModelFile::from_bytes(GOLDEN).unwrap();
        change(&mut file);
        GenerateModel::from_bytes(&file.to_bytes())
            .unwrap_err()
            .to_string()
    };
    let says = |error: String, what: &str| assert!(error.contains(what), "{error}");
    says(
        broken(&|f| f.spec_json["pools"] = serde_json::json!([])),
        "1 to 4 stages",
    );
    says(
        broken(&|f| f.spec_json["pools"] = serde_json::json!([4, 1])),
        "2 to 16",
    );
    says(broken(&|f| f.spec_json["sample_rate"] = 1.into()), "rate");
    says(
        broken(&|f| f.spec_json["norm_eps"] = 0.0.into()),
        "norm_eps",
    );
    says(
        broken(&|f| f.spec_json["task"] = "denoise".into()),
        "Denoise",
    );
    for tensor in [
        "embedding.weight",
        "down.1.pool.weight",
        "down.1.pool.bias",
        "density.weight",
        "lm_head.weight",
    ] {
        let what = broken(&|f| drop(f.tensors.remove(tensor)));
        let (layer, _) = tensor.rsplit_once('.').unwrap();
        assert!(what.contains(layer), "{tensor}: {what}");
    }
}
