//! The instrument's panel: what plays, how it is played, what its notes remember, and the partials of what sounds.

mod state;

use std::time::{Duration, Instant};

use egui::{Align2, Id, Popup, Rect, Ui, pos2, vec2};
use nice_plug::params::internals::ParamPtr;
use nice_plug::prelude::{IntParam, Param};
use statewave::telemetry::{BANDS, SILENCE_DB};

use super::hands::Hands;
use super::params::InstrumentParams;
use super::shown::Shown;
use crate::panel::header::{brand, other_shade};
use crate::panel::layout::TALL;
use crate::panel::scope::{PER_COLUMN, RATE_HZ};
use crate::panel::selection::{OF_HEADS, Selection};
use crate::panel::theme::{self, GRID, RADIUS, Shade, Theme};
use crate::widgets::button::Button;
use crate::widgets::fault;
use crate::widgets::gesture::Edit;
use crate::widgets::knob::Knob;
use crate::widgets::spectrum;

/// Between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// How fast the picture falls, dB a second.
const FALL_DB: f32 = 60.0;

/// A host sends what was set back with a later block; until then, at most so long, it counts as set.
const PATIENCE: Duration = Duration::from_millis(500);

/// The panel's own state; see the module.
pub struct InstrumentPanel {
    theme: Theme,
    /// egui has been given fonts and colours.
    dressed: bool,
    levels_db: [f32; BANDS],
    selection: Selection,
    /// Looks at Δ so far, and what is due of the next.
    looks: u64,
    due: f32,
    /// What was set last, and when.
    sent: Option<(ParamPtr, f32, Instant)>,
}

/// Whom the panel draws for.
struct Sitting<'a> {
    ui: &'a Ui,
    params: &'a InstrumentParams,
    hands: Option<&'a dyn Hands>,
}

/// How a knob is shown.
struct Dial<'a> {
    id: &'static str,
    label: &'a str,
    big: bool,
    hint: &'a str,
}

impl InstrumentPanel {
    /// A panel in that shade.
    pub fn new(shade: Shade) -> Self {
        let theme = Theme::of(shade);
        Self {
            theme,
            dressed: false,
            levels_db: [SILENCE_DB; BANDS],
            selection: Selection::new(&theme),
            looks: 0,
            due: 0.0,
            sent: None,
        }
    }

    /// Dark or light.
    pub fn shade(&self) -> Shade {
        self.theme.shade
    }

    /// Draws the panel in all of `ui` and passes on what is done to it; without hands, nothing is.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        params: &InstrumentParams,
        shown: &Shown,
        hands: Option<&dyn Hands>,
    ) {
        if !self.dressed {
            theme::install_fonts(ui.ctx());
            self.theme.apply(ui.ctx());
            self.dressed = true;
        }
        let area = ui.max_rect();
        ui.painter().rect_filled(area, 0, self.theme.ground);
        let inner = area.shrink(GRID);
        let header = Rect::from_min_size(inner.min, vec2(inner.width(), 4.0 * GRID));
        let is_tall = area.height() >= TALL;
        let mut bottom = inner.bottom() + GRID;
        let mut strip = |height: f32| {
            let edge = bottom - GRID;
            bottom = edge - height * GRID;
            inner.with_min_y(bottom).with_max_y(edge)
        };
        let state = strip(10.0);
        let knobs = strip(if is_tall { 12.0 } else { 10.0 });
        let fault = params.slots.fault().map(|fault| (fault, strip(5.0)));
        let body = inner
            .with_min_y(header.bottom() + GRID)
            .with_max_y(bottom - GRID);
        let left = body.with_max_x(body.left() + 27.0 * GRID);
        let mut picture = body.with_min_x(left.right() + GRID);
        let sitting = Sitting { ui, params, hands };
        self.header(&sitting, params, shown, header);
        self.morph(&sitting, params, left);
        let due = self.due + RATE_HZ * ui.input(|i| i.stable_dt).min(0.1);
        self.due = due.fract();
        (0..due as u32).for_each(|_| self.listen(shown));
        if is_tall {
            let selection = picture.with_min_y(picture.bottom() - 0.45 * picture.height());
            picture = picture.with_max_y(selection.top() - GRID);
            self.card(ui, selection);
            self.selection.show(ui, selection, OF_HEADS, &self.theme);
        }
        self.picture(ui, shown, picture);
        if let Some((fault, line)) = fault
            && fault::show(ui, line, &fault, &self.theme)
        {
            params.slots.dismiss();
        }
        self.knobs(&sitting, params, knobs);
        self.state(&sitting, params, state);
        ui.ctx().request_repaint_after(FRAME);
    }

    /// Looks at what the notes take in, if any sounds. [`Self::ui`] does it by itself, as often as is due.
    pub fn listen(&mut self, shown: &Shown) {
        if shown.sounding() > 0 {
            self.looks += 1;
            let (deltas, pace) = shown.deltas();
            let is_column = self.looks.is_multiple_of(PER_COLUMN.into());
            self.selection.take(&deltas, pace, self.looks, is_column);
        }
    }

    fn card(&self, ui: &Ui, rect: Rect) {
        ui.painter().rect_filled(rect, RADIUS + 2, self.theme.card);
    }

    fn header(&mut self, sitting: &Sitting, params: &InstrumentParams, shown: &Shown, rect: Rect) {
        let ui = sitting.ui;
        brand(ui, rect, Some("Statewave Instrument"), &self.theme);
        let side = rect.height();
        let shade = Rect::from_min_size(pos2(rect.right() - side, rect.top()), vec2(side, side));
        let mpe = Rect::from_min_size(
            pos2(shade.left() - 8.0 * GRID, rect.top()),
            vec2(7.0 * GRID, side),
        );
        let text = match shown.sounding() {
            0 => "no note".to_owned(),
            1 => "1 note".to_owned(),
            n => format!("{n} notes"),
        };
        let at = mpe.left_center() - vec2(2.0 * GRID, 0.0);
        let color = self.theme.dim;
        ui.painter()
            .text(at, Align2::RIGHT_CENTER, text, theme::body(), color);
        let labels = [
            "Press for MPE: a channel a note, each with its own bend and pressure",
            "MPE: a channel a note; press for one instrument on all channels",
        ];
        self.toggle(sitting, &params.mpe, "MPE", labels, mpe);
        if let Some(shade) = other_shade(ui, shade, &self.theme) {
            self.theme = Theme::of(shade);
            self.selection.set_theme(&self.theme);
            self.dressed = false;
        }
    }

    /// The two instruments and what lies between them.
    fn morph(&mut self, sitting: &Sitting, params: &InstrumentParams, rect: Rect) {
        self.card(sitting.ui, rect);
        let inner = rect.shrink(GRID);
        let row = 4.0 * GRID;
        let top = inner.with_max_y(inner.top() + row);
        let bottom = inner.with_min_y(inner.bottom() - row);
        self.instrument(sitting, &params.a, "a", top);
        let middle = inner
            .with_min_y(top.bottom() + GRID)
            .with_max_y(bottom.top() - GRID);
        self.knob(
            sitting,
            &params.morph,
            "morph",
            middle,
            true,
            "From the first instrument to the second",
        );
        self.instrument(sitting, &params.b, "b", bottom);
    }

    fn instrument(&mut self, sitting: &Sitting, param: &IntParam, id: &'static str, rect: Rect) {
        let value = self.value(sitting, param);
        let text = param.normalized_value_to_string(value, true);
        let label = format!("{}: {text}", param.name());
        let button =
            Button::menu(&text, &label).show(sitting.ui, Id::unique(id), rect, &self.theme);
        let count = param.step_count().map_or(1, |steps| steps + 1);
        let mut chosen = None;
        Popup::menu(&button).show(|ui| {
            for place in 0..count {
                let value = param.preview_normalized(place as i32);
                let name = param.normalized_value_to_string(value, true);
                if ui.selectable_label(name == text, name).clicked() {
                    chosen = Some(value);
                }
            }
        });
        if let Some(value) = chosen {
            self.edit(sitting, param, Edit::step(value));
        }
    }

    fn picture(&mut self, ui: &Ui, shown: &Shown, rect: Rect) {
        self.card(ui, rect);
        let fall = FALL_DB * ui.input(|i| i.stable_dt).min(0.1);
        for (band, level) in self.levels_db.iter_mut().enumerate() {
            let now = 20.0 * shown.band(band).max(1e-8).log10();
            *level = now.max(*level - fall);
        }
        let levels = &self.levels_db;
        spectrum::show(ui, rect.shrink(GRID), levels, levels, &self.theme);
    }

    fn knobs(&mut self, sitting: &Sitting, params: &InstrumentParams, rect: Rect) {
        self.card(sitting.ui, rect);
        let inner = rect.shrink(GRID);
        let width = inner.width() / 7.0;
        let place = |i: usize| {
            let corner = pos2(inner.left() + i as f32 * width, inner.top());
            Rect::from_min_size(corner, vec2(width, inner.height()))
        };
        let p = params;
        self.knob(
            sitting,
            &p.attack,
            "attack",
            place(0),
            false,
            "A rise laid over the instrument's own",
        );
        self.knob(
            sitting,
            &p.release,
            "release",
            place(1),
            false,
            "How long a note may sound once it is let go",
        );
        self.knob(
            sitting,
            &p.brightness,
            "brightness",
            place(2),
            false,
            "Louder or softer from octave to octave",
        );
        self.knob(
            sitting,
            &p.vibrato,
            "vibrato",
            place(3),
            false,
            "How far the mod wheel goes",
        );
        self.knob(
            sitting,
            &p.bend,
            "bend",
            place(4),
            false,
            "How far the pitch wheel goes",
        );
        self.knob(
            sitting,
            &p.width,
            "width",
            place(5),
            false,
            "Low notes to the left, high notes to the right",
        );
        self.knob(
            sitting,
            &p.output_gain,
            "output",
            place(6),
            false,
            "Louder or softer, behind everything else",
        );
    }

    fn knob(
        &mut self,
        sitting: &Sitting,
        param: &impl Param,
        id: &'static str,
        rect: Rect,
        big: bool,
        hint: &str,
    ) {
        let dial = Dial {
            id,
            label: param.name(),
            big,
            hint,
        };
        self.dial(sitting, param, dial, rect);
    }

    fn dial(&mut self, sitting: &Sitting, param: &impl Param, dial: Dial, rect: Rect) {
        let (value, default) = (self.value(sitting, param), param.default_normalized_value());
        let text = param.normalized_value_to_string(value, true);
        // A range with two sides has its middle as it comes, and so has a factor.
        let memory = sitting.params.state.memory.as_ptr();
        let two_sided = (default - 0.5).abs() < 1e-6 || param.as_ptr() == memory;
        let knob = Knob {
            label: dial.label,
            value,
            default,
            origin: if two_sided { default } else { 0.0 },
            text: &text,
            big: dial.big,
            live: true,
            hint: dial.hint,
        };
        let (_, edit) = knob.show(sitting.ui, Id::unique(dial.id), rect, &self.theme);
        self.edit(sitting, param, edit);
    }

    /// The value now, or soon.
    fn value(&self, sitting: &Sitting, param: &impl Param) -> f32 {
        if let Some(value) = sitting.params.unheard.get(param.as_ptr()) {
            return value;
        }
        match self.sent {
            Some((sent, value, at)) if sent == param.as_ptr() && at.elapsed() < PATIENCE => value,
            _ => param.unmodulated_normalized_value(),
        }
    }

    fn edit<P: Param>(&mut self, sitting: &Sitting, param: &P, edit: Edit) {
        let Some(hands) = sitting.hands else { return };
        let typed = edit
            .typed
            .as_ref()
            .and_then(|text| param.string_to_normalized_value(&text.trim().replace(',', ".")));
        let edit = typed.map_or(edit, Edit::step);
        let pointer = param.as_ptr();
        // SAFETY: the parameter is borrowed here, and what is not heard of it is a field of the same parameters.
        unsafe {
            if edit.began {
                hands.begin(pointer);
            }
            if let Some(value) = edit.value {
                let value = param.preview_normalized(param.preview_plain(value));
                self.sent = Some((pointer, value, Instant::now()));
                sitting.params.unheard.note(sitting.params, pointer, value);
                hands.set(pointer, value);
            }
            if edit.ended {
                hands.end(pointer);
            }
        }
    }
}
