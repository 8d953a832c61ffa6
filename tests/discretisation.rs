//! The three rules of discretisation against closed forms: how their error falls with the step Δ.
//!
//! | what comes in | zero-order hold | bilinear | Mamba's simplified rule |
//! |---|---|---|---|
//! | nothing: a state rings out | exact | Δ² | exact |
//! | a step, or anything that is held | exact | Δ² | Δ |
//! | a smooth signal, sampled where a step ends | Δ | Δ | Δ |
//! | the same, sampled in the middle of the step | Δ² | Δ² | Δ |

use std::f64::consts::TAU;

use rustfft::num_complex::Complex64;
use statewave::kernels::oracle::{Rule, bilinear, simplified, states, zoh};

/// `h' = a·h + b·u`.
#[derive(Clone, Copy)]
struct System {
    a: Complex64,
    b: Complex64,
}

/// A first-order low-pass with a time constant of 20 ms and a gain of one at rest.
fn low_pass() -> System {
    let rate = 1.0 / 0.02;
    System {
        a: (-rate).into(),
        b: rate.into(),
    }
}

/// A mode of 40 Hz that falls by 1/e in 50 ms.
fn oscillator() -> System {
    System {
        a: Complex64::new(-20.0, TAU * 40.0),
        b: 100.0.into(),
    }
}

/// What is solved and compared, s.
const SECONDS: f64 = 0.1;

impl System {
    /// From `start`, without input.
    fn rings(&self, start: Complex64, t: f64) -> Complex64 {
        start * (self.a * t).exp()
    }

    /// From rest, with an input of one.
    fn charges(&self, t: f64) -> Complex64 {
        ((self.a * t).exp() - 1.0) * self.b / self.a
    }

    /// From rest, with u(t) = sin(ωt) = Im e^{iωt}: (e^{iωt} − e^{at})/(iω − a) solves `h' = a·h + e^{iωt}`.
    fn follows(&self, omega: f64, t: f64) -> Complex64 {
        let part = |omega: f64| {
            let i_omega = Complex64::new(0.0, omega);
            ((i_omega * t).exp() - (self.a * t).exp()) / (i_omega - self.a)
        };
        self.b * (part(omega) - part(-omega)) / Complex64::new(0.0, 2.0)
    }

    /// The largest error over [`SECONDS`] in so many steps, relative to the largest state.
    fn error(
        &self,
        rule: Rule,
        steps: usize,
        start: Complex64,
        u: impl Fn(f64) -> f64,
        sampled_at: f64,
        truth: impl Fn(f64) -> Complex64,
    ) -> f64 {
        let delta = SECONDS / steps as f64;
        let inputs: Vec<f64> = (0..steps)
            .map(|k| u((k as f64 + sampled_at) * delta))
            .collect();
        let (mut worst, mut largest) = (0.0f64, 0.0f64);
        for (k, h) in states(rule, (self.a, self.b), delta, start, &inputs)
            .into_iter()
            .enumerate()
        {
            let truth = truth((k + 1) as f64 * delta);
            worst = worst.max((h - truth).norm());
            largest = largest.max(truth.norm());
        }
        worst / largest
    }
}

/// How an error should fall.
#[derive(Clone, Copy)]
enum Falls {
    /// There is none but rounding.
    Exact,
    /// By 2^order where the step is halved.
    By(f64),
}

/// Solves with ever smaller steps and holds the order of the error against the theory's.
fn assert_order(what: &str, expected: Falls, error: impl Fn(usize) -> f64) {
    let steps: Vec<usize> = (0..5).map(|k| 800 << k).collect();
    let errors: Vec<f64> = steps.iter().map(|steps| error(*steps)).collect();
    let shown: Vec<_> = errors.iter().map(|e| format!("{e:.1e}")).collect();
    println!("{what}: {} at {steps:?} steps", shown.join(", "));
    match expected {
        Falls::Exact => assert!(errors.iter().all(|e| *e < 1e-11), "{what}: {errors:?}"),
        Falls::By(order) => {
            for pair in errors.windows(2) {
                let found = (pair[0] / pair[1]).log2();
                assert!(
                    (found - order).abs() < 0.06,
                    "{what}: order {found}, not {order}"
                );
            }
        }
    }
}

const RULES: [(&str, Rule); 3] = [
    ("zero-order hold", zoh),
    ("bilinear", bilinear),
    ("simplified", simplified),
];

#[test]
fn a_state_rings_out_exactly_but_by_the_bilinear_rule() {
    for (name, system) in [("low-pass", low_pass()), ("oscillator", oscillator())] {
        let expected = [Falls::Exact, Falls::By(2.0), Falls::Exact];
        for ((rule, f), expected) in RULES.into_iter().zip(expected) {
            let start = Complex64::new(1.0, 0.0);
            assert_order(&format!("{name} rings, {rule}"), expected, |steps| {
                system.error(f, steps, start, |_| 0.0, 0.0, |t| system.rings(start, t))
            });
        }
    }
}

#[test]
fn a_held_input_is_exact_of_second_and_of_first_order() {
    for (name, system) in [("low-pass", low_pass()), ("oscillator", oscillator())] {
        let expected = [Falls::Exact, Falls::By(2.0), Falls::By(1.0)];
        for ((rule, f), expected) in RULES.into_iter().zip(expected) {
            assert_order(&format!("{name} charges, {rule}"), expected, |steps| {
                system.error(f, steps, 0.0.into(), |_| 1.0, 0.0, |t| system.charges(t))
            });
        }
    }
}

#[test]
fn a_sampled_input_is_late_by_half_a_step() {
    let omega = TAU * 13.0;
    for (name, system) in [("low-pass", low_pass()), ("oscillator", oscillator())] {
        for (sampled_at, orders) in [(1.0, [1.0, 1.0, 1.0]), (0.5, [2.0, 2.0, 1.0])] {
            for ((rule, f), order) in RULES.into_iter().zip(orders) {
                let what = format!("{name} follows what is sampled at {sampled_at}, {rule}");
                assert_order(&what, Falls::By(order), |steps| {
                    let u = |t: f64| (omega * t).sin();
                    let truth = |t: f64| system.follows(omega, t);
                    system.error(f, steps, 0.0.into(), u, sampled_at, truth)
                });
            }
        }
    }
}

/// The bilinear rule maps a frequency ω to (2/Δ)·atan(ωΔ/2): its error is one of pitch, known beforehand.
#[test]
fn the_bilinear_rule_bends_frequencies_as_its_formula_says() {
    let omega = TAU * 9_000.0;
    let delta = 1.0 / 48_000.0;
    let (a_bar, _) = bilinear(Complex64::new(0.0, omega), 1.0.into(), delta);
    assert!(
        (a_bar.norm() - 1.0).abs() < 1e-12,
        "it neither grows nor falls"
    );
    let found = a_bar.arg() / delta;
    let expected = 2.0 / delta * (omega * delta / 2.0).atan();
    assert!((found / expected - 1.0).abs() < 1e-12);
    assert!(found < 0.92 * omega, "9 kHz at 48 kHz sounds a tone lower");
}

/// The simplified rule is the hold with another input gain, z/(e^z − 1) with z = aΔ: what a trained B takes up, but only
/// at the rate it was trained at.
#[test]
fn the_simplified_rule_is_a_hold_with_another_gain() {
    for system in [low_pass(), oscillator()] {
        for delta in [1e-5, 1e-3, 1e-2] {
            let z = system.a * delta;
            let (held, gain) = zoh(system.a, system.b, delta);
            let (decay, simple) = simplified(system.a, system.b, delta);
            assert_eq!(held, decay);
            let expected = z / (z.exp() - 1.0);
            assert!((simple / gain - expected).norm() < 1e-9 * expected.norm());
        }
    }
}
