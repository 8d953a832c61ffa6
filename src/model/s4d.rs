//! An S4D layer: RMSNorm, a diagonal time-invariant state space a channel, SiLU, a dense layer, and the residual.
//!
//! A stream runs it as a recurrence. A whole file may run it as a convolution by FFT: the same function, for the state
//! space does not change with its input.

use super::discretize::Rule;
use super::layer::Layer;
use super::tensors::{TensorError, Tensors};
use crate::kernels::gate::silu;
use crate::kernels::norm::rms_norm;
use crate::kernels::proj::{Packed, proj};
use crate::kernels::scan::{S4d, s4d};
use crate::kernels::{Aligned, Path};
use realfft::RealFftPlanner;
use rustfft::num_complex::Complex64;

/// Sizes of an S4D layer, and how its continuous time becomes steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct S4dConfig {
    /// D, the width of the residual stream and the number of state spaces, a multiple of 8.
    pub width: usize,
    /// Complex states of a channel: half of the conjugate pairs' count that the papers call N.
    pub states: usize,
    /// The rule of discretisation.
    pub rule: Rule,
    /// Factor on every Δ: the trained sample rate divided by the rate it runs at.
    pub delta_scale: f64,
    /// Added to the mean square by the norm.
    pub eps: f32,
}

/// An S4D layer with its weights packed. Immutable; streams bring their own state.
///
/// State is `[batch][D/16][states][2][16]`; zeros at the start of a stream.
#[derive(Debug, Clone)]
pub struct S4dLayer {
    config: S4dConfig,
    norm: Aligned,
    scan: S4d,
    /// Ā and C̃ as the recurrence rounds them, so that the convolution is of the same system.
    a_bar: Vec<Complex64>,
    c: Vec<Complex64>,
    d: Aligned,
    out_proj: Packed,
}

impl S4dLayer {
    /// Reads, under `prefix`: `norm.weight [D]`, `mixer.log_dt [D]`, `mixer.log_A_real [D, states]`,
    /// `mixer.A_imag [D, states]`, `mixer.C [D, states, 2]`, `mixer.D [D]`, `mixer.out_proj.weight [D, D]` and, if it is
    /// there, `mixer.out_proj.bias [D]`. A = −exp(log_A_real) + i·A_imag and Δ = exp(log_dt), as in the S4 repository.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape, or sizes that the kernels do not serve.
    pub fn new(
        config: S4dConfig,
        tensors: &Tensors,
        prefix: &str,
    ) -> Result<S4dLayer, TensorError> {
        let (width, states) = (config.width, config.states);
        if width == 0 || states == 0 || !width.is_multiple_of(8) {
            let reason = "the width must be a multiple of 8 and there must be a state".into();
            return Err(TensorError::Size {
                layer: prefix.into(),
                reason,
            });
        }
        let get = |name: &str, shape: &[usize]| tensors.get(&format!("{prefix}{name}"), shape);
        let log_dt = get("mixer.log_dt", &[width])?;
        let log_a_real = get("mixer.log_A_real", &[width, states])?;
        let a_imag = get("mixer.A_imag", &[width, states])?;
        let c_parts = get("mixer.C", &[width, states, 2])?;
        let rounded = |v: Complex64| Complex64::new(v.re as f32 as f64, v.im as f32 as f64);
        let (mut a_bar, mut c) = (Vec::new(), Vec::new());
        for i in 0..width * states {
            let delta = (log_dt[i / states] as f64).exp() * config.delta_scale;
            let a = Complex64::new(-(log_a_real[i] as f64).exp(), a_imag[i] as f64);
            let (step, input) = config.rule.discretize(a, delta);
            a_bar.push(rounded(step));
            // The conjugate pair's other half doubles the real part.
            c.push(rounded(
                2.0 * input * Complex64::new(c_parts[2 * i] as f64, c_parts[2 * i + 1] as f64),
            ));
        }
        let d = get("mixer.D", &[width])?;
        let bias = tensors.optional(&format!("{prefix}mixer.out_proj.bias"), &[width])?;
        Ok(S4dLayer {
            norm: get("norm.weight", &[width])?.into(),
            scan: S4d::new(&a_bar, &c, d, states),
            a_bar,
            c,
            d: d.into(),
            out_proj: Packed::new(
                get("mixer.out_proj.weight", &[width, width])?,
                width,
                width,
                bias,
            ),
            config,
        })
    }

    /// The sizes it was made with.
    pub fn config(&self) -> &S4dConfig {
        &self.config
    }

    /// SiLU, the dense layer and the residual.
    fn finish(&self, path: Path, y: &mut [f32], x: &mut [f32], rows: usize) {
        let width = self.config.width;
        silu(path, y);
        proj(path, &self.out_proj, y, width, x, width, rows, true);
    }

    /// [`Self::forward`] for one whole stream from an empty state, by FFT convolution. Allocates: for files.
    pub fn forward_whole(&self, path: Path, x: &mut [f32]) {
        let rows = x.len() / self.config.width;
        let mut u = vec![0.0; x.len()];
        rms_norm(path, x, &self.norm, self.config.eps, &mut u, rows);
        let mut y = self.convolve(&u);
        self.finish(path, &mut y, x, rows);
    }

    /// The state spaces alone, from an empty state, as convolutions with `K[t] = Re Σ_n C̃_n·Ā_n^t` and the skip.
    fn convolve(&self, u: &[f32]) -> Vec<f32> {
        let (width, states) = (self.config.width, self.config.states);
        let time = u.len() / width;
        let mut y = vec![0.0f32; u.len()];
        if time == 0 {
            return y;
        }
        let mut planner = RealFftPlanner::<f64>::new();
        let forward = planner.plan_fft_forward((2 * time).next_power_of_two());
        let inverse = planner.plan_fft_inverse(forward.len());
        let (mut kernel, mut input) = (forward.make_input_vec(), forward.make_input_vec());
        let (mut kernel_bins, mut input_bins) =
            (forward.make_output_vec(), forward.make_output_vec());
        for e in 0..width {
            kernel.fill(0.0);
            input.fill(0.0);
            for n in e * states..(e + 1) * states {
                let mut tap = self.c[n];
                for k in &mut kernel[..time] {
                    *k += tap.re;
                    tap *= self.a_bar[n];
                }
            }
            for (t, v) in input[..time].iter_mut().enumerate() {
                *v = u[t * width + e] as f64;
            }
            let fits = "buffers come from the plan";
            forward.process(&mut kernel, &mut kernel_bins).expect(fits);
            forward.process(&mut input, &mut input_bins).expect(fits);
            let scale = 1.0 / forward.len() as f64;
            input_bins
                .iter_mut()
                .zip(&kernel_bins)
                .for_each(|(a, b)| *a *= b * scale);
            inverse.process(&mut input_bins, &mut input).expect(fits);
            for t in 0..time {
                y[t * width + e] = (input[t] + self.d[e] as f64 * u[t * width + e] as f64) as f32;
            }
        }
        y
    }
}

impl Layer for S4dLayer {
    fn pieces(&self) -> usize {
        2
    }

    fn state_len(&self, batch: usize) -> usize {
        batch * self.scan.state_len()
    }

    fn scratch_len(&self, batch: usize, time: usize) -> usize {
        2 * batch * time * self.config.width
    }

    fn piece(
        &self,
        path: Path,
        k: usize,
        x: &mut [f32],
        batch: usize,
        time: usize,
        state: &mut [f32],
        scratch: &mut [f32],
    ) {
        let rows = batch * time;
        let (u, y) =
            scratch[..self.scratch_len(batch, time)].split_at_mut(rows * self.config.width);
        match k {
            0 => {
                rms_norm(path, x, &self.norm, self.config.eps, u, rows);
                s4d(path, &self.scan, u, y, batch, time, state);
            }
            1 => self.finish(path, y, x, rows),
            _ => panic!("an S4D layer has 2 pieces"),
        }
    }
}
