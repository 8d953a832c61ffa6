//! The scans, and the states that they end in.

use rustfft::num_complex::Complex64;
use statewave::engine::gpu::Gpu;
use statewave::engine::gpu::ops::{self, ScanBuffers};
use statewave::engine::gpu::record::Run;
use statewave::kernels::oracle;
use statewave::kernels::scan::{S4d, S6, Ssd};
use wgpu::Buffer;

use super::{Found, result};
use crate::kernel_common::{Noise, wide};

/// Floats behind what a run has to do with, more than 16 rows of any buffer here: what lies there is as it is behind a longer run's.
const BEHIND: usize = 1 << 14;

/// What nobody may write over.
const UNTOUCHED: f32 = 7.25;

/// A buffer that holds `values`, and behind them what is no number: it would be heard wherever it is used.
fn followed(gpu: &Gpu, label: &str, values: &[f32]) -> Buffer {
    gpu.holding(label, &[values, &[f32::NAN; BEHIND]].concat())
}

/// A buffer of `floats` to be written, none of them a number before.
fn unwritten(gpu: &Gpu, label: &str, floats: usize) -> Buffer {
    gpu.holding(label, &vec![f32::NAN; floats])
}

/// A buffer for `floats` of output.
fn output(gpu: &Gpu, floats: usize) -> Buffer {
    gpu.holding("y", &vec![UNTOUCHED; floats + BEHIND])
}

/// The first `floats` of an output, behind which nothing may have been written.
fn written(mut all: Vec<f32>, floats: usize) -> Vec<f32> {
    assert!(
        all[floats..].iter().all(|v| *v == UNTOUCHED),
        "it writes behind its rows"
    );
    all.truncate(floats);
    all
}

/// `[streams][lines/16][N][16]` of a `[streams][channels][N]` state.
fn line(channels: usize, states: usize, stream: usize, e: usize, n: usize) -> usize {
    stream * channels.next_multiple_of(16) * states + (e / 16 * states + n) * 16 + e % 16
}

/// Mamba-2's scan of `heads` of `8 · p8` channels, in chunks; three groups where the heads are threes, two where they are twos.
pub fn ssd(
    gpu: &Gpu,
    (batch, time, chunk, heads, p8, states): (usize, usize, usize, usize, usize, usize),
    seed: u64,
) -> Found {
    let mut found = Found::new();
    let groups = [3, 2].into_iter().find(|n| heads % n == 0).unwrap_or(1);
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
        followed(gpu, "x", &x),
        followed(gpu, "dt", &dt),
        output(gpu, batch * time * e),
        gpu.holding("h", &h),
    ];
    let [carried, sums] = [
        unwritten(gpu, "c", chunks * batch * lines),
        unwritten(gpu, "s", chunks * batch * heads),
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
    let floats = batch * time * e;
    let steps = ops::ssd(gpu, &s, rows, buffers);
    let got = written(result(gpu, &steps, run, &y, floats + BEHIND), floats);
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
        // The oracle finds the channels by what a step has of them.
        if time > 0 {
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
        }
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
        followed(gpu, "x", &x),
        followed(gpu, "delta", &delta),
        followed(gpu, "bc", &bc),
        output(gpu, count * e),
        gpu.holding("h", &h),
    ];
    let [carried, sums] = [
        unwritten(gpu, "c", chunks * batch * lines),
        unwritten(gpu, "s", chunks * batch * e),
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
    let steps = ops::s6(gpu, &s, rows, buffers);
    let got = written(result(gpu, &steps, run, &y, count * e + BEHIND), count * e);
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
    let h = noise.vec(batch * lines, 1.0);
    let run = Run::new(time, batch, chunk);
    let chunks = run.chunks as usize;
    let [run_b, u_b, y, state] = [
        gpu.run(run),
        followed(gpu, "u", &u),
        output(gpu, u.len()),
        gpu.holding("h", &h),
    ];
    let [carried, sums] = [
        unwritten(gpu, "c", chunks * batch * lines),
        unwritten(gpu, "s", 1),
    ];
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
    let steps = ops::s4d(gpu, &s, rows, buffers);
    let got = written(result(gpu, &steps, run, &y, u.len() + BEHIND), u.len());
    let mut end = vec![0.0; batch * lines];
    gpu.read(&state, 0, &mut end).unwrap();
    let (mut truth, mut last, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    for stream in 0..batch {
        let u = &u[stream * time * e..][..time * e];
        // Real parts and then imaginary ones, of sixteen channels each.
        let part = |of: &[f32], i: usize, imaginary: usize| {
            let (e, n) = (i / states, i % states);
            of[stream * lines + ((e / 16 * states + n) * 2 + imaginary) * 16 + e % 16]
        };
        let of = |i| Complex64::new(part(&h, i, 0) as f64, part(&h, i, 1) as f64);
        let mut h: Vec<_> = (0..e * states).map(of).collect();
        truth.extend(oracle::s4d(&a_bar, &c, &wide(&d), states, &wide(u), &mut h));
        last.extend(h.iter().flat_map(|h| [h.re, h.im]));
        ended.extend((0..e * states).flat_map(|i| [part(&end, i, 0), part(&end, i, 1)]));
    }
    found.push(("s4d", oracle::snr_db(&truth, &got)));
    found.push(("the state s4d ends in", oracle::snr_db(&last, &ended)));
    found
}
