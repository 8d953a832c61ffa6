//! Undo, redo, A and B.

mod common;

use common::TestHost;
use statewave_plugin::panel::history::{Compare, History, Scene};
use statewave_plugin::panel::host::{PanelHost, Param, change};

fn gesture(history: &mut History, host: &mut TestHost, param: Param, value: f32, now: f64) {
    history.begin(host);
    change(host, param, value);
    history.end(host, Some(param), now);
}

#[test]
fn steps_are_taken_back_and_done_again() {
    let (mut history, mut host) = (History::default(), TestHost::new());
    let start = Scene::of(&host);
    gesture(&mut history, &mut host, Param::Amount, 0.25, 0.0);
    gesture(&mut history, &mut host, Param::Mix, 0.5, 10.0);
    history.begin(&host);
    host.select_model("two");
    history.end(&host, None, 20.0);
    let end = Scene::of(&host);
    for _ in 0..3 {
        assert!(history.can_undo());
        history.undo(&mut host);
    }
    assert_eq!(Scene::of(&host), start);
    assert!(!history.can_undo());
    for _ in 0..3 {
        history.redo(&mut host);
    }
    assert_eq!(Scene::of(&host), end);
    assert!(!history.can_redo());
}

#[test]
fn something_new_forgets_what_was_taken_back() {
    let (mut history, mut host) = (History::default(), TestHost::new());
    gesture(&mut history, &mut host, Param::Amount, 0.25, 0.0);
    history.undo(&mut host);
    gesture(&mut history, &mut host, Param::Mix, 0.5, 10.0);
    assert!(!history.can_redo());
}

#[test]
fn a_turn_of_the_wheel_is_one_step() {
    let (mut history, mut host) = (History::default(), TestHost::new());
    let start = Scene::of(&host);
    for notch in 1..10 {
        gesture(
            &mut history,
            &mut host,
            Param::Amount,
            1.0 - 0.05 * notch as f32,
            0.1 * f64::from(notch),
        );
    }
    history.undo(&mut host);
    assert_eq!(Scene::of(&host), start);
    assert!(!history.can_undo());
}

#[test]
fn a_touch_that_changes_nothing_is_no_step() {
    let (mut history, mut host) = (History::default(), TestHost::new());
    gesture(&mut history, &mut host, Param::Amount, 1.0, 0.0);
    assert!(!history.can_undo());
}

#[test]
fn a_and_b_are_alike_until_one_is_changed() {
    let (mut compare, mut host) = (Compare::default(), TestHost::new());
    let a = Scene::of(&host);
    compare.switch(&mut host);
    assert_eq!(Scene::of(&host), a, "B starts like A");
    change(&mut host, Param::Amount, 0.25);
    let b = Scene::of(&host);
    compare.switch(&mut host);
    assert_eq!(Scene::of(&host), a);
    compare.switch(&mut host);
    assert_eq!(Scene::of(&host), b);
    compare.copy(&host);
    compare.switch(&mut host);
    assert_eq!(Scene::of(&host), b, "A was made like B");
}
