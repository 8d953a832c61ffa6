//! The latency ledger, the engine and the load; above them, if something is wrong, what and what helps.

use egui::{Align2, Id, Rect, Sense, Ui, WidgetInfo, pos2, vec2};
use statewave::latency::Latency;

use super::Panel;
use super::host::PanelHost;
use super::layout::Layout;
use super::theme::{self, GRID, Theme};
use crate::engine::not_audio;
use crate::widgets::{fault, one_line};

impl Panel {
    /// How late, why, and what it costs.
    pub(super) fn footer(&mut self, ui: &Ui, host: &mut dyn PanelHost, layout: &Layout) {
        let rect = layout.footer;
        self.card(ui, rect);
        let inner = rect.shrink2(vec2(1.5 * GRID, GRID));
        let right = self.load(ui, host, inner);
        let Some(latency) = host.latency() else {
            let text = "no sound runs";
            ui.painter().text(
                inner.left_center(),
                Align2::LEFT_CENTER,
                text,
                theme::body(),
                self.theme.dim,
            );
            return;
        };
        let painter = ui.painter();
        let total = format!("{:.2} ms", latency.total_ms());
        let drawn = painter.text(
            inner.left_center(),
            Align2::LEFT_CENTER,
            total,
            theme::large(),
            self.theme.text,
        );
        let mut left = drawn.right() + GRID;
        if layout.wide {
            let text = format!("{} samples", latency.total());
            let at = pos2(left, inner.center().y + 2.0);
            left = painter
                .text(at, Align2::LEFT_CENTER, text, theme::body(), self.theme.dim)
                .right();
        }
        let bar = Rect::from_min_max(
            pos2(left + 2.0 * GRID, inner.top()),
            pos2(right - 3.0 * GRID, inner.bottom()),
        );
        self.ledger(ui, bar, &latency);
    }

    /// The entries: room for their names where it reaches, and more the longer they last.
    fn ledger(&self, ui: &Ui, rect: Rect, latency: &Latency) {
        let response = ui.interact(rect, Id::unique("ledger"), Sense::hover());
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(egui::Role::Label, true, "Latency");
            info.current_text_value = Some(latency.to_string());
            info
        });
        let milliseconds =
            |samples: usize| samples as f64 * 1000.0 / f64::from(latency.sample_rate);
        let entries: Vec<_> = latency
            .entries()
            .into_iter()
            .filter(|&(_, samples)| samples > 0)
            .collect();
        let galley = |&(name, samples): &(&str, usize)| {
            let text = format!("{name} {:.1}", milliseconds(samples));
            one_line(ui.painter(), &text, f32::INFINITY, self.theme.text)
        };
        let galleys: Vec<_> = entries.iter().map(galley).collect();
        let total = latency.total().max(1) as f32;
        let gap = 2.0;
        let room = rect.width() - gap * (entries.len().max(1) as f32 - 1.0);
        let named: f32 = galleys.iter().map(|galley| galley.size().x + 8.0).sum();
        let fits = named <= room;
        let mut left = rect.left();
        for (i, (&(_, samples), galley)) in entries.iter().zip(galleys).enumerate() {
            let share = samples as f32 / total;
            let width = if fits {
                galley.size().x + 8.0 + (room - named) * share
            } else {
                room * share
            };
            let part = Rect::from_min_size(pos2(left, rect.top()), vec2(width, rect.height()));
            let shade = Theme::faded(self.theme.accent, 0.34 - 0.08 * i.min(3) as f32);
            ui.painter().rect_filled(part, 3, shade);
            if galley.size().x + 8.0 <= width + 0.5 {
                let place = Align2::CENTER_CENTER.anchor_size(part.center(), galley.size());
                ui.painter().galley(place.min, galley, self.theme.text);
            }
            left += width + gap;
        }
        response.on_hover_ui(|ui| {
            for (name, samples) in entries {
                let ms = milliseconds(samples);
                ui.label(format!("{name}: {samples} samples, {ms:.2} ms"));
            }
        });
    }

    /// Draws at the right and gives where it begins.
    fn load(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) -> f32 {
        let last = self.scope.last.as_ref();
        let stats = last.map(|last| last.stats).unwrap_or_default();
        let (slow, taken_over) = last.map_or((0, 0), |last| (last.missed, last.engine.taken_over));
        let missed = slow + stats.late + stats.lost + taken_over;
        let no_audio = not_audio(&stats);
        let color = if missed > 0 || no_audio.is_some() {
            self.theme.alarm
        } else {
            self.theme.dim
        };
        let text = match &no_audio {
            Some(_) => format!("{} no audio, {missed} missed", stats.non_finite),
            None => format!("{missed} missed"),
        };
        let painter = ui.painter();
        let at = rect.right_center();
        let drawn = painter.text(at, Align2::RIGHT_CENTER, text, theme::body(), color);
        let mut said = format!(
            "{slow} blocks took longer than they last; {} frames late, {} lost, taken over {taken_over} times",
            stats.late, stats.lost
        );
        if let Some(no_audio) = &no_audio {
            said = format!("{said}\n{no_audio}");
        }
        let response = ui.interact(drawn.expand(4.0), Id::unique("missed"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &said));
        response.on_hover_text(&said);
        let at = pos2(drawn.left() - 2.0 * GRID, rect.center().y);
        self.engine(ui, host, at).left()
    }

    /// What is wrong, and what helps.
    pub(super) fn fault(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) {
        let fault = host.fault();
        if fault.is_some_and(|fault| fault::show(ui, rect, fault, &self.theme)) {
            host.dismiss();
        }
    }
}
