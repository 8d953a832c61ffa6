//! Undo, redo, A and B of the instrument, by its panel and through whoever takes what is done there.

mod common;

use common::headless::Headless;
use common::instrument::{Played, window};
use egui::{Event, Key, Modifiers, MouseWheelUnit, PointerButton, vec2};
use statewave_plugin::app::band::Band;
use statewave_plugin::instrument::handle::Handle;
use statewave_plugin::instrument::hands::Direct;
use statewave_plugin::instrument::panel::InstrumentPanel;
use statewave_plugin::panel::layout::USUAL;
use statewave_plugin::panel::theme::Shade;

fn usual() -> Headless<Played> {
    window(USUAL, Shade::Dark, Band::default())
}

fn values(window: &Headless<Played>) -> Vec<f32> {
    let all = window.band.params.handles();
    all.into_iter().map(|(_, handle)| handle.value()).collect()
}

fn drag(window: &mut Headless<Played>, knob: &str, down: f32) {
    let at = window.find(knob);
    window.drag(at, vec2(0.0, down), Modifiers::NONE);
}

fn undo(window: &mut Headless<Played>) {
    window.key(Key::Z, Modifiers::COMMAND);
}

#[test]
fn steps_are_taken_back_and_done_again_as_gestures() {
    let mut window = usual();
    let start = values(&window);
    drag(&mut window, "Width", 40.0);
    let one = values(&window);
    window.press("Press for MPE: a channel a note, each with its own bend and pressure");
    window.press("Instrument A: piano");
    window.press("cello");
    // A whole preset is one step.
    window.press("Next preset");
    let end = values(&window);
    assert!(start != one && one != end);
    for _ in 0..4 {
        window.press("Undo");
    }
    assert_eq!(values(&window), start);
    for _ in 0..4 {
        window.key(Key::Y, Modifiers::COMMAND);
    }
    assert_eq!(values(&window), end);
    // Every value came within a gesture of its own, and each has ended.
    assert!(window.hands.open().is_empty());
    undo(&mut window);
    drag(&mut window, "Release", 20.0);
    window.frame(vec![]);
    window.press("Redo");
    assert_ne!(
        values(&window),
        end,
        "something new forgets what was taken back"
    );
}

#[test]
fn a_turn_of_the_wheel_is_one_step_and_a_touch_is_none() {
    let mut window = usual();
    let start = values(&window);
    let at = window.find("Vibrato");
    window.click(at, PointerButton::Primary);
    window.time += 1.0;
    for _ in 0..5 {
        let turned = Event::MouseWheel {
            unit: MouseWheelUnit::Line,
            delta: vec2(0.0, 1.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers: Modifiers::NONE,
        };
        window.frame(vec![Event::PointerMoved(at), turned]);
    }
    assert_ne!(values(&window), start);
    undo(&mut window);
    assert_eq!(values(&window), start);
    undo(&mut window);
    assert_eq!(values(&window), start);
}

#[test]
fn a_and_b_are_alike_until_one_is_changed_and_can_be_made_so() {
    let mut window = usual();
    let a = values(&window);
    window.press("Compare: B");
    assert_eq!(values(&window), a, "B starts like A");
    drag(&mut window, "Morph", -60.0);
    window.press("Next preset");
    let b = values(&window);
    assert_ne!(a, b);
    window.press("Compare: A");
    assert_eq!(values(&window), a);
    window.press("Compare: B");
    assert_eq!(values(&window), b);
    window.press("Make A like B");
    window.press("Compare: A");
    assert_eq!(values(&window), b, "A was made like B");
    // To go over from one to the other is a step.
    drag(&mut window, "Attack", -30.0);
    let changed = values(&window);
    window.press("Compare: B");
    assert_eq!(values(&window), b);
    undo(&mut window);
    assert_eq!(values(&window), changed);
}

#[test]
fn what_the_host_changed_meanwhile_is_part_of_what_is_taken_back_to() {
    let mut window = usual();
    drag(&mut window, "Width", 40.0);
    Handle::of(&window.band.params.attack).set(&Direct, 0.5);
    let automated = values(&window);
    drag(&mut window, "Release", 40.0);
    undo(&mut window);
    assert_eq!(values(&window), automated);
}

#[test]
fn values_that_a_host_gives_back_later_count_at_once() {
    let mut window = usual();
    window.hands.is_late = true;
    let start = values(&window);
    for _ in 0..3 {
        window.press("Next preset");
    }
    window.find("Preset Glass keys");
    assert_eq!(values(&window), start, "no block has run");
    window.find("Instrument A: electric piano");
    window.hands.block();
    window.frame(vec![]);
    window.find("Preset Glass keys");
    let end = values(&window);
    assert_ne!(end, start);
    for _ in 0..3 {
        undo(&mut window);
    }
    window.hands.block();
    window.frame(vec![]);
    assert_eq!(values(&window), start);
    assert!(window.hands.open().is_empty());
}

#[test]
fn a_window_that_is_opened_again_goes_on_and_a_gesture_ends_with_its_window() {
    let mut window = usual();
    let start = values(&window);
    window.press("Next preset");
    // The window is closed while a knob is held.
    let knob = window.find("Brightness");
    window.button(knob, PointerButton::Primary, true, Modifiers::NONE);
    for down in [10.0, 60.0] {
        window.frame(vec![Event::PointerMoved(knob + vec2(0.0, down))]);
    }
    assert_eq!(window.hands.open().len(), 1);
    let stage = &mut window.stage;
    let left = stage.panel.leave(&stage.band.params, Some(&stage.hands));
    assert!(window.hands.open().is_empty());
    window.button(knob, PointerButton::Primary, false, Modifiers::NONE);
    window.panel = InstrumentPanel::new(Shade::Light);
    window.panel.recall(left);
    window.frame(vec![]);
    window.find("Preset Piano, changed since");
    undo(&mut window);
    window.frame(vec![]);
    window.find("Preset Piano");
    undo(&mut window);
    assert_eq!(values(&window), start);
}
