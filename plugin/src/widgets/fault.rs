//! A line that says what is wrong, and what helps.

use egui::accesskit::Role;
use egui::{Id, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::button::Button;
use super::icon::Icon;
use super::one_line;
use crate::fault::Fault;
use crate::panel::theme::{GRID, RADIUS, Theme};

/// Draws it in `rect`, and says whether it was dismissed.
pub fn show(ui: &Ui, rect: Rect, fault: &Fault, theme: &Theme) -> bool {
    ui.painter()
        .rect_filled(rect, RADIUS + 2, Theme::faded(theme.alarm, 0.16));
    let stripe = Rect::from_min_size(rect.min, vec2(4.0, rect.height()));
    ui.painter().rect_filled(stripe, 2, theme.alarm);
    let close = Rect::from_center_size(
        pos2(rect.right() - 2.5 * GRID, rect.center().y),
        vec2(28.0, 28.0),
    );
    let text = format!("{}: {}", fault.what, fault.remedy);
    let left = rect.left() + 2.0 * GRID;
    let line = ui.interact(
        rect.with_max_x(close.left()),
        Id::unique("fault"),
        Sense::hover(),
    );
    line.widget_info(|| WidgetInfo::labeled(Role::Alert, true, &text));
    let lines = [
        (&fault.what, -GRID, theme.text),
        (&fault.remedy, GRID, theme.dim),
    ];
    for (text, down, color) in lines {
        let galley = one_line(ui.painter(), text, close.left() - GRID - left, color);
        let at = pos2(left, rect.center().y + down - galley.size().y / 2.0);
        ui.painter().galley(at, galley, color);
    }
    line.on_hover_text(&text);
    let button = Button::sign(Icon::Close, "Dismiss");
    let id = Id::unique("dismiss");
    button.show(ui, id, close, theme).clicked()
}
