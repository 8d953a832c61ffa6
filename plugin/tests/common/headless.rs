//! A panel in a window that has no screen: frames are drawn when they are asked for, and controls are found by the names
//! that screen readers read.

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::accesskit::{Node, Role};
use egui::{
    Context, DroppedFile, Event, FullOutput, Key, Modifiers, PointerButton, Pos2, RawInput, Rect,
    Ui, Vec2, pos2,
};
use statewave_plugin::panel::layout::USUAL;
use statewave_plugin::panel::{Panel, PanelSettings};

use super::TestHost;

/// A file as a window system drops it.
#[derive(Debug)]
struct Dropped(PathBuf);

impl DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("it is only a name".into())
    }
}

/// What is in the window.
pub trait Stage {
    fn draw(&mut self, ui: &mut Ui);
}

/// The effect's panel and its host.
pub struct Effect {
    pub panel: Panel,
    pub host: TestHost,
}

impl Stage for Effect {
    fn draw(&mut self, ui: &mut Ui) {
        self.panel.ui(ui, &mut self.host);
    }
}

/// See the module.
pub struct Headless<S = Effect> {
    pub ctx: Context,
    pub stage: S,
    pub size: Vec2,
    pub time: f64,
    pub last: Option<FullOutput>,
}

impl<S> Deref for Headless<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.stage
    }
}

impl<S> DerefMut for Headless<S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.stage
    }
}

impl Headless {
    pub fn new(size: Vec2, settings: PanelSettings) -> Self {
        let stage = Effect {
            panel: Panel::new(settings),
            host: TestHost::new(),
        };
        Self::of(stage, size)
    }

    pub fn usual() -> Self {
        Self::new(USUAL, PanelSettings::default())
    }
}

impl<S: Stage> Headless<S> {
    pub fn of(stage: S, size: Vec2) -> Self {
        let ctx = Context::default();
        ctx.enable_accesskit();
        let mut window = Self {
            ctx,
            stage,
            size,
            time: 0.0,
            last: None,
        };
        window.frame(vec![]);
        window.frame(vec![]);
        window
    }

    pub fn frame(&mut self, events: Vec<Event>) {
        self.frame_with(events, Modifiers::NONE);
    }

    pub fn frame_with(&mut self, events: Vec<Event>, modifiers: Modifiers) {
        self.time += 1.0 / 60.0;
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, self.size)),
            time: Some(self.time),
            events: [vec![Event::ModifiersChanged(modifiers)], events].concat(),
            ..RawInput::default()
        };
        let stage = &mut self.stage;
        let mut output = self.ctx.run_ui(input, |ui| stage.draw(ui));
        // There is no screen that wants textures.
        output.textures_delta.clear();
        self.last = Some(output);
    }

    pub fn key(&mut self, key: Key, modifiers: Modifiers) {
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

    pub fn button(&mut self, at: Pos2, button: PointerButton, pressed: bool, modifiers: Modifiers) {
        let event = Event::PointerButton {
            pos: at,
            button,
            pressed,
            modifiers,
        };
        self.frame_with(vec![Event::PointerMoved(at), event], modifiers);
    }

    pub fn click(&mut self, at: Pos2, button: PointerButton) {
        self.button(at, button, true, Modifiers::NONE);
        self.button(at, button, false, Modifiers::NONE);
        self.frame(vec![]);
    }

    /// Lets go of a file over the panel.
    pub fn drop_file(&mut self, path: &str) {
        let file: Arc<dyn DroppedFile + Send + Sync> = Arc::new(Dropped(path.into()));
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, self.size)),
            dropped_files: vec![file],
            ..RawInput::default()
        };
        let stage = &mut self.stage;
        let mut output = self.ctx.run_ui(input, |ui| stage.draw(ui));
        output.textures_delta.clear();
    }

    pub fn drag(&mut self, from: Pos2, by: Vec2, modifiers: Modifiers) {
        self.button(from, PointerButton::Primary, true, modifiers);
        for step in 1..=10 {
            let at = from + by * (step as f32 / 10.0);
            self.frame_with(vec![Event::PointerMoved(at)], modifiers);
        }
        self.button(from + by, PointerButton::Primary, false, modifiers);
        // Two clicks in one place are a double click.
        self.time += 1.0;
    }

    pub fn nodes(&self) -> BTreeMap<u64, Node> {
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

    /// Clicks on the control of that name.
    pub fn press(&mut self, label: &str) {
        let place = self.find(label);
        self.click(place, PointerButton::Primary);
        // Two clicks in one place are a double click.
        self.time += 1.0;
    }

    /// Whether there is anything of that name.
    pub fn has(&self, label: &str) -> bool {
        self.nodes()
            .values()
            .any(|node| node.label() == Some(label))
    }

    /// Goes on with the Tab key until the control of that name has the keyboard.
    pub fn tab_to(&mut self, label: &str) {
        for _ in 0..80 {
            self.key(Key::Tab, Modifiers::NONE);
            let focused = self.ctx.memory(|memory| memory.focused());
            let nodes = self.nodes();
            let node = focused.and_then(|id| nodes.get(&id.value()));
            if node.is_some_and(|node| node.label() == Some(label)) {
                return;
            }
        }
        panic!("{label} is not reached");
    }

    /// The controls that can be used and are not reached by the Tab key, and how many there are.
    pub fn not_reached(&mut self) -> (Vec<String>, usize) {
        let touched = [Role::Button, Role::Slider, Role::RadioButton];
        let mut wanted = BTreeMap::new();
        for (id, node) in self.nodes() {
            if touched.contains(&node.role()) && !node.is_disabled() {
                let label = node.label().unwrap_or_default().to_owned();
                assert!(!label.is_empty(), "a control without a name: {node:?}");
                wanted.insert(id, label);
            }
        }
        let count = wanted.len();
        for _ in 0..60 {
            self.key(Key::Tab, Modifiers::NONE);
            if let Some(id) = self.ctx.memory(|memory| memory.focused()) {
                wanted.remove(&id.value());
            }
        }
        (wanted.into_values().collect(), count)
    }

    /// The middle of the control of that name.
    pub fn find(&self, label: &str) -> Pos2 {
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
