//! The top line: model, comparison, undo, presets, shade, bypass.

use egui::{Align2, Id, Popup, PopupCloseBehavior, Rect, Shape, Stroke, Ui, pos2, vec2};

use statewave::model::catalogue;
use statewave::model::spec::Task;

use super::host::{PanelHost, Param, change};
use super::layout::Layout;
use super::theme::{self, GRID, Shade, Theme};
use super::{Panel, PanelSettings};
use crate::widgets::button::{Button, Look};
use crate::widgets::icon::Icon;

/// Side of a button with a sign, points.
pub(crate) const SIGN: f32 = 4.0 * GRID;

/// Hands out places along a line, from the left or from the right.
pub(crate) struct Line(pub(crate) Rect);

impl Line {
    pub(crate) fn left(&mut self, width: f32) -> Rect {
        let place = Rect::from_min_size(self.0.min, vec2(width, self.0.height()));
        self.0.min.x += width + GRID / 2.0;
        place
    }

    pub(crate) fn right(&mut self, width: f32) -> Rect {
        let corner = pos2(self.0.right() - width, self.0.top());
        self.0.max.x -= width + GRID / 2.0;
        Rect::from_min_size(corner, vec2(width, self.0.height()))
    }
}

impl Panel {
    pub(super) fn header(&mut self, ui: &Ui, host: &mut dyn PanelHost, layout: &Layout) {
        let mut line = Line(layout.header);
        let place = line.left(if layout.wide { 150.0 } else { 36.0 });
        brand(ui, place, layout.wide.then_some("Statewave"), &self.theme);
        // Places are taken from both ends, but drawn from left to right: that is the order of the Tab key.
        let power = line.right(SIGN);
        let shade = line.right(SIGN);
        let presets = line.right(if layout.wide { 136.0 } else { 96.0 });
        line.0.max.x -= GRID;
        let (redo, undo) = (line.right(SIGN), line.right(SIGN));
        line.0.max.x -= GRID;
        let (copy, b, a) = (line.right(52.0), line.right(SIGN), line.right(SIGN));
        line.0.max.x -= GRID;
        self.models(ui, host, line);
        let theme = self.theme;
        self.editing.comparison(ui, host, [a, b, copy], &theme);
        self.editing.steps(ui, host, [undo, redo], &theme);
        self.editing.presets(ui, host, presets, &theme);
        self.shade(ui, shade);
        self.power(ui, host, power);
    }

    fn models(&mut self, ui: &Ui, host: &mut dyn PanelHost, mut line: Line) {
        let several = host.models().len() > 1;
        let at = host.models().iter().position(|m| m.name == host.model());
        let previous = line.left(SIGN - GRID);
        let width = (line.0.width() - SIGN).clamp(72.0, 220.0);
        let (name, next) = (line.left(width), line.left(SIGN - GRID));
        let to = |by: usize| {
            let models = host.models();
            let from = at.map_or(0, |at| at + by);
            models
                .get(from % models.len().max(1))
                .map(|m| m.name.clone())
        };
        let (before, after) = (to(host.models().len().saturating_sub(1)), to(1));
        let mut chosen = None;
        let button = Button::sign(Icon::Previous, "Previous model").enabled(several);
        if button
            .show(ui, Id::unique("previous"), previous, &self.theme)
            .clicked()
        {
            chosen = before;
        }
        let label = format!("Model {}", host.model());
        let button =
            Button::menu(host.model(), &label).show(ui, Id::unique("model"), name, &self.theme);
        let mut file = None;
        Popup::menu(&button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| {
                let mut group = None;
                for listed in host.models() {
                    if group.replace(listed.group()) != Some(listed.group()) {
                        ui.weak(listed.group().1);
                    }
                    let is_chosen = listed.name == host.model();
                    if ui.selectable_label(is_chosen, &listed.name).clicked() {
                        chosen = Some(listed.name.clone());
                        ui.close();
                    }
                }
                ui.separator();
                // A plugin's window is not told of files that are dropped on it.
                file = self.menus.model_file(ui);
                if let Some(folder) = catalogue::user_folder() {
                    ui.weak(format!("Your own go in {}", folder.display()));
                }
            });
        let button = Button::sign(Icon::Next, "Next model").enabled(several);
        if button
            .show(ui, Id::unique("next"), next, &self.theme)
            .clicked()
        {
            chosen = after;
        }
        if let Some(name) = chosen {
            self.editing.step(host, |host| host.select_model(&name));
        }
        if let Some(path) = file {
            self.editing.step(host, |host| host.load_file(&path));
        }
    }

    fn shade(&mut self, ui: &Ui, rect: Rect) {
        if let Some(shade) = other_shade(ui, rect, &self.theme) {
            self.set_settings(PanelSettings {
                shade,
                ..self.settings
            });
        }
    }

    fn power(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) {
        let bypassed = host.value(Param::Bypass) >= 0.5;
        let (label, look) = match (host.task(), bypassed) {
            (Task::Denoise, true) => ("Bypassed: press to clean", Look::Raised),
            (Task::Denoise, false) => ("Cleaning: press to bypass", Look::On),
            (_, true) => ("Bypassed: press to hear it", Look::Raised),
            (_, false) => ("On: press to bypass", Look::On),
        };
        let button = Button::sign(Icon::Power, label).look(look);
        if button
            .show(ui, Id::unique("bypass"), rect, &self.theme)
            .clicked()
        {
            let value = if bypassed { 0.0 } else { 1.0 };
            self.editing
                .step(host, |host| change(host, Param::Bypass, value));
        }
    }
}

/// The sign at the left, with the name if there is room for it.
pub(crate) fn brand(ui: &Ui, rect: Rect, name: Option<&str>, theme: &Theme) {
    let center = pos2(rect.left() + 14.0, rect.center().y);
    let wave = |k: i32| {
        let x = k as f32 / 24.0;
        // A wave that settles: what a state does with a sound.
        let y = (x * 12.5).sin() * (1.0 - x).powf(0.8) * 11.0;
        center + vec2(-12.0 + 24.0 * x, y)
    };
    let points = (0..=24).map(wave).collect();
    ui.painter()
        .add(Shape::line(points, Stroke::new(2.2, theme.accent)));
    if let Some(name) = name {
        let at = pos2(rect.left() + 36.0, rect.center().y);
        ui.painter()
            .text(at, Align2::LEFT_CENTER, name, theme::large(), theme.text);
    }
}

/// The button for the other shade, which it gives when it is pressed.
pub(crate) fn other_shade(ui: &Ui, rect: Rect, theme: &Theme) -> Option<Shade> {
    let (icon, label, shade) = match theme.shade {
        Shade::Dark => (Icon::Sun, "Light colours", Shade::Light),
        Shade::Light => (Icon::Moon, "Dark colours", Shade::Dark),
    };
    Button::sign(icon, label)
        .show(ui, Id::unique("shade"), rect, theme)
        .clicked()
        .then_some(shade)
}
