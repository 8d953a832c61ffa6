//! The top line: presets, comparison, undo, what sounds, MPE, shade; where the effect's panel has them.

use egui::{Align2, Rect, Ui};

use super::InstrumentPanel;
use crate::instrument::seated::Seated;
use crate::instrument::shown::Shown;
use crate::panel::header::{Line, SIGN, brand, other_shade};
use crate::panel::theme::{self, GRID, Theme};

/// From this width on there is room for the plugin's name beside that of a preset, points.
const NAMED: f32 = 880.0;

/// What pressing the button does while it is off, and while it is on.
const MPE: [&str; 2] = [
    "Press for MPE: a channel a note, each with its own bend and pressure",
    "MPE: a channel a note; press for one instrument on all channels",
];

impl InstrumentPanel {
    pub(super) fn header(&mut self, ui: &Ui, seated: &mut Seated, shown: &Shown, rect: Rect) {
        let wide = rect.width() >= NAMED;
        let mut line = Line(rect);
        let place = line.left(if wide { 276.0 } else { 28.0 });
        brand(
            ui,
            place,
            wide.then_some("Statewave Instrument"),
            &self.theme,
        );
        // Places are taken from both ends, but drawn from left to right: that is the order of the Tab key.
        let shade = line.right(SIGN);
        let mpe = line.right(6.0 * GRID);
        let sounding = line.right(8.0 * GRID);
        let (redo, undo) = (line.right(SIGN), line.right(SIGN));
        line.0.max.x -= GRID;
        let (copy, b, a) = (line.right(52.0), line.right(SIGN), line.right(SIGN));
        line.0.max.x -= GRID;
        let theme = self.theme;
        let editing = &mut self.editing;
        let previous = line.left(SIGN - GRID);
        let width = (line.0.width() - SIGN).clamp(72.0, 220.0);
        let (presets, next) = (line.left(width), line.left(SIGN - GRID));
        editing.neighbours(ui, seated, previous, true, &theme);
        editing.presets(ui, seated, presets, &theme);
        editing.neighbours(ui, seated, next, false, &theme);
        editing.comparison(ui, seated, [a, b, copy], &theme);
        editing.steps(ui, seated, [undo, redo], &theme);
        let text = match shown.sounding() {
            0 => "no note".to_owned(),
            1 => "1 note".to_owned(),
            n => format!("{n} notes"),
        };
        let at = sounding.center();
        ui.painter()
            .text(at, Align2::CENTER_CENTER, text, theme::body(), theme.dim);
        let param = &seated.params.mpe;
        self.toggle(ui, seated, param, "MPE", MPE, mpe);
        if let Some(shade) = other_shade(ui, shade, &self.theme) {
            self.theme = Theme::of(shade);
            self.selection.set_theme(&self.theme);
            self.dressed = false;
        }
    }
}
