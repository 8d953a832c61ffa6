//! What a project held comes back.

use crate::clap_host::{Host, with_field};
use crate::models::{folder, twin};
use crate::signals::{noisy, same_bits};

const MOVED: [(&str, f64); 7] = [
    ("amount", 0.5),
    ("mix", 0.75),
    ("listen", 1.0),
    ("mode", 0.0),
    ("gain", 0.625),
    ("stereo", 2.0),
    ("bypass", 0.0),
];

fn moved() -> Host {
    let mut host = Host::activated(48_000.0, 512);
    host.set(&MOVED);
    host.restart(48_000.0, 512);
    host
}

#[test]
fn a_new_instance_sounds_like_the_one_that_was_saved() {
    let input = noisy(2, 9_600, 12);
    let mut saved = moved();
    let state = saved.save();
    let mut expected = input.clone();
    saved.run(&mut expected, &[], || 512);
    let mut host = Host::new();
    // Before activation, and twice, as hosts do.
    assert!(host.load(&state) && host.load(&state));
    host.activate(48_000.0, 512);
    for (id, value) in MOVED {
        assert!((host.value(id) - value).abs() < 1e-6, "{id}");
    }
    assert_eq!(host.latency(), 0);
    let mut heard = input;
    host.run(&mut heard, &[], || 512);
    assert!(same_bits(&heard, &expected));
    assert_eq!(host.save(), state);
}

#[test]
fn a_state_loaded_while_it_plays_asks_for_what_it_needs() {
    let state = moved().save();
    let mut host = Host::activated(48_000.0, 512);
    host.restart(48_000.0, 512);
    let asked = host.restarts();
    assert!(host.load(&state));
    let mut audio = noisy(2, 4_096, 13);
    host.run(&mut audio, &[], || 512);
    assert_eq!(host.restarts() - asked, 1, "the mode is another");
    host.restart(48_000.0, 512);
    assert_eq!(host.latency(), 0);
}

#[test]
fn a_project_remembers_a_model_that_is_not_here() {
    let folder = folder();
    let path = twin(folder.path(), "mine");
    let json = serde_json::json!({ "name": "mine", "sha256": "abc", "path": path });
    let state = with_model(&Host::new().save(), &json.to_string());
    let mut host = Host::new();
    assert!(host.load(&state));
    host.activate(48_000.0, 512);
    let mut audio = noisy(2, 4_096, 14);
    host.run(&mut audio, &[], || 512);
    assert!(audio[0].iter().all(|x| x.is_finite()));
    assert!(String::from_utf8_lossy(&host.save()).contains(r#"\"sha256\":\"abc\""#));
}

#[test]
fn rubbish_is_refused_and_the_sound_goes_on() {
    let mut host = Host::activated(48_000.0, 512);
    let state = host.save();
    assert!(!host.load(&[]));
    assert!(!host.load(&state[..state.len() / 2]));
    assert!(!host.load(&[0xff; 64]));
    let mut nonsense = state.clone();
    nonsense[8..].fill(b'{');
    assert!(!host.load(&nonsense));
    // Well-formed, with fields that make no sense: what can be read is read.
    assert!(host.load(&with_model(&state, "17")));
    assert!(host.load(&with_model(&state, r#"{"name":"../../etc/passwd"}"#)));
    let mut audio = noisy(2, 2_048, 15);
    host.run(&mut audio, &[], || 512);
    assert!(audio[0].iter().all(|x| x.is_finite()));
}

fn with_model(state: &[u8], field: &str) -> Vec<u8> {
    with_field(state, "model", field)
}
