//! What is done to the state: stopped, slowed, kept in slots, put back.

use egui::{Id, Rect, Ui, pos2, vec2};

use super::Panel;
use super::host::{PanelHost, Param};
use super::theme::GRID;
use crate::widgets::button::Button;
use crate::widgets::gesture::Edit;
use crate::widgets::slots;

/// Widths of the columns, in shares, and of the gaps between them.
const COLUMNS: [f32; 7] = [8.0, 8.0, 15.0, 11.5, 11.5, 8.0, 13.0];
const GAP: f32 = 1.5;

/// The last column has the longest words, which need so much, points.
const WORDS: f32 = 13.5 * GRID;

/// What pressing the switches does while they are off, and while they are on.
pub(crate) const RECALL: [&str; 2] = [
    "Press to put the state back to what lies between the slots",
    "The state is what lies between the slots whenever they move; press to let it go",
];
pub(crate) const RESET_ON_START: [&str; 2] = [
    "Press for the state to begin anew when the transport starts",
    "The state begins anew when the transport starts; press for it not to",
];

/// What the slots keep.
pub(crate) const KEPT: &str = "the state";

/// The places in a strip, from the left: freeze, memory time, the slots, from, to, morph; and the two switches, recall above.
pub(crate) fn places(strip: Rect) -> ([Rect; 6], [Rect; 2]) {
    let inner = strip.shrink(GRID);
    let last = COLUMNS[COLUMNS.len() - 1];
    let shares = COLUMNS.iter().sum::<f32>() + GAP * (COLUMNS.len() - 1) as f32;
    let words = (inner.width() * last / shares).max(WORDS);
    let unit = (inner.width() - words) / (shares - last);
    let mut left = inner.left();
    let [freeze, memory, keep, from, to, morph, _] = COLUMNS.map(|share| {
        let corner = pos2(left, inner.top());
        left += (share + GAP) * unit;
        Rect::from_min_size(corner, vec2(share * unit, inner.height()))
    });
    let switches = inner.with_min_x(inner.right() - words);
    let height = (switches.height() - GRID) / 2.0;
    let halves = [
        switches.with_max_y(switches.top() + height),
        switches.with_min_y(switches.bottom() - height),
    ];
    ([freeze, memory, keep, from, to, morph], halves)
}

impl Panel {
    /// Freeze and memory time; slots to keep the state in; two of them, what lies between, and whether it is put back.
    pub(super) fn state(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) {
        self.card(ui, rect);
        let ([freeze, memory, keep, from, to, morph], [recall, reset]) = places(rect);
        self.knob(ui, host, Param::Freeze, freeze, false);
        self.knob(ui, host, Param::Memory, memory, false);
        if let Some(slot) = slots::show(ui, keep, KEPT, host.slots(), &self.theme) {
            host.keep_state(slot);
        }
        self.switch(ui, host, Param::From, from);
        self.switch(ui, host, Param::To, to);
        self.knob(ui, host, Param::Morph, morph, false);
        self.toggle(ui, host, Param::Recall, RECALL, recall);
        self.toggle(ui, host, Param::ResetOnStart, RESET_ON_START, reset);
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
        let button = Button::toggle(param.label(), labels, on);
        let id = Id::unique(param.key());
        if button.show(ui, id, rect, &self.theme).clicked() {
            let value = if on { 0.0 } else { 1.0 };
            self.editing.edit(ui, host, param, Edit::step(value));
        }
    }
}
