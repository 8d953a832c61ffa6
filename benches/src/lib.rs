//! Shared pieces of the benches: the clock, the cache's bandwidth, and random weights. Peers are linked by the bench that
//! meets them, for some take minutes.

use statewave::kernels::{Aligned, Path, proj};
use statewave::model::tensors::Tensors;
use std::hint::black_box;
use std::time::Instant;

/// Microseconds of one call of `f`: the best of many short runs, for on a shared machine only the best is the code's own.
pub fn best_us(mut f: impl FnMut()) -> f64 {
    let start = Instant::now();
    f();
    // Runs of about 50 µs for about 0.15 s: short enough to fit between two interruptions.
    let calls = (5e-5 / start.elapsed().as_secs_f64().max(1e-8)).clamp(1.0, 1000.0) as u32;
    let (begin, mut best) = (Instant::now(), f64::MAX);
    while begin.elapsed().as_secs_f64() < 0.15 {
        let start = Instant::now();
        for _ in 0..calls {
            f();
        }
        best = best.min(start.elapsed().as_secs_f64() / calls as f64);
    }
    best * 1e6
}

/// Seconds of each of the contenders, the best of `rounds`: they take turns, so that all meet the same disturbances.
pub fn in_turns(rounds: usize, contenders: &mut [Box<dyn FnMut() + '_>]) -> Vec<f64> {
    let mut best = vec![f64::MAX; contenders.len()];
    for _ in 0..rounds {
        for (contender, best) in contenders.iter_mut().zip(&mut best) {
            let start = Instant::now();
            contender();
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    best
}

/// Gigabytes a second read from the second-level cache: those of 192 KB.
pub fn l2_gb_per_s(path: Path) -> f64 {
    read_gb_per_s(path, 192 * 1024)
}

/// Gigabytes a second of reading so many bytes again and again: vector loads, on paths that have AVX2; elsewhere the dense
/// kernel's, one row at a time.
pub fn read_gb_per_s(path: Path, bytes: usize) -> f64 {
    let inputs = 256;
    let outputs = bytes / 4 / inputs;
    let buffer = Aligned::zeros(outputs * inputs);
    #[cfg(target_arch = "x86_64")]
    if path != Path::Portable {
        // SAFETY: both wider paths have AVX2.
        let us = (0..5)
            .map(|_| best_us(|| unsafe { read_all(black_box(&buffer)) }))
            .fold(f64::MAX, f64::min);
        return (buffer.len() * 4) as f64 / us / 1e3;
    }
    let w = proj::Packed::new(&buffer, outputs, inputs, None);
    let (x, mut y) = (Aligned::zeros(inputs), Aligned::zeros(outputs));
    let us = best_us(|| proj::proj(path, &w, &x, inputs, &mut y, outputs, 1, false));
    (buffer.len() * 4) as f64 / us / 1e3
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn read_all(buffer: &[f32]) {
    use std::arch::x86_64::*;
    let mut sums = [_mm256_setzero_ps(); 8];
    for chunk in buffer.chunks_exact(64) {
        for (i, sum) in sums.iter_mut().enumerate() {
            // SAFETY: a chunk holds eight vectors.
            *sum = _mm256_or_ps(*sum, unsafe { _mm256_loadu_ps(chunk.as_ptr().add(8 * i)) });
        }
    }
    black_box(sums);
}

/// Uniform noise in [−scale, scale).
pub struct Noise(pub u32);

impl Noise {
    /// `len` values.
    pub fn vec(&mut self, len: usize, scale: f32) -> Vec<f32> {
        (0..len)
            .map(|_| {
                self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0) * scale
            })
            .collect()
    }
}

/// A Mamba network of `layers` blocks: D = `width`, E = 2D, N = 16, R = D/16, K = 4.
pub fn mamba_tensors(width: usize, layers: usize) -> Tensors {
    let (d, e, n, r) = (width, 2 * width, 16, width.div_ceil(16));
    let (mut noise, mut tensors) = (Noise(1), Tensors::new());
    for layer in 0..layers {
        let mut add = |name: &str, shape: &[usize], centre: f32, scale: f32| {
            let values = noise
                .vec(shape.iter().product(), scale)
                .iter()
                .map(|v| v + centre)
                .collect();
            tensors.insert(format!("layers.{layer}.{name}"), shape.to_vec(), values);
        };
        let by = |inputs: usize| 1.0 / (inputs as f32).sqrt();
        add("norm.weight", &[d], 1.0, 0.2);
        add("mixer.in_proj.weight", &[2 * e, d], 0.0, by(d));
        add("mixer.conv1d.weight", &[e, 1, 4], 0.0, 0.5);
        add("mixer.conv1d.bias", &[e], 0.0, 0.2);
        add("mixer.x_proj.weight", &[r + 2 * n, e], 0.0, by(e));
        add("mixer.dt_proj.weight", &[e, r], 0.0, by(r));
        add("mixer.dt_proj.bias", &[e], -3.0, 1.0);
        add("mixer.A_log", &[e, n], 1.0, 1.0);
        add("mixer.D", &[e], 1.0, 0.2);
        add("mixer.out_proj.weight", &[d, e], 0.0, by(e));
    }
    tensors.insert("norm_f.weight", vec![d], vec![1.0; d]);
    tensors
}
