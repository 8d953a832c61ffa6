//! Upright meters: a level with its held peak, from below; a reduction, from above.

use egui::accesskit::Role;
use egui::{Align2, Id, Rect, Response, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::panel::levels::Levels;
use crate::panel::theme::{self, Theme};

/// The lowest level shown, dB.
pub const FLOOR_DB: f32 = -60.0;

/// The largest reduction shown, dB.
pub const MOST_REDUCTION_DB: f32 = 40.0;

/// Marks beside the levels, dB.
const MARKS_DB: [f32; 6] = [0.0, -6.0, -12.0, -24.0, -36.0, -48.0];

/// Marks beside the reduction, dB.
const REDUCTION_MARKS_DB: [f32; 5] = [0.0, 10.0, 20.0, 30.0, MOST_REDUCTION_DB];

/// What a column of numbers stands beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Levels, 0 dBFS at the top.
    Levels,
    /// What is taken away, nothing at the top.
    Reduction,
}

impl Scale {
    fn marks(self) -> &'static [f32] {
        match self {
            Self::Levels => &MARKS_DB,
            Self::Reduction => &REDUCTION_MARKS_DB,
        }
    }

    fn place(self, column: Rect, db: f32) -> f32 {
        match self {
            Self::Levels => height_of(column, db),
            Self::Reduction => depth_of(column, db),
        }
    }
}

/// One bar of a level meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Now, dBFS.
    pub db: f32,
    /// The held peak, dBFS.
    pub held_db: f32,
}

/// Bars of a level side by side, a mark at 0 dBFS that lights up when it was reached. A click puts it out.
pub fn level(ui: &Ui, id: Id, rect: Rect, name: &str, levels: &Levels, theme: &Theme) -> Response {
    let (bars, clipped) = (levels.bars(), levels.clipped());
    let response = ui.interact(rect, id, Sense::click());
    let loudest = bars.iter().map(|bar| bar.held_db).fold(FLOOR_DB, f32::max);
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Meter, true, format!("{name} level"));
        info.current_text_value = Some(format!("{} dB", decibels(loudest)));
        info
    });
    let (number, track, label) = parts(rect);
    let painter = ui.painter();
    let lamp = Rect::from_min_size(track.min, vec2(track.width(), 4.0));
    painter.rect_filled(lamp, 2, if clipped { theme.alarm } else { theme.raised });
    let column = Rect::from_min_max(pos2(track.left(), track.top() + 7.0), track.max);
    let gap = 2.0;
    let width = (column.width() - gap * (bars.len() as f32 - 1.0)) / bars.len().max(1) as f32;
    for (i, bar) in bars.iter().enumerate() {
        let left = column.left() + i as f32 * (width + gap);
        let body = Rect::from_min_size(pos2(left, column.top()), vec2(width, column.height()));
        painter.rect_filled(body, 2, theme.raised);
        let top = height_of(body, bar.db);
        if top < body.bottom() - 0.5 {
            painter.rect_filled(
                Rect::from_min_max(pos2(left, top), body.max),
                2,
                theme.accent,
            );
        }
        if bar.held_db > FLOOR_DB {
            let y = height_of(body, bar.held_db).min(body.bottom() - 1.0);
            painter.hline(body.x_range(), y, (1.5, theme.text));
        }
    }
    let color = if clipped { theme.alarm } else { theme.text };
    painter.text(
        number,
        Align2::CENTER_CENTER,
        decibels(loudest),
        theme::body(),
        color,
    );
    painter.text(label, Align2::CENTER_CENTER, name, theme::body(), theme.dim);
    response
}

/// How much is taken away, hanging from the top.
pub fn reduction(
    ui: &Ui,
    id: Id,
    rect: Rect,
    name: &str,
    now_db: f32,
    held_db: f32,
    theme: &Theme,
) {
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Meter, true, "Reduction");
        info.current_text_value = Some(format!("{held_db:.0} dB"));
        info
    });
    let (number, track, label) = parts(rect);
    let painter = ui.painter();
    let body = Rect::from_min_max(pos2(track.left(), track.top() + 7.0), track.max);
    painter.rect_filled(body, 2, theme.raised);
    let bottom = depth_of(body, now_db);
    if bottom > body.top() + 0.5 {
        painter.rect_filled(
            Rect::from_min_max(body.min, pos2(body.right(), bottom)),
            2,
            theme.removed,
        );
    }
    if held_db > 0.1 {
        painter.hline(
            body.x_range(),
            depth_of(body, held_db).max(body.top() + 1.0),
            (1.5, theme.text),
        );
    }
    let text = if held_db > 0.05 {
        format!("−{held_db:.0}")
    } else {
        "0".into()
    };
    painter.text(
        number,
        Align2::CENTER_CENTER,
        text,
        theme::body(),
        theme.text,
    );
    painter.text(label, Align2::CENTER_CENTER, name, theme::body(), theme.dim);
}

/// The numbers beside meters, and their unit, for a column next to a meter drawn in the same height.
pub fn marks(ui: &Ui, rect: Rect, scale: Scale, theme: &Theme) {
    let (number, track, _) = parts(rect);
    let column = Rect::from_min_max(pos2(track.left(), track.top() + 7.0), track.max);
    let middle = Align2::CENTER_CENTER;
    ui.painter()
        .text(number, middle, "dB", theme::body(), theme.dim);
    let mut free_from = f32::NEG_INFINITY;
    for &db in scale.marks() {
        // The last one ends where the column does.
        let y = scale.place(column, db).min(column.bottom() - 6.0);
        let at = pos2(rect.center().x, y);
        if at.y < free_from {
            continue;
        }
        free_from = at.y + 16.0;
        let text = format!("{:.0}", db.abs());
        ui.painter()
            .text(at, middle, text, theme::body(), theme.dim);
    }
}

/// The number on top, the track, the name beneath.
fn parts(rect: Rect) -> (egui::Pos2, Rect, egui::Pos2) {
    let number = pos2(rect.center().x, rect.top() + 8.0);
    let label = pos2(rect.center().x, rect.bottom() - 8.0);
    let track = Rect::from_min_max(
        pos2(rect.left(), rect.top() + 20.0),
        pos2(rect.right(), rect.bottom() - 20.0),
    );
    (number, track, label)
}

fn height_of(body: Rect, db: f32) -> f32 {
    body.bottom() - body.height() * ((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0)
}

fn depth_of(body: Rect, db: f32) -> f32 {
    body.top() + body.height() * (db / MOST_REDUCTION_DB).clamp(0.0, 1.0)
}

fn decibels(db: f32) -> String {
    if db <= FLOOR_DB {
        return "−∞".into();
    }
    if db < 0.0 {
        format!("−{:.0}", -db)
    } else {
        format!("{db:.0}")
    }
}
