//! Projections, maps across bands, and the convolution.

use statewave::engine::gpu::Gpu;
use statewave::engine::gpu::ops::{self, Activation, Around, Gate, Maps, Place, Strides};
use statewave::engine::gpu::record::Run;
use statewave::kernels::conv::PackedConv;
use statewave::kernels::oracle;

use super::{Found, result};
use crate::kernel_common::{Noise, wide};

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
