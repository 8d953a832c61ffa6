//! Promise: the shipped instrument begins and ends notes at their samples, whatever the blocks, the rate and the number of
//! voices; it makes room without a click, and is silent when all is off.

mod common;
mod instrument_common;

use std::sync::Arc;

use common::Random;
use instrument_common::{left, model, of, off, on, peak_hz, peak_level, played, rms};
use statewave::instrument::{Event, Happening, Instrument, InstrumentControls, Which};

#[test]
fn a_note_begins_and_ends_at_its_samples() {
    let model = model();
    for (begin, end) in [
        (0, 9_600),
        (1, 9_601),
        (191, 7_777),
        (192, 9_600),
        (1_000, 1_001),
    ] {
        let name = "trumpet";
        let held = left(&model, 48_000, name, &[on(begin, 60, 0.8)], 24_000);
        let ended = left(
            &model,
            48_000,
            name,
            &[on(begin, 60, 0.8), off(end, 60)],
            24_000,
        );
        assert!(
            held[..begin].iter().all(|x| *x == 0.0),
            "sound before the note"
        );
        assert!(held[begin] != 0.0, "silence at the note's first sample");
        // Within the block of 512 in which it begins, it is there.
        assert!(rms(&held[begin..begin + 512]) > 1e-3, "the attack is late");
        assert_eq!(
            held[..end],
            ended[..end],
            "the end is heard before it comes"
        );
        // A frame later the two are apart by more than rounding.
        let apart: Vec<f32> = (end..end + 192).map(|i| held[i] - ended[i]).collect();
        assert!(
            rms(&apart) > 1e-3 * rms(&held[end..end + 192]),
            "the end is late"
        );
        assert!(
            rms(&ended[end + 4_800..]) < 0.5 * rms(&held[end + 4_800..]),
            "it goes on"
        );
    }
}

#[test]
fn blocks_make_no_difference() {
    let model = model();
    let mut random = Random::new(3);
    let mut events = Vec::new();
    for i in 0..24 {
        let key = 48 + (i * 7 % 36) as u8;
        let begin = random.below(20_000);
        events.push(on(begin, key, 0.2 + 0.03 * i as f32));
        events.push(off(begin + 1 + random.below(9_000), key));
    }
    let wheel = |sample, value| Event {
        sample,
        what: Happening::Wheel { channel: 0, value },
    };
    events.extend([wheel(3_000, 1.0), wheel(15_000, 0.0)]);
    events.sort_by_key(|event| event.sample);
    let controls = InstrumentControls {
        morph: 0.4,
        attack_seconds: 0.02,
        release_seconds: 0.2,
        brightness_db: 2.0,
        width: 1.0,
        gain: 0.5,
        ..InstrumentControls {
            b: 9,
            ..of(&model, "piano")
        }
    };
    for rate in [44_100, 48_000] {
        let mut instrument = Instrument::new(Arc::clone(&model), rate, 16);
        let whole = played(&mut instrument, &controls, &events, 30_000, &[30_000]);
        assert!(rms(&whole.0) > 1e-3 && whole.0 != whole.1);
        for blocks in [&[1, 63, 64][..], &[512], &[177], &[4_096, 3]] {
            instrument.reset();
            let cut = played(&mut instrument, &controls, &events, 30_000, blocks);
            assert!(
                cut == whole,
                "blocks of {blocks:?} at {rate} Hz sound otherwise"
            );
        }
    }
}

#[test]
fn all_voices_sound_and_room_is_made_without_a_click() {
    let model = model();
    let mut controls = of(&model, "clarinet");
    controls.release_seconds = 0.3;
    let mut instrument = Instrument::new(Arc::clone(&model), 48_000, 16);
    let chord: Vec<Event> = (0..16).map(|i| on(17 * i, 50 + i as u8, 0.5)).collect();
    let before = played(&mut instrument, &controls, &chord, 24_000, &[512]).0;
    assert_eq!(instrument.sounding(), 16);
    let keys: Vec<u8> = instrument.notes().map(|note| note.key).collect();
    assert_eq!(keys.len(), 16);
    for key in 50..66 {
        assert!(keys.contains(&key), "{key} does not sound");
    }
    // A note that is hardly heard makes the oldest leave; what is left of a click is the jump of the one that leaves.
    let jump = |x: &[f32]| {
        x.windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0f32, f32::max)
    };
    let usual = jump(&before[4_800..]);
    let after = played(
        &mut instrument,
        &controls,
        &[on(777, 84, 0.01)],
        4_800,
        &[512],
    )
    .0;
    assert_eq!(instrument.sounding(), 16, "a voice more than there are");
    assert!(
        !instrument.notes().any(|note| note.key == 50),
        "the oldest stays"
    );
    assert!(
        instrument.notes().any(|note| note.key == 84),
        "the new one is not there"
    );
    let at_theft = jump(&after[770..960]);
    assert!(
        at_theft < 1.5 * usual,
        "a jump of {at_theft}, where {usual} is usual"
    );
    // Dozens of notes at once, more than can leave, do no harm either.
    let storm: Vec<Event> = (0..100).map(|i| on(i, 40 + (i % 50) as u8, 1.0)).collect();
    let stormy = played(&mut instrument, &controls, &storm, 4_800, &[64]).0;
    assert!(stormy.iter().all(|x| x.is_finite() && x.abs() < 16.0));
    assert_eq!(instrument.sounding(), 16);
}

#[test]
fn all_is_silent_when_all_is_off() {
    let model = model();
    let rest = Event {
        sample: 12_000,
        what: Happening::Off(Which::default()),
    };
    for name in &model.facts().instruments {
        let mut controls = of(&model, name);
        controls.release_seconds = 1.0;
        let mut instrument = Instrument::new(Arc::clone(&model), 48_000, 16);
        let quiet = played(&mut instrument, &controls, &[], 1_000, &[256]).0;
        assert!(quiet.iter().all(|x| *x == 0.0), "sound from nothing");
        let events = [on(0, 60, 0.9), on(5, 64, 0.3), rest];
        let sound = played(&mut instrument, &controls, &events, 12_000 + 52_800, &[256]).0;
        assert!(rms(&sound[..12_000]) > 1e-4, "{name} makes no sound");
        assert_eq!(instrument.sounding(), 0, "{name} sounds on");
        let tail = played(&mut instrument, &controls, &[], 1_000, &[256]).0;
        assert!(tail.iter().all(|x| *x == 0.0), "{name} is not silent");
    }
}

#[test]
fn every_end_is_told_of_once_at_its_sample_whatever_the_blocks() {
    let model = model();
    let controls = InstrumentControls {
        release_seconds: 0.1,
        ..of(&model, "cello")
    };
    let named = |sample, key: u8| Event {
        sample,
        what: Happening::On {
            id: Some(i32::from(key) + 1_000),
            channel: 3,
            key,
            velocity: 0.8,
        },
    };
    let choke = Happening::Choke(Which {
        key: Some(67),
        ..Which::default()
    });
    // Two voices: the third note takes that of the first.
    let events = [
        named(0, 60),
        named(100, 64),
        named(200, 67),
        off(4_801, 64),
        Event {
            sample: 9_001,
            what: choke,
        },
    ];
    let told = |block: usize| {
        let mut instrument = Instrument::new(Arc::clone(&model), 48_000, 2);
        let mut all = Vec::new();
        for at in (0..24_000).step_by(block) {
            let stop = 24_000.min(at + block);
            let mine: Vec<Event> = events
                .iter()
                .filter(|event| (at..stop).contains(&event.sample))
                .map(|event| Event {
                    sample: event.sample - at,
                    ..*event
                })
                .collect();
            let (mut left, mut right) = (vec![0.0; stop - at], vec![0.0; stop - at]);
            instrument.process(&controls, &mine, &mut left, &mut right);
            let ended = instrument.ended().iter();
            all.extend(ended.map(|e| (at + e.sample, e.id, e.channel, e.key)));
        }
        assert_eq!(instrument.sounding(), 0);
        all
    };
    let whole = told(24_000);
    assert_eq!(
        whole[0],
        (200, Some(1_060), 3, 60),
        "the one that made room"
    );
    assert_eq!(whole[1], (9_001, Some(1_067), 3, 67), "the choked one");
    let (at, id, ..) = whole[2];
    assert_eq!(id, Some(1_064));
    // Let go at 4801, it may sound for 4800 samples, and a frame or two more.
    assert!((9_601..10_000).contains(&at), "died away at {at}");
    assert_eq!(whole.len(), 3);
    for block in [1, 64, 441, 1_000] {
        assert_eq!(told(block), whole, "blocks of {block}");
    }
}

#[test]
fn rates_give_the_same_note() {
    let model = model();
    let mut levels = Vec::new();
    for rate in [44_100, 48_000, 88_200, 96_000, 192_000] {
        let len = rate as usize;
        let sound = left(&model, rate, "clarinet", &[on(0, 69, 0.7)], len);
        let (from, to) = (len / 4, len * 3 / 4);
        let hz = peak_hz(&sound[from..to], rate, 430.0, 450.0);
        let cents = 1200.0 * (hz / 440.0).log2();
        assert!(cents.abs() < 12.0, "{cents:.1} cents off at {rate} Hz");
        levels.push(rms(&sound[from..to]));
        // Nothing above where the model ends, beyond what a window leaks.
        if rate > 44_100 {
            let high = peak_level(&sound[from..to], rate, 16_500.0, f64::from(rate) / 2.0);
            let low = peak_level(&sound[from..to], rate, 300.0, 3_000.0);
            assert!(
                high < 1e-4 * low,
                "{high} above the band at {rate} Hz, {low} within"
            );
        }
    }
    for level in &levels {
        assert!((level / levels[0] - 1.0).abs() < 0.05, "levels {levels:?}");
    }
    // Where the rate cannot hold a partial, it is not there: at 8 kHz nothing folds back onto this note's gaps.
    let low = left(&model, 8_000, "trumpet", &[on(0, 84, 1.0)], 8_000);
    assert!(low.iter().all(|x| x.is_finite()) && rms(&low) > 1e-3);
}
