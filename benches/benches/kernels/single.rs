//! Single kernels on the shapes of the denoiser (32 bands, one step): microseconds, share of the peak, and decibels
//! against the f64 oracle.

use statewave::kernels::banded::{PackedBands, banded};
use statewave::kernels::conv::{PackedConv, conv};
use statewave::kernels::mix::{PackedMix, Steps, mix_gated};
use statewave::kernels::norm::{gated_rms_norm, rms_norm};
use statewave::kernels::oracle::{self, snr_db};
use statewave::kernels::proj::{Packed, proj};
use statewave::kernels::scan::{S6, S6Rows, Ssd, s6, ssd, ssd_gates};
use statewave::kernels::{Aligned, Path, gate};

use statewave_benches::{Noise, best_us};

const STATES: usize = 16;
const BANDS: usize = 32;
/// E of the denoiser's blocks, and the floats between rows of its projection.
const INNER: usize = 64;
const STRIDE: usize = 176;

/// One line of the table. `macs` says what the share of `peak`, in GFLOP/s, is taken of.
struct Line<'a> {
    name: &'a str,
    shape: String,
    us: f64,
    macs: usize,
    snr: f64,
}

/// Prints the table of `path`.
pub fn table(path: Path, peak: f64) {
    println!(
        "\n| kernel, {} | shape | µs | share of peak | SNR |\n|---|---|---|---|---|",
        path.name()
    );
    let say = |line: Line| {
        let share = 2.0 * line.macs as f64 / line.us / 1e3 / peak;
        let share = if line.macs > 0 {
            format!("{:.0} %", 100.0 * share)
        } else {
            String::new()
        };
        println!(
            "| {} | {} | {:.3} | {share} | {:.0} dB |",
            line.name, line.shape, line.us, line.snr
        );
    };
    let mut noise = Noise(2);
    for (rows, k, m) in [
        (1, 48, 164),
        (32, 48, 164),
        (32, 64, 48),
        (1, 64, 256),
        (8, 64, 256),
        (32, 256, 512),
    ] {
        say(dense(path, &mut noise, rows, k, m));
    }
    say(bands(path, &mut noise));
    say(mixing(path, &mut noise));
    say(convolution(path, &mut noise));
    scans(path, &mut noise).into_iter().for_each(say);
    norms(path, &mut noise).into_iter().for_each(say);
    gates(path, &mut noise).into_iter().for_each(say);
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|v| *v as f64).collect()
}

fn aligned(noise: &mut Noise, len: usize) -> Aligned {
    Aligned::from(&noise.vec(len, 1.0)[..])
}

fn dense<'a>(path: Path, noise: &mut Noise, rows: usize, k: usize, m: usize) -> Line<'a> {
    let weight = noise.vec(m * k, 0.1);
    let w = Packed::new(&weight, m, k, None);
    let (x, mut y) = (aligned(noise, rows * k), Aligned::zeros(rows * m));
    let us = best_us(|| proj(path, &w, &x, k, &mut y, m, rows, false));
    let truth: Vec<f64> = x
        .chunks(k)
        .flat_map(|x| oracle::linear(&wide(&weight), None, &wide(x)))
        .collect();
    Line {
        name: "proj",
        shape: format!("{rows} rows, {k} to {m}"),
        us,
        macs: rows * k * m,
        snr: snr_db(&truth, &y),
    }
}

fn bands<'a>(path: Path, noise: &mut Noise) -> Line<'a> {
    let (k, m) = (48, 48);
    let weight = noise.vec(BANDS * m * k, 0.1);
    let w = PackedBands::new(
        (BANDS, m, k),
        |b, o, i| weight[(b * m + o) * k + i],
        |_, _| 0.0,
    );
    let (x, mut y) = (aligned(noise, BANDS * k), Aligned::zeros(BANDS * m));
    let steps = Steps {
        band: k,
        frame: BANDS * k,
    };
    let us = best_us(|| banded(path, &w, &x, steps, &mut y, steps, 1));
    let truth: Vec<f64> = x
        .chunks(k)
        .zip(weight.chunks(m * k))
        .flat_map(|(x, w)| oracle::linear(&wide(w), None, &wide(x)))
        .collect();
    Line {
        name: "banded",
        shape: "32 bands, 48 to 48".into(),
        us,
        macs: BANDS * k * m,
        snr: snr_db(&truth, &y),
    }
}

fn mixing<'a>(path: Path, noise: &mut Noise) -> Line<'a> {
    let (f, c) = (BANDS, 24);
    let weight = noise.vec(c * f * f, 0.1);
    let w = PackedMix::new(&weight, c, f, f, None);
    let (u, mut y) = (aligned(noise, f * c), Aligned::zeros(f * c));
    let steps = Steps {
        band: c,
        frame: f * c,
    };
    let us = best_us(|| mix_gated(path, &w, &u, &u, steps, &mut y, steps, 1));
    let sum = |o: usize, ch: usize| -> f64 {
        (0..f)
            .map(|g| weight[(ch * f + o) * f + g] as f64 * u[g * c + ch] as f64)
            .sum()
    };
    let truth: Vec<f64> = (0..f * c)
        .map(|i| sum(i / c, i % c) * u[i] as f64)
        .collect();
    Line {
        name: "mix",
        shape: "24 of 32 by 32".into(),
        us,
        macs: f * f * c,
        snr: snr_db(&truth, &y),
    }
}

fn convolution<'a>(path: Path, noise: &mut Noise) -> Line<'a> {
    let channels = 96;
    let weight = noise.vec(channels * 4, 0.5);
    let w = PackedConv::new(&weight, channels, 4, None);
    let start = aligned(noise, BANDS * channels);
    let (mut x, mut tails) = (start.clone(), Aligned::zeros(BANDS * w.state_len()));
    conv(path, &w, &mut x, channels, BANDS, 1, &mut tails);
    let truth: Vec<f64> = start
        .chunks(channels)
        .flat_map(|x| oracle::conv(&wide(x), &wide(&weight), &vec![0.0; channels], 4))
        .collect();
    let snr = snr_db(&truth, &x);
    let us = best_us(|| {
        x.copy_from_slice(&start);
        conv(path, &w, &mut x, channels, BANDS, 1, &mut tails);
    });
    Line {
        name: "conv",
        shape: "32 streams of 96, and a copy".into(),
        us,
        macs: 0,
        snr,
    }
}

/// Both scans on one step of many streams, or many steps of one.
fn scans<'a>(path: Path, noise: &mut Noise) -> Vec<Line<'a>> {
    let (rows, e, heads) = (BANDS, INNER, 4);
    let (a_log, bias, skip) = (
        noise.vec(heads, 1.0),
        noise.vec(heads, 1.0),
        noise.vec(heads, 1.0),
    );
    let scan = Ssd::new(&a_log, &bias, &skip, e / heads, STATES, 1, (0.0, f32::MAX));
    let z = aligned(noise, rows * STRIDE);
    let mut gates = Aligned::zeros(rows * scan.gates_len());
    let us = best_us(|| ssd_gates(path, &scan, &z[160..], STRIDE, 1.0, &mut gates, rows));
    let delta: Vec<f64> = (0..rows * heads)
        .map(|i| {
            oracle::softplus(
                z[i / heads * STRIDE + 160 + i % heads] as f64 + bias[i % heads] as f64,
            )
        })
        .collect();
    let got: Vec<f32> = (0..rows * heads)
        .map(|i| gates[i / heads * scan.gates_len() + i % heads])
        .collect();
    let mut lines = vec![Line {
        name: "gates",
        shape: "32 streams of 4 heads".into(),
        us,
        macs: 0,
        snr: snr_db(&delta, &got),
    }];
    let part = |from: usize, len: usize| -> Vec<f64> {
        z.chunks(STRIDE)
            .flat_map(|row| wide(&row[from..from + len]))
            .collect()
    };
    let (x, b, c) = (part(0, e), part(e, STATES), part(e + STATES, STATES));
    let a: Vec<f64> = a_log.iter().map(|v| -(*v as f64).exp()).collect();
    for (name, batch, time) in [("ssd, 32 streams", rows, 1), ("ssd, 1 stream", 1, rows)] {
        let of_stream = |s: usize| {
            let (rows, mut h) = (s * time..(s + 1) * time, vec![0.0; e * STATES]);
            let cut = |v: &[f64], width: usize| v[rows.start * width..rows.end * width].to_vec();
            let (b, c) = (cut(&b, STATES), cut(&c, STATES));
            oracle::ssd(
                &a,
                &wide(&skip),
                STATES,
                1,
                &cut(&delta, heads),
                &cut(&x, e),
                &b,
                &c,
                &mut h,
            )
        };
        let truth: Vec<f64> = (0..batch).flat_map(of_stream).collect();
        let (mut y, mut h) = (
            Aligned::zeros(rows * e),
            Aligned::zeros(batch * scan.state_len()),
        );
        ssd(path, &scan, &z, STRIDE, &gates, &mut y, batch, time, &mut h);
        let snr = snr_db(&truth, &y);
        let us = best_us(|| ssd(path, &scan, &z, STRIDE, &gates, &mut y, batch, time, &mut h));
        lines.push(Line {
            name,
            shape: format!("64 by 16, {time} steps"),
            us,
            macs: 0,
            snr,
        });
    }
    let (a_log, skip) = (noise.vec(e * STATES, 1.0), noise.vec(e, 1.0));
    let scan = S6::new(&a_log, &skip, STATES);
    let delta: Vec<f32> = noise.vec(rows * e, 0.1).iter().map(|v| v.abs()).collect();
    let steps = S6Rows {
        delta: &delta,
        x: &z,
        x_stride: STRIDE,
        bc: &z[e..],
        bc_stride: STRIDE,
    };
    let a: Vec<f64> = a_log.iter().map(|v| -(*v as f64).exp()).collect();
    let truth = oracle::s6(
        oracle::simplified,
        &a,
        &wide(&skip),
        STATES,
        &wide(&delta),
        &x,
        &b,
        &c,
        &mut vec![0.0; e * STATES],
    );
    let (mut y, mut h) = (Aligned::zeros(rows * e), Aligned::zeros(scan.state_len()));
    s6(path, &scan, steps, &mut y, 1, rows, &mut h);
    let snr = snr_db(&truth, &y);
    let us = best_us(|| s6(path, &scan, steps, &mut y, 1, rows, &mut h));
    lines.push(Line {
        name: "s6, 1 stream",
        shape: "64 by 16, 32 steps".into(),
        us,
        macs: 0,
        snr,
    });
    lines
}

fn norms<'a>(path: Path, noise: &mut Noise) -> Vec<Line<'a>> {
    let (rows, e) = (BANDS, INNER);
    let (x, z, w) = (
        aligned(noise, rows * e),
        aligned(noise, rows * e),
        noise.vec(e, 1.0),
    );
    let mut y = Aligned::zeros(rows * e);
    let us = best_us(|| rms_norm(path, &x, &w, 1e-5, &mut y, rows));
    let truth: Vec<f64> = x
        .chunks(e)
        .flat_map(|x| oracle::rms_norm(&wide(x), &wide(&w), 1e-5))
        .collect();
    let shape = || "32 rows of 64".to_string();
    let plain = Line {
        name: "rms_norm",
        shape: shape(),
        us,
        macs: 0,
        snr: snr_db(&truth, &y),
    };
    let mut gate = z.clone();
    gate::silu(path, &mut gate);
    y.copy_from_slice(&x);
    gated_rms_norm(path, &mut y, &gate, e, &w, 1, 1e-5, rows);
    let truth: Vec<f64> = x
        .chunks(e)
        .zip(z.chunks(e))
        .flat_map(|(x, z)| oracle::gated_rms_norm(&wide(x), &wide(z), &wide(&w), 1, 1e-5))
        .collect();
    let snr = snr_db(&truth, &y);
    let us = best_us(|| gated_rms_norm(path, &mut y, &gate, e, &w, 1, 1e-5, rows));
    vec![
        plain,
        Line {
            name: "gated norm",
            shape: shape(),
            us,
            macs: 0,
            snr,
        },
    ]
}

fn gates<'a>(path: Path, noise: &mut Noise) -> Vec<Line<'a>> {
    type Case<'a> = (&'a str, fn(Path, &mut [f32]), fn(f64) -> f64);
    let cases: [Case; 3] = [
        ("SiLU", gate::silu, oracle::silu),
        ("softplus", gate::softplus, oracle::softplus),
        ("exp2", gate::exp2, f64::exp2),
    ];
    let values = Aligned::from(&noise.vec(2048, 8.0)[..]);
    cases
        .into_iter()
        .map(|(name, f, truth)| {
            let mut x = values.clone();
            let us = best_us(|| {
                x.copy_from_slice(&values);
                f(path, &mut x);
            });
            let truth: Vec<f64> = values.iter().map(|v| truth(*v as f64)).collect();
            Line {
                name,
                shape: "2048 values and a copy".into(),
                us,
                macs: 0,
                snr: snr_db(&truth, &x),
            }
        })
        .collect()
}
