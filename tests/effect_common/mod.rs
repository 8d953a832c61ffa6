//! A small effect with random weights, and what it should be.
#![allow(dead_code)]

use rustfft::num_complex::Complex64;
use statewave::kernels::oracle;
use statewave::model::discretize::Rule;
use statewave::model::effect::EffectModel;
use statewave::model::file::{ModelFile, Tensor};

use crate::kernel_common::{Noise, wide};

const WIDTH: usize = 16;
/// Channels of the selective block.
pub const INNER: usize = 8;
const STATES: usize = 3;
const MODES: usize = 2;
const HIDDEN: usize = 4;

/// An S4D block and a selective one with random weights, and two knobs.
pub fn file() -> ModelFile {
    let mut noise = Noise(7);
    let mut file = ModelFile {
        spec_json: serde_json::json!({
            "format_version": 1, "name": "random", "task": "effect", "sample_rate": 48_000,
            "rule": "first_order_hold", "activation": "tanh",
            "knobs": [{ "name": "drive", "default": 0.5 }, { "name": "tone", "min": -1.0, "max": 1.0, "default": 0.0 }],
        }),
        tensors: Default::default(),
    };
    let mut add = |name: &str, shape: &[usize], centre: f32, scale: f32| {
        let values = noise.vec(shape.iter().product(), scale);
        let data = values.iter().map(|v| v + centre).collect();
        let shape = shape.to_vec();
        file.tensors.insert(name.into(), Tensor { shape, data });
    };
    add("in_linear.weight", &[WIDTH, 1], 0.0, 2.0);
    add("in_linear.bias", &[WIDTH], 0.0, 0.1);
    add("out_linear.weight", &[1, WIDTH], 0.0, 0.3);
    add("out_linear.bias", &[1], 0.0, 0.1);
    add("layers.0.mixer.log_dt", &[WIDTH], -4.0, 2.0);
    add("layers.0.mixer.log_A_real", &[WIDTH, MODES], -0.7, 0.1);
    add("layers.0.mixer.A_imag", &[WIDTH, MODES], 1.0, 1.0);
    add("layers.0.mixer.C", &[WIDTH, MODES, 2], 0.0, 0.5);
    add("layers.0.mixer.D", &[WIDTH], 1.0, 0.3);
    add("layers.0.mixer.out_proj.weight", &[WIDTH, WIDTH], 0.0, 0.3);
    add("layers.0.mixer.out_proj.bias", &[WIDTH], 0.0, 0.1);
    add(
        "layers.1.mixer.in_proj.weight",
        &[2 * INNER, WIDTH],
        0.0,
        0.3,
    );
    add("layers.1.mixer.in_proj.bias", &[2 * INNER], 0.0, 0.3);
    add(
        "layers.1.mixer.x_proj.weight",
        &[1 + 2 * STATES, INNER],
        0.0,
        0.5,
    );
    add("layers.1.mixer.dt_proj.weight", &[INNER, 1], 0.0, 0.5);
    add("layers.1.mixer.dt_proj.bias", &[INNER], -4.0, 2.0);
    add("layers.1.mixer.A_log", &[INNER, STATES], 0.5, 0.5);
    add("layers.1.mixer.D", &[INNER], 1.0, 0.1);
    add("layers.1.mixer.out_proj.weight", &[WIDTH, INNER], 0.0, 0.3);
    add("layers.1.mixer.out_proj.bias", &[WIDTH], 0.0, 0.1);
    add("film.0.weight", &[HIDDEN, 2], 0.0, 1.0);
    add("film.0.bias", &[HIDDEN], 0.0, 1.0);
    add("film.2.weight", &[2 * (WIDTH + INNER), HIDDEN], 0.0, 0.5);
    add("film.2.bias", &[2 * (WIDTH + INNER)], 0.0, 0.2);
    file
}

pub fn model() -> EffectModel {
    EffectModel::from_bytes(&file().to_bytes()).unwrap()
}

/// What a stream makes of its input.
pub struct Truth {
    pub heard: Vec<f64>,
    /// Δ of the selective block, `[time][INNER]`.
    pub deltas: Vec<f64>,
}

/// The same in f64, one line an equation, with Δ times `scale`.
pub fn truth(input: &[f32], knobs: [f64; 2], scale: f64) -> Truth {
    let file = file();
    let t = |name: &str| wide(&file.tensors[name].data);
    let linear = |name: &str, x: &[f64]| {
        let bias = format!("{name}.bias");
        let bias = file.tensors.contains_key(&bias).then(|| t(&bias));
        oracle::linear(&t(&format!("{name}.weight")), bias.as_deref(), x)
    };
    let silu = |x: Vec<f64>| x.into_iter().map(oracle::silu).collect::<Vec<_>>();
    let film = linear("film.2", &silu(linear("film.0", &knobs)));
    let (first, second) = film.split_at(2 * WIDTH);
    let moved = |v: f64, part: &[f64], i: usize| (1.0 + part[i]) * v + part[part.len() / 2 + i];
    let mut rows: Vec<Vec<f64>> = input
        .iter()
        .map(|x| linear("in_linear", &[*x as f64]))
        .collect();

    let (a_real, a_imag, c) = (
        t("layers.0.mixer.log_A_real"),
        t("layers.0.mixer.A_imag"),
        t("layers.0.mixer.C"),
    );
    let (log_dt, d) = (t("layers.0.mixer.log_dt"), t("layers.0.mixer.D"));
    let mut y = vec![vec![0.0; WIDTH]; rows.len()];
    for i in 0..WIDTH * MODES {
        let (e, delta) = (i / MODES, log_dt[i / MODES].exp() * scale);
        let a = Complex64::new(-a_real[i].exp(), a_imag[i]);
        let reads = 2.0 * Complex64::new(c[2 * i], c[2 * i + 1]);
        let step = Rule::FirstOrderHold.step(a, delta);
        let mut h = Complex64::ZERO;
        for (y, row) in y.iter_mut().zip(&rows) {
            h = step.a_bar * h + step.input * row[e];
            y[e] += (reads * (h + step.through * row[e])).re
                + if i % MODES == 0 { d[e] * row[e] } else { 0.0 };
        }
    }
    for (row, y) in rows.iter_mut().zip(&y) {
        let active: Vec<f64> = (0..WIDTH).map(|e| moved(y[e], first, e).tanh()).collect();
        let out = linear("layers.0.mixer.out_proj", &active);
        row.iter_mut().zip(out).for_each(|(x, o)| *x += o);
    }

    let (mut u, mut z, mut delta, mut b, mut c) = (vec![], vec![], vec![], vec![], vec![]);
    for row in &rows {
        let uz = linear("layers.1.mixer.in_proj", row);
        let own: Vec<f64> = (0..INNER)
            .map(|e| oracle::silu(moved(uz[e], second, e)))
            .collect();
        let gates = linear("layers.1.mixer.x_proj", &own);
        let raw = linear("layers.1.mixer.dt_proj", &gates[..1]);
        delta.extend(raw.into_iter().map(|v| scale * oracle::softplus(v)));
        b.extend(&gates[1..1 + STATES]);
        c.extend(&gates[1 + STATES..]);
        u.extend(own);
        z.push(uz[INNER..].to_vec());
    }
    let a: Vec<f64> = t("layers.1.mixer.A_log")
        .into_iter()
        .map(|v| -v.exp())
        .collect();
    let (d, mut h) = (t("layers.1.mixer.D"), vec![0.0; INNER * STATES]);
    let y = oracle::s6(oracle::zoh, &a, &d, STATES, &delta, &u, &b, &c, &mut h);
    let heard = rows
        .iter()
        .zip(y.chunks(INNER).zip(&z))
        .map(|(row, (y, z))| {
            let gated: Vec<f64> = y.iter().zip(z).map(|(y, z)| y * z).collect();
            let out = linear("layers.1.mixer.out_proj", &gated);
            let sum: Vec<f64> = row.iter().zip(out).map(|(x, o)| x + o).collect();
            linear("out_linear", &sum)[0]
        })
        .collect();
    Truth {
        heard,
        deltas: delta,
    }
}
