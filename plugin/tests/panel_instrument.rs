//! The instrument's panel: everything has its place, what its notes remember is kept and put back by a click, and a project's slots
//! that cannot be are told of.

mod common;

use std::time::Instant;

use common::headless::Headless;
use common::instrument::{Played, window};
use egui::accesskit::{Node, Role};
use egui::epaint::{ClippedShape, Shape, TextShape};
use egui::{Key, Modifiers, Pos2, Rect, pos2, vec2};
use statewave::state::{Bank, BankKey};
use statewave_plugin::app::band::Band;
use statewave_plugin::panel::layout::{LEAST, USUAL};
use statewave_plugin::panel::theme::Shade;
use statewave_plugin::state::KeepsStates as _;

/// Those with a label that begins so.
fn labelled(window: &Headless<Played>, label: &str) -> Vec<Node> {
    let fits = |node: &Node| node.label().is_some_and(|own| own.starts_with(label));
    window.nodes().into_values().filter(fits).collect()
}

fn click(window: &mut Headless<Played>, label: &str) {
    let nodes = labelled(window, label);
    let node = nodes.first().unwrap_or_else(|| panic!("no {label}"));
    let at = place(node).center();
    window.click(at, egui::PointerButton::Primary);
}

fn place(node: &Node) -> Rect {
    let bounds = node.bounds().expect("it has a place");
    let corner = |x: f64, y: f64| pos2(x as f32, y as f32);
    Rect::from_min_max(corner(bounds.x0, bounds.y0), corner(bounds.x1, bounds.y1))
}

#[test]
fn everything_has_a_place_of_its_own_at_every_size() {
    let usable =
        |node: &&Node| matches!(node.role(), Role::Button | Role::Slider | Role::RadioButton);
    for size in [LEAST, USUAL, vec2(1600.0, 1000.0)] {
        for shade in [Shade::Dark, Shade::Light] {
            let band = Band::default();
            band.params.slots.restore_states(None);
            let window = window(size, shade, band);
            let nodes = window.nodes();
            let nodes: Vec<_> = nodes.values().filter(usable).collect();
            // Presets and their neighbours, A, B, the copy, undo and redo; two instruments, MPE, the shade, "dismiss", four slots, two
            // switches; eleven knobs; two choices of four.
            assert_eq!(nodes.len(), 8 + 11 + 11 + 8, "{size}");
            let all = Rect::from_min_size(Pos2::ZERO, size);
            for (i, node) in nodes.iter().enumerate() {
                let own = place(node);
                assert!(
                    all.contains_rect(own) && own.height() >= 20.0,
                    "{node:?} at {size}"
                );
                for other in &nodes[..i] {
                    let common = own.intersect(place(other));
                    assert!(
                        common.width() <= 1.0 || common.height() <= 1.0,
                        "{node:?} and {other:?} at {size}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_newest_note_is_kept_and_put_back_by_clicks() {
    let band = Band::default();
    let mut window = window(USUAL, Shade::Dark, band.clone());
    let keep = "Keep what the newest note remembers in slot 2";
    // Nothing plays that has any slots.
    let is_off = |window: &Headless<Played>| labelled(window, keep)[0].is_disabled();
    assert!(is_off(&window));
    let mut seat = band.seat(48_000).expect("an instrument is shipped");
    window.frame(vec![]);
    assert!(!is_off(&window));
    let mut play = || {
        let (mut left, mut right) = (vec![0.0; 4_800], vec![0.0; 4_800]);
        seat.play(Instant::now(), &mut left, &mut right);
    };
    band.hear(&[0x90, 60, 100]);
    play();
    click(&mut window, keep);
    play();
    let bank = band.params.slots.bank().expect("it has slots");
    assert_eq!(bank.filled(), [false, true, false, false]);
    window.frame(vec![]);
    let full = format!("{keep}, in the place of what is there");
    assert_eq!(labelled(&window, &full).len(), 1);
    let controls = || band.params.controls().state;
    click(&mut window, "Press to put the state back");
    click(&mut window, "From: 2");
    click(&mut window, "To: 4");
    assert!(controls().recall && (controls().from, controls().to) == (1, 3));
    click(&mut window, "The state is what lies between");
    assert!(!controls().recall);
    click(&mut window, "Press for the state to begin anew");
    assert!(band.params.state.reset_on_start.value());
    // What the note takes in is seen.
    let view = "How far the heads of each Mamba layer step on";
    assert_eq!(labelled(&window, view).len(), 1);
    assert!(band.shown.sounding() == 1 && band.shown.deltas().0.layers == 4);
}

#[test]
fn slots_of_another_model_are_told_of_until_that_is_dismissed() {
    let band = Band::default();
    let _seat = band.seat(48_000).expect("an instrument is shipped");
    let own = band.params.slots.bank().expect("it has slots");
    let other = Bank::new(BankKey {
        model: "0".repeat(64),
        ..own.key().clone()
    });
    assert!(other.fill(0, &vec![0.5; own.key().len]));
    band.params.slots.restore_states(Some(other.to_bytes()));
    for size in [LEAST, USUAL] {
        let window = window(size, Shade::Dark, band.clone());
        let alerts = labelled(&window, "the kept states are of another model");
        assert_eq!(alerts[0].role(), Role::Alert, "{size}");
    }
    let mut window = window(USUAL, Shade::Dark, band.clone());
    click(&mut window, "Dismiss");
    assert_eq!(labelled(&window, "the kept states").len(), 0);
    assert!(
        band.params.slots.kept_states() == other.to_bytes(),
        "they are not lost"
    );
}

/// Everything that is written, and where it may be seen.
fn texts(window: &Headless<Played>) -> Vec<(Rect, TextShape)> {
    fn gather(clip: Rect, shape: &Shape, texts: &mut Vec<(Rect, TextShape)>) {
        match shape {
            Shape::Text(text) => texts.push((clip, text.clone())),
            Shape::Vec(all) => all.iter().for_each(|shape| gather(clip, shape, texts)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    let output = window.last.as_ref().expect("a frame was drawn");
    for ClippedShape {
        clip_rect, shape, ..
    } in &output.shapes
    {
        gather(*clip_rect, shape, &mut all);
    }
    all.retain(|(_, text)| !text.galley.is_empty());
    all
}

/// What is written is whole, within the window, and beside everything else that is.
fn nothing_is_cut_off(window: &Headless<Played>, at: &str) {
    let all = texts(window);
    assert!(all.len() > 30, "{at}");
    let screen = Rect::from_min_size(Pos2::ZERO, window.size);
    let letters = |text: &TextShape| {
        let rect = text.galley.rect.translate(text.pos.to_vec2());
        // The line is higher than what is written on it.
        rect.shrink2(vec2(0.0, 2.0))
    };
    for (i, (clip, text)) in all.iter().enumerate() {
        let (own, word) = (letters(text), text.galley.text());
        assert!(!text.galley.elided, "{word} is cut off, {at}");
        assert!(
            clip.intersect(screen).expand(0.5).contains_rect(own),
            "{word} leaves its place, {at}"
        );
        for (_, other) in &all[..i] {
            let common = own.intersect(letters(other));
            assert!(
                common.width() <= 0.5 || common.height() <= 0.5,
                "{word} is on {}, {at}",
                other.galley.text()
            );
        }
    }
}

#[test]
fn nothing_that_is_written_is_cut_off_at_any_size_and_scale() {
    for size in [
        LEAST,
        vec2(640.0, 500.0),
        vec2(820.0, 420.0),
        vec2(900.0, 500.0),
        USUAL,
    ] {
        for scale in [1.0, 1.25, 1.5, 2.0] {
            for fault in [false, true] {
                let band = Band::default();
                let _seat = band.seat(48_000).expect("an instrument is shipped");
                if fault {
                    band.params.slots.restore_states(None);
                }
                let mut window = window(size, Shade::Dark, band);
                window.ctx.set_pixels_per_point(scale);
                window.frame(vec![]);
                window.frame(vec![]);
                nothing_is_cut_off(&window, &format!("{size} at {scale}"));
            }
        }
    }
}

#[test]
fn every_control_has_a_name_and_is_reached_by_the_tab_key() {
    let band = Band::default();
    let _seat = band.seat(48_000).expect("an instrument is shipped");
    let mut window = window(LEAST, Shade::Dark, band);
    // So that there is something to undo, and to do again.
    window.press("Next preset");
    window.press("Next preset");
    window.key(Key::Z, Modifiers::COMMAND);
    window.frame(vec![]);
    let (missed, all) = window.not_reached();
    assert_eq!(all, 8 + 10 + 11 + 8);
    assert!(missed.is_empty(), "not reached: {missed:?}");
}

#[test]
fn the_picture_and_the_meter_are_told_to_who_does_not_see_them() {
    let window = window(USUAL, Shade::Dark, Band::default());
    let nodes = window.nodes();
    let of = |role| nodes.values().filter(move |node| node.role() == role);
    assert_eq!(of(Role::Image).count(), 2, "the partials and the selection");
    assert!(of(Role::Image).all(|node| node.label().is_some_and(|label| label.len() > 20)));
    let meters: Vec<_> = of(Role::Meter).collect();
    assert_eq!(meters.len(), 1);
    assert_eq!(meters[0].label(), Some("Out level"));
    assert_eq!(meters[0].value(), Some("−∞ dB"));
}

/// What the meter says, dB.
fn level(window: &Headless<Played>) -> Option<f32> {
    let nodes = window.nodes();
    let meter = nodes.values().find(|node| node.role() == Role::Meter)?;
    let text = meter.value()?.strip_suffix(" dB")?.replace('−', "-");
    text.parse().ok()
}

#[test]
fn the_meter_holds_the_peak_of_what_was_played() {
    let band = Band::default();
    let mut seat = band.seat(48_000).expect("an instrument is shipped");
    let mut window = window(USUAL, Shade::Dark, band.clone());
    let mut play = || {
        let (mut left, mut right) = (vec![0.0f32; 480], vec![0.0f32; 480]);
        seat.play(Instant::now(), &mut left, &mut right);
        let loudest = |side: &[f32]| side.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        loudest(&left).max(loudest(&right))
    };
    band.hear(&[0x90, 60, 127]);
    // Many blocks to a frame, the last of which is softer than the first: none is missed.
    let blocks: Vec<f32> = (0..100).map(|_| play()).collect();
    let peak = blocks.iter().fold(0.0f32, |most, block| most.max(*block));
    assert!(blocks[99] < 0.7 * peak);
    window.frame(vec![]);
    let held = level(&window).expect("something sounds");
    assert!(
        (held - 20.0 * peak.log10()).abs() <= 0.5,
        "{held} dB, {peak}"
    );
    // Silence: it is held, and falls to nothing.
    window.frame(vec![]);
    assert_eq!(level(&window), Some(held));
    (0..600).for_each(|_| window.frame(vec![]));
    assert_eq!(level(&window), None);
}
