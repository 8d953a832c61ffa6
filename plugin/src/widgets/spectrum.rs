//! The live spectrum: what comes in, what goes out, and between them what is taken away.

use std::sync::Arc;

use egui::epaint::PathShape;
use egui::{Align2, Color32, Mesh, Pos2, Rect, Shape, Stroke, Ui, pos2, vec2};
use statewave::telemetry::{HIGH_HZ, LOW_HZ};

use crate::panel::theme::{self, Theme};

/// The levels at the bottom and at the top, dBFS.
pub const RANGE_DB: (f32, f32) = (-96.0, -12.0);

/// Marks on the axis of levels, dBFS.
const MARKS_DB: [f32; 3] = [-36.0, -60.0, -84.0];

/// The least height of a plot whose levels are marked, points.
const MARKED_HEIGHT: f32 = 80.0;

/// Marks on the axis of frequencies.
const MARKS_HZ: [(f32, &str); 8] = [
    (100.0, "100"),
    (200.0, "200"),
    (500.0, "500"),
    (1_000.0, "1k"),
    (2_000.0, "2k"),
    (5_000.0, "5k"),
    (10_000.0, "10k"),
    (20_000.0, "20k"),
];

/// Draws the spectra, dBFS a band, in `rect`.
pub fn show(ui: &Ui, rect: Rect, input_db: &[f32], output_db: &[f32], theme: &Theme) {
    let painter = ui.painter_at(rect);
    let y = |db: f32| {
        let (low, high) = RANGE_DB;
        rect.bottom() - rect.height() * ((db - low) / (high - low)).clamp(0.0, 1.0)
    };
    for db in MARKS_DB {
        painter.hline(rect.x_range(), y(db), (1.0, theme.line));
    }
    let line = |levels: &[f32]| -> Vec<Pos2> {
        let step = rect.width() / levels.len().max(1) as f32;
        let last = levels.len().saturating_sub(1);
        let at = |(i, &db): (usize, &f32)| match i {
            // The outermost bands reach to the edges; the others are in the middle of their places.
            0 => pos2(rect.left(), y(db)),
            i if i == last => pos2(rect.right(), y(db)),
            i => pos2(rect.left() + (i as f32 + 0.5) * step, y(db)),
        };
        levels.iter().enumerate().map(at).collect()
    };
    let (input, output) = (line(input_db), line(output_db));
    let floor: Vec<Pos2> = output.iter().map(|p| pos2(p.x, rect.bottom())).collect();
    let removed = Theme::faded(theme.removed, 0.42);
    painter.add(between(&input, &output, |_| removed));
    let fill = |y: f32| {
        let height = ((rect.bottom() - y) / rect.height()).clamp(0.0, 1.0);
        Theme::faded(theme.accent, 0.12 + 0.45 * height)
    };
    painter.add(between(&output, &floor, fill));
    let thin = Stroke::new(1.0, theme.removed);
    painter.add(Shape::Path(PathShape::line(input, thin)));
    let thick = Stroke::new(1.8, theme.accent);
    painter.add(Shape::Path(PathShape::line(output, thick)));
    let marks: &[f32] = if rect.height() >= MARKED_HEIGHT {
        &MARKS_DB
    } else {
        &[]
    };
    for &db in marks {
        let at = pos2(rect.right() - 4.0, y(db) - 1.0);
        let text = format!("−{:.0} dB", -db);
        let galley = painter.layout_no_wrap(text, theme::body(), theme.dim);
        let place = Align2::RIGHT_BOTTOM.anchor_size(at, galley.size());
        // Lines that cross a number leave it readable.
        painter.rect_filled(
            place.expand2(vec2(3.0, 0.0)),
            3,
            Theme::faded(theme.card, 0.65),
        );
        painter.galley(place.min, galley, theme.dim);
    }
}

/// The marks of frequency under a picture that spans `rect`'s width.
pub fn frequencies(ui: &Ui, rect: Rect, theme: &Theme) {
    let painter = ui.painter_at(rect);
    let mut free_from = rect.left();
    for (hz, text) in MARKS_HZ {
        let x = rect.left() + rect.width() * place(hz);
        let align = if hz >= HIGH_HZ {
            Align2::RIGHT_CENTER
        } else {
            Align2::CENTER_CENTER
        };
        let galley = painter.layout_no_wrap(text.into(), theme::body(), theme.dim);
        let space = align.anchor_size(pos2(x, rect.center().y), galley.size());
        if space.left() < free_from {
            continue;
        }
        free_from = space.right() + 12.0;
        painter.galley(space.min, galley, theme.dim);
    }
}

/// Share of the axis at a frequency.
pub fn place(hz: f32) -> f32 {
    (hz / LOW_HZ).ln() / (HIGH_HZ / LOW_HZ).ln()
}

/// The ground between two lines with the same x, where the first is above the second; coloured by height.
fn between(upper: &[Pos2], lower: &[Pos2], color: impl Fn(f32) -> Color32) -> Shape {
    let mut mesh = Mesh::default();
    mesh.reserve_vertices(2 * upper.len());
    mesh.reserve_triangles(2 * upper.len());
    for (i, (u, l)) in upper.iter().zip(lower).enumerate() {
        let top = u.y.min(l.y);
        mesh.colored_vertex(pos2(u.x, top), color(top));
        mesh.colored_vertex(*l, color(l.y));
        if i > 0 {
            let k = 2 * i as u32;
            mesh.add_triangle(k - 2, k - 1, k);
            mesh.add_triangle(k - 1, k, k + 1);
        }
    }
    Shape::Mesh(Arc::new(mesh))
}
