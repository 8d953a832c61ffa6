//! Promise: a frozen note stays as it sounds, a note that begins frozen is a note, and no pace makes more than full scale.

mod instrument_common;

use instrument_common::{held, model, of, on};
use proptest::prelude::*;
use statewave::instrument::{Event, Instrument, InstrumentControls};
use statewave::state::StateControls;

const RATE: u32 = 48_000;

/// Plays `seconds` on, and returns the largest sample.
fn play(
    instrument: &mut Instrument,
    controls: &InstrumentControls,
    events: &[Event],
    seconds: f32,
) -> f32 {
    let len = (seconds * RATE as f32) as usize;
    let (mut left, mut right) = (vec![0.0; len], vec![0.0; len]);
    instrument.process(controls, events, &mut left, &mut right);
    let all = left.iter().chain(&right);
    assert!(all.clone().all(|x| x.is_finite()));
    all.fold(0.0, |peak, x| peak.max(x.abs()))
}

/// The partials' power of the first note.
fn power(instrument: &Instrument) -> f32 {
    let note = instrument.notes().next().expect("it sounds");
    note.partials.iter().map(|a| a * a).sum()
}

#[test]
fn a_frozen_note_stays_as_it_sounds_and_goes_its_way_when_it_is_let_go() {
    let model = model();
    let usual = of(&model, &model.facts().instruments[0]);
    let frozen = held(
        &usual,
        StateControls {
            freeze: 1.0,
            ..StateControls::default()
        },
    );
    let mut instrument = Instrument::new(model, RATE, 4);
    play(&mut instrument, &usual, &[on(0, 60, 0.8)], 0.3);
    // What follows no Δ, such as the convolutions' tails, is behind it by then.
    play(&mut instrument, &frozen, &[], 0.1);
    let held = power(&instrument);
    play(&mut instrument, &frozen, &[], 3.0);
    assert!(
        (power(&instrument) / held - 1.0).abs() < 1e-3,
        "{held} became {}",
        power(&instrument)
    );
    play(&mut instrument, &usual, &[], 1.0);
    assert!(
        power(&instrument) < 0.7 * held,
        "{held} stayed {}",
        power(&instrument)
    );
}

#[test]
fn a_note_that_begins_frozen_sounds() {
    let model = model();
    let usual = of(&model, &model.facts().instruments[0]);
    let frozen = held(
        &usual,
        StateControls {
            freeze: 1.0,
            ..StateControls::default()
        },
    );
    let mut instrument = Instrument::new(model, RATE, 4);
    let peak = play(&mut instrument, &frozen, &[on(0, 60, 0.8)], 1.0);
    assert!(peak > 0.003, "{peak}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_pace_makes_more_than_full_scale(
        blocks in proptest::collection::vec((0.0f32..1.0, 0.01f32..100.0, 0usize..128, 0.0f32..=1.0), 1..12),
        gain in 0.0f32..8.0,
    ) {
        let model = model();
        let mut instrument = Instrument::new(model, RATE, 8);
        for (i, (freeze, memory, key, velocity)) in blocks.into_iter().enumerate() {
            // Never quite the network's own.
            let memory = if freeze == 0.0 && memory == 1.0 { 2.0 } else { memory };
            let state = StateControls { freeze, memory, ..StateControls::default() };
            let controls = InstrumentControls { state, gain, a: i, b: key % 12, morph: velocity, ..InstrumentControls::default() };
            let peak = play(&mut instrument, &controls, &[on(7, key as u8, velocity)], 0.06);
            prop_assert!(peak <= 1.0, "{peak}");
        }
    }
}
