//! Promise: a morph goes from one instrument to the other without a jump, and wheels, pedal and expressions do to the notes
//! that are meant what MIDI and CLAP say they do.

mod instrument_common;

use std::sync::Arc;

use instrument_common::{left, model, of, off, on, peak_hz, played, rms};
use statewave::instrument::{Event, Expression, Happening, Instrument, InstrumentControls, Which};

#[test]
fn a_morph_begins_and_ends_at_its_instruments() {
    let model = model();
    let (a, b) = (of(&model, "flute"), of(&model, "cello"));
    let sound = |controls: InstrumentControls| {
        let mut instrument = Instrument::new(Arc::clone(&model), 48_000, 4);
        played(
            &mut instrument,
            &controls,
            &[on(0, 62, 0.7)],
            24_000,
            &[480],
        )
        .0
    };
    let between = |morph| InstrumentControls { b: b.a, morph, ..a };
    let (flute, cello) = (sound(a), sound(b));
    assert!(sound(between(0.0)) == flute, "not the first at 0");
    assert!(sound(between(1.0)) == cello, "not the second at 1");
    let half = sound(between(0.5));
    assert!(half != flute && half != cello && rms(&half) > 1e-3);
    // Nearby morphs are nearby sounds: no jump on the way.
    let mut last = rms(&flute[12_000..]);
    for step in 1..=20 {
        let level = rms(&sound(between(step as f32 / 20.0))[12_000..]);
        assert!(
            (level / last).log10().abs() < 0.3,
            "a jump at {step}/20: {last} to {level}"
        );
        last = level;
    }
    // While a note sounds, too.
    let mut instrument = Instrument::new(Arc::clone(&model), 48_000, 4);
    played(
        &mut instrument,
        &between(0.0),
        &[on(0, 62, 0.7)],
        12_000,
        &[480],
    );
    let moved = played(&mut instrument, &between(1.0), &[], 12_000, &[480]).0;
    assert!(rms(&moved) > 1e-3 && moved.iter().all(|x| x.is_finite()));
}

#[test]
fn wheels_pedal_and_expressions_are_heard() {
    let model = model();
    let flute = of(&model, "flute");
    let at = |sample, what| Event { sample, what };
    let hz = |controls: &InstrumentControls, events: &[Event]| {
        let mut instrument = Instrument::new(Arc::clone(&model), 48_000, 16);
        let sound = played(&mut instrument, controls, events, 48_000, &[512]).0;
        peak_hz(&sound[12_000..], 48_000, 380.0, 640.0)
    };
    let semitones = |bent: f64, from: f64| 12.0 * (bent / from).log2();
    let plain = hz(&flute, &[on(0, 69, 0.8)]);
    let bend = |channel, value| at(0, Happening::Bend { channel, value });
    let bent = hz(&flute, &[bend(0, 1.0), on(0, 69, 0.8)]);
    assert!(
        (semitones(bent, plain) - 2.0).abs() < 0.15,
        "bent by {}",
        semitones(bent, plain)
    );
    let other = hz(&flute, &[bend(5, 1.0), on(0, 69, 0.8)]);
    assert!(
        (semitones(other, plain)).abs() < 0.02,
        "another channel's bend is heard"
    );
    let mpe = InstrumentControls { mpe: true, ..flute };
    let member = at(
        0,
        Happening::On {
            id: None,
            channel: 3,
            key: 69,
            velocity: 0.8,
        },
    );
    let zone = hz(&mpe, &[bend(3, 2.0 / 48.0), bend(0, 0.5), member]);
    assert!(
        (semitones(zone, plain) - 3.0).abs() < 0.15,
        "{}",
        semitones(zone, plain)
    );
    let tuned = hz(
        &flute,
        &[
            on(0, 69, 0.8),
            at(
                0,
                Happening::Express(Which::default(), Expression::Tuning, 4.0),
            ),
        ],
    );
    assert!(
        (semitones(tuned, plain) - 4.0).abs() < 0.15,
        "{}",
        semitones(tuned, plain)
    );

    // The pedal holds a note that was let go, and lets it go when it comes up.
    let pedal = |sample, down| at(sample, Happening::Sustain { channel: 0, down });
    let held = left(&model, 48_000, "flute", &[on(0, 69, 0.8)], 48_000);
    let sustained = left(
        &model,
        48_000,
        "flute",
        &[
            pedal(0, true),
            on(0, 69, 0.8),
            off(9_000, 69),
            pedal(24_000, false),
        ],
        48_000,
    );
    assert_eq!(
        held[..24_000],
        sustained[..24_000],
        "the pedal does not hold"
    );
    assert!(
        rms(&sustained[36_000..]) < 0.5 * rms(&held[36_000..]),
        "the pedal does not let go"
    );

    // Vibrato moves the pitch, pressure and volume the level, choke ends within 5 ms, pan goes to a side.
    let express =
        |expression, value| at(0, Happening::Express(Which::default(), expression, value));
    let sides = |events: &[Event]| {
        let mut instrument = Instrument::new(Arc::clone(&model), 48_000, 16);
        played(&mut instrument, &flute, events, 24_000, &[512])
    };
    let (plain, _) = sides(&[on(0, 69, 0.8)]);
    let wheel = at(
        0,
        Happening::Wheel {
            channel: 0,
            value: 1.0,
        },
    );
    assert!(
        sides(&[wheel, on(0, 69, 0.8)]).0 != plain,
        "the wheel does nothing"
    );
    let loud = sides(&[on(0, 69, 0.8), express(Expression::Pressure, 1.0)]).0;
    assert!(rms(&loud[4_800..]) > 1.5 * rms(&plain[4_800..]));
    let soft = sides(&[on(0, 69, 0.8), express(Expression::Volume, 0.1)]).0;
    assert!(rms(&soft[4_800..]) < 0.2 * rms(&plain[4_800..]));
    let (l, r) = sides(&[on(0, 69, 0.8), express(Expression::Pan, -1.0)]);
    assert!(rms(&r[4_800..]) < 0.01 * rms(&l[4_800..]));
    let choked = sides(&[
        on(0, 69, 0.8),
        at(9_000, Happening::Choke(Which::default())),
    ])
    .0;
    assert!(
        choked[9_240..].iter().all(|x| *x == 0.0),
        "it is not choked"
    );
    // What is no number changes nothing.
    let strange = sides(&[on(0, 69, 0.8), express(Expression::Tuning, f32::NAN)]).0;
    assert_eq!(strange, plain);
}

#[test]
fn notes_are_told_apart() {
    let model = model();
    let controls = of(&model, "flute");
    let mut instrument = Instrument::new(Arc::clone(&model), 48_000, 16);
    let named = |id, key| Event {
        sample: 0,
        what: Happening::On {
            id: Some(id),
            channel: 0,
            key,
            velocity: 0.5,
        },
    };
    played(
        &mut instrument,
        &controls,
        &[named(7, 60), named(8, 60), named(9, 67)],
        4_800,
        &[64],
    );
    let ids = |instrument: &Instrument| {
        let mut ids: Vec<_> = instrument.notes().map(|note| note.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&instrument), [Some(7), Some(8), Some(9)]);
    let which = Which {
        id: Some(8),
        channel: Some(0),
        key: Some(60),
    };
    let choke = Event {
        sample: 3,
        what: Happening::Choke(which),
    };
    played(&mut instrument, &controls, &[choke], 64, &[64]);
    assert_eq!(ids(&instrument), [Some(7), Some(9)]);
}
