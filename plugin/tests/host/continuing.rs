//! Sound that goes on by itself in a CLAP host: the library's, from the sample of a switch or of a note on.

use std::sync::Arc;

use clack_host::events::event_types::{NoteOffEvent, NoteOnEvent};
use clack_host::events::io::EventBuffer;
use clack_host::prelude::*;
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::continuation::{Continue, Sampling};
use statewave::model::catalogue;
use statewave::model::generate::{Density, GenerateModel};

use crate::clap_host::Host;
use crate::same_sound::{defaults, run};
use crate::signals::{noisy, same_bits};

const LEN: usize = 16_000;
const ON: usize = 5_001;
const OFF: usize = 12_345;

fn host() -> Host {
    let mut host = Host::with_model("continue-drums", &[]);
    host.activate(48_000.0, 512);
    host.set(&[
        ("seed", 7.0),
        ("temperature", 0.45),
        ("top-p", 0.97),
        ("density", 0.25),
    ]);
    host.restart(48_000.0, 512);
    host
}

/// The library's sound, that goes on from [`ON`] to [`OFF`], with the parameters of [`host`].
fn library(input: &[Vec<f32>]) -> (Vec<Vec<f32>>, usize) {
    let found = catalogue::find("continue-drums").expect("it is compiled in");
    let model = GenerateModel::from_bytes(&found.bytes().expect("it is in memory"));
    let config = ChainConfig {
        sample_rate: 48_000,
        channels: 2,
        max_block: 512,
    };
    let model = Arc::new(model.expect("it is sound"));
    let mut chain = Chain::of_continuation(model, config).expect("it can be made");
    let mut audio = input.to_vec();
    for (from, to, go_on) in [(0, ON, false), (ON, OFF, true), (OFF, LEN, false)] {
        let controls = Controls {
            continuation: Continue {
                go_on,
                seed: 7,
                sampling: Sampling {
                    temperature: 0.9,
                    top_p: 0.97,
                },
                density: Density {
                    share: 0.25,
                    weight: 1.0,
                },
                ..Continue::default()
            },
            ..defaults()
        };
        let mut part: Vec<_> = audio.iter().map(|c| c[from..to].to_vec()).collect();
        run(&mut chain, &mut part, &controls);
        for (channel, part) in audio.iter_mut().zip(part) {
            channel[from..to].copy_from_slice(&part);
        }
    }
    (audio, chain.latency().total())
}

#[test]
fn the_host_hears_what_the_library_makes_of_a_seed() {
    let input = noisy(2, LEN, 51);
    let (expected, latency) = library(&input);
    assert!(!same_bits(&expected, &input));
    for block in [64, 512] {
        let mut host = host();
        assert!(latency > 0 && host.latency() == latency);
        let mut heard = input.clone();
        let switched = [(ON, "go-on", 1.0), (OFF, "go-on", 0.0)];
        host.run(&mut heard, &switched, || block);
        assert!(same_bits(&heard, &expected), "blocks of {block}");
    }
}

#[test]
fn a_note_that_is_held_does_what_the_switch_does() {
    let input = noisy(2, LEN, 51);
    let (expected, _) = library(&input);
    let mut host = host();
    let mut heard = input.clone();
    // A second key changes nothing, nor does one that ends without having begun.
    let notes = [
        (ON, true, 60u16),
        (6_000, true, 64),
        (7_000, false, 60),
        (7_100, false, 50),
        (OFF, false, 64),
    ];
    for from in (0..LEN).step_by(500) {
        let mut events = EventBuffer::new();
        for (sample, on, key) in notes {
            if (from..from + 500).contains(&sample) {
                let at = (sample - from) as u32;
                let which = Pckn::new(0u16, 0u16, key, u32::from(key));
                match on {
                    true => events.push(&NoteOnEvent::new(at, which, 0.8)),
                    false => events.push(&NoteOffEvent::new(at, which, 0.0)),
                }
            }
        }
        let mut block: Vec<&mut [f32]> =
            heard.iter_mut().map(|c| &mut c[from..from + 500]).collect();
        let status = host.process_with(&mut block, &events.as_input());
        // A host must not put it to sleep while it goes on, whatever comes in.
        let goes_on = from + 500 > ON && from < OFF;
        if goes_on {
            assert_eq!(status, ProcessStatus::Continue, "at {from}");
        }
    }
    assert!(same_bits(&heard, &expected));
}

#[test]
fn a_new_instance_goes_on_like_the_one_that_was_saved() {
    let input = noisy(2, LEN, 52);
    let mut saved = host();
    let state = saved.save();
    let mut other = Host::new();
    assert!(other.load(&state));
    other.activate(48_000.0, 512);
    assert_eq!(other.latency(), saved.latency());
    let [expected, heard] = [&mut saved, &mut other].map(|host| {
        let mut heard = input.clone();
        host.run(&mut heard, &[(ON, "go-on", 1.0)], || 512);
        heard
    });
    assert!(same_bits(&heard, &expected));
}
