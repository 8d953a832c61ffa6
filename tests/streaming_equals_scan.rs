//! A stream, however it is cut into calls, is the whole file: for every kind of layer.

mod kernel_common;

use kernel_common::blocks::{WIDTH, tensors};
use kernel_common::{Noise, assert_db, wide};
use proptest::prelude::*;
use statewave::kernels::Path;
use statewave::model::discretize::{Rule, Sampling, s4d_inv, s4d_lin};
use statewave::model::layer::Layer;
use statewave::model::mamba::{MambaBlock, MambaConfig, Space};
use statewave::model::mamba2::{Mamba2Block, Mamba2Config};
use statewave::model::s4d::{Activation, S4dConfig, S4dLayer, Way};
use statewave::model::stack::{Stack, StackConfig};

const TIME: usize = 96;

fn stack(seed: u64) -> Stack {
    Stack::new(
        StackConfig {
            groups: 2,
            ..StackConfig::default()
        },
        &tensors(seed),
    )
    .unwrap()
}

/// Runs `x`, `[batch][time][WIDTH]` with a batch of one, in calls of the given lengths.
fn in_calls(
    stack: &Stack,
    path: Path,
    x: &[f32],
    lengths: impl Iterator<Item = usize>,
) -> Vec<f32> {
    let mut state = vec![0.0; stack.state_len(1)];
    let mut scratch = vec![0.0; stack.scratch_len(1, TIME)];
    let mut y = x.to_vec();
    let mut rest = &mut y[..];
    for length in lengths {
        let (now, later) = rest.split_at_mut((length * WIDTH).min(rest.len()));
        stack.forward(path, now, 1, now.len() / WIDTH, &mut state, &mut scratch);
        rest = later;
    }
    y
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_cut_gives_the_very_bits_of_the_whole(seed: u64, cuts in prop::collection::vec(0usize..20, TIME)) {
        let stack = stack(seed);
        let x = Noise(seed ^ 1).vec(TIME * WIDTH, 1.0);
        for path in Path::available() {
            let whole = in_calls(&stack, path, &x, std::iter::once(TIME));
            prop_assert!(whole.iter().all(|v| v.is_finite()));
            let steps = in_calls(&stack, path, &x, std::iter::repeat_n(1, TIME));
            prop_assert_eq!(&whole, &steps);
            let random = in_calls(&stack, path, &x, cuts.iter().copied().chain([TIME]));
            prop_assert_eq!(&whole, &random);
        }
    }

    #[test]
    fn a_stream_does_not_hear_its_neighbours(seed: u64, batch in 1usize..6) {
        let stack = stack(seed);
        let x = Noise(seed ^ 2).vec(batch * TIME * WIDTH, 1.0);
        for path in Path::available() {
            let mut together = x.clone();
            let mut scratch = vec![0.0; stack.scratch_len(batch, TIME)];
            stack.forward(path, &mut together, batch, TIME, &mut vec![0.0; stack.state_len(batch)], &mut scratch);
            for (alone, together) in x.chunks(TIME * WIDTH).zip(together.chunks(TIME * WIDTH)) {
                prop_assert_eq!(&in_calls(&stack, path, alone, std::iter::once(TIME))[..], together);
            }
        }
    }

    #[test]
    fn an_s4d_stream_is_its_convolution(seed: u64, bilinear: bool, inverse: bool, rate in 0.5f64..2.0) {
        let mut t = tensors(seed);
        let start = if inverse { s4d_inv(16) } else { s4d_lin(16) };
        let imag = (0..WIDTH * 8).map(|i| start[i % 8].im as f32).collect();
        t.insert("layers.2.mixer.A_imag", vec![WIDTH, 8], imag);
        let rule = if bilinear { Rule::Bilinear } else { Rule::Zoh };
        let config = S4dConfig { width: WIDTH, states: 8, sampling: Sampling { rule, delta_scale: rate }, film: false, activation: Activation::Silu, eps: 1e-5 };
        let layer = S4dLayer::new(config, &t, "layers.2.").unwrap();
        let x = Noise(seed ^ 3).vec(TIME * WIDTH, 1.0);
        let mut whole = x.clone();
        let mut convolution = layer.whole_by(Way::Convolution, Path::detect(), TIME);
        for _ in 0..2 {
            // Twice, for nothing of a stream may be left for the next.
            whole.copy_from_slice(&x);
            convolution.run(&mut whole);
        }
        for path in Path::available() {
            let mut stream = x.clone();
            let mut scratch = vec![0.0; layer.scratch_len(1, TIME)];
            layer.forward(path, &mut stream, 1, TIME, &mut vec![0.0; layer.state_len(1)], &mut scratch);
            assert_db(&wide(&whole), &stream, 110.0, "s4d", path);
        }
    }
}

#[test]
fn paths_agree_and_may_change_within_a_stream() {
    let stack = stack(7);
    let x = Noise(8).vec(TIME * WIDTH, 1.0);
    let truth = wide(&in_calls(&stack, Path::Portable, &x, std::iter::once(TIME)));
    let paths = Path::available();
    let (mut y, mut state) = (x.clone(), vec![0.0; stack.state_len(1)]);
    let mut scratch = vec![0.0; stack.scratch_len(1, 8)];
    for (i, x) in y.chunks_mut(8 * WIDTH).enumerate() {
        stack.forward(paths[i % paths.len()], x, 1, 8, &mut state, &mut scratch);
    }
    assert_db(&truth, &y, 110.0, "paths in turn", Path::detect());
}

#[test]
fn sizes_that_no_kernel_serves_are_refused() {
    let t = tensors(1);
    let mamba = MambaConfig {
        width: 20,
        inner: 40,
        states: 6,
        space: Space::S6 { rank: 2 },
        gated: true,
        taps: 4,
        eps: 1e-5,
    };
    let error = MambaBlock::new(mamba, &t, "layers.0.").unwrap_err();
    assert!(error.to_string().contains("multiples of 8"), "{error}");
    let mamba2 = Mamba2Config {
        width: WIDTH,
        heads: 4,
        head_dim: 8,
        states: 6,
        groups: 3,
        taps: 3,
        delta_limit: (0.0, f32::INFINITY),
        eps: 1e-5,
        gated_eps: 1e-5,
    };
    let error = Mamba2Block::new(mamba2, &t, "layers.1.").unwrap_err();
    assert!(error.to_string().contains("groups"), "{error}");
}
