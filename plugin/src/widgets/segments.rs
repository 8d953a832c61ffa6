//! A switch of a few positions side by side: a radio group in one bar.

use egui::accesskit::Role;
use egui::{Align2, EventFilter, Id, Key, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::focus_ring;
use crate::panel::theme::{self, RADIUS, Theme};

/// One position.
pub struct Segment<'a> {
    /// What it is called.
    pub text: &'a str,
    /// A second line, such as its milliseconds; empty for none.
    pub note: &'a str,
    /// What it does, shown on hovering; empty for none.
    pub hint: &'a str,
}

/// Draws the bar in `rect` and gives the position that was chosen in this frame.
pub fn show(
    ui: &Ui,
    id: Id,
    rect: Rect,
    group: &str,
    segments: &[Segment],
    chosen: usize,
    theme: &Theme,
) -> Option<usize> {
    ui.painter().rect_filled(rect, RADIUS, theme.raised);
    let width = rect.width() / segments.len().max(1) as f32;
    let mut picked = None;
    for (i, segment) in segments.iter().enumerate() {
        let corner = rect.min + vec2(i as f32 * width, 0.0);
        let cell = Rect::from_min_size(corner, vec2(width, rect.height())).shrink(2.0);
        let response = ui.interact(cell, id.with(i), Sense::click());
        response.widget_info(|| {
            let label = format!("{group}: {} {}", segment.text, segment.note);
            WidgetInfo::selected(Role::RadioButton, true, i == chosen, label.trim_end())
        });
        if response.clicked() {
            response.request_focus();
            picked = Some(i);
        }
        if response.has_focus()
            && let Some(next) = arrow(ui, response.id, segments.len(), i)
        {
            ui.memory_mut(|memory| memory.request_focus(id.with(next)));
            picked = Some(next);
        }
        paint(ui, &response, cell, segment, i == chosen, theme);
        focus_ring(ui, &response, cell, theme);
        if !segment.hint.is_empty() {
            response.on_hover_text(segment.hint);
        }
    }
    picked
}

/// The next position in the direction of the arrow pressed.
fn arrow(ui: &Ui, id: Id, count: usize, from: usize) -> Option<usize> {
    let filter = EventFilter {
        horizontal_arrows: true,
        ..EventFilter::default()
    };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(id, filter));
    let (right, left) = ui.input(|i| {
        (
            i.key_pressed(Key::ArrowRight),
            i.key_pressed(Key::ArrowLeft),
        )
    });
    match (right, left) {
        (true, false) => (from + 1 < count).then_some(from + 1),
        (false, true) => from.checked_sub(1),
        _ => None,
    }
}

fn paint(
    ui: &Ui,
    response: &egui::Response,
    cell: Rect,
    segment: &Segment,
    on: bool,
    theme: &Theme,
) {
    let painter = ui.painter();
    if on {
        painter.rect_filled(cell, RADIUS - 2, theme.accent);
    } else if response.hovered() {
        painter.rect_filled(cell, RADIUS - 2, theme.line);
    }
    let color = if on { theme.on_accent } else { theme.text };
    let center = cell.center();
    if segment.note.is_empty() {
        painter.text(
            center,
            Align2::CENTER_CENTER,
            segment.text,
            theme::body(),
            color,
        );
        return;
    }
    let note = if on { color } else { theme.dim };
    let name = pos2(center.x, center.y - 8.0);
    painter.text(
        name,
        Align2::CENTER_CENTER,
        segment.text,
        theme::body(),
        color,
    );
    let beneath = pos2(center.x, center.y + 8.0);
    painter.text(
        beneath,
        Align2::CENTER_CENTER,
        segment.note,
        theme::body(),
        note,
    );
}
