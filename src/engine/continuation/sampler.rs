//! Draws tokens from logits: temperature, then the nucleus (Holtzman et al. 2020, top-p), then a number from a seed.

use crate::kernels::Path;
use crate::kernels::gate::exp2;
use crate::model::generate::mu_law::LEVELS;

/// How tokens are drawn. Values out of range are brought into it, and NaN counts as the default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Logits are divided by this, 0 to 2; at 0 the likeliest token is taken.
    pub temperature: f32,
    /// Only the likeliest tokens that have this share of the probability together are drawn from, 0 to 1.
    pub top_p: f32,
}

impl Default for Sampling {
    fn default() -> Sampling {
        Sampling {
            temperature: 1.0,
            top_p: 1.0,
        }
    }
}

impl Sampling {
    pub(super) fn sane(self) -> Sampling {
        let or = |value: f32, default: f32| if value.is_nan() { default } else { value };
        let default = Sampling::default();
        Sampling {
            temperature: or(self.temperature, default.temperature).clamp(0.0, 2.0),
            top_p: or(self.top_p, default.top_p).clamp(0.0, 1.0),
        }
    }
}

/// Below this temperature all but the likeliest token are out of reach of a single-precision number.
const COLDEST: f32 = 1e-3;

/// Halvings of the bound between what is in the nucleus and what is not: to the last bit of a single-precision share.
const HALVINGS: usize = 24;

/// Sums kept at a time, so that the compiler can use vector instructions.
const LANES: usize = 16;

/// A stream of random numbers from a seed, and memory for one step's probabilities.
#[derive(Debug, Clone)]
pub(super) struct Sampler {
    path: Path,
    random: u64,
    weights: [f32; LEVELS],
}

impl Sampler {
    pub(super) fn new(path: Path) -> Sampler {
        Sampler {
            path,
            random: 0,
            weights: [0.0; LEVELS],
        }
    }

    pub(super) fn seed(&mut self, seed: u64) {
        self.random = seed;
    }

    /// Uniform in [0, 1) in steps of 2⁻²⁴. SplitMix64 (Steele, Lea and Flood 2014).
    fn next(&mut self) -> f32 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u32 << 24) as f32
    }

    /// One token; `None` if a logit is no number. A number is drawn whatever comes of it.
    pub(super) fn draw(&mut self, logits: &[f32], sampling: Sampling) -> Option<u8> {
        let number = self.next();
        let Sampling { temperature, top_p } = sampling.sane();
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        if !logits.iter().fold(true, |ok, l| ok & l.is_finite()) {
            return None;
        }
        // 2^(x·log₂e) = e^x.
        let scale = std::f32::consts::LOG2_E / temperature.max(COLDEST);
        for (weight, logit) in self.weights.iter_mut().zip(logits) {
            *weight = ((logit - most) * scale).max(-126.0);
        }
        exp2(self.path, &mut self.weights);
        let least = self.nucleus(top_p);
        let chosen = |weight: f32| if weight >= least { weight } else { 0.0 };
        let mut left = number * sum(&self.weights, least);
        let mut last = 0;
        for (token, &weight) in self.weights.iter().enumerate() {
            let weight = chosen(weight);
            if weight > 0.0 {
                last = token;
            }
            left -= weight;
            if left < 0.0 {
                break;
            }
        }
        Some(last as u8)
    }

    /// The least weight in the nucleus: the largest bound such that the weights from it on have the share `top_p`.
    fn nucleus(&self, top_p: f32) -> f32 {
        if top_p >= 1.0 {
            return 0.0;
        }
        let wanted = top_p * sum(&self.weights, 0.0);
        // The likeliest token has a weight of 1 and is always in.
        let (mut low, mut high) = (0.0f32, 1.0f32);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (low + high);
            if sum(&self.weights, middle) >= wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// The sum of the weights that are at least `least`.
fn sum(weights: &[f32; LEVELS], least: f32) -> f32 {
    let mut sums = [0.0f32; LANES];
    for chunk in weights.chunks_exact(LANES) {
        for (sum, &weight) in sums.iter_mut().zip(chunk) {
            *sum += if weight >= least { weight } else { 0.0 };
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shares of four tokens that have all the probability, drawn often.
    fn shares(sampling: Sampling) -> [f64; 4] {
        let mut logits = [-1e9f32; LEVELS];
        for (logit, share) in logits[7..].iter_mut().zip([0.5f32, 0.3, 0.15, 0.05]) {
            *logit = share.ln();
        }
        let mut sampler = Sampler::new(Path::detect());
        sampler.seed(3);
        let mut counts = [0.0; 4];
        for _ in 0..20_000 {
            let token = sampler.draw(&logits, sampling).unwrap();
            counts[usize::from(token) - 7] += 1.0 / 20_000.0;
        }
        counts
    }

    fn near(got: [f64; 4], wanted: [f64; 4]) {
        let close = |(a, b): (f64, f64)| (a - b).abs() < 0.015;
        assert!(
            got.into_iter().zip(wanted).all(close),
            "{got:?}, not {wanted:?}"
        );
    }

    #[test]
    fn tokens_come_as_often_as_their_probability_says() {
        let sampling = |temperature, top_p| Sampling { temperature, top_p };
        near(shares(sampling(1.0, 1.0)), [0.5, 0.3, 0.15, 0.05]);
        near(shares(sampling(1.0, 0.79)), [0.625, 0.375, 0.0, 0.0]);
        near(shares(sampling(1.0, 0.0)), [1.0, 0.0, 0.0, 0.0]);
        near(shares(sampling(0.0, 1.0)), [1.0, 0.0, 0.0, 0.0]);
        // p² over its sum.
        near(shares(sampling(0.5, 1.0)), [0.685, 0.247, 0.062, 0.007]);
        near(
            shares(sampling(f32::NAN, f32::NAN)),
            shares(Sampling::default()),
        );
    }

    #[test]
    fn what_is_no_number_is_not_drawn_from() {
        let mut sampler = Sampler::new(Path::detect());
        let mut logits = [0.0; LEVELS];
        logits[9] = f32::NAN;
        assert_eq!(sampler.draw(&logits, Sampling::default()), None);
    }
}
