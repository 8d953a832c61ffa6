//! The knobs at the left and the switches beneath.

use egui::{Align2, Id, Rect, Ui, pos2, vec2};

use super::Panel;
use super::host::{PanelHost, Param, choice_index, choice_value};
use super::theme::{self, GRID};
use crate::widgets::gesture::Edit;
use crate::widgets::knob::Knob;
use crate::widgets::segments::{self, Segment};

/// What can be done to every knob.
const KNOB_HANDS: &str =
    "Drag or turn the wheel, finer with Ctrl; a double click resets, a right click types";

/// Below this height the small knobs go beside the large one, points.
const SHORT: f32 = 27.0 * GRID;

impl Panel {
    /// Amount, large; mix and output beneath it.
    pub(super) fn knobs(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) {
        self.card(ui, rect);
        let inner = rect.shrink(GRID);
        let small = [Param::Mix, Param::OutputGain];
        if inner.height() < SHORT {
            // Side by side, where there is no room beneath.
            let size = vec2(7.5 * GRID, (inner.height() - GRID) / 2.0);
            let edge = inner.right() - size.x;
            self.knob(ui, host, Param::Amount, inner.with_max_x(edge), true);
            for (i, param) in small.into_iter().enumerate() {
                let corner = pos2(edge, inner.top() + i as f32 * (size.y + GRID));
                self.knob(ui, host, param, Rect::from_min_size(corner, size), false);
            }
            return;
        }
        let height = (inner.height() * 0.34).clamp(9.5 * GRID, 14.0 * GRID);
        let edge = inner.bottom() - height;
        self.knob(ui, host, Param::Amount, inner.with_max_y(edge - GRID), true);
        let size = vec2((inner.width() - GRID) / 2.0, height);
        for (i, param) in small.into_iter().enumerate() {
            let corner = pos2(inner.left() + i as f32 * (size.x + GRID), edge);
            self.knob(ui, host, param, Rect::from_min_size(corner, size), false);
        }
    }

    fn knob(&mut self, ui: &Ui, host: &mut dyn PanelHost, param: Param, rect: Rect, big: bool) {
        let (value, default) = (host.value(param), host.list().default_value(param));
        let text = host.list().text(param, value);
        let knob = Knob {
            label: param.label(),
            value,
            default,
            origin: if param == Param::OutputGain {
                default
            } else {
                0.0
            },
            text: &text,
            big,
            live: host.value(Param::Bypass) < 0.5,
            hint: &format!("{}\n{KNOB_HANDS}", knob_hint(param)),
        };
        let (_, edit) = knob.show(ui, Id::unique(param.key()), rect, &self.theme);
        self.edit(ui, host, param, edit);
    }

    /// What is heard, how late, and how channels are treated.
    pub(super) fn switches(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) {
        self.card(ui, rect);
        let inner = rect.shrink(GRID);
        let width = (inner.width() - 2.0 * 2.0 * GRID) / 3.0;
        let groups = [Param::Listen, Param::LatencyMode, Param::Stereo];
        for (i, param) in groups.into_iter().enumerate() {
            let left = inner.left() + i as f32 * (width + 2.0 * GRID);
            let corner = pos2(left, inner.top());
            let column = Rect::from_min_size(corner, vec2(width, inner.height()));
            self.switch(ui, host, param, column);
        }
    }

    fn switch(&mut self, ui: &Ui, host: &mut dyn PanelHost, param: Param, rect: Rect) {
        let title = pos2(rect.left(), rect.top() + GRID);
        let painter = ui.painter();
        painter.text(
            title,
            Align2::LEFT_CENTER,
            param.label(),
            theme::body(),
            self.theme.dim,
        );
        let count = host.list().choices(param);
        let notes: Vec<String> = (0..count).map(|i| note(host, param, i)).collect();
        let texts: Vec<String> = (0..count)
            .map(|i| host.list().text(param, choice_value(i, count)))
            .collect();
        let segments: Vec<Segment> = texts
            .iter()
            .zip(&notes)
            .enumerate()
            .map(|(i, (text, note))| Segment {
                text,
                note,
                hint: hint(param, i),
            })
            .collect();
        let bar = Rect::from_min_max(pos2(rect.left(), rect.top() + 2.25 * GRID), rect.max);
        let chosen = choice_index(host.value(param), count);
        let id = Id::unique(param.key());
        let label = param.label();
        if let Some(i) = segments::show(ui, id, bar, label, &segments, chosen, &self.theme) {
            self.edit(ui, host, param, Edit::step(choice_value(i, count)));
        }
    }
}

/// The second line of a choice.
fn note(host: &dyn PanelHost, param: Param, choice: usize) -> String {
    if param != Param::LatencyMode {
        return String::new();
    }
    host.mode_ms(choice).map_or_else(
        || "–".into(),
        |ms| {
            let digits = if ms < 9.95 && ms > 0.0 { 1 } else { 0 };
            format!("{ms:.digits$} ms")
        },
    )
}

/// What a knob does, in a sentence.
fn knob_hint(param: Param) -> &'static str {
    match param {
        Param::Amount => "The most by which noise is turned down",
        Param::Mix => "How much of the cleaned sound is heard beside the input",
        Param::OutputGain => "Louder or softer, behind everything else",
        _ => "",
    }
}

/// What a choice does, in a sentence.
fn hint(param: Param, choice: usize) -> &'static str {
    match (param, choice) {
        (Param::Listen, 0) => "The cleaned signal",
        (Param::Listen, 1) => "Only what is taken away",
        (Param::Listen, 2) => "The input as it came, in time with the output",
        (Param::LatencyMode, 0) => "Nothing is delayed: cleans a little less well",
        (Param::LatencyMode, 1) => "The model's own delay, which the host makes up for",
        (Param::Stereo, 0) => {
            "Both channels are cleaned by the same amount: the image stands still"
        }
        (Param::Stereo, 1) => "Each channel for itself",
        (Param::Stereo, 2) => "Middle and sides, each for itself",
        _ => "",
    }
}
