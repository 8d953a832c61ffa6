//! The line of the app beneath the panel: devices, rate, buffer, hearing, recording, a file, MIDI.

mod meter;

use std::path::PathBuf;

use egui::{Align2, Id, Key, Popup, PopupCloseBehavior, Rect, Response, TextEdit, Ui, vec2};

use super::devices::{BUFFERS, INSTRUMENT, INSTRUMENT_NAME, Listed, RATES};
use super::front::Front;
use super::midi::{LEARNABLE, Midi};
use super::record::next_path;
use super::settings::Choice;
use crate::panel::host::{PanelHost, Param};
use crate::panel::theme::{self, GRID, Theme};
use crate::widgets::button::{Button, Look};
use crate::widgets::icon::Icon;

/// Height of the strip, points.
pub const HEIGHT: f32 = 6.0 * GRID;

/// What the chooser of the input is called.
const INPUT: &str = "Input";

/// Widths from which the state of the route is written out, points.
const WIDE: f32 = 900.0;

/// What the strip keeps between frames.
#[derive(Default)]
pub struct Strip {
    /// The path in the field for a file.
    file: String,
    /// MIDI ports, read when the menu opens.
    ports: Vec<String>,
    midi_open: bool,
}

/// Hands out places from the left.
struct Row(Rect);

impl Row {
    fn take(&mut self, width: f32) -> Rect {
        let place = Rect::from_min_size(self.0.min, vec2(width, self.0.height()));
        self.0.min.x += width + GRID / 2.0;
        place
    }
}

impl Strip {
    /// Draws it in `rect` and passes on what is chosen. `input_db` is the level for the test meter.
    pub fn show(
        &mut self,
        ui: &Ui,
        rect: Rect,
        front: &mut Front,
        midi: &mut Midi,
        input_db: f32,
        theme: &Theme,
    ) {
        ui.painter().rect_filled(rect, 0, theme.ground);
        let inner = rect
            .shrink2(vec2(GRID, GRID))
            .translate(vec2(0.0, -GRID / 2.0));
        let wide = rect.width() >= WIDE;
        let mut row = Row(inner);
        let device = if wide { 168.0 } else { 112.0 };
        let mut choice = front.choice().clone();

        let input = row.take(device);
        self.device(
            ui,
            input,
            INPUT,
            &front.devices.inputs,
            &mut choice.input,
            theme,
        );
        meter::show(ui, input, input_db, theme);
        let output = row.take(device);
        self.device(
            ui,
            output,
            "Output",
            &front.devices.outputs,
            &mut choice.output,
            theme,
        );
        numbers(
            ui,
            row.take(72.0),
            "Rate",
            &RATES,
            &mut choice.rate,
            hertz,
            theme,
        );
        numbers(
            ui,
            row.take(72.0),
            "Buffer",
            &BUFFERS,
            &mut choice.buffer,
            |n| n.to_string(),
            theme,
        );
        let monitor = row.take(72.0);
        hearing(ui, monitor, &mut choice, theme);
        record(ui, row.take(4.0 * GRID), front, theme);
        self.file(ui, row.take(4.0 * GRID), front, theme);
        self.midi(ui, row.take(52.0), front, midi, theme);
        front.choose(choice);
        if wide {
            state(ui, row.0, front, theme);
        }
    }

    fn device(
        &self,
        ui: &Ui,
        rect: Rect,
        kind: &str,
        list: &[Listed],
        chosen: &mut Option<String>,
        theme: &Theme,
    ) {
        let named = |wanted: &str| list.iter().find(|d| d.id == wanted || d.name == wanted);
        let text = match chosen.as_deref() {
            None => format!("{kind}: system"),
            Some(INSTRUMENT) => INSTRUMENT_NAME.into(),
            Some(wanted) => named(wanted).map_or_else(|| wanted.to_owned(), |d| d.name.clone()),
        };
        let label = format!("{kind} device: {text}");
        let button = Button::menu(&text, &label).show(ui, Id::unique(kind), rect, theme);
        Popup::menu(&button).show(|ui| {
            if ui.selectable_label(chosen.is_none(), "System").clicked() {
                *chosen = None;
            }
            for device in list {
                let on = chosen
                    .as_deref()
                    .is_some_and(|c| c == device.id || c == device.name);
                if ui.selectable_label(on, &device.name).clicked() {
                    *chosen = Some(device.id.clone());
                }
            }
            if kind == INPUT {
                ui.separator();
                let on = chosen.as_deref() == Some(INSTRUMENT);
                if ui.selectable_label(on, INSTRUMENT_NAME).clicked() {
                    *chosen = Some(INSTRUMENT.into());
                }
            }
        });
    }

    fn file(&mut self, ui: &Ui, rect: Rect, front: &mut Front, theme: &Theme) {
        let playing = front.playing.is_some();
        let (icon, label, look) = if playing {
            (Icon::Stop, "Stop the file, back to the input", Look::On)
        } else {
            (Icon::Play, "Listen to a file cleaned", Look::Raised)
        };
        let button = Button::sign(icon, label)
            .look(look)
            .show(ui, Id::unique("file"), rect, theme);
        if playing {
            if button.clicked() {
                front.play(None);
            }
            return;
        }
        let entered = field(&button, |ui| {
            ui.label("A sound file; it can be dropped on the window too");
            let field = ui.add(
                TextEdit::singleline(&mut self.file)
                    .hint_text("Path")
                    .desired_width(280.0),
            );
            let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            entered || ui.button("Play").clicked()
        });
        if entered && !self.file.trim().is_empty() {
            front.play(Some(PathBuf::from(self.file.trim())));
            Popup::close_all(ui.ctx());
        }
    }

    fn midi(&mut self, ui: &Ui, rect: Rect, front: &mut Front, midi: &mut Midi, theme: &Theme) {
        let look = if midi.learning().is_some() {
            Look::On
        } else {
            Look::Raised
        };
        let button = Button::word("MIDI", "MIDI controllers").look(look).show(
            ui,
            Id::unique("midi"),
            rect,
            theme,
        );
        let mut fault = None;
        let shown = Popup::menu(&button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| {
                if !self.midi_open {
                    self.ports = Midi::ports();
                }
                if self.ports.is_empty() {
                    ui.weak("No MIDI port is there");
                }
                for port in &self.ports {
                    if ui
                        .selectable_label(midi.port() == Some(port), port)
                        .clicked()
                    {
                        fault = midi.connect(port).err();
                    }
                }
                ui.separator();
                let knobs = front.desk.knobs();
                for (i, param) in LEARNABLE.into_iter().enumerate() {
                    let learning = midi.learning() == Some(i);
                    let knob = Param::KNOBS.iter().position(|&knob| knob == param);
                    let own = knob.and_then(|knob| knobs.get(knob));
                    let name = own.map_or(param.label(), |knob| &knob.name);
                    let text = match midi.controller(i) {
                        _ if learning => format!("{name}: move a controller"),
                        Some(c) => format!(
                            "{name}: controller {} on channel {}",
                            c.number,
                            c.channel + 1
                        ),
                        None => format!("{name}: learn"),
                    };
                    if ui.selectable_label(learning, text).clicked() {
                        midi.learn((!learning).then_some(i));
                    }
                }
            });
        self.midi_open = shown.is_some();
        if let Some(fault) = fault {
            front.desk.report(fault);
        }
    }
}

/// A popup that stays while one types in it.
fn field(button: &Response, content: impl FnOnce(&mut Ui) -> bool) -> bool {
    Popup::menu(button)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .show(content)
        .is_some_and(|shown| shown.inner)
}

fn numbers(
    ui: &Ui,
    rect: Rect,
    kind: &str,
    offered: &[u32],
    chosen: &mut Option<u32>,
    text: impl Fn(u32) -> String,
    theme: &Theme,
) {
    let now = chosen.map_or_else(|| kind.to_owned(), &text);
    let label = format!(
        "{kind}: {}",
        chosen.map_or_else(|| "automatic".into(), &text)
    );
    let button = Button::menu(&now, &label).show(ui, Id::unique(kind), rect, theme);
    Popup::menu(&button).show(|ui| {
        if ui.selectable_label(chosen.is_none(), "Automatic").clicked() {
            *chosen = None;
        }
        for &number in offered {
            if ui
                .selectable_label(*chosen == Some(number), text(number))
                .clicked()
            {
                *chosen = Some(number);
            }
        }
    });
}

fn hearing(ui: &Ui, rect: Rect, choice: &mut Choice, theme: &Theme) {
    let (label, look) = if choice.monitor {
        ("The cleaned input is heard: press to mute it", Look::On)
    } else {
        (
            "Hear the cleaned input; wear headphones, or it howls",
            Look::Raised,
        )
    };
    if Button::word("Monitor", label)
        .look(look)
        .show(ui, Id::unique("monitor"), rect, theme)
        .clicked()
    {
        choice.monitor = !choice.monitor;
    }
}

fn record(ui: &Ui, rect: Rect, front: &mut Front, theme: &Theme) {
    let recording = front.recording.clone();
    let (icon, look) = match recording {
        Some(_) => (Icon::Stop, Look::Alarm),
        None => (Icon::Record, Look::Raised),
    };
    let label = recording.as_ref().map_or_else(
        || "Record the output".into(),
        |path| format!("Recording to {}: press to end", path.display()),
    );
    let button = Button::sign(icon, &label)
        .look(look)
        .enabled(front.route.is_some());
    if button.show(ui, Id::unique("record"), rect, theme).clicked() {
        front.record(match recording {
            Some(_) => None,
            None => Some(next_path(&recordings())),
        });
    }
}

/// `Music/Statewave` in the person's own folder, or the folder the app was started in.
fn recordings() -> PathBuf {
    let home = std::env::var_os(if cfg!(windows) { "USERPROFILE" } else { "HOME" });
    home.map(|home| PathBuf::from(home).join("Music").join("Statewave"))
        .unwrap_or_default()
}

/// What waits between the devices, the difference of their clocks, gaps; the rates when pointed at.
fn state(ui: &Ui, rect: Rect, front: &Front, theme: &Theme) {
    let Some(route) = &front.route else {
        let text = "no sound runs";
        ui.painter().text(
            rect.right_center(),
            Align2::RIGHT_CENTER,
            text,
            theme::body(),
            theme.dim,
        );
        return;
    };
    let (empty, full) = route.gaps();
    let (held, drift) = (route.held_ms(), route.drift_ppm());
    let text = match front.playing {
        // A file waits for us: what is held says nothing.
        Some(_) => "playing a file".into(),
        None => format!("{held:.0} ms held · {drift:+} ppm · {} gaps", empty + full),
    };
    let galley = crate::widgets::one_line(ui.painter(), &text, rect.width() - GRID, theme.dim);
    let place = Align2::RIGHT_CENTER.anchor_size(rect.right_center(), galley.size());
    ui.painter().galley(place.min, galley, theme.dim);
    let (from, to) = route.rates;
    let whole = format!(
        "{} at {} to {} at {}: {held:.1} ms held between them, the input's clock {drift:+} ppm fast; \
         ran empty {empty} times, too full {full} times",
        route.input,
        hertz(from),
        route.output,
        hertz(to)
    );
    let response = ui.interact(rect, Id::unique("state"), egui::Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &whole));
    response.on_hover_text(&whole);
}

fn hertz(rate: u32) -> String {
    format!("{} kHz", f64::from(rate) / 1000.0)
}
