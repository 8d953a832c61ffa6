//! A denoiser larger than the one that is shipped, with seeded weights: what a studio model may look like.
#![allow(dead_code)]

use std::collections::BTreeMap;

use serde_json::json;
use statewave::model::Model;
use statewave::model::file::{ModelFile, Tensor};

use super::Noise;

/// 20 ms at 48 kHz.
pub const HOP: usize = 960;
const WINDOW: usize = 2 * HOP;
const WIDTH: usize = 96;
const LAYERS: usize = 5;
const HEADS: usize = 6;
const HEAD_DIM: usize = 32;
const STATES: usize = 32;
const MIXED: usize = 32;
const BANDS: [(usize, usize); 4] = [(24, 4), (12, 16), (8, 32), (5, 64)];
const TAPS: usize = 7;
const TAP_BINS: usize = 96;

/// (bands, width, taps) of the groups that the bands are cut into: the long filters end with the first.
const GROUPS: [(usize, usize, usize); 4] = [(24, 4, TAPS), (12, 16, 1), (8, 32, 1), (5, 64, 1)];

/// The model: 5 layers of D 96 over 49 bands, hop 20 ms, window 40 ms.
pub fn model() -> Model {
    let (inner, bands) = (HEADS * HEAD_DIM, BANDS.iter().map(|b| b.0).sum::<usize>());
    let conv = inner + 2 * STATES;
    let (mut noise, mut tensors) = (Noise(96), BTreeMap::new());
    let mut add = |name: String, shape: &[usize], centre: f32, scale: f32| {
        let values = noise.vec(shape.iter().product(), scale);
        let data = values.iter().map(|v| centre + v).collect();
        let shape = shape.into();
        tensors.insert(name, Tensor { shape, data });
    };
    let by = |inputs: usize| 1.0 / (inputs as f32).sqrt();
    add("norm_f.weight".into(), &[WIDTH], 1.0, 0.2);
    for layer in 0..LAYERS {
        let mut own = |name: &str, shape: &[usize], centre: f32, scale: f32| {
            add(format!("layers.{layer}.{name}"), shape, centre, scale);
        };
        own("norm.weight", &[WIDTH], 1.0, 0.2);
        let rows = inner + conv + HEADS;
        own("mixer.in_proj.weight", &[rows, WIDTH], 0.0, by(WIDTH));
        own("mixer.conv1d.weight", &[conv, 1, 4], 0.0, 0.5);
        own("mixer.conv1d.bias", &[conv], 0.0, 0.2);
        own("mixer.dt_bias", &[HEADS], -3.0, 1.0);
        own("mixer.A_log", &[HEADS], 1.0, 1.0);
        own("mixer.D", &[HEADS], 1.0, 0.2);
        own("mixer.norm.weight", &[inner], 1.0, 0.2);
        own("mixer.out_proj.weight", &[WIDTH, inner], 0.0, by(inner));
        own("bands.norm.weight", &[WIDTH], 1.0, 0.2);
        own("bands.in_proj.weight", &[2 * MIXED, WIDTH], 0.0, by(WIDTH));
        own("bands.mix", &[MIXED, bands, bands], 0.0, by(bands));
        own("bands.bias", &[MIXED, bands], 0.0, 0.2);
        own("bands.out_proj.weight", &[WIDTH, MIXED], 0.0, by(MIXED));
    }
    for (group, (bands, width, taps)) in GROUPS.into_iter().enumerate() {
        let outputs = 2 * taps * width;
        add(
            format!("split.weight.{group}"),
            &[bands, WIDTH, 3 * width],
            0.0,
            by(3 * width),
        );
        add(format!("split.bias.{group}"), &[bands, WIDTH], 0.0, 0.1);
        add(
            format!("head.weight.{group}"),
            &[bands, outputs, WIDTH],
            0.0,
            by(WIDTH),
        );
        add(format!("head.bias.{group}"), &[bands, outputs], 0.0, 0.3);
    }
    let over_time = json!({
        "kind": "mamba2", "heads": HEADS, "head_dim": HEAD_DIM, "states": STATES, "groups": 1, "taps": 4,
    });
    let across = json!({ "kind": "band_mix", "channels": MIXED });
    let split = json!({ "kind": "band_split", "bands": BANDS, "width": WIDTH, "compress": 0.3, "level_seconds": 1.0 });
    let head = json!({ "kind": "filter_head", "taps": TAPS, "tap_bins": TAP_BINS });
    let mut layers = vec![split];
    (0..LAYERS).for_each(|_| layers.extend([over_time.clone(), across.clone()]));
    layers.push(head);
    let file = ModelFile {
        spec_json: json!({
            "format_version": 1, "name": "large", "task": "denoise", "sample_rate": 48_000, "norm_eps": 1e-5,
            "front_end": { "hop": HOP, "window": WINDOW, "overlap": 192, "spread": HOP / 2 },
            "layers": layers,
        }),
        tensors,
    };
    Model::from_bytes(&file.to_bytes()).expect("it is sound")
}
