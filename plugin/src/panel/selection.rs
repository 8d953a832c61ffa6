//! What the layers of a model take in and what they hold: Δ of each band, or channel, beside what is usual for it.

use egui::{Align2, Rect, Ui, pos2, vec2};
use statewave::telemetry::{DELTA_BANDS, DELTA_LAYERS, Deltas};

use super::Panel;
use super::pictures::describe;
use super::scope::{COLUMNS, RATE_HZ};
use super::theme::{self, GRID, Theme};
use crate::widgets::one_line;
use crate::widgets::waterfall::Waterfall;

/// The selection view of a denoiser in a sentence or two.
const OF_BANDS: &str = "How far each band of each Mamba layer steps on (its Δ), beside what is usual for it.\n\
     Coloured: it takes in what sounds now. Blank: it holds what has been. Freeze and memory time are in it.";

/// That of a model which runs over samples.
const OF_CHANNELS: &str = "How far the channels of each selective layer step on (their Δ), beside what is usual for them.\n\
     Coloured: they take in what sounds now. Blank: they hold what has been. Freeze and memory time are in it.";

/// That of the instrument.
pub(crate) const OF_HEADS: &str = "How far the heads of each Mamba layer step on (their Δ) in the newest note, beside what is usual for them.\n\
     Coloured: they take in what they are told now. Blank: they hold what has been. Freeze and memory time are in it.";

/// That of a model without it.
const OF_NOTHING: &str =
    "Nothing is selected: every layer of this model takes in each moment as any other.";

/// Over which time the steps of a band count as usual, seconds.
const USUAL_SECONDS: f32 = 3.0;

/// Time constant of a band's step as it is drawn, seconds.
const STEP_SECONDS: f32 = 0.05;

/// From the usual step to the darkest and the brightest, octaves.
const STEP_OCTAVES: f32 = 0.6;

/// The smallest step beneath the usual one that is told from none, octaves: below it all is as dark, and comes back as fast.
const LEAST_OCTAVES: f32 = 2.0;

/// A band's step Δ, in octaves: now, and as it usually is.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    now: f32,
    usual: f32,
    seen: f32,
}

impl Step {
    /// Where the step is beside the usual one: 0 holds the past, 255 takes in the present.
    ///
    /// What is usual is the model's own step; `pace` is the factor that `delta` was taken at.
    fn place(&mut self, delta: f32, pace: f32) -> u8 {
        self.seen = (self.seen + 1.0).min(USUAL_SECONDS * RATE_HZ);
        if pace > 0.0 {
            let own = (delta / pace).max(1e-9).log2();
            self.usual += (own - self.usual) / self.seen;
        }
        // No step at all is drawn as far below the usual one as can be seen.
        let octaves = delta.max(1e-9).log2().max(self.usual - LEAST_OCTAVES);
        // Single frames jitter; what lasts as long as a syllable is to be seen.
        self.now += (octaves - self.now) / self.seen.min(STEP_SECONDS * RATE_HZ);
        let off = (self.now - self.usual) / STEP_OCTAVES;
        (127.5 + 127.5 * off).clamp(0.0, 255.0) as u8
    }
}

/// The selection view's picture.
pub(crate) struct Selection {
    /// Band over time, a layer beneath the other.
    picture: Waterfall,
    steps: [[Step; DELTA_BANDS]; DELTA_LAYERS],
    /// Layers that select, and the factor on Δ; of what was shown last, if anything was.
    last: Option<(usize, f32)>,
    /// The frame that was shown last.
    frame: u64,
}

impl Selection {
    /// Nothing heard yet.
    pub(crate) fn new(theme: &Theme) -> Self {
        let rows = DELTA_LAYERS * DELTA_BANDS;
        Self {
            picture: Waterfall::new("selection", rows, COLUMNS, palette(theme)),
            steps: Default::default(),
            last: None,
            frame: 0,
        }
    }

    pub(crate) fn set_theme(&mut self, theme: &Theme) {
        self.picture.set_palette(palette(theme));
    }

    /// Takes in what a frame of that number took, at that pace, the last one of a column or not: [`RATE_HZ`] of them a second.
    pub(crate) fn take(&mut self, delta: &Deltas, pace: f32, frame: u64, is_column: bool) {
        if self.last.map(|(layers, _)| layers) != Some(delta.layers) || frame <= self.frame {
            // Of another stream, which has a usual step of its own.
            self.steps = Default::default();
        }
        (self.last, self.frame) = (Some((delta.layers, pace)), frame);
        let frozen = pace == 0.0;
        let mut places = [[128; DELTA_BANDS]; DELTA_LAYERS];
        for ((layer, steps), places) in delta.values.iter().zip(&mut self.steps).zip(&mut places) {
            for ((&delta, step), place) in layer.iter().zip(steps).zip(places) {
                if delta > 0.0 || frozen {
                    *place = step.place(delta, pace);
                }
            }
        }
        if is_column {
            self.picture.push(|row| {
                let (layer, row) = (row / DELTA_BANDS, row % DELTA_BANDS);
                [places[layer][DELTA_BANDS - 1 - row], 0]
            });
        }
    }

    /// Draws it on a card; `about` says what of, if there is anything.
    pub(crate) fn show(&mut self, ui: &Ui, rect: Rect, about: &str, theme: &Theme) {
        let last = self.last;
        let about = match last {
            Some((0, _)) => OF_NOTHING,
            _ => about,
        };
        describe(ui, "selection", rect, about);
        let inner = rect.shrink(GRID);
        let title = pos2(inner.left(), inner.top() + GRID);
        ui.painter().text(
            title,
            Align2::LEFT_CENTER,
            "Selection",
            theme::body(),
            theme.text,
        );
        let note = pos2(inner.right(), title.y);
        let (layers, pace) = last.unwrap_or((0, 1.0));
        let plain = |text: &str| text.to_owned();
        // The second where there is no room for the first.
        let texts = match pace {
            1.0 if layers == 0 => [plain(""), plain("")],
            1.0 => [
                plain("coloured takes in the present, blank holds the past"),
                plain("coloured: present, blank: past"),
            ],
            0.0 => [plain("frozen: nothing is taken in"), plain("frozen")],
            pace => [
                format!("Δ × {pace:.2}: time runs as fast for the states"),
                format!("Δ × {pace:.2}"),
            ],
        };
        let width = inner.width() - 80.0;
        let [long, short] = texts.map(|text| one_line(ui.painter(), &text, width, theme.dim));
        let galley = if long.elided { short } else { long };
        let place = Align2::RIGHT_CENTER.anchor_size(note, galley.size());
        ui.painter().galley(place.min, galley, theme.dim);
        let plot = Rect::from_min_max(pos2(inner.left(), inner.top() + 2.5 * GRID), inner.max);
        if layers == 0 {
            let text = match last {
                Some(_) => "nothing is selected: its layers take in each moment as any other",
                None => "shown while sound flows",
            };
            ui.painter().text(
                plot.center(),
                Align2::CENTER_CENTER,
                text,
                theme::body(),
                theme.dim,
            );
            return;
        }
        let gap = 3.0;
        let height = (plot.height() - gap * (layers as f32 - 1.0)) / layers as f32;
        for layer in 0..layers {
            let top = plot.top() + layer as f32 * (height + gap);
            let number = pos2(plot.left(), top + height / 2.0);
            let name = (layer + 1).to_string();
            ui.painter()
                .text(number, Align2::LEFT_CENTER, name, theme::body(), theme.dim);
            let strip = Rect::from_min_size(
                pos2(plot.left() + 2.0 * GRID, top),
                vec2(plot.width() - 2.0 * GRID, height),
            );
            let first = layer * DELTA_BANDS;
            let rows = first..first + DELTA_BANDS;
            self.picture.show(ui, strip, rows);
        }
    }
}

impl Panel {
    /// What the layers take in and what they hold, which is of bands or of channels.
    pub(super) fn selection(&mut self, ui: &Ui, rect: Rect, of_bands: bool) {
        self.card(ui, rect);
        let about = if of_bands { OF_BANDS } else { OF_CHANNELS };
        let theme = self.theme;
        self.scope.selection.show(ui, rect, about, &theme);
    }
}

/// The ground for holding, the accent for taking in.
fn palette(theme: &Theme) -> Vec<egui::Color32> {
    (0..1 << 16)
        .map(|k| {
            let place = (k >> 8) as f32 / 255.0;
            theme.card.lerp_to_gamma(theme.accent, place.powf(2.0))
        })
        .collect()
}
