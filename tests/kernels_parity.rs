//! Every kernel, on every path this machine has, against the f64 oracle.

mod kernel_common;

use kernel_common::{Noise, wide};
use proptest::prelude::*;
use rustfft::num_complex::Complex64;
use statewave::kernels::banded::{PackedBands, banded};
use statewave::kernels::conv::{PackedConv, conv};
use statewave::kernels::filter::{Filters, OVERHANG, filter};
use statewave::kernels::mix::{PackedMix, Steps, mix_gated};
use statewave::kernels::norm::{gate_rows, gated_rms_norm, rms_norm};
use statewave::kernels::oracle;
use statewave::kernels::proj::{Packed, proj};
use statewave::kernels::scan::chunked::{Chunks, s4d_chunked, s6_chunked, ssd_chunked};
use statewave::kernels::scan::{S4d, S6, S6Rows, Ssd, s4d, s6, ssd, ssd_gates};
use statewave::kernels::{Path, gate};

fn assert_db(truth: &[f64], got: &[f32], what: &str, path: Path) {
    kernel_common::assert_db(truth, got, 120.0, what, path);
}

#[test]
fn gates_follow_their_formulas_over_their_range() {
    type Case = (&'static str, fn(Path, &mut [f32]), fn(f64) -> f64, f64);
    let cases: [Case; 5] = [
        ("silu", gate::silu, oracle::silu, 4e-7),
        ("softplus", gate::softplus, oracle::softplus, 4e-7),
        ("sigmoid", gate::sigmoid, oracle::sigmoid, 4e-7),
        ("tanh", gate::tanh, f64::tanh, 1e-6),
        ("exp2", gate::exp2, f64::exp2, 4e-7),
    ];
    let x: Vec<f32> = (-40_000..40_001).map(|i| i as f32 * 5e-4).collect();
    for (name, kernel, truth, near) in cases {
        for path in Path::available() {
            let mut y = x.clone();
            kernel(path, &mut y);
            for (x, y) in x.iter().zip(&y) {
                let truth = truth(*x as f64);
                // e^-x for large x keeps the rounding of x · log2 e: a few 1e-7 at |x| = 20.
                let bound = (near + 1.5e-7 * x.abs() as f64) * truth.abs() + 1e-20;
                assert!(
                    (*y as f64 - truth).abs() <= bound,
                    "{name}({x}) = {y}, not {truth}, on {}",
                    path.name()
                );
            }
        }
    }
}

#[test]
fn gates_survive_any_input() {
    for path in Path::available() {
        let mut x = [
            f32::MAX,
            f32::MIN,
            1e30,
            -1e30,
            1e-40,
            0.0,
            -0.0,
            200.0,
            -200.0,
        ];
        gate::silu(path, &mut x);
        assert!(x.iter().all(|v| v.is_finite()), "{x:?}");
        assert!(x[4].is_normal(), "a subnormal number does not stay one");
        let mut x = [1e30, -1e30, 0.0];
        gate::softplus(path, &mut x);
        assert!(
            x[0] == 1e30 && x[1] < 1e-17 && (x[2] - std::f32::consts::LN_2).abs() < 1e-7,
            "{x:?}"
        );
    }
}

#[test]
fn states_that_decay_in_silence_never_become_subnormal() {
    let (e, states, time) = (16, 4, 256);
    let (delta, silence) = (vec![0.7; time * e], vec![0.0; time * e]);
    // The smallest C that is not 0 reads a state without becoming subnormal itself.
    let bc: Vec<f32> = [vec![1.0; states], vec![1e-3; states]]
        .concat()
        .repeat(time);
    let s6_scan = S6::new(&vec![0.0; e * states], &vec![0.0; e], states);
    let rows = S6Rows {
        delta: &delta,
        x: &silence,
        x_stride: e,
        bc: &bc,
        bc_stride: 2 * states,
    };
    let ssd_scan = Ssd::new(&[0.0; 2], &[0.0; 2], &[0.0; 2], 8, states, 1, (0.0, 8.0));
    let xbc: Vec<f32> = bc
        .chunks(2 * states)
        .flat_map(|bc| [&silence[..e], bc].concat())
        .collect();
    let mut gates = vec![0.0; time * ssd_scan.gates_len()];
    for path in Path::available() {
        let check = |what: &str, y: &[f32], h: &[f32]| {
            let quiet = |v: &f32| v.is_normal() && v.abs() < 1e-17;
            assert!(h.iter().all(quiet), "{what} on {}: {h:?}", path.name());
            assert!(y.iter().all(|v| v.is_normal()), "{what}: {y:?}");
            assert!(y[(time - 1) * e..].iter().all(quiet), "{what}: {y:?}");
        };
        let (mut y, mut h) = (vec![0.0; time * e], vec![1.0; s6_scan.state_len()]);
        s6(path, &s6_scan, rows, &mut y, 1, time, &mut h);
        check("s6", &y, &h);
        ssd_gates(path, &ssd_scan, &[0.7; 512], 2, 1.0, &mut gates, time);
        let (mut y, mut h) = (vec![0.0; time * e], vec![1.0; ssd_scan.state_len()]);
        ssd(
            path,
            &ssd_scan,
            &xbc,
            ssd_scan.row_len(),
            &gates,
            &mut y,
            1,
            time,
            &mut h,
        );
        check("ssd", &y, &h);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn proj_is_a_matrix_product(
        rows in 1usize..40, k in 1usize..130, m in 1usize..180, seed: u64, bias: bool, accumulate: bool,
    ) {
        let mut noise = Noise(seed);
        let (x_stride, stride) = (k + 3, m + 5);
        let (w, b) = (noise.vec(m * k, 0.2), noise.vec(m, 1.0));
        let (x, start) = (noise.vec(rows * x_stride, 1.0), noise.vec(rows * stride, 1.0));
        let packed = Packed::new(&w, m, k, bias.then_some(&b));
        let mut truth = wide(&start);
        for r in 0..rows {
            let y = oracle::linear(&wide(&w), bias.then_some(&wide(&b)), &wide(&x[r * x_stride..][..k]));
            for (i, y) in y.iter().enumerate() {
                let at = &mut truth[r * stride + i];
                *at = y + if accumulate { *at } else { 0.0 };
            }
        }
        for path in Path::available() {
            let mut out = start.clone();
            proj(path, &packed, &x, x_stride, &mut out, stride, rows, accumulate);
            assert_db(&truth, &out, "proj", path);
            // A row alone gives the very bits it gives among others.
            let mut alone = start[(rows - 1) * stride..].to_vec();
            proj(path, &packed, &x[(rows - 1) * x_stride..], x_stride, &mut alone, stride, 1, accumulate);
            assert_eq!(&alone[..], &out[(rows - 1) * stride..]);
        }
    }

    #[test]
    fn mix_is_a_matrix_product_a_channel_under_its_gate(
        frames in 1usize..5, c8 in 1usize..5, f in 1usize..40, g in 1usize..40, bands_first: bool, seed: u64,
    ) {
        let c = 8 * c8;
        let steps = |bands: usize, row: usize| if bands_first {
            Steps { band: frames * row, frame: row }
        } else {
            Steps { band: row, frame: bands * row }
        };
        let mut noise = Noise(seed);
        let (w, b) = (noise.vec(c * f * g, 0.2), noise.vec(c * f, 1.0));
        let most = f.max(g);
        let (from, to) = (steps(most, 2 * c), steps(f, c));
        let uz = noise.vec(frames * most * 2 * c, 1.0);
        let (u, z) = (&uz[..], &uz[c..]);
        let packed = PackedMix::new(&w, c, f, g, Some(&b));
        let mut truth = vec![0.0; frames * f * c];
        for (frame, o, ch) in (0..frames * f * c).map(|i| (i / c / f, i / c % f, i % c)) {
            let sum: f64 = (0..g)
                .map(|q| w[(ch * f + o) * g + q] as f64 * u[frame * from.frame + q * from.band + ch] as f64)
                .sum();
            let gate = z[frame * from.frame + o * from.band + ch] as f64;
            truth[frame * to.frame + o * to.band + ch] = (sum + b[ch * f + o] as f64) * gate;
        }
        for path in Path::available() {
            let mut out = vec![0.0; frames * f * c];
            mix_gated(path, &packed, u, z, from, &mut out, to, frames);
            assert_db(&truth, &out, "mix_gated", path);
        }
    }

    #[test]
    fn banded_is_a_matrix_product_a_band(
        bands in 1usize..5, frames in 1usize..4, k in 1usize..70, m in 1usize..140, seed: u64,
    ) {
        let mut noise = Noise(seed);
        let (w, b) = (noise.vec(bands * m * k, 0.2), noise.vec(bands * m, 1.0));
        let (from, to) = (Steps { band: k + 1, frame: bands * (k + 1) }, Steps { band: m + 3, frame: bands * (m + 3) });
        let x = noise.vec(frames * from.frame, 1.0);
        let start = noise.vec(frames * to.frame, 1.0);
        let packed = PackedBands::new((bands, m, k), |f, o, i| w[(f * m + o) * k + i], |f, o| b[f * m + o]);
        prop_assert_eq!(packed.macs(), bands * m * k);
        let mut truth = wide(&start);
        for (frame, band) in (0..frames * bands).map(|i| (i / bands, i % bands)) {
            let x = &x[frame * from.frame + band * from.band..][..k];
            let y = oracle::linear(&wide(&w[band * m * k..][..m * k]), Some(&wide(&b[band * m..][..m])), &wide(x));
            truth[frame * to.frame + band * to.band..][..m].copy_from_slice(&y);
        }
        for path in Path::available() {
            let mut out = start.clone();
            banded(path, &packed, &x, from, &mut out, to, frames);
            assert_db(&truth, &out, "banded", path);
        }
    }

    #[test]
    fn filters_are_sums_of_products_under_their_gate(
        bands in 1usize..6, width in 1usize..20, taps in 1usize..6, first in 0usize..9, gated: bool,
        limit in 0.5f32..4.0, seed: u64,
    ) {
        let bins = bands * width;
        let own = (2 * taps + usize::from(gated)) * width;
        let (stride, plane) = (own + 3, first + bins + OVERHANG);
        let mut noise = Noise(seed);
        let coefficients = noise.vec(bands * stride + OVERHANG, 3.0);
        let x = noise.vec(2 * taps * plane, 1.0);
        let complex = |re: f32, im: f32| Complex64::new(re as f64, im as f64);
        let (mut truth, mut power_truth) = (Vec::new(), Vec::new());
        for bin in 0..bins {
            let own = &coefficients[bin / width * stride + bin % width..];
            let c: Vec<_> = (0..taps).map(|k| complex(own[2 * k * width], own[(2 * k + 1) * width])).collect();
            let seen: Vec<_> = (0..taps)
                .map(|k| &x[2 * (taps - 1 - k) * plane + first + bin..])
                .map(|frame| complex(frame[0], frame[plane]))
                .collect();
            let (y, power) = oracle::filter(&c, limit.into(), gated.then(|| own[2 * taps * width] as f64), &seen);
            truth.extend([y.re, y.im]);
            power_truth.push(power);
        }
        let filters = Filters { coefficients: &coefficients, stride, bands, width, taps, gated, limit };
        for path in Path::available() {
            let (mut y, mut power) = (vec![0.0; 2 * plane], vec![0.0; plane]);
            filter(path, filters, &x, plane, first, &mut y, &mut power);
            let got: Vec<f32> = (first..first + bins).flat_map(|bin| [y[bin], y[plane + bin]]).collect();
            assert_db(&truth, &got, "filter", path);
            assert_db(&power_truth, &power[first..first + bins], "power of a filter", path);
            prop_assert!(y[..first].iter().all(|v| *v == 0.0));
        }
    }

    #[test]
    fn conv_is_causal_and_cut_anywhere(
        taps in 1usize..5, c8 in 1usize..6, time in 1usize..40, cut in 0usize..40, seed: u64,
    ) {
        let (c, cut) = (8 * c8, cut.min(time));
        let mut noise = Noise(seed);
        let (w, b, x) = (noise.vec(c * taps, 0.5), noise.vec(c, 0.5), noise.vec(2 * time * c, 1.0));
        let packed = PackedConv::new(&w, c, taps, Some(&b));
        let truth: Vec<f64> = x
            .chunks(time * c)
            .flat_map(|x| oracle::conv(&wide(x), &wide(&w), &wide(&b), taps))
            .collect();
        for path in Path::available() {
            let mut y = x.clone();
            conv(path, &packed, &mut y, c, 2, time, &mut vec![0.0; 2 * packed.state_len()]);
            assert_db(&truth, &y, "conv", path);
            let (mut z, mut tail) = (x[..time * c].to_vec(), vec![0.0; packed.state_len()]);
            conv(path, &packed, &mut z[..cut * c], c, 1, cut, &mut tail);
            conv(path, &packed, &mut z[cut * c..], c, 1, time - cut, &mut tail);
            assert_eq!(&z, &y[..time * c]);
        }
    }

    #[test]
    fn norms_follow_their_formulas(rows in 1usize..6, w8 in 1usize..20, groups in 1usize..4, seed: u64) {
        let width = 8 * w8 * groups;
        let mut noise = Noise(seed);
        let (x, z, w) = (noise.vec(rows * width, 1.0), noise.vec(rows * width, 3.0), noise.vec(width, 1.0));
        type Row<'a> = &'a dyn Fn(&[f64], &[f64]) -> Vec<f64>;
        let each = |f: Row| -> Vec<f64> {
            x.chunks(width).zip(z.chunks(width)).flat_map(|(x, z)| f(&wide(x), &wide(z))).collect()
        };
        let plain = each(&|x, _| oracle::rms_norm(x, &wide(&w), 1e-5));
        let gated = each(&|x, z| oracle::gated_rms_norm(x, z, &wide(&w), groups, 1e-5));
        let product = each(&|x, z| x.iter().zip(z).map(|(x, z)| x * oracle::silu(*z)).collect());
        for path in Path::available() {
            let mut y = vec![0.0; x.len()];
            rms_norm(path, &x, &w, 1e-5, &mut y, rows);
            assert_db(&plain, &y, "rms_norm", path);
            let mut y = x.clone();
            let mut gate = z.clone();
            gate::silu_rows(path, &mut gate, width, width, rows);
            gated_rms_norm(path, &mut y, &gate, width, &w, groups, 1e-5, rows);
            assert_db(&gated, &y, "gated_rms_norm", path);
            let mut y = x.clone();
            gate_rows(path, &mut y, &gate, width, width, rows);
            assert_db(&product, &y, "gate_rows", path);
        }
    }

    #[test]
    fn s6_is_the_selective_scan(
        e8 in 1usize..8, states in 1usize..20, time in 1usize..60, chunk in 1usize..30, seed: u64,
    ) {
        let e = 8 * e8;
        let mut noise = Noise(seed);
        let (a_log, d) = (noise.vec(e * states, 2.0), noise.vec(e, 1.0));
        let raw = noise.vec(time * e, 4.0);
        let delta: Vec<f32> = raw.iter().map(|v| oracle::softplus(*v as f64 - 3.0) as f32).collect();
        let (x, bc) = (noise.vec(time * e, 1.0), noise.vec(time * 2 * states, 1.0));
        let part = |from: usize| -> Vec<f64> {
            bc.chunks(2 * states).flat_map(|row| wide(&row[from..from + states])).collect()
        };
        let a: Vec<f64> = a_log.iter().map(|v| -(*v as f64).exp()).collect();
        let mut h = vec![0.0; e * states];
        let (b, c) = (part(0), part(states));
        let truth = oracle::s6(oracle::simplified, &a, &wide(&d), states, &wide(&delta), &wide(&x), &b, &c, &mut h);
        let s = S6::new(&a_log, &d, states);
        let rows = S6Rows { delta: &delta, x: &x, x_stride: e, bc: &bc, bc_stride: 2 * states };
        for path in Path::available() {
            let (mut y, mut h) = (vec![0.0; time * e], vec![0.0; s.state_len()]);
            s6(path, &s, rows, &mut y, 1, time, &mut h);
            assert_db(&truth, &y, "s6", path);
            let (mut z, mut g) = (vec![0.0; time * e], vec![0.0; s.state_len()]);
            s6_chunked(path, &s, rows, &mut z, time, &mut g, Chunks { len: chunk, threads: 2 });
            assert_db(&truth, &z, "s6_chunked", path);
            assert_db(&wide(&h), &g, "s6_chunked state", path);
        }
        // Held over steps of another length.
        let (s, scale) = (S6::held(&a_log, &d, states, 0.7), |v: &f32| 0.7 * *v as f64);
        let longer: Vec<f64> = delta.iter().map(scale).collect();
        let mut h = vec![0.0; e * states];
        let truth = oracle::s6(oracle::zoh, &a, &wide(&d), states, &longer, &wide(&x), &b, &c, &mut h);
        for path in Path::available() {
            let (mut y, mut h) = (vec![0.0; time * e], vec![0.0; s.state_len()]);
            s6(path, &s, rows, &mut y, 1, time, &mut h);
            assert_db(&truth, &y, "s6 held", path);
        }
    }

    #[test]
    fn ssd_is_the_scan_of_mamba_2(
        p8 in 1usize..4, per_group in 1usize..3, groups in 1usize..3, states in 1usize..20,
        time in 1usize..50, chunk in 1usize..30, seed: u64,
    ) {
        let (p, heads) = (8 * p8, per_group * groups);
        let (e, gn) = (p * heads, groups * states);
        let mut noise = Noise(seed);
        let (a_log, bias, d) = (noise.vec(heads, 2.0), noise.vec(heads, 2.0), noise.vec(heads, 1.0));
        let (dt, xbc) = (noise.vec(time * heads, 3.0), noise.vec(time * (e + 2 * gn), 1.0));
        let s = Ssd::new(&a_log, &bias, &d, p, states, groups, (0.01, 2.0));
        let part = |from: usize, len: usize| -> Vec<f64> {
            xbc.chunks(s.row_len()).flat_map(|row| wide(&row[from..from + len])).collect()
        };
        let a: Vec<f64> = a_log.iter().map(|v| -(*v as f64).exp()).collect();
        let delta: Vec<f64> = dt.iter().enumerate()
            .map(|(i, v)| oracle::softplus(*v as f64 + bias[i % heads] as f64).clamp(0.01, 2.0)).collect();
        let (x, b, c) = (part(0, e), part(e, gn), part(e + gn, gn));
        let truth = oracle::ssd(&a, &wide(&d), states, groups, &delta, &x, &b, &c, &mut vec![0.0; e * states]);
        for path in Path::available() {
            let mut gates = vec![0.0; time * s.gates_len()];
            ssd_gates(path, &s, &dt, heads, 1.0, &mut gates, time);
            let (mut y, mut h) = (vec![0.0; time * e], vec![0.0; s.state_len()]);
            ssd(path, &s, &xbc, s.row_len(), &gates, &mut y, 1, time, &mut h);
            assert_db(&truth, &y, "ssd", path);
            let (mut z, mut g) = (vec![0.0; time * e], vec![0.0; s.state_len()]);
            let chunks = Chunks { len: chunk, threads: 2 };
            ssd_chunked(path, &s, &xbc, s.row_len(), &gates, &mut z, time, &mut g, chunks);
            assert_db(&truth, &z, "ssd_chunked", path);
            assert_db(&wide(&h), &g, "ssd_chunked state", path);
        }
    }

    #[test]
    fn s4d_is_its_recurrence_and_its_convolution(
        e8 in 1usize..5, states in 1usize..10, time in 1usize..60, chunk in 1usize..30, seed: u64,
    ) {
        let e = 8 * e8;
        let mut noise = Noise(seed);
        let narrow = |v: Complex64| Complex64::new(v.re as f32 as f64, v.im as f32 as f64);
        let a: Vec<_> = (0..e * states)
            .map(|i| {
                let delta = 0.05 + 0.05 * noise.next().abs() as f64;
                narrow(oracle::zoh(Complex64::new(-0.5, (i % states) as f64 * 3.0), 1.0.into(), delta).0)
            })
            .collect();
        let c: Vec<_> = (0..e * states).map(|_| Complex64::new(noise.next() as f64, noise.next() as f64)).collect();
        let (d, u) = (noise.vec(e, 1.0), noise.vec(time * e, 1.0));
        let truth = oracle::s4d(&a, &c, &wide(&d), states, &wide(&u), &mut vec![0.0.into(); e * states]);
        let convolved = oracle::s4d_convolution(&a, &c, &wide(&d), states, &wide(&u));
        assert!(truth.iter().zip(&convolved).all(|(a, b)| (a - b).abs() < 1e-9));
        let s = S4d::new(&a, &c, &d, states);
        for path in Path::available() {
            let (mut y, mut h) = (vec![0.0; time * e], vec![0.0; s.state_len()]);
            s4d(path, &s, &u, &mut y, 1, time, &mut h);
            assert_db(&truth, &y, "s4d", path);
            let (mut z, mut g) = (vec![0.0; time * e], vec![0.0; s.state_len()]);
            s4d_chunked(path, &s, &u, &mut z, time, &mut g, Chunks { len: chunk, threads: 2 });
            assert_db(&truth, &z, "s4d_chunked", path);
        }
    }
}

#[test]
fn an_s4d_that_remembers_for_long_takes_two_floats_for_its_decay() {
    let (e, states, time) = (16, 2, 20_000);
    let mut noise = Noise(3);
    let a: Vec<_> = (0..e * states)
        .map(|i| (Complex64::new(-1e-5, 3e-4 * (i % states) as f64) * (1.0 + i as f64)).exp())
        .collect();
    let c: Vec<_> = (0..e * states)
        .map(|_| Complex64::new(noise.next() as f64, noise.next() as f64))
        .collect();
    let (d, u) = (noise.vec(e, 1.0), noise.vec(time * e, 1.0));
    let u: Vec<f32> = u.iter().map(|u| u + 0.3).collect();
    let mut start = vec![0.0.into(); e * states];
    let truth = oracle::s4d(&a, &c, &wide(&d), states, &wide(&u), &mut start);
    for path in Path::available() {
        let run = |s: &S4d| {
            let (mut y, mut h) = (vec![0.0; time * e], vec![0.0; s.state_len()]);
            s4d(path, s, &u, &mut y, 1, time, &mut h);
            oracle::snr_db(&truth, &y)
        };
        let (one, two) = (
            run(&S4d::new(&a, &c, &d, states)),
            run(&S4d::fine(&a, &c, &d, states)),
        );
        assert!(
            two > 100.0 && one < two - 20.0,
            "{one:.1} and {two:.1} dB on {}",
            path.name()
        );
    }
}
