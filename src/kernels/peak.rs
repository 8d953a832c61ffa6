//! The floor of this machine: fused multiply-adds that one core can do at the most, measured.
//!
//! A speed is only worth comparing with a floor of the same moment: on a shared machine the clock and the neighbours
//! change. So this is measured in the run that uses it, next to what it is the floor of.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::{Aligned, Path, proj};

/// Independent sums, as many as hide the latency of an addition: two units, four to six cycles.
const CHAINS: usize = 12;

/// Rounds of all chains in one call: about 15 µs, short enough to fit between two interruptions.
const ROUNDS: usize = 10_000;

/// How long the measurement goes on.
const LONG_ENOUGH: Duration = Duration::from_millis(300);

/// Peak of one core in GFLOP/s (a multiply-accumulate counts as two): independent fused multiply-adds on registers of
/// the path's width, or, on the portable path, the dense kernel on a shape that suits it. Takes about 0.3 s.
///
/// ```
/// use statewave::kernels::{Path, peak};
///
/// let macs = 500_000.0; // of one hop
/// let floor_ns = 2.0 * macs / peak::gflops(Path::detect());
/// assert!(floor_ns > 0.0);
/// ```
pub fn gflops(path: Path) -> f64 {
    match path {
        #[cfg(target_arch = "x86_64")]
        Path::Avx2 if path.runs_here() => avx2(LONG_ENOUGH),
        // The wider units are no faster on some machines, and slow the clock on others.
        #[cfg(target_arch = "x86_64")]
        Path::Avx512 if path.runs_here() => avx2(LONG_ENOUGH / 2).max(avx512(LONG_ENOUGH / 2)),
        _ => dense(LONG_ENOUGH),
    }
}

/// Seconds of the fastest call: the others were disturbed.
fn best_seconds(long_enough: Duration, mut f: impl FnMut()) -> f64 {
    let (begin, mut best) = (Instant::now(), f64::MAX);
    while begin.elapsed() < long_enough {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

/// The dense kernel: 64 rows of 64 by 64 weights.
fn dense(long_enough: Duration) -> f64 {
    let (rows, width) = (64, 64);
    let w = proj::Packed::new(&vec![0.1; width * width], width, width, None);
    let (x, mut y) = (Aligned::zeros(rows * width), Aligned::zeros(rows * width));
    let seconds = best_seconds(long_enough, || {
        proj::proj(Path::Portable, &w, &x, width, &mut y, width, rows, false);
    });
    2.0 * (rows * width * width) as f64 / seconds / 1e9
}

#[cfg(target_arch = "x86_64")]
fn avx2(long_enough: Duration) -> f64 {
    use std::arch::x86_64::*;
    #[target_feature(enable = "avx2,fma")]
    fn chains() {
        let mut sums = [_mm256_set1_ps(0.5); CHAINS];
        let b = _mm256_set1_ps(black_box(0.99));
        let c = _mm256_set1_ps(black_box(0.01));
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(*sum, b, c);
            }
        }
        black_box(sums);
    }
    // SAFETY: the caller has looked for AVX2 and FMA.
    let seconds = best_seconds(long_enough, || unsafe { chains() });
    (2 * 8 * CHAINS * ROUNDS) as f64 / seconds / 1e9
}

#[cfg(target_arch = "x86_64")]
fn avx512(long_enough: Duration) -> f64 {
    use std::arch::x86_64::*;
    #[target_feature(enable = "avx512f")]
    fn chains() {
        let mut sums = [_mm512_set1_ps(0.5); CHAINS];
        let b = _mm512_set1_ps(black_box(0.99));
        let c = _mm512_set1_ps(black_box(0.01));
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(*sum, b, c);
            }
        }
        black_box(sums);
    }
    // SAFETY: the caller has looked for AVX-512F.
    let seconds = best_seconds(long_enough, || unsafe { chains() });
    (2 * 16 * CHAINS * ROUNDS) as f64 / seconds / 1e9
}
