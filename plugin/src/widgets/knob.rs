//! A knob: an arc from seven to five o'clock, with its value and its name in the middle or beneath.

use egui::epaint::PathShape;
use egui::{Align2, Id, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, pos2, vec2};

use super::focus_ring;
use super::gesture::{self, Edit};
use crate::panel::theme::{self, GRID, Theme};

/// The gap at the bottom, half of it to each side, radians.
const HALF_GAP: f32 = 0.75;

/// From this radius on there is room for large type within the arc, points.
const ROOMY: f32 = 48.0;

/// What a knob shows.
pub struct Knob<'a> {
    /// Its name.
    pub label: &'a str,
    /// 0 to 1.
    pub value: f32,
    /// What a double click sets.
    pub default: f32,
    /// Where the arc starts: 0, or the middle of a range with two sides.
    pub origin: f32,
    /// The value with its unit.
    pub text: &'a str,
    /// Number and name in the middle, rather than beneath.
    pub big: bool,
    /// It has an effect now; else the arc is grey.
    pub live: bool,
    /// What it does, shown on hovering.
    pub hint: &'a str,
}

impl Knob<'_> {
    /// Draws it in `rect` and reads what is done to it.
    pub fn show(&self, ui: &Ui, id: Id, rect: Rect, theme: &Theme) -> (Response, Edit) {
        let response = ui.interact(rect, id, Sense::click_and_drag());
        let edit = gesture::read(ui, &response, self.value, self.default, self.text);
        let value = edit.value.unwrap_or(self.value);
        gesture::describe(ui, &response, self.label, value, self.text);
        self.paint(ui, &response, rect, value, theme);
        focus_ring(ui, &response, rect, theme);
        (response.on_hover_text(self.hint), edit)
    }

    fn paint(&self, ui: &Ui, response: &Response, rect: Rect, value: f32, theme: &Theme) {
        let painter = ui.painter();
        let below = if self.big { 0.0 } else { 4.5 * GRID };
        let room = vec2(rect.width(), rect.height() - below);
        let width = if self.big { 9.0 } else { 4.0 };
        let radius = (room.min_elem() / 2.0 - width).max(6.0);
        let center = pos2(rect.center().x, rect.top() + room.y / 2.0 + width / 4.0);
        let track = Stroke::new(width, theme.raised);
        painter.add(arc(center, radius, 0.0, 1.0, track));
        let (from, to) = (value.min(self.origin), value.max(self.origin));
        let color = if self.live {
            theme.accent
        } else {
            theme.removed
        };
        if to - from > 1e-3 {
            painter.add(arc(center, radius, from, to, Stroke::new(width, color)));
        }
        // A handle, larger under the pointer; the ring around it parts it from the arc.
        let lit = response.hovered() || response.dragged() || response.has_focus();
        let handle = (0.5 * width + 1.0) * if lit { 1.25 } else { 1.0 };
        let at = center + direction(value) * radius;
        painter.circle_filled(at, handle + 2.0, theme.card);
        painter.circle_filled(at, handle, theme.text);

        if self.big {
            let font = if radius > ROOMY {
                theme::large()
            } else {
                theme::body()
            };
            let up = if radius > ROOMY { 8.0 } else { 6.0 };
            let at = center - vec2(0.0, up);
            painter.text(at, Align2::CENTER_CENTER, self.text, font, theme.text);
            let at = center + vec2(0.0, up + 8.0);
            painter.text(
                at,
                Align2::CENTER_CENTER,
                self.label,
                theme::body(),
                theme.dim,
            );
        } else {
            let label = pos2(center.x, center.y + radius + 0.5 * width + 1.25 * GRID);
            painter.text(
                label,
                Align2::CENTER_CENTER,
                self.text,
                theme::body(),
                theme.text,
            );
            let value = label + vec2(0.0, 2.0 * GRID);
            painter.text(
                value,
                Align2::CENTER_CENTER,
                self.label,
                theme::body(),
                theme.dim,
            );
        }
    }
}

/// Clockwise from seven o'clock at 0 to five o'clock at 1; y grows downwards.
fn direction(value: f32) -> egui::Vec2 {
    let sweep = std::f32::consts::TAU - 2.0 * HALF_GAP;
    let angle = std::f32::consts::FRAC_PI_2 + HALF_GAP + value * sweep;
    vec2(angle.cos(), angle.sin())
}

fn arc(center: Pos2, radius: f32, from: f32, to: f32, stroke: Stroke) -> Shape {
    // Corners every few points are not seen.
    let corners = ((to - from) * radius * 1.5).ceil().max(2.0) as usize;
    let points = (0..=corners)
        .map(|k| center + direction(from + (to - from) * k as f32 / corners as f32) * radius)
        .collect();
    Shape::Path(PathShape::line(points, stroke))
}
