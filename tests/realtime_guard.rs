//! Promise: the audio thread allocates nothing and frees nothing, from the first callback on.
//!
//! Flows in: everything a host may do between prepare and drop. Flows out: an abort at the first use of the heap.

// The guard aborts in debug builds only; elsewhere it would promise what it does not see.
#![cfg(debug_assertions)]

mod common;

use std::sync::Arc;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};

use common::{FRONT_END, Fault, MODEL_RATE, RATES, Random, TestEngine};
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::{Controls, Listen, Stereo};
use statewave::engine::continuation::{Continuation, Continue};
use statewave::instrument::{Event, Expression, Happening, Instrument, InstrumentControls, Which};
use statewave::latency::LatencyMode;
use statewave::model::catalogue;
use statewave::model::generate::GenerateModel;
use statewave::model::instrument::InstrumentModel;
use statewave::telemetry;

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

#[test]
fn nothing_allocates_at_any_rate_with_any_block() {
    for mode in [LatencyMode::Live, LatencyMode::Zero] {
        RATES.iter().for_each(|&rate| nothing_allocates(rate, mode));
    }
}

fn nothing_allocates(sample_rate: u32, mode: LatencyMode) {
    for fault in [Fault::Late, Fault::Lost, Fault::NotANumber] {
        let config = ChainConfig {
            sample_rate,
            channels: 2,
            max_block: 256,
        };
        let engine = Box::new(TestEngine::recalling(2).failing_every(5, fault));
        let mut chain = Chain::with_mode(engine, FRONT_END, MODEL_RATE, config, mode)
            .expect("the configuration is valid");
        let (writer, mut reader) = telemetry::pair();
        chain.set_telemetry(Some(writer));
        reader.watch(true);
        let mut next = Some(Box::new(TestEngine::recalling(2)));
        let mut retired = None;
        let (mut left, mut right) = (vec![0.1; 8_192], vec![0.2; 8_192]);
        let mut random = Random::new(u64::from(sample_rate));
        let lengths = [0, 1, 255, 256, 257, 8_192];
        assert_no_alloc(|| {
            for i in 0..60 {
                let len = lengths
                    .get(i)
                    .copied()
                    .unwrap_or_else(|| random.below(1_024));
                left[..len].iter_mut().for_each(|x| *x = random.sample());
                right[..len].fill(if i % 7 == 3 { f32::NAN } else { 0.1 });
                let controls = Controls {
                    mix: if i % 2 == 0 { 1.0 } else { 0.3 },
                    listen: if i % 5 == 0 {
                        Listen::Removed
                    } else {
                        Listen::Out
                    },
                    bypass: i % 11 == 0,
                    stereo: [Stereo::Link, Stereo::Dual, Stereo::MidSide][i % 3],
                    ..Controls::default()
                };
                chain.process(&mut [&mut left[..len], &mut right[..len]], &controls);
                if i == 20 {
                    chain.reset();
                }
                if i == 40 {
                    retired = next.take().map(|engine| chain.swap_engine(engine));
                }
                std::hint::black_box((chain.stats(), chain.latency()));
            }
        });
        assert!(left.iter().chain(&right).all(|x| x.is_finite()));
        assert!(chain.stats().frames > 0);
        drop(retired);
    }
}

#[test]
fn a_played_instrument_allocates_nothing() {
    let found = catalogue::instruments()
        .next()
        .expect("an instrument is shipped");
    let bytes = found.bytes().expect("it is compiled in");
    let model = Arc::new(InstrumentModel::from_bytes(&bytes).expect("it is whole"));
    for rate in [44_100, 192_000] {
        let mut instrument = Instrument::new(Arc::clone(&model), rate, 6);
        let mut random = Random::new(7);
        let (mut left, mut right) = (vec![0.0; 4_096], vec![0.0; 4_096]);
        let on = |key, sample| Event {
            sample,
            what: Happening::On {
                id: None,
                channel: 0,
                key,
                velocity: 0.8,
            },
        };
        let of = |key| Which {
            key: Some(key),
            ..Which::default()
        };
        assert_no_alloc(|| {
            for i in 0..60 {
                let len = random.below(4_096);
                let key = 40 + (i * 7 % 50) as u8;
                let at = |sample, what| Event { sample, what };
                // More notes than voices, let go, choked, bent and held by the pedal.
                let events = [
                    on(key, 0),
                    on(key + 3, 10),
                    at(
                        12,
                        Happening::Bend {
                            channel: 0,
                            value: 0.3,
                        },
                    ),
                    at(
                        13,
                        Happening::Sustain {
                            channel: 0,
                            down: i % 4 == 0,
                        },
                    ),
                    at(14, Happening::Express(of(key), Expression::Pressure, 0.5)),
                    at(random.below(4_096), Happening::Off(of(key))),
                    at(4_095, Happening::Choke(of(key + 3))),
                ];
                let controls = InstrumentControls {
                    a: i % 16,
                    b: 3,
                    morph: (i % 10) as f32 / 9.0,
                    brightness_db: (i % 3) as f32,
                    ..InstrumentControls::default()
                };
                instrument.process(&controls, &events, &mut left[..len], &mut right[..len]);
                if i == 40 {
                    instrument.reset();
                }
                std::hint::black_box((instrument.sounding(), instrument.notes().count()));
            }
        });
        assert!(left.iter().chain(&right).all(|x| x.is_finite()));
    }
}

#[test]
fn the_guard_itself_works() {
    // It aborts the process, so another one has to try.
    let this = std::env::current_exe().expect("a test knows where it is");
    let tried = std::process::Command::new(this)
        .args(["--ignored", "--exact", "allocates_on_purpose"])
        .output()
        .expect("a test can start itself");
    assert!(!tried.status.success(), "an allocation went unseen");
}

#[test]
#[ignore = "run by the_guard_itself_works, to fail"]
fn allocates_on_purpose() {
    assert_no_alloc(|| drop(std::hint::black_box(vec![0_u8; 16])));
}

#[test]
fn nothing_allocates_while_it_listens_or_goes_on() {
    let bytes = include_bytes!("golden/generate.safetensors");
    let model = std::sync::Arc::new(GenerateModel::from_bytes(bytes).expect("it is a model"));
    let mut stream = Continuation::new(model, 44_100, 2, 256);
    let (mut left, mut right) = (vec![0.1; 2_048], vec![0.2; 2_048]);
    let mut random = Random::new(3);
    assert_no_alloc(|| {
        for i in 0..60 {
            let len = [0, 1, 255, 256, 257, 2_048]
                .get(i)
                .copied()
                .unwrap_or_else(|| random.below(1_024));
            left[..len].iter_mut().for_each(|x| *x = random.sample());
            let controls = Continue {
                go_on: i % 8 > 3,
                seed: i as u64,
                ..Continue::default()
            };
            stream.process(&mut [&mut left[..len], &mut right[..len]], &controls);
            if i == 50 {
                stream.reset();
            }
        }
    });
}
