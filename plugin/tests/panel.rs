//! The panel without a screen: it draws at every size, every control can be reached and named, hands and keys work.

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use common::headless::Headless;
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, vec2};
use statewave::engine::gpu::round_trip::RoundTrip;
use statewave_plugin::engine::{EngineChoice, GpuFacts};
use statewave_plugin::panel::host::{Fault, PanelHost, Param};
use statewave_plugin::panel::layout::{LEAST, USUAL};
use statewave_plugin::panel::theme::Shade;
use statewave_plugin::panel::{Panel, PanelSettings, Picture};

#[test]
fn it_draws_at_every_size_in_both_shades() {
    for size in [LEAST, USUAL, vec2(1600.0, 1000.0), vec2(300.0, 200.0)] {
        for shade in [Shade::Dark, Shade::Light] {
            for picture in [Picture::Spectrum, Picture::Spectrogram] {
                let mut window = Headless::new(size, PanelSettings { shade, picture });
                window.host.fault = Some(Fault {
                    what: "something".into(),
                    remedy: "nothing".into(),
                });
                window.frame(vec![]);
                let output = window.last.take().expect("a frame");
                let drawn = window
                    .ctx
                    .tessellate(output.shapes, output.pixels_per_point);
                assert!(!drawn.is_empty(), "{size} {shade:?}");
            }
        }
    }
}

#[test]
fn it_is_laid_out_alike_at_every_scale() {
    let places = |scale: f32| -> BTreeMap<String, [f64; 4]> {
        let mut window = Headless::usual();
        window.ctx.set_pixels_per_point(scale);
        window.frame(vec![]);
        window.frame(vec![]);
        let nodes = window.nodes();
        let named = nodes.values().filter_map(|node| {
            let bounds = node.bounds()?;
            let corners = [bounds.x0, bounds.y0, bounds.x1, bounds.y1];
            Some((node.label()?.to_owned(), corners))
        });
        named.collect()
    };
    let usual = places(1.0);
    assert!(usual.len() > 20, "{usual:?}");
    for scale in [1.25, 1.5, 2.0] {
        let scaled = places(scale);
        assert_eq!(usual.len(), scaled.len(), "at {scale}");
        for (label, place) in &usual {
            for (a, b) in place.iter().zip(scaled[label]) {
                assert!((a - b).abs() < 1.0, "{label} at {scale}");
            }
        }
    }
}

#[test]
fn every_control_has_a_name_and_is_reached_by_the_tab_key() {
    let mut window = Headless::usual();
    window.host.fault = Some(Fault {
        what: "something".into(),
        remedy: "nothing".into(),
    });
    window.frame(vec![]);
    let (missed, all) = window.not_reached();
    assert!(all > 20, "{all}");
    assert!(missed.is_empty(), "not reached: {missed:?}");
}

fn press(window: &mut Headless, key: Key) {
    window.key(key, Modifiers::NONE);
    window.frame(vec![]);
}

#[test]
fn menus_are_used_without_a_pointer() {
    let mut window = Headless::usual();
    window.tab_to("Model one");
    press(&mut window, Key::Enter);
    window.tab_to("two");
    press(&mut window, Key::Enter);
    assert_eq!(window.host.model, "two");

    window.tab_to("Presets");
    press(&mut window, Key::Space);
    window.tab_to("Gentle");
    press(&mut window, Key::Space);
    assert!(window.host.plain_of(Param::Amount) < 100.0);
    window.find("Preset Gentle");

    // Closed by Escape, with the keyboard back where it was.
    press(&mut window, Key::Enter);
    press(&mut window, Key::Escape);
    let nodes = window.nodes();
    assert!(nodes.values().all(|node| node.label() != Some("What goes")));
}

#[test]
fn a_preset_that_was_changed_says_so() {
    let mut window = Headless::usual();
    let presets = window.find("Presets");
    window.click(presets, PointerButton::Primary);
    window.frame(vec![]);
    let gentle = window.find("Gentle");
    window.click(gentle, PointerButton::Primary);
    window.frame(vec![]);
    window.find("Preset Gentle");
    let knob = window.find("Mix");
    window.drag(knob, vec2(0.0, 40.0), Modifiers::NONE);
    window.frame(vec![]);
    window.find("Preset Gentle, changed since");
    window.key(Key::Z, Modifiers::COMMAND);
    window.frame(vec![]);
    window.find("Preset Gentle");
}

#[test]
fn pictures_and_meters_are_told_to_who_does_not_see_them() {
    let mut window = Headless::usual();
    window.frame(vec![]);
    let nodes = window.nodes();
    let of = |role| nodes.values().filter(move |node| node.role() == role);
    assert_eq!(of(Role::Image).count(), 2, "the spectrum and the selection");
    assert!(of(Role::Image).all(|node| node.label().is_some_and(|label| label.len() > 20)));
    assert_eq!(of(Role::Meter).count(), 3);
    assert!(of(Role::Meter).all(|node| node.value().is_some_and(|value| value.ends_with(" dB"))));
}

#[test]
fn dragging_a_knob_is_one_gesture_and_one_step() {
    let mut window = Headless::usual();
    let knob = window.find("Amount");
    window.drag(knob, vec2(0.0, 110.0), Modifiers::NONE);
    let amount = window.host.value(Param::Amount);
    assert!((0.3..0.7).contains(&amount), "{amount}");
    assert!(window.host.open.is_empty());
    let begins = window
        .host
        .calls
        .iter()
        .filter(|&&(_, call)| call == "begin")
        .count();
    assert_eq!(begins, 1);
    window.key(Key::Z, Modifiers::COMMAND);
    assert_eq!(window.host.value(Param::Amount), 1.0);
    window.key(Key::Y, Modifiers::COMMAND);
    assert_eq!(window.host.value(Param::Amount), amount);
}

#[test]
fn a_window_that_is_opened_again_can_undo_what_was_done_in_the_last_one() {
    let mut window = Headless::usual();
    let knob = window.find("Amount");
    window.drag(knob, vec2(0.0, 60.0), Modifiers::NONE);
    assert!(window.host.value(Param::Amount) < 1.0);
    let left = window.panel.leave();
    window.panel = Panel::new(PanelSettings::default());
    window.panel.recall(left);
    window.frame(vec![]);
    window.key(Key::Z, Modifiers::COMMAND);
    assert_eq!(window.host.value(Param::Amount), 1.0);
}

#[test]
fn with_control_held_dragging_is_fine() {
    let mut window = Headless::usual();
    let knob = window.find("Amount");
    window.drag(knob, vec2(0.0, 110.0), Modifiers::CTRL);
    let moved = 1.0 - window.host.value(Param::Amount);
    assert!(moved > 0.02 && moved < 0.08, "{moved}");
}

#[test]
fn a_double_click_resets() {
    let mut window = Headless::usual();
    window.host.values.set(Param::Mix, 0.25);
    let knob = window.find("Mix");
    window.click(knob, PointerButton::Primary);
    window.click(knob, PointerButton::Primary);
    assert_eq!(window.host.value(Param::Mix), 1.0);
}

#[test]
fn a_right_click_lets_one_type() {
    let mut window = Headless::usual();
    let knob = window.find("Amount");
    window.click(knob, PointerButton::Secondary);
    window.frame(vec![]);
    window.frame(vec![Event::Text("12.5".into())]);
    window.key(Key::Enter, Modifiers::NONE);
    assert!(
        (window.host.plain_of(Param::Amount) - 12.5).abs() < 0.01,
        "{}",
        window.host.plain_of(Param::Amount)
    );
    assert!(window.host.open.is_empty());
}

#[test]
fn arrows_step_the_control_that_has_the_keyboard() {
    let mut window = Headless::usual();
    let knob = window.find("Mix");
    window.click(knob, PointerButton::Primary);
    let before = window.host.value(Param::Mix);
    window.key(Key::ArrowDown, Modifiers::NONE);
    window.key(Key::ArrowLeft, Modifiers::NONE);
    let after = window.host.value(Param::Mix);
    assert!((before - after - 0.04).abs() < 1e-4, "{before} {after}");
    window.key(Key::Home, Modifiers::NONE);
    assert_eq!(window.host.value(Param::Mix), 0.0);
}

#[test]
fn switches_are_pressed_and_stepped() {
    let mut window = Headless::usual();
    let removed = window.find("Listen: Removed");
    window.click(removed, PointerButton::Primary);
    assert_eq!(window.host.plain_of(Param::Listen), 1.0);
    window.key(Key::ArrowRight, Modifiers::NONE);
    assert_eq!(window.host.plain_of(Param::Listen), 2.0);
    let zero = window.find("Latency: Zero 0 ms");
    window.click(zero, PointerButton::Primary);
    assert_eq!(window.host.plain_of(Param::LatencyMode), 0.0);
}

#[test]
fn models_go_round_and_can_be_dropped() {
    let mut window = Headless::usual();
    let next = window.find("Next model");
    window.click(next, PointerButton::Primary);
    assert_eq!(window.host.model, "two");
    window.time += 1.0;
    window.click(next, PointerButton::Primary);
    assert_eq!(window.host.model, "one");
    window.drop_file("mine.safetensors");
    assert_eq!(window.host.files, [PathBuf::from("mine.safetensors")]);
}

#[test]
fn a_and_b_are_compared_by_a_click() {
    let mut window = Headless::usual();
    let (a, b) = (window.find("Compare: A"), window.find("Compare: B"));
    window.click(b, PointerButton::Primary);
    window.host.values.set(Param::Mix, 0.5);
    window.time += 1.0;
    window.click(a, PointerButton::Primary);
    assert_eq!(window.host.value(Param::Mix), 1.0);
}

#[test]
fn a_fault_is_shown_until_it_is_dismissed() {
    let mut window = Headless::usual();
    window.host.fault = Some(Fault {
        what: "the model is no model".into(),
        remedy: "try another".into(),
    });
    window.frame(vec![]);
    window.frame(vec![]);
    let dismiss = window.find("Dismiss");
    window.click(dismiss, PointerButton::Primary);
    assert_eq!(window.host.fault, None);
}

#[test]
fn the_word_for_the_engine_says_how_it_goes_and_has_a_menu() {
    let mut window = Headless::usual();
    let said = |window: &Headless| {
        let nodes = window.nodes();
        let mut engines = nodes.values().filter(|n| n.label() == Some("Engine"));
        engines.next().and_then(|n| n.value()).map(str::to_owned)
    };
    assert_eq!(said(&window).as_deref(), Some("engine: CPU"));
    let word = window.find("Engine");
    window.click(word, PointerButton::Primary);
    window.frame(vec![]);
    let card = window.find("Other card");
    window.click(card, PointerButton::Primary);
    let choice = EngineChoice::gpu(Some("Other card".into()));
    assert_eq!(window.host.engine.choice, choice);
    let trip = |us| Duration::from_micros(us);
    window.host.engine.gpu = Some(GpuFacts {
        adapter: "Other card".into(),
        trip: RoundTrip {
            p50: trip(400),
            p99: trip(500),
            p999: trip(600),
            count: 400,
        },
    });
    window.frame(vec![]);
    let told = said(&window).expect("there is a word");
    assert!(
        told.contains("Other card, 0.40 ms there and back, 0.60 at the most"),
        "{told}"
    );
    // The best, saving power: no name stands beside it.
    window.click(word, PointerButton::Primary);
    window.frame(vec![]);
    let power = window.find("Save power");
    window.click(power, PointerButton::Primary);
    let saving = window.host.engine.choice.device().expect("a GPU is wanted");
    assert_eq!((saving.name, saving.low_power), (None, true));
    // The menu stays open for what is ticked there.
    window.frame(vec![]);
    let awake = window.find("Stay awake");
    window.click(awake, PointerButton::Primary);
    let both = window.host.engine.choice.device().expect("a GPU is wanted");
    assert_eq!((both.low_power, both.awake), (true, true));
    window.frame(vec![]);
    let room = window.find("20 ms");
    window.click(room, PointerButton::Primary);
    let roomy = &window.host.engine.choice;
    assert_eq!((roomy.room_ms, roomy.awake), (20, true));
}
