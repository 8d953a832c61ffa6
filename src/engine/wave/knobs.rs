//! The knobs of an effect on their way.

use super::STEPS;
use crate::model::effect::{EffectSpec, Knob};
use crate::model::stack::Stack;

/// Time constant of a knob on its way, seconds: short enough for a hand, long enough for a host that jumps.
const KNOB_SECONDS: f64 = 0.02;

/// A knob this near to where it goes has arrived, as a share of its range.
const ARRIVED: f32 = 1e-4;

/// The knobs on their way. Empty for a model without any.
pub(super) struct Knobs {
    pub specs: Vec<Knob>,
    /// Where they are now and where they go.
    pub now: Vec<f32>,
    pub target: Vec<f32>,
    /// Share of the way that a knob goes within [`STEPS`].
    share: f32,
    /// What the network says of `now`, and its scratch.
    pub film: Vec<f32>,
    pub scratch: Vec<f32>,
    /// Samples until they are looked at again.
    pub left: usize,
    /// The blocks are on their way to `film`.
    pub moving: bool,
}

impl Knobs {
    pub fn new(spec: &EffectSpec, stack: &Stack, sample_rate: u32) -> Knobs {
        let defaults: Vec<f32> = spec.knobs.iter().map(|knob| knob.default).collect();
        let (outputs, scratch) = match stack.film() {
            Some(film) => (film.outputs(), film.scratch_len()),
            None => (0, 0),
        };
        let steps = KNOB_SECONDS * f64::from(sample_rate) / STEPS as f64;
        Knobs {
            now: defaults.clone(),
            target: defaults,
            specs: spec.knobs.clone(),
            share: (1.0 - (-1.0 / steps).exp()) as f32,
            film: vec![0.0; outputs],
            scratch: vec![0.0; scratch],
            left: 0,
            moving: false,
        }
    }

    /// The knobs [`STEPS`] later. False if all are where they go.
    pub fn step(&mut self) -> bool {
        let mut moved = false;
        for ((now, target), knob) in self.now.iter_mut().zip(&self.target).zip(&self.specs) {
            if *now == *target {
                continue;
            }
            moved = true;
            *now += self.share * (*target - *now);
            if (*target - *now).abs() < ARRIVED * (knob.max - knob.min) {
                *now = *target;
            }
        }
        moved
    }
}
