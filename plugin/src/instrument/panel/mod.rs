//! The instrument's panel: what plays, how it is played, what its notes remember, and the partials of what sounds. Undo, A and B,
//! presets and the meter are those of the effect's panel.

mod header;
mod state;

use std::time::Duration;

use egui::{Id, Popup, Rect, Ui, pos2, vec2};
use nice_plug::prelude::{IntParam, Param};
use statewave::telemetry::{BANDS, SILENCE_DB};

use super::hands::Hands;
use super::params::InstrumentParams;
use super::seated::{Doing, Place, Seated};
use super::shown::Shown;
use crate::panel::Memory;
use crate::panel::controls::KNOB_HANDS;
use crate::panel::editing::Editing;
use crate::panel::host::choice_value;
use crate::panel::layout::TALL;
use crate::panel::levels::Levels;
use crate::panel::patch::Patch as _;
use crate::panel::pictures::describe;
use crate::panel::presets::{Shelf, Side};
use crate::panel::scope::{PER_COLUMN, RATE_HZ};
use crate::panel::selection::{OF_HEADS, Selection};
use crate::panel::theme::{self, GRID, RADIUS, Shade, Theme};
use crate::widgets::button::Button;
use crate::widgets::gesture::Edit;
use crate::widgets::knob::Knob;
use crate::widgets::level::{self, Scale};
use crate::widgets::{fault, spectrum};

/// Between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// How fast the picture falls, dB a second.
const FALL_DB: f32 = 60.0;

/// Height of the chooser of an instrument, and the least between two for a large knob, points.
const CHOICE: f32 = 4.0 * GRID;
const ROOM: f32 = 10.0 * GRID;

/// The panel's own state; see the module.
pub struct InstrumentPanel {
    theme: Theme,
    /// egui has been given fonts and colours.
    dressed: bool,
    levels_db: [f32; BANDS],
    output: Levels,
    selection: Selection,
    /// Looks at what sounds so far, and what is due of the next.
    looks: u64,
    due: f32,
    editing: Editing<Place>,
    doing: Doing,
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
            output: Levels::default(),
            selection: Selection::new(&theme),
            looks: 0,
            due: 0.0,
            editing: Editing::new(Side::Instrument),
            doing: Doing::default(),
        }
    }

    /// Keeps the person's own presets there, rather than where the system keeps settings.
    pub fn set_shelf(&mut self, shelf: Shelf) {
        self.editing.set_shelf(shelf);
    }

    /// Dark or light.
    pub fn shade(&self) -> Shade {
        self.theme.shade
    }

    /// Goes on where another panel on the same values was closed.
    pub fn recall(&mut self, memory: Memory<Place>) {
        self.editing.recall(memory);
    }

    /// What the next panel on the same values is to go on with. A gesture that is under way ends.
    pub fn leave(&mut self, params: &InstrumentParams, hands: Option<&dyn Hands>) -> Memory<Place> {
        Seated::new(params, hands, &mut self.doing).rise();
        self.editing.leave()
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
        let due = self.due + RATE_HZ * ui.input(|i| i.stable_dt).min(0.1);
        self.due = due.fract();
        (0..due as u32).for_each(|_| self.listen(shown));
        let mut doing = std::mem::take(&mut self.doing);
        let mut seated = Seated::new(params, hands, &mut doing);
        self.editing.shortcuts(ui, &mut seated);
        self.draw(ui, &mut seated, shown);
        self.doing = doing;
        ui.ctx().request_repaint_after(FRAME);
    }

    fn draw(&mut self, ui: &Ui, seated: &mut Seated, shown: &Shown) {
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
        let fault = seated.fault().map(|fault| (fault, strip(5.0)));
        let body = inner
            .with_min_y(header.bottom() + GRID)
            .with_max_y(bottom - GRID);
        let left = body.with_max_x(body.left() + 27.0 * GRID);
        let meter = body.with_min_x(body.right() - 9.0 * GRID);
        let mut picture = body
            .with_min_x(left.right() + GRID)
            .with_max_x(meter.left() - GRID);
        self.header(ui, seated, shown, header);
        self.morph(ui, seated, left);
        if is_tall {
            let selection = picture.with_min_y(picture.bottom() - 0.45 * picture.height());
            picture = picture.with_max_y(selection.top() - GRID);
            self.card(ui, selection);
            self.selection.show(ui, selection, OF_HEADS, &self.theme);
        }
        self.picture(ui, shown, picture);
        self.meter(ui, meter);
        if let Some((fault, line)) = fault
            && fault::show(ui, line, &fault, &self.theme)
        {
            seated.dismiss();
        }
        self.knobs(ui, seated, knobs);
        self.state(ui, seated, state);
    }

    /// Looks at what sounds, and at what the notes take in if any does. [`Self::ui`] does it by itself, as often as is due.
    pub fn listen(&mut self, shown: &Shown) {
        self.output.follow(shown.peaks());
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

    /// The two instruments and what lies between them: beside them, where there is no room.
    fn morph(&mut self, ui: &Ui, seated: &mut Seated, rect: Rect) {
        self.card(ui, rect);
        let inner = rect.shrink(GRID);
        let big = inner.height() >= 2.0 * CHOICE + ROOM;
        let names = if big {
            inner
        } else {
            inner.with_max_x(inner.right() - 9.0 * GRID)
        };
        let top = names.with_max_y(inner.top() + CHOICE);
        let bottom = names.with_min_y(inner.bottom() - CHOICE);
        let between = if big {
            inner
                .with_min_y(top.bottom() + GRID)
                .with_max_y(bottom.top() - GRID)
        } else {
            inner.with_min_x(names.right() + GRID)
        };
        let params = seated.params;
        self.instrument(ui, seated, &params.a, "a", top);
        let morph = Dial {
            id: "morph",
            label: params.morph.name(),
            big,
            hint: "From the first instrument to the second",
        };
        self.dial(ui, seated, &params.morph, morph, between);
        self.instrument(ui, seated, &params.b, "b", bottom);
    }

    fn instrument(
        &mut self,
        ui: &Ui,
        seated: &mut Seated,
        param: &IntParam,
        id: &'static str,
        rect: Rect,
    ) {
        let Some(place) = seated.place(param) else {
            return;
        };
        let text = seated.text(place, seated.value(place));
        let label = format!("{}: {text}", param.name());
        let button = Button::menu(&text, &label).show(ui, Id::unique(id), rect, &self.theme);
        let count = seated.handle(place).choices();
        let mut chosen = None;
        Popup::menu(&button).show(|ui| {
            for i in 0..count {
                let value = choice_value(i, count);
                let name = seated.text(place, value);
                if ui.selectable_label(name == text, name).clicked() {
                    chosen = Some(value);
                }
            }
        });
        if let Some(value) = chosen {
            self.editing.edit(ui, seated, place, Edit::step(value));
        }
    }

    fn picture(&mut self, ui: &Ui, shown: &Shown, rect: Rect) {
        self.card(ui, rect);
        let fall = FALL_DB * ui.input(|i| i.stable_dt).min(0.1);
        for (band, level) in self.levels_db.iter_mut().enumerate() {
            let now = 20.0 * shown.band(band).max(1e-8).log10();
            *level = now.max(*level - fall);
        }
        let (levels, plot) = (&self.levels_db, rect.shrink(GRID));
        let about = "Level by frequency: the partials of the notes that sound";
        describe(ui, "picture", plot, about);
        spectrum::show(ui, plot, levels, levels, &self.theme);
    }

    /// What goes out.
    fn meter(&mut self, ui: &Ui, rect: Rect) {
        self.card(ui, rect);
        let inner = rect.shrink(GRID);
        let edge = inner.left() + 3.0 * GRID;
        level::marks(ui, inner.with_max_x(edge), Scale::Levels, &self.theme);
        let (id, bars) = (Id::unique("out"), inner.with_min_x(edge));
        if level::level(ui, id, bars, "Out", &self.output, &self.theme).clicked() {
            self.output.forgive();
        }
    }

    fn knobs(&mut self, ui: &Ui, seated: &mut Seated, rect: Rect) {
        self.card(ui, rect);
        let inner = rect.shrink(GRID);
        let size = vec2(inner.width() / 7.0, inner.height());
        let mut left = inner.left();
        let mut next = || {
            let place = Rect::from_min_size(pos2(left, inner.top()), size);
            left += size.x;
            place
        };
        let p = seated.params;
        let hint = "A rise laid over the instrument's own";
        self.small(ui, seated, &p.attack, "attack", hint, next());
        let hint = "How long a note may sound once it is let go";
        self.small(ui, seated, &p.release, "release", hint, next());
        let hint = "Louder or softer from octave to octave";
        self.small(ui, seated, &p.brightness, "brightness", hint, next());
        let hint = "How far the mod wheel goes";
        self.small(ui, seated, &p.vibrato, "vibrato", hint, next());
        let hint = "How far the pitch wheel goes";
        self.small(ui, seated, &p.bend, "bend", hint, next());
        let hint = "Low notes to the left, high notes to the right";
        self.small(ui, seated, &p.width, "width", hint, next());
        let hint = "Louder or softer, behind everything else";
        self.small(ui, seated, &p.output_gain, "output", hint, next());
    }

    fn small(
        &mut self,
        ui: &Ui,
        seated: &mut Seated,
        param: &impl Param,
        id: &'static str,
        hint: &str,
        rect: Rect,
    ) {
        let dial = Dial {
            id,
            label: param.name(),
            big: false,
            hint,
        };
        self.dial(ui, seated, param, dial, rect);
    }

    fn dial(&mut self, ui: &Ui, seated: &mut Seated, param: &impl Param, dial: Dial, rect: Rect) {
        let Some(place) = seated.place(param) else {
            return;
        };
        let (value, default) = (seated.value(place), seated.default_value(place));
        let text = seated.text(place, value);
        // A range with two sides has its middle as it comes, and so has a factor.
        let memory = seated.params.state.memory.as_ptr();
        let two_sided = (default - 0.5).abs() < 1e-6 || param.as_ptr() == memory;
        let knob = Knob {
            label: dial.label,
            value,
            default,
            origin: if two_sided { default } else { 0.0 },
            text: &text,
            big: dial.big,
            live: true,
            hint: &format!("{}\n{KNOB_HANDS}", dial.hint),
        };
        let (_, edit) = knob.show(ui, Id::unique(dial.id), rect, &self.theme);
        self.editing.edit(ui, seated, place, edit);
    }
}
