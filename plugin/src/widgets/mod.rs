//! The panel's controls and pictures. They know values, colours and egui, and nothing of audio or hosts.

pub mod button;
pub mod gesture;
pub mod icon;
pub mod knob;
pub mod level;
pub mod segments;
pub mod spectrum;
pub mod waterfall;

use std::sync::Arc;

use egui::text::{LayoutJob, TextWrapping};
use egui::{Color32, Galley, Painter, Rect, Response, Stroke, StrokeKind, Ui};

use crate::panel::theme::{self, RADIUS, Theme};

/// Text in the small size on one line, cut with an ellipsis where it is wider than `width` points.
pub(crate) fn one_line(painter: &Painter, text: &str, width: f32, color: Color32) -> Arc<Galley> {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), theme::body(), color);
    job.wrap = TextWrapping::truncate_at_width(width);
    painter.layout_job(job)
}

/// The ring that says which control the keyboard has.
pub(crate) fn focus_ring(ui: &Ui, response: &Response, rect: Rect, theme: &Theme) {
    if response.has_focus() {
        let stroke = Stroke::new(2.0, theme.accent);
        ui.painter()
            .rect_stroke(rect, RADIUS, stroke, StrokeKind::Outside);
    }
}
