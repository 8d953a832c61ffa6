//! The panel's controls and pictures. They know values, colours and egui, and nothing of audio or hosts.

pub mod button;
pub mod fault;
pub mod gesture;
pub mod icon;
pub mod knob;
pub mod level;
pub mod segments;
pub mod slots;
pub mod spectrum;
pub mod waterfall;

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{Align2, Color32, Galley, Painter, Rect, Response, Stroke, StrokeKind, Ui, pos2};

use crate::panel::theme::{self, GRID, RADIUS, Theme};

/// Text in the small size on one line, cut with an ellipsis where it is wider than `width` points.
pub(crate) fn one_line(painter: &Painter, text: &str, width: f32, color: Color32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), theme::body(), color);
    job.wrap = TextWrapping::truncate_at_width(width);
    painter.layout_job(job)
}

/// A title at the top of `rect`, and the place beneath it.
pub(crate) fn titled(ui: &Ui, rect: Rect, title: &str, theme: &Theme) -> Rect {
    let at = pos2(rect.left(), rect.top() + GRID);
    ui.painter()
        .text(at, Align2::LEFT_CENTER, title, theme::body(), theme.dim);
    rect.with_min_y(rect.top() + 2.25 * GRID)
}

/// The ring that says which control the keyboard has.
pub(crate) fn focus_ring(ui: &Ui, response: &Response, rect: Rect, theme: &Theme) {
    if response.has_focus() {
        let stroke = Stroke::new(2.0, theme.accent);
        ui.painter()
            .rect_stroke(rect, RADIUS, stroke, StrokeKind::Outside);
    }
}
