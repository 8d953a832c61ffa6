//! Microseconds of the kernels and of whole networks, beside the machine's floors and beside tract, in one run.
//!
//!     cargo bench -p statewave-benches --bench kernels
//!
//! The single kernels run on every path that is here, with their signal-to-error ratio against the f64 oracle.
//!
//! Floors: in blocks, the dense layers' FLOPs at the FMA peak and 9.65 cycles of scan for each sixteen states; one step
//! at a time, the weights' bytes at the second-level cache's bandwidth (or the first floor, whichever is higher). Beside it,
//! the share of the time that reading as many bytes takes, from whichever cache holds them.

mod onnx;
mod single;

use onnx::Tract;
use statewave::kernels::{Aligned, Path, peak};
use statewave::model::layer::Layer;
use statewave::model::mamba2::{Mamba2Block, Mamba2Config};
use statewave::model::stack::{Stack, StackConfig};
use statewave::model::tensors::Tensors;
use statewave_benches::{Noise, best_us, l2_gb_per_s, mamba_tensors, read_gb_per_s};

const LAYERS: usize = 4;
const STATES: usize = 16;

fn main() {
    let path = Path::detect();
    let (peak, l2) = (peak::gflops(path), l2_gb_per_s(path));
    println!(
        "path {}; FMA peak {peak:.1} GFLOP/s; second-level cache {l2:.1} GB/s",
        path.name()
    );
    for path in Path::available() {
        single::table(path, peak);
    }
    denoiser_block(path, peak);
    networks(path, peak, l2);
}

/// The Mamba-2 block of the denoiser: 32 bands, one step a hop.
fn denoiser_block(path: Path, peak: f64) {
    let config = Mamba2Config {
        width: 48,
        heads: 4,
        head_dim: 16,
        states: STATES,
        groups: 1,
        taps: 4,
        delta_limit: (0.0, f32::INFINITY),
        eps: 1e-5,
        gated_eps: 1e-5,
    };
    let (mut noise, mut tensors) = (Noise(3), Tensors::new());
    for (name, shape) in [
        ("norm.weight", vec![48]),
        ("mixer.in_proj.weight", vec![164, 48]),
        ("mixer.conv1d.weight", vec![96, 1, 4]),
        ("mixer.conv1d.bias", vec![96]),
        ("mixer.A_log", vec![4]),
        ("mixer.dt_bias", vec![4]),
        ("mixer.D", vec![4]),
        ("mixer.norm.weight", vec![64]),
        ("mixer.out_proj.weight", vec![48, 64]),
    ] {
        let values = noise.vec(shape.iter().product(), 0.2);
        tensors.insert(name, shape, values);
    }
    let block = Mamba2Block::new(config, &tensors, "").expect("sizes that fit");
    let bands = 32;
    let start = Aligned::from(&noise.vec(bands * 48, 1.0)[..]);
    let (mut x, mut state) = (start.clone(), Aligned::zeros(block.state_len(bands)));
    let mut scratch = Aligned::zeros(block.scratch_len(bands, 1));
    let us = best_us(|| {
        x.copy_from_slice(&start);
        block.forward(path, &mut x, bands, 1, &mut state, &mut scratch);
    });
    let dense = 2.0 * (bands * (48 * 164 + 64 * 48)) as f64 / peak / 1e3;
    println!(
        "\nMamba-2 block of the denoiser, 32 bands, one step: {us:.2} µs ({dense:.2} µs of it at the FMA peak)"
    );
}

/// Mamba networks of four layers, in blocks and one step at a time.
fn networks(path: Path, peak: f64, l2: f64) {
    println!(
        "\n| D | T=1 µs | share of floor | of reading the weights | T=8 µs a step | share of floor | tract µs | tract / T=1 | tract / T=8 | SNR to tract |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for d in [16, 32, 64, 128, 256] {
        let (e, r) = (2 * d, d / 16);
        let tensors = mamba_tensors(d, LAYERS);
        let stack = Stack::new(StackConfig::default(), &tensors).expect("sizes that fit");
        let dense = (6 * d * e + 2 * e * (r + 2 * STATES) + 2 * r * e) as f64;
        let cycles_per_us = peak * 1e3 / 32.0;
        let block_floor = LAYERS as f64 * (dense / peak / 1e3 + 9.65 * e as f64 / cycles_per_us);
        let weights =
            4 * (3 * d * e + e * (r + 2 * STATES) + r * e + e * STATES + e * 7 + d) * LAYERS;
        let step_floor = (weights as f64 / l2 / 1e3).max(block_floor);

        let start = Aligned::from(&Noise(4).vec(8 * d, 1.0)[..]);
        let of = |time: usize| {
            let (mut x, mut state) = (start.clone(), Aligned::zeros(stack.state_len(1)));
            let mut scratch = Aligned::zeros(stack.scratch_len(1, time));
            best_us(|| {
                x.copy_from_slice(&start);
                stack.forward(path, &mut x[..time * d], 1, time, &mut state, &mut scratch);
            }) / time as f64
        };
        let (one, eight) = (of(1), of(8));
        let (tract, snr) = match Tract::new(&tensors, d, LAYERS) {
            Ok(mut tract) => {
                let snr = agreement(path, &stack, &mut tract, &start, d);
                (best_us(|| drop(tract.step(&start[..d]))), snr)
            }
            Err(error) => {
                eprintln!("tract: {error:#}");
                (f64::NAN, f64::NAN)
            }
        };
        let reading = weights as f64 / read_gb_per_s(path, weights) / 1e3;
        println!(
            "| {d} | {one:.2} | {:.0} % | {:.0} % | {eight:.2} | {:.0} % | {tract:.1} | {:.1} | {:.1} | {snr:.0} dB |",
            100.0 * step_floor / one,
            100.0 * reading / one,
            100.0 * block_floor / eight,
            tract / one,
            tract / eight
        );
    }
}

/// Signal-to-difference ratio of eight steps of the blocks against tract, to show that both run the same network.
fn agreement(path: Path, stack: &Stack, tract: &mut Tract, start: &[f32], d: usize) -> f64 {
    let mut x = start.to_vec();
    let (mut state, mut scratch) = (
        vec![0.0; stack.state_len(1)],
        vec![0.0; stack.scratch_len(1, 8)],
    );
    for k in 0..stack.pieces() - 1 {
        stack.piece(path, k, &mut x, 1, 8, &mut state, &mut scratch);
    }
    let (mut signal, mut difference) = (0.0f64, 0.0f64);
    for (input, ours) in start.chunks(d).zip(x.chunks(d)) {
        let theirs = tract.step(input);
        for (a, b) in theirs
            .to_plain_array_view::<f32>()
            .expect("f32")
            .iter()
            .zip(ours)
        {
            signal += (*a as f64).powi(2);
            difference += (*a as f64 - *b as f64).powi(2);
        }
    }
    10.0 * (signal / difference).log10()
}
