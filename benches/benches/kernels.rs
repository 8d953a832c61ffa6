//! Microseconds of the kernels and of whole networks, beside the machine's floors and beside tract, in one run.
//!
//!     cargo bench -p statewave-benches --bench kernels
//!
//! Floors: in blocks, the dense layers' FLOPs at the FMA peak and 9.65 cycles of scan for each sixteen states; one step
//! at a time, the weights' bytes at the second-level cache's bandwidth (or the first floor, whichever is higher).

use statewave::kernels::conv::{PackedConv, conv_silu};
use statewave::kernels::mix::{PackedMix, mix};
use statewave::kernels::norm::{gated_rms_norm, rms_norm};
use statewave::kernels::proj::{Packed, proj};
use statewave::kernels::scan::{S6, S6Rows, Ssd, s6, ssd, ssd_gates};
use statewave::kernels::{Aligned, Path, gate, peak};
use statewave::model::mamba2::{Mamba2Block, Mamba2Config};
use statewave::model::stack::{Stack, StackConfig};
use statewave::model::tensors::Tensors;
use statewave_benches::onnx::Tract;
use statewave_benches::{Noise, best_us, l2_gb_per_s, mamba_tensors};

const LAYERS: usize = 4;
const STATES: usize = 16;

fn main() {
    let path = Path::detect();
    let (peak, l2) = (peak::gflops(path), l2_gb_per_s(path));
    println!(
        "path {}; FMA peak {peak:.1} GFLOP/s; second-level cache {l2:.1} GB/s",
        path.name()
    );
    kernels(path, peak);
    denoiser_block(path, peak);
    networks(path, peak, l2);
}

/// Single kernels, on the shapes of the denoiser (32 bands, one step).
fn kernels(path: Path, peak: f64) {
    println!("\n| kernel | shape | µs | share of peak |\n|---|---|---|---|");
    let mut noise = Noise(2);
    for (rows, k, m) in [
        (1, 48, 164),
        (32, 48, 164),
        (32, 64, 48),
        (1, 64, 256),
        (8, 64, 256),
        (32, 256, 512),
    ] {
        let w = Packed::new(&noise.vec(m * k, 0.1), m, k, None);
        let (x, mut y) = (
            Aligned::from(&noise.vec(rows * k, 1.0)[..]),
            Aligned::zeros(rows * m),
        );
        let us = best_us(|| proj(path, &w, &x, k, &mut y, m, rows, false));
        let share = 2.0 * (rows * k * m) as f64 / us / 1e3 / peak;
        println!(
            "| proj | {rows} rows, {k} to {m} | {us:.3} | {:.0} % |",
            100.0 * share
        );
    }
    let (f, c) = (32, 24);
    let w = PackedMix::new(&noise.vec(c * f * f, 0.1), c, f, f, None);
    let (u, mut y) = (
        Aligned::from(&noise.vec(f * c, 1.0)[..]),
        Aligned::zeros(f * c),
    );
    let us = best_us(|| mix(path, &w, &u, &mut y, 1, false));
    println!(
        "| mix | 24 of 32 by 32 | {us:.3} | {:.0} % |",
        100.0 * 2.0 * (f * f * c) as f64 / us / 1e3 / peak
    );

    let say = |name: &str, shape: &str, us: f64| println!("| {name} | {shape} | {us:.3} | |");
    let (rows, e, stride) = (32, 64, 176);
    let mut z = Aligned::from(&noise.vec(rows * stride, 1.0)[..]);
    let conv = PackedConv::new(&noise.vec(96 * 4, 0.5), 96, 4, None);
    let mut tails = Aligned::zeros(rows * conv.state_len());
    say(
        "conv + SiLU",
        "32 streams of 96",
        best_us(|| conv_silu(path, &conv, &mut z, stride, rows, 1, &mut tails)),
    );
    let scan = Ssd::new(
        &noise.vec(4, 1.0),
        &noise.vec(4, 1.0),
        &noise.vec(4, 1.0),
        16,
        STATES,
        1,
        (0.0, f32::MAX),
    );
    let mut gates = Aligned::zeros(rows * scan.gates_len());
    say(
        "gates",
        "32 streams of 4 heads",
        best_us(|| ssd_gates(path, &scan, &z[160..], stride, &mut gates, rows)),
    );
    let (mut y, mut h) = (
        Aligned::zeros(rows * e),
        Aligned::zeros(rows * scan.state_len()),
    );
    let us = best_us(|| ssd(path, &scan, &z, stride, &gates, &mut y, rows, 1, &mut h));
    say("ssd", "32 streams of 64 × 16, 1 step", us);
    let us = best_us(|| ssd(path, &scan, &z, stride, &gates, &mut y, 1, rows, &mut h));
    say("ssd", "1 stream of 64 × 16, 32 steps", us);
    let scan = S6::new(&noise.vec(e * STATES, 1.0), &noise.vec(e, 1.0), STATES);
    let delta = noise
        .vec(rows * e, 0.1)
        .iter()
        .map(|v| v.abs())
        .collect::<Vec<_>>();
    let steps = S6Rows {
        delta: &delta,
        x: &z,
        x_stride: stride,
        bc: &z[e..],
        bc_stride: stride,
    };
    let us = best_us(|| s6(path, &scan, steps, &mut y, 1, rows, &mut h));
    say("s6", "1 stream of 64 × 16, 32 steps", us);
    let w = noise.vec(e, 1.0);
    let mut out = Aligned::zeros(rows * e);
    say(
        "rms_norm",
        "32 rows of 64",
        best_us(|| rms_norm(path, &z, &w, 1e-5, &mut out, rows)),
    );
    say(
        "gated norm",
        "32 rows of 64",
        best_us(|| gated_rms_norm(path, &mut out, &z, stride, &w, 1, 1e-5, rows)),
    );
    let values = Aligned::from(&noise.vec(2048, 8.0)[..]);
    for (name, f) in [
        ("SiLU", gate::silu as fn(Path, &mut [f32])),
        ("softplus", gate::softplus),
        ("exp2", gate::exp2),
    ] {
        let mut x = values.clone();
        say(
            name,
            "2048 values and a copy",
            best_us(|| {
                x.copy_from_slice(&values);
                f(path, &mut x);
            }),
        );
    }
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
        "\n| D | T=1 µs | share of floor | T=8 µs a step | share of floor | tract µs | tract / T=1 | tract / T=8 | SNR to tract |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
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
        println!(
            "| {d} | {one:.2} | {:.0} % | {eight:.2} | {:.0} % | {tract:.1} | {:.1} | {:.1} | {snr:.0} dB |",
            100.0 * step_floor / one,
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
