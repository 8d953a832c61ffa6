//! The live spectrum: what comes in, what goes out, and between them what is taken away.

use std::sync::Arc;

use egui::epaint::PathShape;
use egui::{Align2, Color32, Mesh, Pos2, Rect, Shape, Stroke, Ui, pos2};
use statewave::telemetry::{HIGHEST_HZ, LOWEST_HZ};

use crate::panel::theme::{self, Theme};

/// The levels at the bottom and at the top, dBFS.
pub const RANGE_DB: (f32, f32) = (-96.0, -12.0);

/// Marks on the axis of levels, dBFS.
const MARKS_DB: [f32; 4] = [-24.0, -42.0, -60.0, -78.0];

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
    let step = rect.width() / (input_db.len().max(2) - 1) as f32;
    let line = |levels: &[f32]| -> Vec<Pos2> {
        let at = |(i, &db): (usize, &f32)| pos2(rect.left() + i as f32 * step, y(db));
        levels.iter().enumerate().map(at).collect()
    };
    let (input, output) = (line(input_db), line(output_db));
    let floor: Vec<Pos2> = output.iter().map(|p| pos2(p.x, rect.bottom())).collect();
    let removed = Theme::faded(theme.removed, 0.42);
    painter.add(between(&input, &output, removed, removed));
    let (near, far) = (
        Theme::faded(theme.accent, 0.55),
        Theme::faded(theme.accent, 0.10),
    );
    painter.add(between(&output, &floor, near, far));
    let thin = Stroke::new(1.0, theme.removed);
    painter.add(Shape::Path(PathShape::line(input, thin)));
    let thick = Stroke::new(1.8, theme.accent);
    painter.add(Shape::Path(PathShape::line(output, thick)));
    for db in MARKS_DB {
        let at = pos2(rect.right() - 4.0, y(db) - 1.0);
        let text = format!("−{:.0} dB", -db);
        painter.text(at, Align2::RIGHT_BOTTOM, text, theme::body(), theme.dim);
    }
}

/// The marks of frequency under a picture that spans `rect`'s width.
pub fn frequencies(ui: &Ui, rect: Rect, theme: &Theme) {
    let painter = ui.painter_at(rect);
    let mut free_from = rect.left();
    for (hz, text) in MARKS_HZ {
        let x = rect.left() + rect.width() * place(hz);
        let align = if hz >= HIGHEST_HZ {
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
    (hz / LOWEST_HZ).ln() / (HIGHEST_HZ / LOWEST_HZ).ln()
}

/// The ground between two lines with the same x, where the first is above the second.
fn between(upper: &[Pos2], lower: &[Pos2], top: Color32, bottom: Color32) -> Shape {
    let mut mesh = Mesh::default();
    mesh.reserve_vertices(2 * upper.len());
    mesh.reserve_triangles(2 * upper.len());
    for (i, (u, l)) in upper.iter().zip(lower).enumerate() {
        mesh.colored_vertex(pos2(u.x, u.y.min(l.y)), top);
        mesh.colored_vertex(*l, bottom);
        if i > 0 {
            let k = 2 * i as u32;
            mesh.add_triangle(k - 2, k - 1, k);
            mesh.add_triangle(k - 1, k, k + 1);
        }
    }
    Shape::Mesh(Arc::new(mesh))
}
