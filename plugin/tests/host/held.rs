//! The state as an instrument, in a host: automated at a sample, kept with the project, begun anew by the transport.

use statewave::chain::ChainConfig;
use statewave::controls::Controls;
use statewave::latency::LatencyMode;
use statewave::model::catalogue;
use statewave::state::StateControls;
use statewave_plugin::loader::{Loader, ModelChoice, Stream};
use statewave_plugin::processor::Settings;
use statewave_plugin::state::KeepsStates as _;

use crate::clap_host::{Host, with_field};
use crate::models::{folder, twin};
use crate::same_sound::{chain, defaults, run};
use crate::signals::{noisy, same_bits};

/// Automation of every parameter of it, at samples in order.
const MOVES: [(usize, &str, f64); 9] = [
    (1_000, "memory", 0.0),
    (4_003, "store", 1.0),
    (9_001, "freeze", 1.0),
    (12_000, "store", 2.0),
    (15_555, "freeze", 0.25),
    (17_000, "recall", 1.0),
    (19_001, "state-morph", 0.6),
    (21_000, "recall-to", 2.0),
    (22_222, "recall", 0.0),
];

/// The same value in the library.
pub fn controls(id: &str, value: f64, state: &mut StateControls) {
    let slot = |value: f64| value as usize;
    match id {
        // Normalised, from -2 octaves on.
        "memory" => state.memory = 0.25,
        "store" => state.store = slot(value).checked_sub(1),
        "freeze" => state.freeze = value as f32,
        "recall" => state.recall = value >= 0.5,
        "state-morph" => state.morph = value as f32,
        // The index of the choice, which is the slot from 0 on.
        "recall-from" => state.from = slot(value),
        "recall-to" => state.to = slot(value),
        _ => panic!("{id}"),
    }
}

#[test]
fn automation_does_at_its_sample_what_the_library_does() {
    let input = noisy(2, 28_800, 41);
    let mut heard = input.clone();
    Host::activated(48_000.0, 512).run(&mut heard, &MOVES, || 512);
    let mut expected = input;
    let mut chain = chain(48_000, 2, LatencyMode::Live);
    let mut state = StateControls::default();
    // Blocks of the host's, cut at the events.
    let mut cuts: Vec<usize> = (0..=28_800).step_by(512).chain([28_800]).collect();
    cuts.extend(MOVES.map(|(sample, ..)| sample));
    cuts.sort_unstable();
    cuts.dedup();
    for cut in cuts.windows(2) {
        for (_, id, value) in MOVES.into_iter().filter(|(sample, ..)| *sample == cut[0]) {
            controls(id, value, &mut state);
        }
        let mut part: Vec<Vec<f32>> = expected
            .iter()
            .map(|c| c[cut[0]..cut[1]].to_vec())
            .collect();
        let now = Controls {
            state,
            ..defaults()
        };
        run(&mut chain, &mut part, &now);
        for (channel, part) in expected.iter_mut().zip(part) {
            channel[cut[0]..cut[1]].copy_from_slice(&part);
        }
    }
    assert!(same_bits(&heard, &expected));
}

#[test]
fn a_project_keeps_its_slots_and_a_new_instance_goes_on_from_them() {
    let mut host = Host::activated(48_000.0, 512);
    let moves = [(24_000, "store", 1.0), (36_000, "store", 3.0)];
    let mut audio = noisy(2, 48_000, 42);
    host.run(&mut audio, &moves, || 512);
    host.set(&[
        ("recall", 1.0),
        ("freeze", 1.0),
        ("recall-to", 3.0),
        ("state-morph", 0.5),
    ]);
    let state = host.save();
    let input = noisy(2, 24_000, 43);
    let heard_of = |state: Option<&[u8]>| {
        let mut host = Host::new();
        if let Some(state) = state {
            assert!(host.load(state));
        }
        host.activate(48_000.0, 512);
        let mut audio = input.clone();
        host.run(&mut audio, &[], || 512);
        (audio, host.save())
    };
    let (once, saved) = heard_of(Some(&state));
    let (again, _) = heard_of(Some(&state));
    assert!(same_bits(&once, &again));
    assert!(saved == state, "what was kept is kept");
    // The same without the slots: what is recalled is a stream at its start.
    let (empty, _) = heard_of(Some(&without_slots(&state)));
    let (plain, _) = heard_of(None);
    assert!(!same_bits(&once, &empty) && !same_bits(&once, &plain));
    // A project without them takes them from an instance that had some.
    let mut used = Host::activated(48_000.0, 512);
    assert!(used.load(&state) && used.load(&without_slots(&state)));
    let saved = used.save();
    assert!(String::from_utf8_lossy(&saved).contains(r#""states":"\"\"""#));
}

/// The state with slots that keep nothing, and all else as it is.
pub fn without_slots(state: &[u8]) -> Vec<u8> {
    with_field(state, "states", "\"\"")
}

#[test]
fn slots_of_another_model_are_refused_with_the_reason_and_wait_for_it() {
    let folder = folder();
    let other = twin(folder.path(), "other");
    let stream = Stream::live(
        ChainConfig {
            sample_rate: 48_000,
            channels: 2,
            max_block: 512,
        },
        LatencyMode::Live,
    );
    let kept = {
        let loader = Loader::new();
        loader.choose(ModelChoice::file(&other));
        let mut processor = loader.processor(&stream).expect("it can be made");
        let bank = loader.bank().expect("it has slots");
        bank.want(2);
        let mut audio = noisy(2, 4_800, 44);
        let mut slices: Vec<&mut [f32]> = audio.iter_mut().map(Vec::as_mut_slice).collect();
        processor.process(&mut slices, &Settings::default());
        assert_eq!(bank.filled(), [false, false, true, false]);
        loader.kept_states()
    };
    let loader = Loader::new();
    loader.restore_states(Some(kept.clone()));
    let _processor = loader.processor(&stream).expect("it can be made");
    let fault = loader
        .status()
        .state_fault
        .expect("they are of another model");
    assert!(fault.what.contains("another model"), "{fault:?}");
    assert!(
        loader.kept_states() == kept,
        "nothing that a project held is lost"
    );
    loader.choose(ModelChoice::file(&other));
    let _processor = loader.processor(&stream).expect("it can be made");
    assert_eq!(loader.status().state_fault, None);
    let filled = |loader: &Loader| loader.bank().expect("it has slots").filled();
    assert_eq!(filled(&loader), [false, false, true, false]);
    // There and back again they are still there.
    loader.choose(ModelChoice::named(catalogue::DEFAULT));
    let _processor = loader.processor(&stream).expect("it can be made");
    assert_eq!(filled(&loader), [false; 4]);
    assert!(loader.kept_states() == kept);
    loader.choose(ModelChoice::file(&other));
    let _processor = loader.processor(&stream).expect("it can be made");
    assert_eq!(filled(&loader), [false, false, true, false]);
    loader.restore_states(None);
    let fault = loader.status().state_fault.expect("they could not be read");
    assert!(fault.what.contains("damaged"), "{fault:?}");
    assert_eq!(filled(&loader), [false; 4]);
}

#[test]
fn the_transport_begins_the_state_anew_where_it_is_asked_to() {
    let input = noisy(2, 24_000, 45);
    let heard_of = |asked: f64, starts: bool| {
        let mut host = Host::activated(48_000.0, 512);
        host.set(&[("reset-on-start", asked)]);
        host.transport = Some(false);
        let mut audio = input.clone();
        host.run(&mut audio, &[], || 480);
        host.transport = Some(starts);
        let mut audio = input.clone();
        host.run(&mut audio, &[], || 480);
        audio
    };
    let usual = heard_of(0.0, false);
    assert!(same_bits(&usual, &heard_of(0.0, true)));
    assert!(same_bits(&usual, &heard_of(1.0, false)));
    let mut expected = [input.clone(), input.clone()];
    let mut chain = chain(48_000, 2, LatencyMode::Live);
    run(&mut chain, &mut expected[0], &defaults());
    chain.restart_state();
    run(&mut chain, &mut expected[1], &defaults());
    assert!(!same_bits(&usual, &expected[1]));
    assert!(same_bits(&heard_of(1.0, true), &expected[1]));
}
