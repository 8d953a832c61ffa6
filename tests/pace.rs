//! Promise: Δ times a factor is the same layer with its time running as fast, for every kind: at 1 it is the layer to the bit, at 0
//! its state stands still, and in between it is what the formulas say.

mod kernel_common;

use kernel_common::blocks::{WIDTH, tensors};
use kernel_common::{Noise, assert_db, wide};
use statewave::kernels::Path;
use statewave::kernels::oracle::softplus;
use statewave::kernels::scan::{Ssd, ssd_gates};
use statewave::model::discretize::{Rule, Sampling};
use statewave::model::layer::Layer;
use statewave::model::pace::Pace;
use statewave::model::stack::{Block, Stack, StackConfig};

const RULES: [Rule; 3] = [Rule::Zoh, Rule::Bilinear, Rule::FirstOrderHold];

fn stack(seed: u64, rule: Rule) -> Stack {
    let config = StackConfig {
        groups: 2,
        sampling: Sampling {
            rule,
            ..Sampling::default()
        },
        ..StackConfig::default()
    };
    Stack::new(config, &tensors(seed)).unwrap()
}

/// One layer and a stream of it.
struct Stream<'a> {
    layer: &'a Block,
    path: Path,
    state: Vec<f32>,
    pace: Vec<f32>,
}

impl<'a> Stream<'a> {
    fn new(layer: &'a Block, path: Path) -> Stream<'a> {
        let mut stream = Stream {
            layer,
            path,
            state: vec![0.0; layer.state_len(1)],
            pace: vec![0.0; layer.pace_len()],
        };
        stream.set(1.0);
        stream
    }

    fn set(&mut self, scale: f32) {
        self.layer.set_pace(scale, &mut self.pace);
    }

    /// `x`, `[time][WIDTH]`, at the pace set.
    fn run(&mut self, x: &[f32]) -> Vec<f32> {
        let (time, mut x) = (x.len() / WIDTH, x.to_vec());
        let mut scratch = vec![0.0; self.layer.scratch_len(1, time)];
        let pace = Pace::new(&self.pace);
        self.layer.forward_at(
            self.path,
            &mut x,
            1,
            time,
            &mut self.state,
            &mut scratch,
            pace,
        );
        x
    }

    /// The state without the tails of its convolution, which knows no time but steps.
    fn h(&self) -> &[f32] {
        let tails = match self.layer {
            Block::Mamba(block) => 3 * block.config().inner,
            Block::Mamba2(block) => 3 * block.config().conv_channels(),
            Block::S4d(_) | Block::Selective(_) => 0,
        };
        &self.state[tails..]
    }
}

fn each(rule: Rule, mut check: impl FnMut(usize, &Block, Path)) {
    for path in Path::available() {
        for (k, layer) in stack(7, rule).blocks().iter().enumerate() {
            check(k, layer, path);
        }
    }
}

#[test]
fn at_its_own_pace_a_layer_is_what_it_is_without_one_to_the_bit() {
    for rule in RULES {
        each(rule, |k, layer, path| {
            let x = Noise(3).vec(50 * WIDTH, 1.0);
            let mut stream = Stream::new(layer, path);
            // There and back again.
            stream.set(0.3);
            stream.set(1.0);
            let got = stream.run(&x);
            let (mut truth, mut state) = (x, vec![0.0; layer.state_len(1)]);
            let mut scratch = vec![0.0; layer.scratch_len(1, 50)];
            layer.forward(path, &mut truth, 1, 50, &mut state, &mut scratch);
            assert!(got == truth && stream.state == state, "layer {k}, {rule:?}");
        });
    }
}

#[test]
fn a_frozen_state_is_the_same_to_the_bit_and_goes_on_from_there() {
    for rule in RULES {
        each(rule, |k, layer, path| {
            let mut noise = Noise(4);
            let mut stream = Stream::new(layer, path);
            stream.run(&noise.vec(40 * WIDTH, 1.0));
            let held = stream.h().to_vec();
            stream.set(0.0);
            let out = stream.run(&noise.vec(500 * WIDTH, 1.0));
            assert!(out.iter().all(|y| y.is_finite()), "layer {k}");
            // S6 and SSD raise every input by 1e-18 against subnormal numbers.
            let moved = stream.h().iter().zip(&held).map(|(a, b)| (a - b).abs());
            assert!(moved.fold(0.0, f32::max) < 1e-15, "layer {k}, {rule:?}");
            let large = stream.h().iter().zip(&held).filter(|(_, b)| b.abs() > 1e-9);
            assert!(large.clone().count() > 50 && large.clone().all(|(a, b)| a == b));
            // Released, it takes up where it stood.
            let x = noise.vec(WIDTH, 1.0);
            let mut other = Stream::new(layer, path);
            other.state = stream.state.clone();
            stream.set(1.0);
            assert_eq!(stream.run(&x), other.run(&x));
        });
    }
}

#[test]
fn half_the_pace_with_every_input_twice_is_the_same_system_where_inputs_are_held() {
    each(Rule::Zoh, |k, layer, path| {
        if !matches!(layer, Block::S4d(_) | Block::Selective(_)) {
            return;
        }
        let x = Noise(5).vec(60 * WIDTH, 1.0);
        let twice: Vec<f32> = x
            .chunks_exact(WIDTH)
            .flat_map(|row| [row, row].concat())
            .collect();
        let (mut whole, mut halves) = (Stream::new(layer, path), Stream::new(layer, path));
        halves.set(0.5);
        whole.run(&x);
        halves.run(&twice);
        assert_db(
            &wide(whole.h()),
            halves.h(),
            80.0,
            &format!("layer {k}"),
            path,
        );
    });
}

#[test]
fn without_an_input_a_state_decays_as_much_slower() {
    // What does not follow the input: S4D alone. Powers of Ā are exact whatever the rule but for the bilinear one's bend.
    for rule in [Rule::Zoh, Rule::FirstOrderHold] {
        each(rule, |k, layer, path| {
            let Block::S4d(_) = layer else { return };
            let mut at_once = Stream::new(layer, path);
            at_once.run(&Noise(6).vec(30 * WIDTH, 1.0));
            let mut slowly = Stream::new(layer, path);
            slowly.state = at_once.state.clone();
            slowly.set(0.25);
            at_once.run(&[0.0; 8 * WIDTH]);
            slowly.run(&[0.0; 32 * WIDTH]);
            assert_db(
                &wide(at_once.h()),
                slowly.h(),
                80.0,
                &format!("layer {k}"),
                path,
            );
        });
    }
}

#[test]
fn the_sound_has_no_step_where_the_pace_goes_through_its_own() {
    for rule in RULES {
        each(rule, |k, layer, path| {
            let mut noise = Noise(8);
            let before = noise.vec(40 * WIDTH, 1.0);
            let x = noise.vec(20 * WIDTH, 1.0);
            let at = |scale: f32| {
                let mut stream = Stream::new(layer, path);
                stream.run(&before);
                stream.set(scale);
                stream.run(&x)
            };
            // The paced kernel beside the one without.
            assert_db(
                &wide(&at(1.0)),
                &at(1.000_001),
                90.0,
                &format!("layer {k}, {rule:?}"),
                path,
            );
        });
    }
}

#[test]
fn the_fastest_pace_is_stable_for_every_kind() {
    for rule in RULES {
        each(rule, |k, layer, path| {
            let mut stream = Stream::new(layer, path);
            stream.set(4.0);
            let out = stream.run(&Noise(9).vec(2_000 * WIDTH, 1.0));
            let (mut usual, late) = (Stream::new(layer, path), 1_000 * WIDTH);
            let truth = usual.run(&Noise(9).vec(2_000 * WIDTH, 1.0));
            let peak = |y: &[f32]| y[late..].iter().fold(0.0f32, |m, y| m.max(y.abs()));
            assert!(
                peak(&out) <= 8.0 * peak(&truth),
                "layer {k}, {rule:?}: {} where {} is usual",
                peak(&out),
                peak(&truth)
            );
        });
    }
}

#[test]
fn the_gates_of_ssd_are_those_of_the_scaled_delta() {
    let (heads, time) = (5, 7);
    let mut noise = Noise(10);
    let (a_log, bias) = (noise.vec(heads, 1.0), noise.vec(heads, 2.0));
    let dt = noise.vec(heads * time, 3.0);
    let limit = (0.02, 1.5);
    let scan = Ssd::new(&a_log, &bias, &vec![1.0; heads], 8, 4, 1, limit);
    for path in Path::available() {
        for scale in [0.0f32, 0.3, 1.0, 4.0] {
            let mut gates = vec![0.0; time * scan.gates_len()];
            ssd_gates(path, &scan, &dt, heads, scale, &mut gates, time);
            let (mut truth, mut got) = (Vec::new(), Vec::new());
            for t in 0..time {
                let row = &gates[t * scan.gates_len()..][..scan.gates_len()];
                for h in 0..heads {
                    let raw = f64::from(dt[t * heads + h]) + f64::from(bias[h]);
                    let delta = softplus(raw).clamp(f64::from(limit.0), f64::from(limit.1));
                    let delta = delta * f64::from(scale);
                    truth.extend([delta, (-f64::from(a_log[h]).exp() * delta).exp()]);
                    got.extend([row[h], row[scan.gates_len() / 2 + h]]);
                }
            }
            if scale == 0.0 {
                assert!(got.chunks(2).all(|g| g == [0.0, 1.0]), "{got:?}");
            }
            assert_db(&truth, &got, 120.0, "gates", path);
        }
    }
}
