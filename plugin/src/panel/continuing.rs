//! Sound that goes on by itself, on the panel: the switch, how it is drawn, and how often it was taken back.

use egui::{Align2, Id, Rect, Ui, pos2, vec2};

use super::Panel;
use super::host::{PanelHost, Param};
use super::theme::GRID;
use crate::widgets::button::{Button, Look};
use crate::widgets::gesture::Edit;
use crate::widgets::one_line;

/// Below this height the knobs are in two rows of three, points.
const SHORT: f32 = 36.0 * GRID;

/// What is drawn from, how, and what is heard of it.
const KNOBS: [Param; 6] = [
    Param::Temperature,
    Param::TopP,
    Param::Density,
    Param::Seed,
    Param::Mix,
    Param::OutputGain,
];

impl Panel {
    /// The switch, and the knobs beneath it.
    pub(super) fn continuing(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) {
        let switched = host.value(Param::GoOn) >= 0.5;
        let goes_on = switched || self.scope.last.is_some_and(|last| last.goes_on);
        let height = (0.18 * rect.height()).clamp(4.0 * GRID, 8.0 * GRID);
        let switch = rect.with_max_y(rect.top() + height);
        let (text, label) = match (goes_on, switched) {
            (false, _) => ("Go on", "Listening: press to let it go on by itself"),
            (true, true) => ("Going on", "Going on by itself: press to listen again"),
            (true, false) => ("Going on", "A note is held: it goes on until that ends"),
        };
        let look = if goes_on { Look::On } else { Look::Raised };
        let button = Button::word(text, label).look(look);
        let id = Id::unique(Param::GoOn.key());
        if button.show(ui, id, switch, &self.theme).clicked() {
            let value = if switched { 0.0 } else { 1.0 };
            self.editing.edit(ui, host, Param::GoOn, Edit::step(value));
        }
        let grid = rect.with_min_y(switch.bottom() + GRID);
        let (rows, columns) = if rect.height() < SHORT {
            (2, 3)
        } else {
            (3, 2)
        };
        let cell = vec2(
            (grid.width() - GRID * (columns - 1) as f32) / columns as f32,
            (grid.height() - GRID * (rows - 1) as f32) / rows as f32,
        );
        for (i, param) in KNOBS.into_iter().enumerate() {
            let corner =
                vec2((i % columns) as f32, (i / columns) as f32) * (cell + vec2(GRID, GRID));
            let place = Rect::from_min_size(grid.min + corner, cell);
            self.knob(ui, host, param, place, false);
        }
    }

    /// What it does, and how often it was taken back to where it began.
    pub(super) fn wandering(&self, ui: &Ui, rect: Rect) {
        let last = self.scope.last.as_ref();
        let goes_on = last.is_some_and(|last| last.goes_on);
        let restarts = last.map_or(0, |last| last.stats.restarts);
        let now = if goes_on {
            "Going on from what it heard; it does not hear the input now."
        } else {
            "Listening; the switch or a held MIDI note lets it go on."
        };
        let times = if restarts == 1 {
            "once".into()
        } else {
            format!("{restarts} times")
        };
        let back = format!("Taken back {times} (silence, blow-up or loop)");
        let theme = &self.theme;
        for (text, at, color) in [
            (now, rect.top() + 0.3 * rect.height(), theme.text),
            (&back, rect.top() + 0.7 * rect.height(), theme.dim),
        ] {
            let galley = one_line(ui.painter(), text, rect.width(), color);
            let place = Align2::LEFT_CENTER.anchor_size(pos2(rect.left(), at), galley.size());
            ui.painter().galley(place.min, galley, color);
        }
    }
}
