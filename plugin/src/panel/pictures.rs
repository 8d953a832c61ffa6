//! The pictures in the middle and the meters at the right.

use egui::{Align2, Id, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::theme::{self, GRID, Theme};
use super::{Panel, Picture};
use crate::widgets::button::{Button, Look};
use crate::widgets::level::{self, Scale};
use crate::widgets::spectrum;
use statewave::telemetry::BANDS;

impl Panel {
    /// The spectrum or the spectrogram, with what is removed shaded, if the model is one that removes.
    pub(super) fn picture(&mut self, ui: &Ui, rect: Rect, removes: bool) {
        self.card(ui, rect);
        let inner = rect.shrink(GRID);
        let title = Rect::from_min_size(inner.min, vec2(inner.width(), 3.0 * GRID));
        let axis = Rect::from_min_max(pos2(inner.left(), inner.bottom() - 2.0 * GRID), inner.max);
        let plot = Rect::from_min_max(
            pos2(inner.left(), title.bottom() + GRID),
            pos2(inner.right(), axis.top() - GRID / 2.0),
        );
        let pictures = [
            (Picture::Spectrum, "Spectrum", "Levels now, by frequency"),
            (
                Picture::Spectrogram,
                "Spectrogram",
                "The last seconds, by frequency",
            ),
        ];
        let mut left = title.left();
        for (picture, name, label) in pictures {
            let width = if picture == Picture::Spectrum {
                80.0
            } else {
                100.0
            };
            let place = Rect::from_min_size(pos2(left, title.top()), vec2(width, title.height()));
            let on = self.settings.picture == picture;
            let look = if on { Look::Raised } else { Look::Plain };
            if Button::word(name, label)
                .look(look)
                .show(ui, Id::unique(name), place, &self.theme)
                .clicked()
            {
                self.settings.picture = picture;
            }
            left += width + GRID / 2.0;
        }
        let legend = Rect::from_min_max(pos2(left, title.top()), title.max);
        self.legend(ui, legend, removes);
        let theme = self.theme;
        let about = match (self.settings.picture, removes) {
            (Picture::Spectrum, true) => {
                "Level by frequency: what is kept, and above it what is removed"
            }
            (Picture::Spectrogram, true) => {
                "Frequency over time: what is kept, and what is removed"
            }
            (Picture::Spectrum, false) => "Level by frequency: what is heard, and what comes in",
            (Picture::Spectrogram, false) => "Frequency over time: what is heard",
        };
        describe(ui, "picture", plot, about);
        match self.settings.picture {
            Picture::Spectrum => {
                spectrum::show(
                    ui,
                    plot,
                    &self.scope.input_db,
                    &self.scope.output_db,
                    &theme,
                );
                spectrum::frequencies(ui, axis, &theme);
            }
            Picture::Spectrogram => {
                self.scope.spectrogram.show(ui, plot, 0..BANDS);
                self.pitch_marks(ui, plot);
                let text = "the last 7 seconds";
                ui.painter().text(
                    axis.right_center(),
                    Align2::RIGHT_CENTER,
                    text,
                    theme::body(),
                    theme.dim,
                );
            }
        }
    }

    /// Which colour is what.
    fn legend(&self, ui: &Ui, rect: Rect, removes: bool) {
        if rect.width() < 17.0 * GRID {
            return;
        }
        let theme = &self.theme;
        let mut right = rect.right();
        let painter = ui.painter_at(rect);
        let (grey, colored) = if removes {
            ("removed", "kept")
        } else {
            ("in", "out")
        };
        for (name, color) in [
            (grey, Theme::faded(theme.removed, 0.6)),
            (colored, theme.accent),
        ] {
            let galley = painter.layout_no_wrap(name.into(), theme::body(), theme.dim);
            let left = right - galley.size().x;
            painter.galley(
                pos2(left, rect.center().y - galley.size().y / 2.0),
                galley,
                theme.dim,
            );
            let swatch =
                Rect::from_center_size(pos2(left - 11.0, rect.center().y), vec2(10.0, 10.0));
            painter.rect_filled(swatch, 2, color);
            right = left - 16.0 - 2.0 * GRID;
        }
    }

    /// Frequencies on the spectrogram's upright axis.
    fn pitch_marks(&self, ui: &Ui, plot: Rect) {
        for (hz, text) in [(100.0, "100"), (1_000.0, "1k"), (10_000.0, "10k")] {
            let y = plot.bottom() - plot.height() * spectrum::place(hz);
            let tick = pos2(plot.left(), y);
            ui.painter()
                .line_segment([tick, tick + vec2(6.0, 0.0)], (1.0, self.theme.text));
            let at = tick + vec2(10.0, 0.0);
            ui.painter().text(
                at,
                Align2::LEFT_CENTER,
                text,
                theme::body(),
                self.theme.text,
            );
        }
    }

    /// Input and output, and the reduction of a model that `removes`.
    pub(super) fn meters(&mut self, ui: &Ui, rect: Rect, removes: bool) {
        self.card(ui, rect);
        let inner = rect.shrink(GRID);
        let scale = 2.5 * GRID;
        let width = if removes {
            (inner.width() - scale - 2.0 * 1.5 * GRID) / 3.0
        } else {
            (inner.width() - scale) / 2.0
        };
        let column = |left: f32, width: f32| {
            Rect::from_min_size(pos2(left, inner.top()), vec2(width, inner.height()))
        };
        let theme = self.theme;
        let mut left = inner.left();
        let input = level::level(
            ui,
            Id::unique("in"),
            column(left, width),
            "In",
            self.scope.input(),
            &theme,
        );
        left += width;
        level::marks(ui, column(left, scale), Scale::Levels, &theme);
        left += scale;
        let output = level::level(
            ui,
            Id::unique("out"),
            column(left, width),
            "Out",
            self.scope.output(),
            &theme,
        );
        if removes {
            left += width;
            level::marks(ui, column(left, 3.0 * GRID), Scale::Reduction, &theme);
            left += 3.0 * GRID;
            let (now, held) = self.scope.reduction_db();
            level::reduction(
                ui,
                Id::unique("reduction"),
                column(left, width),
                "Cut",
                now,
                held,
                &theme,
            );
        }
        if input.clicked() || output.clicked() {
            self.scope.forgive();
        }
    }
}

/// Says what a picture shows, to who points at it and to screen readers.
pub(crate) fn describe(ui: &Ui, id: &str, rect: Rect, about: &str) {
    let response = ui.interact(rect, Id::unique(id), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, about));
    response.on_hover_text(about);
}
