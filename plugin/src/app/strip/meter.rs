//! The test meter: the level of the input along the lower edge of its chooser, for eyes and for screen readers.

use egui::{Id, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::panel::theme::{GRID, Theme};
use crate::widgets::level::FLOOR_DB;

/// Its height, points: what is free below the chooser's text.
const HEIGHT: f32 = GRID / 2.0;

/// From this level on it warns, dB.
const LOUD_DB: f32 = -0.1;

/// Draws it on the chooser at `rect`.
pub(super) fn show(ui: &Ui, rect: Rect, db: f32, theme: &Theme) {
    let line = Rect::from_min_max(
        pos2(rect.left() + 4.0, rect.bottom() - 2.0 - HEIGHT),
        rect.max - vec2(4.0, 2.0),
    );
    let said = match db > FLOOR_DB {
        true => format!("{db:.0} dB"),
        false => format!("below {FLOOR_DB:.0} dB"),
    };
    let response = ui.interact(line, Id::unique("input meter"), Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Meter, true, "Input level");
        info.current_text_value = Some(said.clone());
        info
    });
    let share = ((db - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0);
    let color = if db >= LOUD_DB {
        theme.alarm
    } else {
        theme.accent
    };
    ui.painter().rect_filled(line, 1, theme.line);
    let lit = Rect::from_min_size(line.min, vec2(line.width() * share, line.height()));
    ui.painter().rect_filled(lit, 1, color);
}

#[cfg(test)]
mod tests {
    use egui::{Context, RawInput};

    use super::*;
    use crate::panel::theme::Shade;

    #[test]
    fn it_is_named_with_its_level_and_tall_enough_to_be_seen() {
        let ctx = Context::default();
        ctx.enable_accesskit();
        let chooser = Rect::from_min_size(pos2(10.0, 10.0), vec2(168.0, 32.0));
        let drawn = |db: f32| {
            let theme = Theme::of(Shade::Dark);
            let mut output = ctx.run_ui(RawInput::default(), |ui| show(ui, chooser, db, &theme));
            // There is no screen that wants textures.
            output.textures_delta.clear();
            let update = output.platform_output.accesskit_update;
            let nodes = update.expect("there is a tree").nodes;
            let mut meters = nodes.into_iter().filter(|(_, n)| n.role() == Role::Meter);
            let (_, meter) = meters.next().expect("there is a meter");
            let bounds = meter.bounds().expect("it has a place");
            assert!(bounds.y1 - bounds.y0 >= 4.0, "{bounds:?}");
            assert_eq!(meter.label(), Some("Input level"));
            meter.value().map(str::to_owned)
        };
        drawn(0.0);
        assert_eq!(drawn(-12.3).as_deref(), Some("-12 dB"));
        assert_eq!(drawn(FLOOR_DB).as_deref(), Some("below -60 dB"));
    }
}
