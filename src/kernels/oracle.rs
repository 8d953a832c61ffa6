//! The truth that the kernels are tested against: f64, one line an equation, as the papers write it.
//!
//! Nothing here is fast and nothing here is shared with the kernels. Names follow the papers: Δ is `delta`, the state is
//! `h`; rows are `[time][channels]`.

use rustfft::num_complex::Complex64;

/// Zero-order hold of `h' = a·h + b·u` over a step Δ: (Ā, B̄) = (e^{Δa}, (e^{Δa} − 1)/a · b). S4, equation 3's exact form.
pub fn zoh(a: Complex64, b: Complex64, delta: f64) -> (Complex64, Complex64) {
    let a_bar = (a * delta).exp();
    let b_bar = if a.norm() * delta < 1e-8 {
        b * delta
    } else {
        (a_bar - 1.0) / a * b
    };
    (a_bar, b_bar)
}

/// Bilinear (Tustin): Ā = (1 + Δa/2)/(1 − Δa/2), B̄ = Δb/(1 − Δa/2). S4, equation 3.
pub fn bilinear(a: Complex64, b: Complex64, delta: f64) -> (Complex64, Complex64) {
    let half = a * (delta / 2.0);
    ((1.0 + half) / (1.0 - half), b * delta / (1.0 - half))
}

/// Mamba's rule: Ā = e^{Δa}, B̄ ≈ Δb. Mamba, section 3.2's code, not its equation 4.
pub fn simplified(a: Complex64, b: Complex64, delta: f64) -> (Complex64, Complex64) {
    ((a * delta).exp(), b * delta)
}

/// A rule of discretisation: [`zoh`], [`bilinear`] or [`simplified`].
pub type Rule = fn(Complex64, Complex64, f64) -> (Complex64, Complex64);

/// The states of `h' = a·h + b·u` from `start`, after each of the inputs `u`: h ← Ā·h + B̄·u.
pub fn states(
    rule: Rule,
    (a, b): (Complex64, Complex64),
    delta: f64,
    start: Complex64,
    u: &[f64],
) -> Vec<Complex64> {
    let (a_bar, b_bar) = rule(a, b, delta);
    u.iter()
        .scan(start, |h, u| {
            *h = a_bar * *h + b_bar * u;
            Some(*h)
        })
        .collect()
}

/// ln(1 + e^x).
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// 1 / (1 + e^-x).
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// x · sigmoid(x).
pub fn silu(x: f64) -> f64 {
    x * sigmoid(x)
}

/// x / sqrt(mean(x²) + eps) · w for one row.
pub fn rms_norm(x: &[f64], w: &[f64], eps: f64) -> Vec<f64> {
    let mean = x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64;
    x.iter()
        .zip(w)
        .map(|(v, w)| v / (mean + eps).sqrt() * w)
        .collect()
}

/// Mamba-2's norm(y · silu(z)) · w for one row, over each of `groups` parts.
pub fn gated_rms_norm(y: &[f64], z: &[f64], w: &[f64], groups: usize, eps: f64) -> Vec<f64> {
    let gated: Vec<f64> = y.iter().zip(z).map(|(y, z)| y * silu(*z)).collect();
    let part = y.len() / groups;
    gated
        .chunks(part)
        .zip(w.chunks(part))
        .flat_map(|(y, w)| rms_norm(y, w, eps))
        .collect()
}

/// W·x + bias for one row; `w` is `[M][K]`.
pub fn linear(w: &[f64], bias: Option<&[f64]>, x: &[f64]) -> Vec<f64> {
    w.chunks(x.len())
        .enumerate()
        .map(|(m, row)| {
            bias.map_or(0.0, |b| b[m]) + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>()
        })
        .collect()
}

/// Causal depthwise convolution from an empty past; `x` is `[time][channels]`, `w` is `[channels][taps]`.
pub fn conv(x: &[f64], w: &[f64], bias: &[f64], taps: usize) -> Vec<f64> {
    let channels = bias.len();
    let mut y = vec![0.0; x.len()];
    for t in 0..x.len() / channels {
        for c in 0..channels {
            y[t * channels + c] = bias[c];
            for j in 0..taps {
                if t + j + 1 >= taps {
                    y[t * channels + c] += w[c * taps + j] * x[(t + j + 1 - taps) * channels + c];
                }
            }
        }
    }
    y
}

/// The filter of one bin: `c` is `[taps]`, `x` this frame's value and those of the frames before, and `logit` the gate's
/// if there is one; coefficients are held within ±`limit`. Gives the filtered value, and the power of the gated first tap.
pub fn filter(
    c: &[Complex64],
    limit: f64,
    logit: Option<f64>,
    x: &[Complex64],
) -> (Complex64, f64) {
    let gate = logit.map_or(1.0, sigmoid);
    let held = |c: &Complex64| Complex64::new(c.re.clamp(-limit, limit), c.im.clamp(-limit, limit));
    let sum: Complex64 = c.iter().zip(x).map(|(c, x)| held(c) * x).sum();
    (gate * sum, (gate * held(&c[0])).norm_sqr())
}

/// The selective scan of Mamba: `a` is `[E][N]`, `delta` and `x` are `[time][E]`, `b` and `c` are `[time][N]`, `h` is
/// `[E][N]` and goes on from where it is. Mamba's rule is [`simplified`].
#[allow(clippy::too_many_arguments)]
pub fn s6(
    rule: Rule,
    a: &[f64],
    d: &[f64],
    n_states: usize,
    delta: &[f64],
    x: &[f64],
    b: &[f64],
    c: &[f64],
    h: &mut [f64],
) -> Vec<f64> {
    let channels = d.len();
    let mut y = vec![0.0; x.len()];
    for t in 0..x.len() / channels {
        for e in 0..channels {
            let at = t * channels + e;
            y[at] = d[e] * x[at];
            for n in 0..n_states {
                let (a, b) = (a[e * n_states + n], b[t * n_states + n]);
                let (a_bar, b_bar) = rule(a.into(), b.into(), delta[at]);
                let h = &mut h[e * n_states + n];
                *h = a_bar.re * *h + b_bar.re * x[at];
                y[at] += c[t * n_states + n] * *h;
            }
        }
    }
    y
}

/// The scan of Mamba-2: `a` and `d` are `[H]`, `delta` is `[time][H]`, `x` is `[time][H][P]`, `b` and `c` are
/// `[time][G][N]`, `h` is `[H][P][N]`.
#[allow(clippy::too_many_arguments)]
pub fn ssd(
    a: &[f64],
    d: &[f64],
    n_states: usize,
    groups: usize,
    delta: &[f64],
    x: &[f64],
    b: &[f64],
    c: &[f64],
    h: &mut [f64],
) -> Vec<f64> {
    let heads = a.len();
    let time = delta.len() / heads;
    let head_dim = x.len() / time / heads;
    let mut y = vec![0.0; x.len()];
    for t in 0..time {
        for head in 0..heads {
            let group = head / (heads / groups);
            for p in 0..head_dim {
                let at = (t * heads + head) * head_dim + p;
                y[at] = d[head] * x[at];
                for n in 0..n_states {
                    let bc = (t * groups + group) * n_states + n;
                    let (a_bar, b_bar) =
                        simplified(a[head].into(), b[bc].into(), delta[t * heads + head]);
                    let h = &mut h[(head * head_dim + p) * n_states + n];
                    *h = a_bar.re * *h + b_bar.re * x[at];
                    y[at] += c[bc] * *h;
                }
            }
        }
    }
    y
}

/// S4D as a recurrence: `a_bar` and `c` (with B̄ and the factor 2 inside) are `[E][N]`, `u` is `[time][E]`.
pub fn s4d(
    a_bar: &[Complex64],
    c: &[Complex64],
    d: &[f64],
    n_states: usize,
    u: &[f64],
    h: &mut [Complex64],
) -> Vec<f64> {
    let channels = d.len();
    let mut y = vec![0.0; u.len()];
    for t in 0..u.len() / channels {
        for (e, d) in d.iter().enumerate() {
            let at = t * channels + e;
            y[at] = d * u[at];
            for n in e * n_states..(e + 1) * n_states {
                h[n] = a_bar[n] * h[n] + u[at];
                y[at] += (c[n] * h[n]).re;
            }
        }
    }
    y
}

/// S4D as a convolution with its kernel, `K[t] = Re Σ_n C̃_n·Ā_n^t`, from an empty state.
pub fn s4d_convolution(
    a_bar: &[Complex64],
    c: &[Complex64],
    d: &[f64],
    n_states: usize,
    u: &[f64],
) -> Vec<f64> {
    let channels = d.len();
    let time = u.len() / channels;
    let mut y = vec![0.0; u.len()];
    for e in 0..channels {
        let n = e * n_states..(e + 1) * n_states;
        let kernel: Vec<f64> = (0..time as i32)
            .map(|t| n.clone().map(|n| (c[n] * a_bar[n].powi(t)).re).sum())
            .collect();
        for t in 0..time {
            let past: f64 = (0..=t).map(|s| kernel[t - s] * u[s * channels + e]).sum();
            y[t * channels + e] = past + d[e] * u[t * channels + e];
        }
    }
    y
}

/// Signal to error, in dB, of `got` against the truth; infinite where they are equal.
pub fn snr_db(truth: &[f64], got: &[f32]) -> f64 {
    assert_eq!(truth.len(), got.len(), "lengths differ");
    let signal: f64 = truth.iter().map(|v| v * v).sum();
    let error: f64 = truth
        .iter()
        .zip(got)
        .map(|(t, g)| (t - *g as f64).powi(2))
        .sum();
    if error == 0.0 {
        f64::INFINITY
    } else {
        10.0 * (signal / error).log10()
    }
}
