//! The scans, and the states that they end in.

use rustfft::num_complex::Complex64;
use statewave::engine::gpu::Gpu;
use statewave::engine::gpu::ops::{self, ScanBuffers};
use statewave::engine::gpu::record::Run;
use statewave::kernels::oracle;
use statewave::kernels::scan::{S4d, S6, Ssd};

use super::{Found, result};
use crate::kernel_common::{Noise, wide};

/// `[streams][lines/16][N][16]` of a `[streams][channels][N]` state.
fn line(channels: usize, states: usize, stream: usize, e: usize, n: usize) -> usize {
    stream * channels.next_multiple_of(16) * states + (e / 16 * states + n) * 16 + e % 16
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
