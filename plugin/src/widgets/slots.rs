//! The row of slots that keep a state.

use egui::{Id, Rect, Ui, pos2, vec2};
use statewave::state::SLOTS;

use super::button::Button;
use super::titled;
use crate::panel::theme::{GRID, Theme};

/// Radius of the dot on a slot that keeps something, points.
const DOT: f32 = 3.0;

/// Draws a button a slot under a title, those that keep something with a dot, and gives the one that was pressed. `what` is what
/// they keep; without knowing which are filled, none can be pressed.
pub fn show(
    ui: &Ui,
    rect: Rect,
    what: &str,
    filled: Option<[bool; SLOTS]>,
    theme: &Theme,
) -> Option<usize> {
    let bar = titled(ui, rect, "Keep in", theme);
    let width = (bar.width() - GRID / 2.0 * (SLOTS - 1) as f32) / SLOTS as f32;
    let mut pressed = None;
    for slot in 0..SLOTS {
        let left = bar.left() + slot as f32 * (width + GRID / 2.0);
        let place = Rect::from_min_size(pos2(left, bar.top()), vec2(width, bar.height()));
        let number = (slot + 1).to_string();
        let keeps = filled.is_some_and(|filled| filled[slot]);
        let label = if keeps {
            format!("Keep {what} in slot {number}, in the place of what is there")
        } else {
            format!("Keep {what} in slot {number}")
        };
        let button = Button::word(&number, &label).enabled(filled.is_some());
        let id = Id::unique(("slot", slot));
        if button.show(ui, id, place, theme).clicked() {
            pressed = Some(slot);
        }
        if keeps {
            let at = place.right_top() + vec2(-2.5 * DOT, 2.5 * DOT);
            ui.painter().circle_filled(at, DOT, theme.accent);
        }
    }
    pressed
}
