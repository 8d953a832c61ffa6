//! The diagonal state spaces of S4D, read from a checkpoint and made discrete: one for each channel.
//!
//! They are time-invariant, so they run as a recurrence or as a convolution with their kernel: the same function.

use super::discretize::Sampling;
use super::tensors::{TensorError, Tensors};
use crate::kernels::scan::S4d;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::num_complex::{Complex32, Complex64};
use std::sync::Arc;

/// Discrete state spaces, `h ← Ā·h + u`, `y = Re Σ_n C̃_n·h_n + D̃·u`, with B̄ and the conjugate's factor 2 inside C̃, and
/// what [`Step::through`](super::discretize::Step::through) adds inside D̃.
#[derive(Debug, Clone)]
pub struct Modes {
    states: usize,
    sampling: Sampling,
    /// `[channels][states]`.
    own: Vec<Mode>,
    a_bar: Vec<Complex64>,
    c: Vec<Complex64>,
    /// D̃, and D of the file.
    d: Vec<f32>,
    skip: Vec<f32>,
}

/// A mode in continuous time, with what is made of it at its own pace.
#[derive(Debug, Clone, Copy)]
struct Mode {
    a: Complex64,
    delta: f64,
    /// B̄.
    input: Complex64,
    /// 2C: the conjugate pair's other half doubles the real part.
    reads: Complex64,
}

/// Time constants to a step beyond which a mode is not hurried: it has nothing left to forget, and the first-order hold would
/// divide by what is left.
const HURRIED: f64 = 4.0;

impl Modes {
    /// Reads, under `prefix`: `mixer.log_dt [E]`, `mixer.log_A_real [E, states]`, `mixer.A_imag [E, states]`,
    /// `mixer.C [E, states, 2]` and `mixer.D [E]`, for E = `channels` and half of the conjugate pairs' count.
    /// A = −exp(log_A_real) + i·A_imag and Δ = exp(log_dt), as in the S4 repository.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape.
    pub fn new(
        sampling: Sampling,
        tensors: &Tensors,
        prefix: &str,
        channels: usize,
        states: usize,
    ) -> Result<Modes, TensorError> {
        let get = |name: &str, shape: &[usize]| tensors.get(&format!("{prefix}{name}"), shape);
        let log_dt = get("mixer.log_dt", &[channels])?;
        let log_a_real = get("mixer.log_A_real", &[channels, states])?;
        let a_imag = get("mixer.A_imag", &[channels, states])?;
        let c_parts = get("mixer.C", &[channels, states, 2])?;
        let rounded = |v: Complex64| Complex64::new(v.re as f32 as f64, v.im as f32 as f64);
        let skip = get("mixer.D", &[channels])?.to_vec();
        let mut d = skip.clone();
        let (mut own, mut a_bar, mut c) = (Vec::new(), Vec::new(), Vec::new());
        let mut through = vec![0.0; channels];
        for i in 0..channels * states {
            let delta = (log_dt[i / states] as f64).exp() * sampling.delta_scale;
            let a = Complex64::new(-(log_a_real[i] as f64).exp(), a_imag[i] as f64);
            let step = sampling.rule.step(a, delta);
            a_bar.push(step.a_bar);
            let reads = 2.0 * Complex64::new(c_parts[2 * i] as f64, c_parts[2 * i + 1] as f64);
            own.push(Mode {
                a,
                delta,
                input: step.input,
                reads,
            });
            c.push(rounded(step.input * reads));
            through[i / states] += (step.through * reads).re;
        }
        for (d, through) in d.iter_mut().zip(through) {
            *d = (*d as f64 + through) as f32;
        }
        Ok(Modes {
            states,
            sampling,
            own,
            a_bar,
            c,
            d,
            skip,
        })
    }

    /// Writes what `scan`, packed of these modes, is at every Δ times `scale`: the table of [`s4d_paced`]. Real-time safe.
    ///
    /// [`s4d_paced`]: crate::kernels::scan::s4d_paced
    ///
    /// # Panics
    /// If the table is shorter than [`S4d::paced_len`].
    pub fn write_paced(&self, scan: &S4d, scale: f32, table: &mut [f32]) {
        let rule = self.sampling.rule;
        for (e, (modes, skip)) in self
            .own
            .chunks_exact(self.states)
            .zip(&self.skip)
            .enumerate()
        {
            let mut d = f64::from(*skip);
            for (n, mode) in modes.iter().enumerate() {
                let most = (HURRIED / (-mode.a.re * mode.delta)).max(1.0);
                let delta = mode.delta * f64::from(scale).min(most);
                let step = rule.step(mode.a, delta);
                scan.write_paced(table, (e, n), step.a_bar, step.input / mode.input);
                d += (step.through * mode.reads).re;
            }
            scan.write_paced_skip(table, e, d as f32);
        }
    }

    /// Packed for the recurrence. The number of channels must be a multiple of 8.
    pub fn packed(&self) -> S4d {
        S4d::new(&self.a_bar, &self.c, &self.d, self.states)
    }

    /// The same for states that remember for more than some thousand steps: see [`S4d::fine`].
    pub fn packed_finely(&self) -> S4d {
        S4d::fine(&self.a_bar, &self.c, &self.d, self.states)
    }

    /// The state spaces as convolutions over `time` steps from an empty state, with `K[t] = Re Σ_n C̃_n·Ā_n^t` and the skip.
    /// Allocates: for files.
    pub fn convolution(&self, time: usize) -> Convolution {
        let mut planner = RealFftPlanner::<f32>::new();
        let forward = planner.plan_fft_forward((2 * time).next_power_of_two().max(2));
        let inverse = planner.plan_fft_inverse(forward.len());
        let mut convolution = Convolution {
            channels: self.d.len(),
            time,
            kernels: Vec::new(),
            signal: forward.make_input_vec(),
            bins: forward.make_output_vec(),
            scratch: vec![
                Complex32::ZERO;
                forward.get_scratch_len().max(inverse.get_scratch_len())
            ],
            forward,
            inverse,
        };
        let scale = 1.0 / convolution.forward.len() as f64;
        let mut kernel = vec![0.0f64; time];
        for (e, d) in self.d.iter().enumerate() {
            kernel.fill(0.0);
            for n in e * self.states..(e + 1) * self.states {
                let mut tap = self.c[n];
                for k in &mut kernel {
                    *k += tap.re;
                    tap *= self.a_bar[n];
                }
            }
            if let Some(first) = kernel.first_mut() {
                *first += *d as f64;
            }
            convolution.signal.fill(0.0);
            for (to, k) in convolution.signal.iter_mut().zip(&kernel) {
                *to = (k * scale) as f32;
            }
            convolution.transform();
            convolution.kernels.extend_from_slice(&convolution.bins);
        }
        convolution
    }
}

/// State spaces as convolutions over a number of steps, their kernels transformed.
pub struct Convolution {
    channels: usize,
    time: usize,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    /// `[channels][bins]`.
    kernels: Vec<Complex32>,
    signal: Vec<f32>,
    bins: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Convolution {
    /// `u` and `y` are `[time][channels]`.
    ///
    /// # Panics
    /// If a slice has another length.
    pub fn run(&mut self, u: &[f32], y: &mut [f32]) {
        let (channels, time) = (self.channels, self.time);
        assert!(
            u.len() == time * channels && y.len() == u.len(),
            "rows do not fit"
        );
        for e in 0..channels {
            for (to, row) in self.signal.iter_mut().zip(u.chunks_exact(channels)) {
                *to = row[e];
            }
            self.signal[time..].fill(0.0);
            self.transform();
            let kernel = &self.kernels[e * self.bins.len()..][..self.bins.len()];
            self.bins.iter_mut().zip(kernel).for_each(|(a, b)| *a *= b);
            self.inverse
                .process_with_scratch(&mut self.bins, &mut self.signal, &mut self.scratch)
                .expect(FITS);
            for (row, from) in y.chunks_exact_mut(channels).zip(&self.signal) {
                row[e] = *from;
            }
        }
    }

    /// The bins of the signal.
    fn transform(&mut self) {
        self.forward
            .process_with_scratch(&mut self.signal, &mut self.bins, &mut self.scratch)
            .expect(FITS);
    }
}

/// Why a transform cannot fail.
const FITS: &str =
    "buffers come from the plan, and products of real signals' bins are real at both ends";
