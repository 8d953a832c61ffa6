//! The panel without a screen: it draws at every size, every control can be reached and named, hands and keys work.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use common::TestHost;
use egui::accesskit::{Node, Role};
use egui::{
    Context, Event, FullOutput, Key, Modifiers, PointerButton, Pos2, RawInput, Rect, Vec2, pos2,
    vec2,
};
use statewave::chain::ChainStats;
use statewave::telemetry::{BANDS, DELTA_BANDS, DELTA_LAYERS, Snapshot};
use statewave_plugin::panel::host::{Fault, PanelHost, Param};
use statewave_plugin::panel::layout::{LEAST, USUAL};
use statewave_plugin::panel::theme::Shade;
use statewave_plugin::panel::{Panel, PanelSettings, Picture};

/// A panel in a window that has no screen.
struct Bench {
    ctx: Context,
    panel: Panel,
    host: TestHost,
    size: Vec2,
    time: f64,
    last: Option<FullOutput>,
}

impl Bench {
    fn new(size: Vec2, settings: PanelSettings) -> Self {
        let ctx = Context::default();
        ctx.enable_accesskit();
        let mut bench = Self {
            ctx,
            panel: Panel::new(settings),
            host: TestHost::new(),
            size,
            time: 0.0,
            last: None,
        };
        bench.frame(vec![]);
        bench.frame(vec![]);
        bench
    }

    fn usual() -> Self {
        Self::new(USUAL, PanelSettings::default())
    }

    fn frame(&mut self, events: Vec<Event>) {
        self.frame_with(events, Modifiers::NONE);
    }

    fn frame_with(&mut self, events: Vec<Event>, modifiers: Modifiers) {
        self.time += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, self.size)),
            time: Some(self.time),
            events: [vec![Event::ModifiersChanged(modifiers)], events].concat(),
            ..RawInput::default()
        };
        let (panel, host) = (&mut self.panel, &mut self.host);
        let mut output = self.ctx.run_ui(input, |ui| panel.ui(ui, host));
        // There is no screen that wants textures.
        output.textures_delta.clear();
        self.last = Some(output);
    }

    fn key(&mut self, key: Key, modifiers: Modifiers) {
        for pressed in [true, false] {
            let event = Event::Key {
                key,
                physical_key: None,
                pressed,
                repeat: false,
                modifiers,
            };
            self.frame_with(vec![event], modifiers);
        }
    }

    fn button(&mut self, at: Pos2, button: PointerButton, pressed: bool, modifiers: Modifiers) {
        let event = Event::PointerButton {
            pos: at,
            button,
            pressed,
            modifiers,
        };
        self.frame_with(vec![Event::PointerMoved(at), event], modifiers);
    }

    fn click(&mut self, at: Pos2, button: PointerButton) {
        self.button(at, button, true, Modifiers::NONE);
        self.button(at, button, false, Modifiers::NONE);
        self.frame(vec![]);
    }

    fn drag(&mut self, from: Pos2, by: Vec2, modifiers: Modifiers) {
        self.button(from, PointerButton::Primary, true, modifiers);
        for step in 1..=10 {
            let at = from + by * (step as f32 / 10.0);
            self.frame_with(vec![Event::PointerMoved(at)], modifiers);
        }
        self.button(from + by, PointerButton::Primary, false, modifiers);
        // Two clicks in one place are a double click.
        self.time += 1.0;
    }

    fn nodes(&self) -> BTreeMap<u64, Node> {
        let output = self.last.as_ref().expect("a frame was drawn");
        let update = output
            .platform_output
            .accesskit_update
            .as_ref()
            .expect("a tree");
        update
            .nodes
            .iter()
            .map(|(id, node)| (id.0, node.clone()))
            .collect()
    }

    /// The middle of the control of that name.
    fn find(&self, label: &str) -> Pos2 {
        let nodes = self.nodes();
        let node = nodes.values().find(|node| node.label() == Some(label));
        let bounds = node
            .and_then(Node::bounds)
            .unwrap_or_else(|| panic!("no {label}"));
        pos2(
            (bounds.x0 + bounds.x1) as f32 / 2.0,
            (bounds.y0 + bounds.y1) as f32 / 2.0,
        )
    }
}

#[test]
fn it_draws_at_every_size_in_both_shades() {
    for size in [LEAST, USUAL, vec2(1600.0, 1000.0), vec2(300.0, 200.0)] {
        for shade in [Shade::Dark, Shade::Light] {
            for picture in [Picture::Spectrum, Picture::Spectrogram] {
                let mut bench = Bench::new(size, PanelSettings { shade, picture });
                bench.host.fault = Some(Fault {
                    what: "something".into(),
                    remedy: "nothing".into(),
                });
                bench.frame(vec![]);
                let output = bench.last.take().expect("a frame");
                let drawn = bench.ctx.tessellate(output.shapes, output.pixels_per_point);
                assert!(!drawn.is_empty(), "{size} {shade:?}");
            }
        }
    }
}

#[test]
fn every_control_has_a_name_and_is_reached_by_the_tab_key() {
    let mut bench = Bench::usual();
    bench.host.fault = Some(Fault {
        what: "something".into(),
        remedy: "nothing".into(),
    });
    bench.frame(vec![]);
    let touched = [Role::Button, Role::Slider, Role::RadioButton];
    let mut wanted = BTreeMap::new();
    for (id, node) in bench.nodes() {
        if touched.contains(&node.role()) && !node.is_disabled() {
            let label = node.label().unwrap_or_default().to_owned();
            assert!(!label.is_empty(), "a control without a name: {node:?}");
            wanted.insert(id, label);
        }
    }
    assert!(wanted.len() > 20, "{wanted:?}");
    let mut reached = BTreeSet::new();
    for _ in 0..60 {
        bench.key(Key::Tab, Modifiers::NONE);
        reached.extend(
            bench
                .ctx
                .memory(|memory| memory.focused())
                .map(|id| id.value()),
        );
    }
    wanted.retain(|id, _| !reached.contains(id));
    assert!(wanted.is_empty(), "not reached: {:?}", wanted.values());
}

#[test]
fn dragging_a_knob_is_one_gesture_and_one_step() {
    let mut bench = Bench::usual();
    let knob = bench.find("Amount");
    bench.drag(knob, vec2(0.0, 110.0), Modifiers::NONE);
    let amount = bench.host.value(Param::Amount);
    assert!((0.3..0.7).contains(&amount), "{amount}");
    assert!(bench.host.open.is_empty());
    let begins = bench
        .host
        .calls
        .iter()
        .filter(|&&(_, call)| call == "begin")
        .count();
    assert_eq!(begins, 1);
    bench.key(Key::Z, Modifiers::COMMAND);
    assert_eq!(bench.host.value(Param::Amount), 1.0);
    bench.key(Key::Y, Modifiers::COMMAND);
    assert_eq!(bench.host.value(Param::Amount), amount);
}

#[test]
fn a_window_that_is_opened_again_can_undo_what_was_done_in_the_last_one() {
    let mut bench = Bench::usual();
    let knob = bench.find("Amount");
    bench.drag(knob, vec2(0.0, 60.0), Modifiers::NONE);
    assert!(bench.host.value(Param::Amount) < 1.0);
    let left = bench.panel.leave();
    bench.panel = Panel::new(PanelSettings::default());
    bench.panel.recall(left);
    bench.frame(vec![]);
    bench.key(Key::Z, Modifiers::COMMAND);
    assert_eq!(bench.host.value(Param::Amount), 1.0);
}

#[test]
fn with_control_held_dragging_is_fine() {
    let mut bench = Bench::usual();
    let knob = bench.find("Amount");
    bench.drag(knob, vec2(0.0, 110.0), Modifiers::CTRL);
    let moved = 1.0 - bench.host.value(Param::Amount);
    assert!(moved > 0.02 && moved < 0.08, "{moved}");
}

#[test]
fn a_double_click_resets() {
    let mut bench = Bench::usual();
    bench.host.values.set(Param::Mix, 0.25);
    let knob = bench.find("Mix");
    bench.click(knob, PointerButton::Primary);
    bench.click(knob, PointerButton::Primary);
    assert_eq!(bench.host.value(Param::Mix), 1.0);
}

#[test]
fn a_right_click_lets_one_type() {
    let mut bench = Bench::usual();
    let knob = bench.find("Amount");
    bench.click(knob, PointerButton::Secondary);
    bench.frame(vec![]);
    bench.frame(vec![Event::Text("12.5".into())]);
    bench.key(Key::Enter, Modifiers::NONE);
    assert!(
        (bench.host.plain_of(Param::Amount) - 12.5).abs() < 0.01,
        "{}",
        bench.host.plain_of(Param::Amount)
    );
    assert!(bench.host.open.is_empty());
}

#[test]
fn arrows_step_the_control_that_has_the_keyboard() {
    let mut bench = Bench::usual();
    let knob = bench.find("Mix");
    bench.click(knob, PointerButton::Primary);
    let before = bench.host.value(Param::Mix);
    bench.key(Key::ArrowDown, Modifiers::NONE);
    bench.key(Key::ArrowLeft, Modifiers::NONE);
    let after = bench.host.value(Param::Mix);
    assert!((before - after - 0.04).abs() < 1e-4, "{before} {after}");
    bench.key(Key::Home, Modifiers::NONE);
    assert_eq!(bench.host.value(Param::Mix), 0.0);
}

#[test]
fn switches_are_pressed_and_stepped() {
    let mut bench = Bench::usual();
    let removed = bench.find("Listen: Removed");
    bench.click(removed, PointerButton::Primary);
    assert_eq!(bench.host.plain_of(Param::Listen), 1.0);
    bench.key(Key::ArrowRight, Modifiers::NONE);
    assert_eq!(bench.host.plain_of(Param::Listen), 2.0);
    let zero = bench.find("Latency: Zero 0 ms");
    bench.click(zero, PointerButton::Primary);
    assert_eq!(bench.host.plain_of(Param::LatencyMode), 0.0);
}

/// A file as a window system drops it.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("it is only a name".into())
    }
}

#[test]
fn models_go_round_and_can_be_dropped() {
    let mut bench = Bench::usual();
    let next = bench.find("Next model");
    bench.click(next, PointerButton::Primary);
    assert_eq!(bench.host.model, "two");
    bench.time += 1.0;
    bench.click(next, PointerButton::Primary);
    assert_eq!(bench.host.model, "one");
    let file: Arc<dyn egui::DroppedFile + Send + Sync> =
        Arc::new(Dropped("mine.safetensors".into()));
    let input = RawInput {
        screen_rect: Some(Rect::from_min_size(Pos2::ZERO, bench.size)),
        dropped_files: vec![file],
        ..RawInput::default()
    };
    let (panel, host) = (&mut bench.panel, &mut bench.host);
    let mut output = bench.ctx.run_ui(input, |ui| panel.ui(ui, host));
    output.textures_delta.clear();
    assert_eq!(bench.host.files, [PathBuf::from("mine.safetensors")]);
}

#[test]
fn a_and_b_are_compared_by_a_click() {
    let mut bench = Bench::usual();
    let (a, b) = (bench.find("Compare: A"), bench.find("Compare: B"));
    bench.click(b, PointerButton::Primary);
    bench.host.values.set(Param::Mix, 0.5);
    bench.time += 1.0;
    bench.click(a, PointerButton::Primary);
    assert_eq!(bench.host.value(Param::Mix), 1.0);
}

#[test]
fn a_fault_is_shown_until_it_is_dismissed() {
    let mut bench = Bench::usual();
    bench.host.fault = Some(Fault {
        what: "the model is no model".into(),
        remedy: "try another".into(),
    });
    bench.frame(vec![]);
    bench.frame(vec![]);
    let dismiss = bench.find("Dismiss");
    bench.click(dismiss, PointerButton::Primary);
    assert_eq!(bench.host.fault, None);
}

#[test]
fn a_frame_costs_little() {
    let mut bench = Bench::usual();
    let mut snapshot = Snapshot {
        frame: 0,
        input_peak: [0.5; 2],
        output_peak: [0.4; 2],
        input_db: [-40.0; BANDS],
        output_db: [-60.0; BANDS],
        delta: [[0.05; DELTA_BANDS]; DELTA_LAYERS],
        load: 0.1,
        stats: ChainStats::default(),
        missed: 0,
    };
    let frames = 200;
    let began = Instant::now();
    for frame in 0..frames {
        for k in 0..3 {
            snapshot.frame += 1;
            snapshot.input_db[(frame + k) % BANDS] = -20.0;
            bench.host.snapshots.push_back(snapshot);
        }
        bench.frame(vec![]);
        let output = bench.last.take().expect("a frame");
        let _ = bench.ctx.tessellate(output.shapes, output.pixels_per_point);
    }
    let each = began.elapsed().as_secs_f64() * 1000.0 / frames as f64;
    println!(
        "{each:.2} ms a frame, {:.1} % of a core at 60 a second",
        each * 6.0
    );
    // Unoptimised and beside other tests; optimised it is a tenth.
    assert!(each < 12.0, "{each} ms a frame");
}
