//! From continuous time to steps: the rules of discretisation, and the HiPPO-derived starts of S4D.
//!
//! A state obeys `h' = a·h + u` between samples. A rule makes of it `h ← Ā·h + B̄·u` for a step Δ. Because Δ is the only
//! place where the sample rate enters, a time-invariant model trained at one rate runs at another when Δ is scaled by
//! trained rate / new rate.

use rustfft::num_complex::Complex64;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// How a continuous state becomes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Zero-order hold: exact for an input that is constant over the step.
    Zoh,
    /// The bilinear (Tustin) transform: keeps stability, bends frequencies near Nyquist.
    Bilinear,
    /// First-order hold: exact for an input that runs in straight lines from sample to sample, so of second order for a
    /// smooth one, where both others are half a step off. What to train with for more than one sample rate. Modes that
    /// die within a step lose digits: e^{−Re aΔ} is a factor of B̄.
    FirstOrderHold,
}

impl Rule {
    /// (Ā, B̄) of `h' = a·h + u` over a step of `delta`.
    ///
    /// ```
    /// use statewave::model::discretize::Rule;
    /// // A first-order low-pass with a time constant of 10 steps.
    /// let (a, b) = Rule::Zoh.discretize((-0.1).into(), 1.0);
    /// assert!((a.re - (-0.1f64).exp()).abs() < 1e-15);
    /// assert!((b.re / (1.0 - a.re) - 10.0).abs() < 1e-9, "its gain at rest is 1 / 0.1");
    /// ```
    pub fn discretize(self, a: Complex64, delta: f64) -> (Complex64, Complex64) {
        let Step { a_bar, input, .. } = self.step(a, delta);
        (a_bar, input)
    }

    /// A whole step: what [`Self::discretize`] gives, and what the reader takes of the input. One exponential, however many of
    /// the three need it: a memory time that moves has them all worked out anew some thousand times a second.
    ///
    /// With Γ₀ = Δ(e^z − 1 − z)/z² and Γ₁ = Δ(ze^z − e^z + 1)/z² the first-order hold is h_k = e^z·h_{k−1} + Γ₀·u_k + Γ₁·u_{k−1}.
    /// What is carried on is h_k + (Γ₁/e^z)·u_k, which has one input, B̄ = (Γ₁ + e^z·Γ₀)/e^z = Δφ(z)²/e^z; so the reader's
    /// part is −Γ₁/e^z.
    pub fn step(self, a: Complex64, delta: f64) -> Step {
        let z = a * delta;
        match self {
            Rule::Zoh => {
                let a_bar = z.exp();
                Step {
                    a_bar,
                    input: delta * phi(z, a_bar),
                    through: Complex64::ZERO,
                }
            }
            Rule::Bilinear => {
                let denominator = 1.0 - z / 2.0;
                Step {
                    a_bar: (1.0 + z / 2.0) / denominator,
                    input: delta / denominator,
                    through: Complex64::ZERO,
                }
            }
            Rule::FirstOrderHold => {
                let a_bar = z.exp();
                let (phi, back) = (phi(z, a_bar), a_bar.inv());
                Step {
                    a_bar,
                    input: delta * phi * phi * back,
                    through: -delta * second(z, back),
                }
            }
        }
    }
}

/// What a rule makes of `h' = a·h + u` over a step: `h ← a_bar·h + input·u`, read as `h + through·u`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Ā.
    pub a_bar: Complex64,
    /// B̄.
    pub input: Complex64,
    /// What the reader of the state takes of the input beside it. Only the first-order hold has such a part.
    pub through: Complex64,
}

/// How a time-invariant layer's continuous time becomes steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// The rule of discretisation.
    pub rule: Rule,
    /// Factor on every Δ: the trained sample rate divided by the rate it runs at.
    pub delta_scale: f64,
}

impl Default for Sampling {
    /// Zero-order hold at the trained rate.
    fn default() -> Sampling {
        Sampling {
            rule: Rule::Zoh,
            delta_scale: 1.0,
        }
    }
}

/// (e^z − 1)/z of z and e^z, by its series where the difference would lose digits.
fn phi(z: Complex64, exp: Complex64) -> Complex64 {
    if z.norm() < 1e-3 {
        1.0 + z / 2.0 * (1.0 + z / 3.0 * (1.0 + z / 4.0 * (1.0 + z / 5.0)))
    } else {
        (exp - 1.0) / z
    }
}

/// (z − 1 + e^−z)/z² of z and e^−z, likewise.
fn second(z: Complex64, back: Complex64) -> Complex64 {
    if z.norm() < 1e-2 {
        0.5 - z / 6.0 * (1.0 - z / 4.0 * (1.0 - z / 5.0 * (1.0 - z / 6.0)))
    } else {
        (z - 1.0 + back) / (z * z)
    }
}

/// S4D-Lin: A_n = −1/2 + iπn, for the `states / 2` conjugate pairs of `states`. Gu et al. 2022, equation 9.
pub fn s4d_lin(states: usize) -> Vec<Complex64> {
    (0..states / 2)
        .map(|n| Complex64::new(-0.5, PI * n as f64))
        .collect()
}

/// S4D-Inv: A_n = −1/2 + i·N/π·(N/(2n+1) − 1), for the `states / 2` conjugate pairs of N = `states`. Gu et al. 2022,
/// equation 8.
pub fn s4d_inv(states: usize) -> Vec<Complex64> {
    let full = states as f64;
    (0..states / 2)
        .map(|n| Complex64::new(-0.5, full / PI * (full / (2 * n + 1) as f64 - 1.0)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::oracle;

    /// The response to a step of input after `n` steps.
    fn step_response((a, b): (Complex64, Complex64), n: usize) -> Complex64 {
        (0..n).fold(Complex64::ZERO, |h, _| a * h + b)
    }

    #[test]
    fn a_held_low_pass_charges_exactly_as_its_formula() {
        let (tau, delta) = (0.01, 1.0 / 48_000.0);
        let h = step_response(Rule::Zoh.discretize((-1.0 / tau).into(), delta), 480);
        assert!(
            (h.re - tau * (1.0 - (-1.0f64).exp())).abs() < 1e-14,
            "after one time constant: {h}"
        );
    }

    #[test]
    fn a_held_oscillator_rings_exactly_as_its_formula() {
        let (a, delta) = (Complex64::new(-30.0, 2.0 * PI * 440.0), 1.0 / 48_000.0);
        let (a_bar, _) = Rule::Zoh.discretize(a, delta);
        for n in [1, 100, 4800] {
            let t = n as f64 * delta;
            let truth = (-30.0 * t).exp() * Complex64::from_polar(1.0, 2.0 * PI * 440.0 * t);
            assert!((a_bar.powi(n) - truth).norm() < 1e-11, "after {n} steps");
        }
    }

    #[test]
    fn the_bilinear_rule_keeps_the_gain_at_rest_and_stays_stable() {
        for delta in [1e-4, 0.1, 10.0, 1e4] {
            let (a, b) = Rule::Bilinear.discretize(Complex64::new(-0.5, 3.0), delta);
            assert!(a.norm() < 1.0);
            let gain = b / (1.0 - a);
            assert!(
                (gain - 1.0 / Complex64::new(0.5, -3.0)).norm() < 1e-9,
                "{gain} at {delta}"
            );
        }
    }

    #[test]
    fn both_rules_agree_with_the_oracle_and_with_each_other_for_small_steps() {
        for a in s4d_lin(32).into_iter().chain(s4d_inv(32)) {
            for delta in [1e-6, 1e-3, 0.1] {
                let zoh = Rule::Zoh.discretize(a, delta);
                let truth = oracle::zoh(a, 1.0.into(), delta);
                assert!(
                    (zoh.0 - truth.0).norm() < 1e-12 && (zoh.1 - truth.1).norm() < 1e-9 * delta
                );
                let bilinear = Rule::Bilinear.discretize(a, delta);
                let truth = oracle::bilinear(a, 1.0.into(), delta);
                assert!(
                    (bilinear.0 - truth.0).norm() < 1e-12 && (bilinear.1 - truth.1).norm() < 1e-12
                );
                let z = (a * delta).norm();
                assert!(
                    (zoh.0 - bilinear.0).norm() <= z.powi(3) + 1e-15,
                    "they part in the third order"
                );
            }
        }
    }

    #[test]
    fn a_first_order_hold_is_exact_on_a_ramp() {
        for a in [Complex64::new(-30.0, 0.0), Complex64::new(-30.0, 2000.0)] {
            for delta in [1e-6, 1e-4, 2e-3] {
                let Step {
                    a_bar,
                    input,
                    through,
                } = Rule::FirstOrderHold.step(a, delta);
                let mut h = Complex64::ZERO;
                for k in 1..=200 {
                    let (t, u) = (f64::from(k) * delta, f64::from(k) * delta);
                    h = a_bar * h + input * u;
                    let found = h + through * u;
                    // h' = a·h + t from rest, by its series where the formula would lose digits.
                    let z = a * t;
                    let truth = if z.norm() < 0.1 {
                        t * t
                            * (0.5
                                + z / 6.0
                                    * (1.0
                                        + z / 4.0
                                            * (1.0 + z / 5.0 * (1.0 + z / 6.0 * (1.0 + z / 7.0)))))
                    } else {
                        (z.exp() - 1.0 - z) / (a * a)
                    };
                    assert!(
                        (found - truth).norm() < 1e-7 * truth.norm() + 1e-18,
                        "{found}, not {truth} after {k} steps of {delta}"
                    );
                }
            }
        }
    }

    #[test]
    fn half_the_rate_is_twice_the_step() {
        let a = Complex64::new(-0.5, 20.0);
        let (once, _) = Rule::Zoh.discretize(a, 0.02);
        let (twice, _) = Rule::Zoh.discretize(a, 0.01);
        assert!((once - twice * twice).norm() < 1e-14);
    }
}
