//! The instrument's panel: everything has its place, what its notes remember is kept and put back by a click, and a project's slots
//! that cannot be are told of.

use std::collections::BTreeMap;
use std::time::Instant;

use egui::accesskit::{Node, Role};
use egui::{Context, Event, Modifiers, PointerButton, Pos2, RawInput, Rect, Vec2, pos2, vec2};
use statewave::state::{Bank, BankKey};
use statewave_plugin::app::band::Band;
use statewave_plugin::instrument::hands::Direct;
use statewave_plugin::instrument::panel::InstrumentPanel;
use statewave_plugin::panel::layout::{LEAST, USUAL};
use statewave_plugin::panel::theme::Shade;
use statewave_plugin::state::KeepsStates as _;

/// The panel in a window that has no screen.
struct Window {
    ctx: Context,
    panel: InstrumentPanel,
    band: Band,
    size: Vec2,
    time: f64,
    nodes: BTreeMap<u64, Node>,
}

impl Window {
    fn new(size: Vec2, shade: Shade, band: Band) -> Window {
        let ctx = Context::default();
        ctx.enable_accesskit();
        band.shown.watch(true);
        let mut window = Window {
            ctx,
            panel: InstrumentPanel::new(shade),
            band,
            size,
            time: 0.0,
            nodes: BTreeMap::new(),
        };
        window.frame(vec![]);
        window.frame(vec![]);
        window
    }

    fn frame(&mut self, events: Vec<Event>) {
        self.time += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, self.size)),
            time: Some(self.time),
            events,
            ..RawInput::default()
        };
        let (panel, band) = (&mut self.panel, &self.band);
        let mut output = self.ctx.run_ui(input, |ui| {
            panel.ui(ui, &band.params, &band.shown, Some(&Direct));
        });
        // There is no screen that wants textures.
        output.textures_delta.clear();
        let update = output.platform_output.accesskit_update;
        let nodes = update.expect("a tree").nodes.into_iter();
        self.nodes = nodes.map(|(id, node)| (id.0, node)).collect();
    }

    /// Those with that label, or that begins so.
    fn labelled(&self, label: &str) -> impl Iterator<Item = &Node> {
        let fits = move |node: &&Node| node.label().is_some_and(|own| own.starts_with(label));
        self.nodes.values().filter(fits)
    }

    fn click(&mut self, label: &str) {
        let node = self.labelled(label).next();
        let place = place(node.unwrap_or_else(|| panic!("no {label}")));
        for pressed in [true, false] {
            let event = Event::PointerButton {
                pos: place.center(),
                button: PointerButton::Primary,
                pressed,
                modifiers: Modifiers::NONE,
            };
            self.frame(vec![Event::PointerMoved(place.center()), event]);
        }
        self.frame(vec![]);
    }
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
            let window = Window::new(size, shade, band);
            let nodes: Vec<_> = window.nodes.values().filter(usable).collect();
            // Two instruments, MPE, the shade, "dismiss", four slots, two switches; eleven knobs; two choices of four.
            assert_eq!(nodes.len(), 11 + 11 + 8, "{size}");
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
    let mut window = Window::new(USUAL, Shade::Dark, band.clone());
    let keep = "Keep what the newest note remembers in slot 2";
    // Nothing plays that has any slots.
    let is_off = |window: &Window| {
        window
            .labelled(keep)
            .next()
            .expect("a button")
            .is_disabled()
    };
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
    window.click(keep);
    play();
    let bank = band.params.slots.bank().expect("it has slots");
    assert_eq!(bank.filled(), [false, true, false, false]);
    window.frame(vec![]);
    let full = format!("{keep}, in the place of what is there");
    assert_eq!(window.labelled(&full).count(), 1);
    let controls = || band.params.controls().state;
    window.click("Press to put the state back");
    window.click("From: 2");
    window.click("To: 4");
    assert!(controls().recall && (controls().from, controls().to) == (1, 3));
    window.click("The state is what lies between");
    assert!(!controls().recall);
    window.click("Press for the state to begin anew");
    assert!(band.params.state.reset_on_start.value());
    // What the note takes in is seen.
    let view = "How far the heads of each Mamba layer step on";
    assert_eq!(window.labelled(view).count(), 1);
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
        let window = Window::new(size, Shade::Dark, band.clone());
        let mut alerts = window.labelled("the kept states are of another model");
        assert_eq!(alerts.next().map(Node::role), Some(Role::Alert), "{size}");
    }
    let mut window = Window::new(USUAL, Shade::Dark, band.clone());
    window.click("Dismiss");
    assert_eq!(window.labelled("the kept states").count(), 0);
    assert!(
        band.params.slots.kept_states() == other.to_bytes(),
        "they are not lost"
    );
}
