//! Where everything is: a header, three columns, a strip of switches, a footer, on a grid of 8 points.

use egui::{Rect, Vec2, pos2, vec2};

use super::theme::GRID;

/// The smallest size at which nothing overlaps, points.
pub const LEAST: Vec2 = vec2(640.0, 420.0);

/// The size of a fresh window, points.
pub const USUAL: Vec2 = vec2(960.0, 600.0);

/// From this width on there is room for names beside signs, points.
const WIDE: f32 = 800.0;

/// From this height on there is room for the selection view and for what is done to the state, points.
pub(crate) const TALL: f32 = 500.0;

/// The places of the panel's parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// There is room for names beside signs.
    pub wide: bool,
    /// Model, comparison, presets, bypass.
    pub header: Rect,
    /// The knobs.
    pub knobs: Rect,
    /// The spectrum or the spectrogram.
    pub picture: Rect,
    /// The selection view, where there is room for it.
    pub selection: Option<Rect>,
    /// The meters.
    pub meters: Rect,
    /// Listen, latency, stereo.
    pub switches: Rect,
    /// What is done to the state, where there is room for it.
    pub state: Option<Rect>,
    /// A fault, if there is one.
    pub fault: Option<Rect>,
    /// Latency ledger and load.
    pub footer: Rect,
}

impl Layout {
    /// Divides `area`. `fault` keeps a line free for one.
    pub fn of(area: Rect, fault: bool) -> Self {
        let wide = area.width() >= WIDE;
        let inner = area.shrink(GRID);
        let row = |top: f32, height: f32| {
            Rect::from_min_size(pos2(inner.left(), top), vec2(inner.width(), height))
        };
        let header = row(inner.top(), 4.0 * GRID);
        let footer = row(inner.bottom() - 5.0 * GRID, 5.0 * GRID);
        let mut bottom = footer.top() - GRID;
        let fault = fault.then(|| {
            let line = row(bottom - 5.0 * GRID, 5.0 * GRID);
            bottom = line.top() - GRID;
            line
        });
        let is_tall = area.height() >= TALL;
        let state = is_tall.then(|| {
            let strip = row(bottom - 10.0 * GRID, 10.0 * GRID);
            bottom = strip.top() - GRID;
            strip
        });
        let switches = row(bottom - 9.0 * GRID, 9.0 * GRID);
        let body = Rect::from_min_max(
            pos2(inner.left(), header.bottom() + GRID),
            pos2(inner.right(), switches.top() - GRID),
        );
        let (left, right) = if wide {
            (27.0 * GRID, 18.0 * GRID)
        } else {
            (21.0 * GRID, 16.0 * GRID)
        };
        let knobs = Rect::from_min_size(body.min, vec2(left, body.height()));
        let meters = Rect::from_min_max(pos2(body.right() - right, body.top()), body.max);
        let middle = Rect::from_min_max(
            pos2(knobs.right() + GRID, body.top()),
            pos2(meters.left() - GRID, body.bottom()),
        );
        let (picture, selection) = if is_tall {
            let share = (middle.height() * 0.34).clamp(14.0 * GRID, 26.0 * GRID);
            let edge = middle.bottom() - share;
            (
                Rect::from_min_max(middle.min, pos2(middle.right(), edge - GRID)),
                Some(Rect::from_min_max(pos2(middle.left(), edge), middle.max)),
            )
        } else {
            (middle, None)
        };
        Self {
            wide,
            header,
            knobs,
            picture,
            selection,
            meters,
            switches,
            state,
            fault,
            footer,
        }
    }
}
