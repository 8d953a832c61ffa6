//! The knobs at the left and the switches beneath.

use egui::{Id, Rect, Ui, pos2, vec2};
use statewave::model::spec::Task;

use super::Panel;
use super::host::{PanelHost, Param, choice_index, choice_value};
use super::theme::GRID;
use crate::widgets::gesture::Edit;
use crate::widgets::knob::Knob;
use crate::widgets::segments::{self, Segment};
use crate::widgets::titled;

/// What can be done to every knob.
pub(crate) const KNOB_HANDS: &str =
    "Drag or turn the wheel, finer with Ctrl; a double click resets, a right click types";

/// Below this height the small knobs go beside the large one, points.
const SHORT: f32 = 27.0 * GRID;

impl Panel {
    /// What the task is about, large; mix, output and what else there is beneath it.
    pub(super) fn knobs(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) {
        self.card(ui, rect);
        let inner = rect.shrink(GRID);
        match host.task() {
            Task::Continue => self.continuing(ui, host, inner),
            Task::Effect => {
                let small = [Param::InputGain, Param::Gate, Param::Mix, Param::OutputGain];
                let height = (inner.height() * 0.24).clamp(7.5 * GRID, 11.0 * GRID);
                let edge = self.small_knobs(ui, host, inner, &small, height);
                self.device(ui, host, inner.with_max_y(edge - GRID));
            }
            Task::Denoise | Task::Generate | Task::Sequence => self.amount(ui, host, inner),
        }
    }

    /// Amount, large; mix and output beneath it.
    fn amount(&mut self, ui: &Ui, host: &mut dyn PanelHost, inner: Rect) {
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
        let large = inner.with_max_y(inner.bottom() - height - GRID);
        self.knob(ui, host, Param::Amount, large, true);
        self.small_knobs(ui, host, inner, &small, height);
    }

    /// Knobs in rows of two at the bottom, each row of that height; gives where they begin.
    fn small_knobs(
        &mut self,
        ui: &Ui,
        host: &mut dyn PanelHost,
        inner: Rect,
        params: &[Param],
        height: f32,
    ) -> f32 {
        let rows = params.len().div_ceil(2) as f32;
        let top = inner.bottom() - rows * height - (rows - 1.0) * GRID;
        let size = vec2((inner.width() - GRID) / 2.0, height);
        for (i, param) in params.iter().enumerate() {
            let cell = vec2((i % 2) as f32, (i / 2) as f32) * (size + vec2(GRID, GRID));
            let place = Rect::from_min_size(pos2(inner.left(), top) + cell, size);
            self.knob(ui, host, *param, place, false);
        }
        top
    }

    pub(super) fn knob(
        &mut self,
        ui: &Ui,
        host: &mut dyn PanelHost,
        param: Param,
        rect: Rect,
        big: bool,
    ) {
        let (value, default) = (host.value(param), host.list().default_value(param));
        let label = match param {
            Param::Temperature if rect.width() < 9.0 * GRID => "Temp.",
            _ => param.label(),
        };
        let text = host.list().text(param, value);
        let knob = Knob {
            label,
            value,
            default,
            origin: match param {
                Param::OutputGain | Param::InputGain | Param::Memory => default,
                _ => 0.0,
            },
            text: &text,
            big,
            live: host.value(Param::Bypass) < 0.5,
            hint: &format!("{}\n{KNOB_HANDS}", knob_hint(host.task(), param)),
        };
        let (_, edit) = knob.show(ui, Id::unique(param.key()), rect, &self.theme);
        self.editing.edit(ui, host, param, edit);
    }

    /// What is heard, and what else can be switched: how late it is, how channels are treated; or what belongs to the task.
    pub(super) fn switches(&mut self, ui: &Ui, host: &mut dyn PanelHost, rect: Rect) {
        self.card(ui, rect);
        let inner = rect.shrink(GRID);
        let width = (inner.width() - 2.0 * 2.0 * GRID) / 3.0;
        let column = |i: usize| {
            let left = inner.left() + i as f32 * (width + 2.0 * GRID);
            Rect::from_min_size(pos2(left, inner.top()), vec2(width, inner.height()))
        };
        self.switch(ui, host, Param::Listen, column(0));
        match host.task() {
            Task::Effect => self.cabinet(ui, host, column(1).union(column(2))),
            Task::Continue => self.wandering(ui, column(1).union(column(2))),
            Task::Denoise | Task::Generate | Task::Sequence => {
                self.switch(ui, host, Param::LatencyMode, column(1));
                self.switch(ui, host, Param::Stereo, column(2));
            }
        }
    }

    pub(super) fn switch(&mut self, ui: &Ui, host: &mut dyn PanelHost, param: Param, rect: Rect) {
        let bar = titled(ui, rect, param.label(), &self.theme);
        let (count, task) = (host.list().choices(param), host.task());
        let notes: Vec<String> = (0..count).map(|i| note(host, param, i)).collect();
        let texts: Vec<String> = (0..count)
            .map(|i| match (param, i) {
                // Nothing is removed by other models.
                (Param::Listen, 1) if task != Task::Denoise => "Change".into(),
                _ => host.list().text(param, choice_value(i, count)),
            })
            .collect();
        let segments: Vec<Segment> = texts
            .iter()
            .zip(&notes)
            .enumerate()
            .map(|(i, (text, note))| Segment {
                text,
                note,
                hint: hint(task, param, i),
            })
            .collect();
        let chosen = choice_index(host.value(param), count);
        let id = Id::unique(param.key());
        let label = param.label();
        if let Some(i) = segments::show(ui, id, bar, label, &segments, chosen, &self.theme) {
            self.editing
                .edit(ui, host, param, Edit::step(choice_value(i, count)));
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
fn knob_hint(task: Task, param: Param) -> &'static str {
    match param {
        Param::Amount => "The most by which noise is turned down",
        Param::Mix => match task {
            Task::Effect => "How much of the device is heard beside the input",
            Task::Continue => "How much of what it makes is heard while it goes on",
            _ => "How much of the cleaned sound is heard beside the input",
        },
        Param::OutputGain => "Louder or softer, behind everything else",
        Param::InputGain => {
            "How hard the device is driven: 0 dB if you come in as loud as it was learnt"
        }
        Param::Gate => "Below this level of the input, nothing reaches the device",
        Param::Temperature => "0 takes the likeliest sample each time, 1 draws as was learnt",
        Param::TopP => {
            "Only the likeliest samples that have this share of the probability are drawn"
        }
        Param::Density => {
            "Onsets to aim for: all the way down as in what was heard, then from few to many"
        }
        Param::Seed => "Where random numbers begin: the same seed and input make the same sound",
        Param::Freeze => "How far what it remembers is kept from changing: all the way up it stays",
        Param::Memory => "How long it remembers: a factor on all of its time constants",
        Param::Morph => "Where between the two slots its state is, while recall is on",
        _ => "",
    }
}

/// What a choice does, in a sentence.
fn hint(task: Task, param: Param, choice: usize) -> &'static str {
    match (param, choice) {
        (Param::Listen, 0) if task != Task::Denoise => "What it makes, as mix says",
        (Param::Listen, 1) if task != Task::Denoise => "What differs from the input",
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
        (Param::From, _) => "The slot at the lower end of the morph",
        (Param::To, _) => "The slot at the upper end of the morph",
        _ => "",
    }
}
