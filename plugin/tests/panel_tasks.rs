//! The panel of effects and of sound that goes on: it has what they have, and nothing else.

mod common;

use std::path::{Path, PathBuf};

use common::headless::Headless;
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, vec2};
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::model::effect::{EffectModel, Knob};
use statewave::model::spec::Task;
use statewave::telemetry::{self, Snapshot};
use statewave_plugin::panel::PanelSettings;
use statewave_plugin::panel::host::{PanelHost, Param};
use statewave_plugin::panel::layout::{LEAST, USUAL};

fn knob(name: &str, min: f32, max: f32, default: f32) -> Knob {
    Knob {
        name: name.into(),
        min,
        max,
        default,
    }
}

fn effect(size: egui::Vec2, knobs: usize) -> Headless {
    let mut window = Headless::new(size, PanelSettings::default());
    let all = [
        knob("drive", 0.0, 1.0, 0.5),
        knob("tone", -10.0, 10.0, 5.0),
        knob("bass", 0.0, 1.0, 0.5),
        knob("sag", 0.0, 1.0, 0.5),
    ];
    window.host.task = Some(Task::Effect);
    window.host.knobs = all[..knobs].to_vec();
    window.frame(vec![]);
    window
}

fn continuing(size: egui::Vec2) -> Headless {
    let mut window = Headless::new(size, PanelSettings::default());
    window.host.task = Some(Task::Continue);
    window.frame(vec![]);
    window
}

fn labels(window: &Headless) -> Vec<String> {
    let nodes = window.nodes();
    nodes
        .values()
        .filter_map(|n| n.label().map(str::to_owned))
        .collect()
}

#[test]
fn an_effect_shows_the_knobs_that_it_has_and_hides_what_is_for_voices() {
    for size in [LEAST, USUAL, vec2(1600.0, 1000.0)] {
        for count in 0..=4 {
            let window = effect(size, count);
            let labels = labels(&window);
            let names = ["drive", "tone", "bass", "sag"];
            for (i, name) in names.into_iter().enumerate() {
                assert_eq!(
                    labels.iter().any(|l| l == name),
                    i < count,
                    "{name} of {count}"
                );
            }
            for own in ["Input", "Gate", "Mix", "Output"] {
                assert!(labels.iter().any(|l| l == own), "{own}");
            }
            let foreign = [
                "Amount",
                "Temperature",
                "Latency: Zero",
                "Stereo: Link",
                "Cut",
            ];
            for label in &labels {
                assert!(!foreign.iter().any(|f| label.starts_with(f)), "{label}");
            }
            let nodes = window.nodes();
            let meters = nodes.values().filter(|n| n.role() == Role::Meter);
            assert_eq!(meters.count(), 2);
        }
    }
}

#[test]
fn a_knob_of_the_device_is_turned_in_its_own_numbers_and_reset_to_its_own_default() {
    let mut window = effect(USUAL, 2);
    let tone = window.find("tone");
    window.drag(tone, vec2(0.0, -60.0), Modifiers::NONE);
    let value = window.host.value(Param::Knob2);
    assert!(value > 0.5, "{value}");
    let nodes = window.nodes();
    let node = nodes.values().find(|n| n.label() == Some("tone"));
    let text = node.and_then(|n| n.value()).expect("it has a value");
    assert_eq!(text, format!("{:.2}", 20.0 * value - 10.0));
    for _ in 0..2 {
        window.click(tone, PointerButton::Primary);
    }
    assert_eq!(window.host.value(Param::Knob2), 0.75);
}

#[test]
fn a_cabinet_is_dropped_switched_left_away_and_taken_back() {
    let mut window = effect(USUAL, 1);
    window.drop_file("room.wav");
    assert_eq!(window.host.cabinet, Some(PathBuf::from("room.wav")));
    window.drop_file("mine.safetensors");
    assert_eq!(window.host.files, [PathBuf::from("mine.safetensors")]);
    window.frame(vec![]);
    let off = window.find("Cabinet: Off");
    window.click(off, PointerButton::Primary);
    assert_eq!(window.host.value(Param::Cabinet), 0.0);
    window.frame(vec![]);
    let file = window.find("Cabinet room.wav");
    window.click(file, PointerButton::Primary);
    window.frame(vec![]);
    let away = window.find("Leave it away");
    window.click(away, PointerButton::Primary);
    assert_eq!(window.host.cabinet, None);
    window.frame(vec![]);
    assert!(
        !labels(&window).iter().any(|l| l.starts_with("Cabinet: O")),
        "nothing to switch"
    );
    window.key(Key::Z, Modifiers::COMMAND);
    assert_eq!(window.host.cabinet(), Some(Path::new("room.wav")));
}

#[test]
fn the_path_of_a_cabinet_can_be_typed() {
    let mut window = effect(USUAL, 1);
    let file = window.find("Cabinet: choose an impulse response");
    window.click(file, PointerButton::Primary);
    window.frame(vec![]);
    let nodes = window.nodes();
    let field = nodes.values().find(|n| n.role() == Role::TextInput);
    let bounds = field.and_then(|n| n.bounds()).expect("a field");
    let middle = egui::pos2(
        ((bounds.x0 + bounds.x1) / 2.0) as f32,
        ((bounds.y0 + bounds.y1) / 2.0) as f32,
    );
    window.click(middle, PointerButton::Primary);
    window.frame(vec![Event::Text("\"/tmp/box.wav\"".into())]);
    window.key(Key::Enter, Modifiers::NONE);
    assert_eq!(window.host.cabinet, Some(PathBuf::from("/tmp/box.wav")));
}

#[test]
fn going_on_is_switched_and_what_it_draws_by_is_at_hand() {
    for size in [LEAST, USUAL] {
        let mut window = continuing(size);
        let switch = window.find("Listening: press to let it go on by itself");
        window.click(switch, PointerButton::Primary);
        assert_eq!(window.host.value(Param::GoOn), 1.0);
        window.frame(vec![]);
        let switch = window.find("Going on by itself: press to listen again");
        window.click(switch, PointerButton::Primary);
        assert_eq!(window.host.value(Param::GoOn), 0.0);
        for label in ["Top-p", "Density", "Seed", "Mix", "Output"] {
            window.find(label);
        }
        let labels = labels(&window);
        assert!(!labels.iter().any(|l| l == "Amount" || l == "Gate"));
    }
}

/// A tenth of a second through an effect, as it is shown.
fn heard(model: &str) -> Vec<Snapshot> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models");
    let model = EffectModel::open(models.join(model)).expect("it is shipped");
    let config = ChainConfig {
        sample_rate: 48_000,
        channels: 1,
        max_block: 480,
    };
    let mut chain = Chain::of_effect(&model, config).expect("it can be made");
    let (writer, mut reader) = telemetry::pair();
    reader.watch(true);
    chain.set_telemetry(Some(writer));
    let mut audio: Vec<f32> = (0..4_800).map(|n| 0.3 * (0.02 * n as f32).sin()).collect();
    chain.process(&mut [&mut audio], &Controls::default());
    std::iter::from_fn(|| reader.read()).collect()
}

#[test]
fn what_is_selected_is_shown_of_every_kind_and_said_where_nothing_is() {
    let all = [
        (
            "tone/tone-drive.safetensors",
            "the channels of each selective layer",
        ),
        ("tasks/rc-tanh.safetensors", "Nothing is selected"),
    ];
    for (model, about) in all {
        let mut window = effect(USUAL, 2);
        let snapshots = heard(model);
        assert_eq!(snapshots.len(), 15);
        window.host.snapshots.extend(snapshots);
        window.frame(vec![]);
        assert!(labels(&window).iter().any(|l| l.contains(about)), "{model}");
    }
    for mut window in [effect(USUAL, 2), continuing(USUAL)] {
        window.frame(vec![]);
        let nodes = window.nodes();
        let pictures = nodes.values().filter(|n| n.role() == Role::Image);
        assert_eq!(pictures.count(), 2, "the spectrum and the selection");
    }
}

#[test]
fn what_was_no_audio_is_shown_and_told() {
    let mut window = effect(USUAL, 2);
    let [mut snapshot, ..] = heard("tasks/rc-tanh.safetensors")[..] else {
        panic!("nothing is heard");
    };
    let said = |window: &mut Headless, snapshot| {
        window.host.snapshots.push_back(snapshot);
        window.frame(vec![]);
        let nodes = window.nodes();
        let mut said = nodes.values().filter_map(|node| node.value());
        said.find(|text| text.contains("blocks took longer"))
            .map(str::to_owned)
    };
    snapshot.missed = 2;
    let told = said(&mut window, snapshot).expect("there is a word");
    assert!(told.starts_with("2 blocks took longer"), "{told}");
    assert!(!told.contains("no audio"), "{told}");
    (snapshot.stats.non_finite, snapshot.stats.resets) = (7, 3);
    let told = said(&mut window, snapshot).expect("there is a word");
    let line = "7 samples were no audio; state begun anew 3 times";
    assert_eq!(told.lines().last(), Some(line));
    let output = window.last.take().expect("a frame");
    let drawn = output.shapes.iter().any(|shape| match &shape.shape {
        egui::Shape::Text(text) => text.galley.text() == "7 no audio, 2 missed",
        _ => false,
    });
    assert!(drawn, "the word beside the load");
}

#[test]
fn every_control_has_a_name_and_is_reached_by_the_tab_key() {
    let mut windows = [effect(USUAL, 4), continuing(USUAL)];
    windows[0].host.cabinet = Some("room.wav".into());
    for window in &mut windows {
        window.frame(vec![]);
        let touched = [Role::Button, Role::Slider, Role::RadioButton];
        let nodes = window.nodes();
        let mut wanted: Vec<_> = nodes
            .iter()
            .filter(|(_, n)| touched.contains(&n.role()) && !n.is_disabled())
            .map(|(id, n)| (*id, n.label().unwrap_or_default().to_owned()))
            .collect();
        assert!(wanted.iter().all(|(_, label)| !label.is_empty()));
        for _ in 0..60 {
            window.key(Key::Tab, Modifiers::NONE);
            let focused = window.ctx.memory(|m| m.focused()).map(|id| id.value());
            wanted.retain(|(id, _)| Some(*id) != focused);
        }
        assert!(wanted.is_empty(), "not reached: {wanted:?}");
    }
}
