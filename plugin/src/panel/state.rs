//! What is done to the state: stopped, slowed, kept in slots, put back.

use egui::{Align2, Id, Rect, Ui, pos2, vec2};
use statewave::state::SLOTS;

use super::Panel;
use super::host::{PanelHost, Param};
use super::theme::{self, GRID};
use crate::widgets::button::{Button, Look};
use crate::widgets::gesture::Edit;

/// Widths of the columns, in shares, and of the gaps between them.
const COLUMNS: [f32; 7] = [8.0, 8.0, 15.0, 11.5, 11.5, 8.0, 13.0];
const GAP: f32 = 1.5;

/// Radius of the dot on a slot that keeps something, points.
const DOT: f32 = 3.0;

impl Panel {
    /// Freeze and memory time; slots to keep the state in; two of them, what lies between, and whether it is put back.
    pub(super) fn state(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) {
        self.card(ui, rect);
        let inner = rect.shrink(GRID);
        let gaps = GAP * (COLUMNS.len() - 1) as f32;
        let unit = inner.width() / (COLUMNS.iter().sum::<f32>() + gaps);
        let mut left = inner.left();
        let [freeze, memory, keep, from, to, morph, switches] = COLUMNS.map(|share| {
            let corner = pos2(left, inner.top());
            left += (share + GAP) * unit;
            Rect::from_min_size(corner, vec2(share * unit, inner.height()))
        });
        self.knob(ui, host, Param::Freeze, freeze, false);
        self.knob(ui, host, Param::Memory, memory, false);
        self.slots(ui, host, keep);
        self.switch(ui, host, Param::From, from);
        self.switch(ui, host, Param::To, to);
        self.knob(ui, host, Param::Morph, morph, false);
        let height = (switches.height() - GRID) / 2.0;
        let upper = switches.with_max_y(switches.top() + height);
        let lower = switches.with_min_y(switches.bottom() - height);
        let label = [
            "Press to put the state back to what lies between the slots",
            "The state is what lies between the slots whenever they move; press to let it go",
        ];
        self.toggle(ui, host, Param::Recall, label, upper);
        let label = [
            "Press for the state to begin anew when the transport starts",
            "The state begins anew when the transport starts; press for it not to",
        ];
        self.toggle(ui, host, Param::ResetOnStart, label, lower);
    }

    /// A button a slot; those that keep something have a dot.
    fn slots(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) {
        let title = pos2(rect.left(), rect.top() + GRID);
        let dim = self.theme.dim;
        ui.painter()
            .text(title, Align2::LEFT_CENTER, "Keep in", theme::body(), dim);
        let bar = rect.with_min_y(rect.top() + 2.25 * GRID);
        let width = (bar.width() - GRID / 2.0 * (SLOTS - 1) as f32) / SLOTS as f32;
        let filled = host.slots();
        for slot in 0..SLOTS {
            let left = bar.left() + slot as f32 * (width + GRID / 2.0);
            let place = Rect::from_min_size(pos2(left, bar.top()), vec2(width, bar.height()));
            let number = (slot + 1).to_string();
            let keeps = filled.is_some_and(|filled| filled[slot]);
            let label = if keeps {
                format!("Keep the state in slot {number}, in the place of what is there")
            } else {
                format!("Keep the state in slot {number}")
            };
            let button = Button::word(&number, &label).enabled(filled.is_some());
            let id = Id::unique(("slot", slot));
            if button.show(ui, id, place, &self.theme).clicked() {
                host.keep_state(slot);
            }
            if keeps {
                let at = place.right_top() + vec2(-2.5 * DOT, 2.5 * DOT);
                ui.painter().circle_filled(at, DOT, self.theme.accent);
            }
        }
    }

    /// A switch of two words: what pressing it does while it is off, and while it is on.
    fn toggle(
        &mut self,
        ui: &Ui,
        host: &mut dyn PanelHost,
        param: Param,
        labels: [&str; 2],
        rect: Rect,
    ) {
        let on = host.value(param) >= 0.5;
        let look = if on { Look::On } else { Look::Raised };
        let button = Button::word(param.label(), labels[usize::from(on)]).look(look);
        let id = Id::unique(param.key());
        if button.show(ui, id, rect, &self.theme).clicked() {
            let value = if on { 0.0 } else { 1.0 };
            self.edit(ui, host, param, Edit::step(value));
        }
    }
}
