//! Promise: an instrument's network says what PyTorch says, its sines and noise are what the formulas say, and a file that
//! is none is refused with a reason.

mod kernel_common;

use std::path::PathBuf;
use std::sync::Arc;

use kernel_common::assert_db;
use safetensors::{Dtype, SafeTensors};
use statewave::kernels::Path;
use statewave::kernels::sines::{Circle, Line, Loops, noise, rounded, sines};
use statewave::model::file::{ModelError, ModelFile};
use statewave::model::instrument::{InstrumentModel, Told};
use statewave::model::layer::{Layer, Seat, copy_state};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn model() -> InstrumentModel {
    InstrumentModel::open(golden("instrument.safetensors")).expect("the golden model is whole")
}

/// The numbers of a tensor in double precision, and its shape.
fn truth(name: &str) -> (Vec<f64>, Vec<usize>) {
    let bytes = std::fs::read(golden("instrument_told.safetensors")).expect("it lies beside");
    let parsed = SafeTensors::deserialize(&bytes).expect("a safetensors file");
    let view = parsed.tensor(name).expect("make_instrument.py wrote it");
    assert_eq!(view.dtype(), Dtype::F64, "the truth is in double precision");
    let number = |b: &[u8]| f64::from_le_bytes(b.try_into().expect("eight bytes"));
    let numbers = view.data().chunks_exact(8).map(number).collect();
    (numbers, view.shape().to_vec())
}

/// log2 of the amplitudes of all notes, `[notes][frames][outputs]`, as one batch.
fn exponents(model: &InstrumentModel, path: Path, frames: usize) -> Vec<f32> {
    let (notes, shape) = truth("note");
    let batch = shape[0];
    let (stack, outputs) = (model.stack(), model.outputs());
    let mut told = vec![0.0; batch * model.inputs()];
    let mut hidden = vec![0.0; batch * model.hidden()];
    let mut x = vec![0.0; batch * stack.width()];
    let mut state = vec![0.0; stack.state_len(batch)];
    let mut scratch = vec![0.0; stack.scratch_len(batch, 1)];
    let mut amplitudes = vec![0.0; batch * outputs];
    let mut all = vec![0.0; batch * frames * outputs];
    for frame in 0..frames {
        for (note, row) in notes
            .chunks_exact(4)
            .zip(told.chunks_exact_mut(model.inputs()))
        {
            let (share, on) = (note[0] as f32, note[3] as usize);
            let told = Told {
                mix: &[1.0 - share, share],
                pitch: note[1] as f32,
                velocity: note[2] as f32,
                held: frame < on,
                begins: frame == 0,
                ends: frame == on,
            };
            model.row(&told, row);
        }
        model.way_in(path, &told, &mut hidden, &mut x, batch);
        stack.forward(path, &mut x, batch, 1, &mut state, &mut scratch);
        model.way_out(path, &x, &mut amplitudes, batch);
        for (note, row) in amplitudes.chunks_exact(outputs).enumerate() {
            let place = &mut all[(note * frames + frame) * outputs..][..outputs];
            place.copy_from_slice(row);
        }
    }
    all.iter().map(|amplitude| amplitude.log2()).collect()
}

#[test]
fn the_network_says_what_pytorch_says() {
    let model = model();
    let (log2, shape) = truth("log2");
    for path in Path::available() {
        let ours = exponents(&model, path, shape[1]);
        assert_db(&log2, &ours, 100.0, "exponents", path);
    }
}

#[test]
fn partials_lie_where_training_has_them() {
    let model = model();
    let (notes, _) = truth("note");
    let (hz, shape) = truth("hz");
    for (note, hz) in notes.chunks_exact(4).zip(hz.chunks_exact(shape[1])) {
        let share = note[0] as f32;
        let (f0, b) = model.tuning(&[1.0 - share, share], note[1] as f32);
        for (k, hz) in (1..).zip(hz) {
            let k = f64::from(k);
            let ours = k * f0 * (1.0 + b * k * k).sqrt();
            assert!(
                (ours / hz - 1.0).abs() < 1e-5,
                "partial {k}: {ours} Hz for {hz}"
            );
        }
    }
}

#[test]
fn a_stream_moves_between_batches() {
    let model = model();
    let stack = model.stack();
    let path = Path::detect();
    let run = |state: &mut [f32], x: &mut [f32], batch: usize| {
        let mut scratch = vec![0.0; stack.scratch_len(batch, 1)];
        stack.forward(path, x, batch, 1, state, &mut scratch);
    };
    let width = stack.width();
    let input = |step: usize| -> Vec<f32> {
        (0..width)
            .map(|i| ((i * 7 + step * 3) as f32).sin())
            .collect()
    };
    let mut alone = vec![0.0; stack.state_len(1)];
    let mut three = vec![0.0; stack.state_len(3)];
    run(&mut alone, &mut input(0), 1);
    let (lone, second) = (
        Seat {
            batch: 1,
            stream: 0,
        },
        Seat {
            batch: 3,
            stream: 1,
        },
    );
    copy_state(stack, &alone, lone, &mut three, second);
    let mut here = input(1);
    run(&mut alone, &mut here, 1);
    let mut there = [input(5), input(1), input(9)].concat();
    run(&mut three, &mut there, 3);
    assert_eq!(
        here,
        there[width..2 * width],
        "the stream is another in the other batch"
    );
}

#[test]
fn sines_and_noise_are_what_the_formulas_say() {
    const COUNT: usize = 64;
    const LEN: usize = 777;
    let turn = |k: usize| 0.013 * (k + 1) as f64;
    let (from, slope): (Vec<f32>, Vec<f32>) = (0..COUNT)
        .map(|k| (0.3 / (k + 1) as f32, 1e-4 * (k as f32 * 0.7).sin()))
        .unzip();
    let noises = |band: usize, i: usize| ((i * (band + 3) + 11 * band) as f64 * 0.37).sin();
    let periods = [100, 37];
    let loops = || {
        let made = |band: usize| (0..periods[band]).map(|i| noises(band, i) as f32).collect();
        Loops::new((0..2).map(made).collect())
    };
    let at = 5;
    let amplitude = |k: usize, i: usize| f64::from(from[k]) + f64::from(slope[k]) * (at + i) as f64;
    let line = |count: usize, at: usize| Line {
        from: &from[..count],
        slope: &slope[..count],
        at,
    };
    let exact: Vec<f64> = (0..LEN)
        .map(|i| {
            (0..COUNT)
                .map(|k| amplitude(k, i) * (turn(k) * i as f64).sin())
                .sum()
        })
        .collect();
    let exact_noise: Vec<f64> = (0..LEN)
        .map(|i| {
            (0..2)
                .map(|b| amplitude(b, i) * noises(b, (30 + i) % periods[b]))
                .sum()
        })
        .collect();
    for path in Path::available() {
        // Cut anywhere, the sound is the same to the bit.
        let cuts: [&[usize]; 2] = [&[LEN], &[1, 31, 32, 200, 513]];
        let rendered = cuts.map(|lengths| {
            let (mut sin, mut cos) = (vec![0.0f32; COUNT], vec![1.0f32; COUNT]);
            let turns =
                |f: fn(f64) -> f64| -> Vec<f32> { (0..COUNT).map(|k| f(turn(k)) as f32).collect() };
            let (turn_sin, turn_cos) = (turns(f64::sin), turns(f64::cos));
            let (mut tonal, mut noisy) = (vec![0.0; LEN], vec![0.0; LEN]);
            let (mut begin, mut places, loops) = (0, vec![30, 30], loops());
            for len in lengths {
                let range = begin..begin + len;
                let mut circle = Circle {
                    sin: &mut sin,
                    cos: &mut cos,
                    turn_sin: &turn_sin,
                    turn_cos: &turn_cos,
                };
                sines(
                    path,
                    &mut circle,
                    line(COUNT, at + begin),
                    &mut tonal[range.clone()],
                );
                noise(
                    path,
                    &loops,
                    &mut places,
                    line(2, at + begin),
                    &mut noisy[range],
                );
                begin += len;
            }
            rounded(path, &mut sin, &mut cos);
            for (s, c) in sin.iter().zip(&cos) {
                assert!(
                    (s * s + c * c - 1.0).abs() < 1e-6,
                    "{path:?}: off the circle"
                );
            }
            (tonal, noisy)
        });
        assert_eq!(rendered[0], rendered[1], "{path:?}");
        assert_db(&exact, &rendered[0].0, 90.0, "sines", path);
        assert_db(&exact_noise, &rendered[0].1, 110.0, "noise", path);
    }
}

#[test]
fn what_is_no_instrument_is_refused() {
    let bytes = std::fs::read(golden("instrument.safetensors")).expect("it is there");
    let refused = |change: &dyn Fn(&mut ModelFile)| {
        let mut file = ModelFile::from_bytes(&bytes).expect("it is whole");
        change(&mut file);
        let error = InstrumentModel::from_bytes(&file.to_bytes()).expect_err("it is broken");
        assert!(!error.remedy().is_empty());
        error.to_string()
    };
    let facts = |key: &'static str, value: serde_json::Value| {
        refused(&move |file| file.spec_json["instrument"][key] = value.clone())
    };
    assert!(facts("partials", 33.into()).contains("multiple of 32"));
    assert!(facts("bands", 0.into()).contains("bands"));
    assert!(facts("bands", 31.into()).contains("amplitudes"));
    assert!(facts("frame_seconds", 0.02.into()).contains("frame"));
    assert!(facts("onset_seconds", 1.into()).contains("first frame"));
    assert!(facts("log2_range", serde_json::json!([0, -1])).contains("log2_range"));
    assert!(facts("pitch_knots", serde_json::json!([24, 0, 22])).contains("knots"));
    assert!(facts("tuning_knots", serde_json::json!([24, 3, 1])).contains("knots"));
    assert!(facts("instruments", serde_json::json!([])).contains("instruments"));
    assert!(facts("instruments", serde_json::json!(["one"])).contains("shape"));
    assert!(facts("surprise", 1.into()).contains("surprise"));
    let task = refused(&|file| file.spec_json["task"] = "denoise".into());
    assert!(task.contains("Denoise"), "{task}");
    let missing = refused(&|file| drop(file.tensors.remove("tuning")));
    assert!(missing.contains("tuning"), "{missing}");
    let no_head = refused(&|file| drop(file.tensors.remove("out_linear.weight")));
    assert!(no_head.contains("out_linear"), "{no_head}");
    assert!(matches!(
        InstrumentModel::open("nowhere.safetensors"),
        Err(ModelError::Io { .. })
    ));
    // It is shared between threads.
    fn shared<T: Send + Sync>(_: Arc<T>) {}
    shared(Arc::new(model()));
}
