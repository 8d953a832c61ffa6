//! Shaders beside the f64 oracle, for the tests and for the benchmark: sizes and a seed in, signal to error in dB out. With
//! odd seeds, scans share a channel out over lanes, where the adapter can do that.
#![allow(dead_code, clippy::type_complexity)]

use rustfft::num_complex::Complex64;
use statewave::engine::gpu::Gpu;
use statewave::engine::gpu::ops::{
    self, Activation, Around, Gate, Maps, Place, ScanBuffers, Step, Strides,
};
use statewave::engine::gpu::record::{Run, encode};
use statewave::kernels::conv::PackedConv;
use statewave::kernels::oracle;
use statewave::kernels::scan::{S4d, S6, Ssd};

use crate::kernel_common::{Noise, wide};

/// What was compared, and its signal to error, dB.
pub type Found = Vec<(&'static str, f64)>;

/// Runs the steps and reads `out`.
fn result(gpu: &Gpu, steps: &[Step], run: Run, out: &wgpu::Buffer, len: usize) -> Vec<f32> {
    let mut encoder = gpu.encoder();
    encode(
        &mut encoder,
        steps.iter().filter_map(|step| step.for_run(run)),
    );
    gpu.submit(encoder);
    let mut values = vec![0.0; len];
    gpu.read(out, 0, &mut values).expect("the device answers");
    values
}

/// `[streams][lines/16][N][16]` of a `[streams][channels][N]` state.
fn line(channels: usize, states: usize, stream: usize, e: usize, n: usize) -> usize {
    stream * channels.next_multiple_of(16) * states + (e / 16 * states + n) * 16 + e % 16
}

/// A map of `k` to `m` for `time` rows, with what may stand around it.
pub fn proj(
    gpu: &Gpu,
    (time, k, m, norm, gated, accumulate, activation): (
        usize,
        usize,
        usize,
        bool,
        bool,
        bool,
        usize,
    ),
    seed: u64,
) -> Found {
    let mut found = Found::new();
    let mut noise = Noise(seed);
    let (w, b) = (noise.vec(m * k, 0.3), noise.vec(m, 1.0));
    let (x, g, start) = (
        noise.vec(time * k, 1.0),
        noise.vec(time * (k + 2), 2.0),
        noise.vec(time * m, 1.0),
    );
    let run = Run::new(time, 1, time);
    let [run_b, x_b, g_b, out] = [
        gpu.run(run),
        gpu.holding("x", &x),
        gpu.holding("g", &g),
        gpu.holding("out", &start),
    ];
    let maps = Maps::new().with(Place::default(), (m, k), |m, i| w[m * k + i], |m| b[m]);
    let around = Around {
        norm_eps: norm.then_some(1e-5),
        gate: gated.then_some(Gate::Input { at: 1, row: k + 2 }),
        activation: [Activation::None, Activation::Silu, Activation::Softplus][activation],
        accumulate,
    };
    let step = ops::proj(
        gpu,
        &maps,
        Strides::rows(k, m),
        around,
        &run_b,
        &x_b,
        Some(&g_b),
        &out,
    );
    let got = result(gpu, &[step], run, &out, time * m);
    let mut truth = Vec::new();
    for t in 0..time {
        let mut row = wide(&x[t * k..][..k]);
        if gated {
            for (x, g) in row.iter_mut().zip(&g[1 + t * (k + 2)..]) {
                *x *= oracle::silu(*g as f64);
            }
        }
        if norm {
            row = oracle::rms_norm(&row, &vec![1.0; k], 1e-5);
        }
        for (i, y) in oracle::linear(&wide(&w), Some(&wide(&b)), &row)
            .into_iter()
            .enumerate()
        {
            let y = [y, oracle::silu(y), oracle::softplus(y)][activation];
            truth.push(
                y + if accumulate {
                    start[t * m + i] as f64
                } else {
                    0.0
                },
            );
        }
    }
    found.push(("proj", oracle::snr_db(&truth, &got)));
    found
}

/// Maps across `f` bands, one a channel, under a gate.
pub fn mix(gpu: &Gpu, (time, channels, f): (usize, usize, usize), seed: u64) -> Found {
    let mut found = Found::new();
    let mut noise = Noise(seed);
    let (w, b) = (
        noise.vec(channels * f * f, 0.3),
        noise.vec(channels * f, 1.0),
    );
    let uz = noise.vec(f * time * 2 * channels, 1.0);
    let run = Run::new(time, 1, time);
    let [run_b, x_b, out] = [
        gpu.run(run),
        gpu.holding("uz", &uz),
        gpu.zeros("out", f * time * channels),
    ];
    let maps = (0..channels).fold(Maps::new(), |maps, c| {
        let place = Place {
            x: c,
            out: c,
            ..Place::default()
        };
        maps.with(
            place,
            (f, f),
            |m, k| w[(c * f + m) * f + k],
            |m| b[c * f + m],
        )
    });
    let strides = Strides {
        x_row: 2 * channels,
        x_k: 0,
        x_k_time: 2 * channels,
        out_row: channels,
        out_m: 0,
        out_m_time: channels,
    };
    let gate = Gate::Output {
        at: channels,
        row: 2 * channels,
        m_time: 2 * channels,
    };
    let around = Around {
        gate: Some(gate),
        ..Around::default()
    };
    let step = ops::proj(gpu, &maps, strides, around, &run_b, &x_b, Some(&x_b), &out);
    let got = result(gpu, &[step], run, &out, f * time * channels);
    let mut truth = vec![0.0; got.len()];
    for t in 0..time {
        for c in 0..channels {
            for m in 0..f {
                let at = |band: usize| uz[(band * time + t) * 2 * channels + c] as f64;
                let sum: f64 = (0..f).map(|k| w[(c * f + m) * f + k] as f64 * at(k)).sum();
                let z = uz[(m * time + t) * 2 * channels + channels + c] as f64;
                truth[(m * time + t) * channels + c] = (sum + b[c * f + m] as f64) * z;
            }
        }
    }
    found.push(("mix", oracle::snr_db(&truth, &got)));
    found
}

/// `batch` streams of `8 · c8` channels, going on from their tails.
pub fn conv(gpu: &Gpu, (batch, time, c8, taps): (usize, usize, usize, usize), seed: u64) -> Found {
    let mut found = Found::new();
    let channels = 8 * c8;
    let mut noise = Noise(seed);
    let (w, b) = (noise.vec(channels * taps, 1.0), noise.vec(channels, 1.0));
    let packed = PackedConv::new(&w, channels, taps, Some(&b));
    let (first, x_row) = (3, channels + 5);
    let x = noise.vec(batch * time * x_row, 1.0);
    // What came before: the tails are its last three rows.
    let before = noise.vec(batch * 3 * channels, 1.0);
    let run = Run::new(time, batch, time);
    let [run_b, x_b, tails, y] = [
        gpu.run(run),
        gpu.holding("x", &x),
        gpu.holding("tails", &before),
        gpu.zeros("y", batch * time * channels),
    ];
    let new_tails = gpu.zeros("new", batch * 3 * channels);
    let sizes = ops::Conv {
        channels,
        x_row,
        x_at: first,
    };
    let slots = gpu.slots(batch);
    let buffers = ops::ConvBuffers {
        run: &run_b,
        slots: &slots,
        x: &x_b,
        tails: &tails,
        new_tails: &new_tails,
        y: &y,
    };
    let steps = ops::conv(gpu, sizes, &packed, buffers);
    let got = result(gpu, &steps, run, &y, batch * time * channels);
    let mut kept = vec![0.0; batch * 3 * channels];
    gpu.read(&tails, 0, &mut kept).unwrap();
    for stream in 0..batch {
        let mut rows = before[stream * 3 * channels..][..3 * channels].to_vec();
        for t in 0..time {
            rows.extend_from_slice(&x[(stream * time + t) * x_row + first..][..channels]);
        }
        let all = oracle::conv(&wide(&rows), &wide(&w), &wide(&b), taps);
        let truth: Vec<f64> = all[3 * channels..]
            .iter()
            .map(|y| oracle::silu(*y))
            .collect();
        found.push((
            "conv",
            oracle::snr_db(&truth, &got[stream * time * channels..][..time * channels]),
        ));
        assert_eq!(
            &rows[time * channels..],
            &kept[stream * 3 * channels..][..3 * channels]
        );
    }
    found
}

/// Mamba-2's scan of `heads` of `8 · p8` channels, in chunks.
pub fn ssd(
    gpu: &Gpu,
    (batch, time, chunk, heads, p8, states): (usize, usize, usize, usize, usize, usize),
    seed: u64,
) -> Found {
    let mut found = Found::new();
    let groups = if heads % 2 == 0 { 2 } else { 1 };
    let e = heads * 8 * p8;
    let mut noise = Noise(seed);
    let (a_log, bias, d) = (
        noise.vec(heads, 1.0),
        noise.vec(heads, 1.0),
        noise.vec(heads, 1.0),
    );
    let s = Ssd::new(
        &a_log,
        &bias,
        &d,
        8 * p8,
        states,
        groups,
        (0.0, f32::INFINITY),
    );
    let row = e + 2 * groups * states;
    let (x, dt) = (
        noise.vec(batch * time * row, 1.0),
        noise.vec(batch * time * (heads + 2), 1.0),
    );
    let lines = e.next_multiple_of(16) * states;
    let h = noise.vec(batch * lines, 1.0);
    let run = Run::new(time, batch, chunk);
    let chunks = run.chunks as usize;
    let [run_b, x_b, dt_b, y, state] = [
        gpu.run(run),
        gpu.holding("x", &x),
        gpu.holding("dt", &dt),
        gpu.zeros("y", batch * time * e),
        gpu.holding("h", &h),
    ];
    let [carried, sums] = [
        gpu.zeros("c", chunks * batch * lines),
        gpu.zeros("s", chunks * batch * heads),
    ];
    let rows = ops::SsdScan {
        x: &x_b,
        x_row: row,
        dt: &dt_b,
        dt_row: heads + 2,
        dt_at: 1,
    };
    let buffers = ScanBuffers {
        few: seed % 2 == 1,
        run: &run_b,
        slots: &gpu.slots(batch),
        y: &y,
        state: &state,
        carried: &carried,
        sums: &sums,
    };
    let got = result(
        gpu,
        &ops::ssd(gpu, &s, rows, buffers),
        run,
        &y,
        batch * time * e,
    );
    let mut end = vec![0.0; batch * lines];
    gpu.read(&state, 0, &mut end).unwrap();
    let (mut truth, mut last, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    for stream in 0..batch {
        let mut h: Vec<f64> = (0..e * states)
            .map(|i| h[line(e, states, stream, i / states, i % states)] as f64)
            .collect();
        let part = |from: usize, len: usize| -> Vec<f64> {
            (0..time)
                .flat_map(|t| wide(&x[(stream * time + t) * row + from..][..len]))
                .collect()
        };
        let delta: Vec<f64> = (0..time * heads)
            .map(|i| {
                let raw = dt[(stream * time + i / heads) * (heads + 2) + 1 + i % heads] as f64;
                oracle::softplus(raw + bias[i % heads] as f64)
            })
            .collect();
        let a: Vec<f64> = a_log.iter().map(|a| -(*a as f64).exp()).collect();
        let (b, c) = (
            part(e, groups * states),
            part(e + groups * states, groups * states),
        );
        truth.extend(oracle::ssd(
            &a,
            &wide(&d),
            states,
            groups,
            &delta,
            &part(0, e),
            &b,
            &c,
            &mut h,
        ));
        last.extend(h);
        ended.extend((0..e * states).map(|i| end[line(e, states, stream, i / states, i % states)]));
    }
    found.push(("ssd", oracle::snr_db(&truth, &got)));
    found.push(("the state ssd ends in", oracle::snr_db(&last, &ended)));
    found
}

/// Mamba's scan of `8 · e8` channels, in chunks.
pub fn s6(
    gpu: &Gpu,
    (batch, time, chunk, e8, states): (usize, usize, usize, usize, usize),
    seed: u64,
) -> Found {
    let mut found = Found::new();
    let e = 8 * e8;
    let mut noise = Noise(seed);
    let (a_log, d) = (noise.vec(e * states, 1.5), noise.vec(e, 1.0));
    let s = S6::new(&a_log, &d, states);
    let count = batch * time;
    let (x, bc) = (
        noise.vec(count * (e + 3), 1.0),
        noise.vec(count * (2 * states + 2), 1.0),
    );
    let delta: Vec<f32> = noise
        .vec(count * e, 2.0)
        .iter()
        .map(|v| oracle::softplus(*v as f64) as f32)
        .collect();
    let lines = e.next_multiple_of(16) * states;
    let h = noise.vec(batch * lines, 1.0);
    let run = Run::new(time, batch, chunk);
    let chunks = run.chunks as usize;
    let [run_b, x_b, delta_b, bc_b, y, state] = [
        gpu.run(run),
        gpu.holding("x", &x),
        gpu.holding("delta", &delta),
        gpu.holding("bc", &bc),
        gpu.zeros("y", count * e),
        gpu.holding("h", &h),
    ];
    let [carried, sums] = [
        gpu.zeros("c", chunks * batch * lines),
        gpu.zeros("s", chunks * batch * e),
    ];
    let rows = ops::S6Scan {
        x: &x_b,
        x_row: e + 3,
        delta: &delta_b,
        delta_row: e,
        bc: &bc_b,
        bc_row: 2 * states + 2,
        bc_at: 1,
    };
    let buffers = ScanBuffers {
        few: seed % 2 == 1,
        run: &run_b,
        slots: &gpu.slots(batch),
        y: &y,
        state: &state,
        carried: &carried,
        sums: &sums,
    };
    let got = result(gpu, &ops::s6(gpu, &s, rows, buffers), run, &y, count * e);
    let mut end = vec![0.0; batch * lines];
    gpu.read(&state, 0, &mut end).unwrap();
    let a: Vec<f64> = a_log.iter().map(|a| -(*a as f64).exp()).collect();
    let (mut truth, mut last, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    for stream in 0..batch {
        let mut h: Vec<f64> = (0..e * states)
            .map(|i| h[line(e, states, stream, i / states, i % states)] as f64)
            .collect();
        let rows = |values: &[f32], stride: usize, from: usize, len: usize| -> Vec<f64> {
            (0..time)
                .flat_map(|t| wide(&values[(stream * time + t) * stride + from..][..len]))
                .collect()
        };
        let bc_row = 2 * states + 2;
        truth.extend(oracle::s6(
            oracle::simplified,
            &a,
            &wide(&d),
            states,
            &rows(&delta, e, 0, e),
            &rows(&x, e + 3, 0, e),
            &rows(&bc, bc_row, 1, states),
            &rows(&bc, bc_row, 1 + states, states),
            &mut h,
        ));
        last.extend(h);
        ended.extend((0..e * states).map(|i| end[line(e, states, stream, i / states, i % states)]));
    }
    found.push(("s6", oracle::snr_db(&truth, &got)));
    found.push(("the state s6 ends in", oracle::snr_db(&last, &ended)));
    found
}

/// S4D's recurrence of `8 · e8` channels, in chunks.
pub fn s4d(
    gpu: &Gpu,
    (batch, time, chunk, e8, states): (usize, usize, usize, usize, usize),
    seed: u64,
) -> Found {
    let mut found = Found::new();
    let e = 8 * e8;
    let mut noise = Noise(seed);
    let mut polar = || {
        Complex64::from_polar(
            0.9 + 0.0999 * noise.next().abs() as f64,
            3.0 * noise.next() as f64,
        )
    };
    // The coefficients that the kernel has are f32; the truth is told of those.
    let rounded = |z: Complex64| Complex64::new(z.re as f32 as f64, z.im as f32 as f64);
    let a_bar: Vec<Complex64> = (0..e * states).map(|_| rounded(polar())).collect();
    let c: Vec<Complex64> = (0..e * states).map(|_| rounded(polar())).collect();
    let d = noise.vec(e, 1.0);
    let s = S4d::new(&a_bar, &c, &d, states);
    let u = noise.vec(batch * time * e, 1.0);
    let lines = 2 * e.next_multiple_of(16) * states;
    let run = Run::new(time, batch, chunk);
    let chunks = run.chunks as usize;
    let [run_b, u_b, y, state] = [
        gpu.run(run),
        gpu.holding("u", &u),
        gpu.zeros("y", u.len()),
        gpu.zeros("h", batch * lines),
    ];
    let [carried, sums] = [gpu.zeros("c", chunks * batch * lines), gpu.zeros("s", 1)];
    let rows = ops::S4dScan { u: &u_b, chunk };
    let buffers = ScanBuffers {
        few: seed % 2 == 1,
        run: &run_b,
        slots: &gpu.slots(batch),
        y: &y,
        state: &state,
        carried: &carried,
        sums: &sums,
    };
    let got = result(gpu, &ops::s4d(gpu, &s, rows, buffers), run, &y, u.len());
    let truth: Vec<f64> = u
        .chunks(time * e)
        .flat_map(|u| {
            oracle::s4d(
                &a_bar,
                &c,
                &wide(&d),
                states,
                &wide(u),
                &mut vec![Complex64::default(); e * states],
            )
        })
        .collect();
    found.push(("s4d", oracle::snr_db(&truth, &got)));
    found
}
