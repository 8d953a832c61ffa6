//! A model of a split and a head alone, and what it makes of spectra in f64.
#![allow(dead_code)]

use std::collections::BTreeMap;

use rustfft::num_complex::Complex64;
use serde_json::json;
use statewave::kernels::filter::LIMIT;
use statewave::kernels::oracle;
use statewave::model::file::{ModelFile, Tensor};

use super::{Noise, wide};

const BANDS: [(usize, usize); 2] = [(3, 4), (2, 8)];
const TAPS: usize = 5;
/// The bands of four bins have long filters, and so has the first of eight.
const LONG: usize = 20;
/// What coefficients are held within where there are gates, and it is said; else [`LIMIT`].
const GATED_LIMIT: f64 = 1.25;
pub const BINS: usize = 33;
pub const FRAMES: usize = 12;

/// (bands, width, taps) of the groups that the bands are cut into.
pub const GROUPS: [(usize, usize, usize); 3] = [(3, 4, TAPS), (1, 8, TAPS), (1, 8, 1)];

/// The model, with seeded weights.
pub fn file(gated: bool, noise: &mut Noise) -> ModelFile {
    let mut tensors = BTreeMap::new();
    let mut add = |name: String, shape: &[usize], scale: f32| {
        let data = noise.vec(shape.iter().product(), scale);
        tensors.insert(
            name,
            Tensor {
                shape: shape.into(),
                data,
            },
        );
    };
    add("norm_f.weight".into(), &[8], 1.0);
    for (group, (bands, width, taps)) in GROUPS.into_iter().enumerate() {
        let outputs = (2 * taps + usize::from(gated)) * width;
        add(format!("split.weight.{group}"), &[bands, 8, 3 * width], 1.0);
        add(format!("split.bias.{group}"), &[bands, 8], 1.0);
        add(format!("head.weight.{group}"), &[bands, outputs, 8], 0.7);
        add(format!("head.bias.{group}"), &[bands, outputs], 1.0);
    }
    let mut head = json!({ "kind": "filter_head", "taps": TAPS, "tap_bins": LONG });
    if gated {
        head["gated"] = true.into();
        head["limit"] = GATED_LIMIT.into();
    }
    ModelFile {
        spec_json: json!({
            "format_version": 1, "name": "filters", "task": "denoise", "sample_rate": 48_000, "norm_eps": 1e-5,
            "front_end": { "hop": 8, "window": 64, "overlap": 4, "spread": 1 },
            "layers": [
                { "kind": "band_split", "bands": BANDS, "width": 8, "compress": 0.3, "level_seconds": 1.0 },
                head,
            ],
        }),
        tensors,
    }
}

/// What the net sees of a frame: (re, im, magnitude) a bin, compressed, over the running level.
fn features(frame: &[Complex64], level: &mut (f64, f64)) -> Vec<f64> {
    let used = &frame[..28];
    let power: Vec<f64> = used.iter().map(|x| x.norm_sqr() + 1e-12).collect();
    let keep = (-8.0 / 48_000.0f64).exp();
    let mean = power.iter().map(|p| p.powf(0.15)).sum::<f64>() / 28.0;
    *level = (keep * level.0 + mean, keep * level.1 + 1.0);
    let level = (level.0 / level.1).max(0.05);
    let scaled = |(x, p): (&Complex64, &f64)| {
        let x = x * p.powf(-0.35);
        [x.re, x.im, p.powf(0.15)].map(|v| v / level)
    };
    used.iter().zip(&power).flat_map(scaled).collect()
}

/// Matrix and bias `index` of a group's `count`, times `x`.
fn linear(
    file: &ModelFile,
    name: &str,
    group: usize,
    count: usize,
    index: usize,
    x: &[f64],
) -> Vec<f64> {
    let part = |kind: &str| {
        let all = &file.tensors[&format!("{name}.{kind}.{group}")].data;
        wide(&all[index * all.len() / count..][..all.len() / count])
    };
    oracle::linear(&part("weight"), Some(&part("bias")), x)
}

/// What the file's net makes of `frames`, `[FRAMES][BINS]`.
pub fn truth(file: &ModelFile, gated: bool, frames: &[Complex64]) -> Vec<Complex64> {
    let mut out = vec![Complex64::default(); frames.len()];
    let norm = wide(&file.tensors["norm_f.weight"].data);
    let mut level = (0.0, 0.0);
    for t in 0..FRAMES {
        let features = features(&frames[t * BINS..][..BINS], &mut level);
        let (mut bin, mut top) = (0, 0.0);
        for (group, (bands, width, taps)) in GROUPS.into_iter().enumerate() {
            for band in 0..bands {
                let x = linear(
                    file,
                    "split",
                    group,
                    bands,
                    band,
                    &features[3 * bin..][..3 * width],
                );
                let x = oracle::rms_norm(&x, &norm, 1e-5);
                let own = linear(file, "head", group, bands, band, &x);
                let (coefficients, logits) = own.split_at(2 * width * taps);
                top = 0.0;
                for (i, c) in coefficients.chunks_exact(2 * taps).enumerate() {
                    let c: Vec<_> = c
                        .chunks_exact(2)
                        .map(|c| Complex64::new(c[0], c[1]))
                        .collect();
                    let seen: Vec<_> = (0..taps.min(t + 1))
                        .map(|k| frames[(t - k) * BINS + bin])
                        .collect();
                    let limit = if gated { GATED_LIMIT } else { LIMIT.into() };
                    let (y, power) = oracle::filter(&c, limit, gated.then(|| logits[i]), &seen);
                    out[t * BINS + bin] = y;
                    top += power / width as f64;
                    bin += 1;
                }
            }
        }
        for bin in bin..BINS {
            out[t * BINS + bin] = frames[t * BINS + bin] * (top + 1e-12).sqrt();
        }
    }
    out
}

/// Spectra as floats, and what the file's net makes of them.
pub fn spectra(file: &ModelFile, gated: bool, noise: &mut Noise) -> (Vec<f32>, Vec<f64>) {
    let input = noise.vec(FRAMES * 2 * BINS, 1.0);
    let frames: Vec<_> = input
        .chunks_exact(2)
        .map(|x| Complex64::new(x[0] as f64, x[1] as f64))
        .collect();
    let out = truth(file, gated, &frames);
    (input, out.iter().flat_map(|y| [y.re, y.im]).collect())
}
