//! The app's window: the panel, and the strip beneath it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eframe::{CreationContext, Frame, NativeOptions};
use statewave::model::spec::Task;

use egui::{Rect, Ui, UiBuilder, Vec2, ViewportBuilder, pos2};

use super::front::Front;
use super::midi::Midi;
use super::settings::{Settings, place_of};
use super::states::KeptStates;
use super::strip::{HEIGHT, Strip};
use crate::fault::Fault;
use crate::instrument::hands::Direct;
use crate::instrument::panel::InstrumentPanel;
use crate::loader::may_be_response;
use crate::panel::Panel;
use crate::panel::host::PanelHost;
use crate::panel::layout::LEAST;
use crate::state::KeepsStates;

/// Endings of files that are played rather than taken for models.
const SOUND: [&str; 6] = ["wav", "flac", "mp3", "ogg", "aiff", "m4a"];

/// Settings that changed are written at most so often.
const SAVE: Duration = Duration::from_secs(5);

/// See the module.
pub struct Window {
    front: Front,
    panel: Panel,
    /// In its place while the instrument is played.
    instrument: InstrumentPanel,
    strip: Strip,
    midi: Midi,
    /// As they were written last.
    settings: Settings,
    size: [f32; 2],
    path: Option<PathBuf>,
    /// Of what sound goes through, and of the instrument.
    states: [KeptStates; 2],
    /// The file that is there could not be read and must not be lost.
    keep_old: bool,
    saved: Instant,
}

impl Window {
    /// Opens it and stays in it until it is closed.
    ///
    /// # Errors
    /// When there is no screen, or no graphics to draw with.
    pub fn run(
        front: Front,
        settings: Settings,
        unreadable: bool,
        states: [KeptStates; 2],
    ) -> Result<(), Fault> {
        let options = NativeOptions {
            viewport: ViewportBuilder::default()
                .with_title("Statewave")
                .with_app_id("statewave")
                .with_inner_size(settings.size)
                .with_min_inner_size(LEAST + Vec2::new(0.0, HEIGHT))
                .with_drag_and_drop(true),
            ..NativeOptions::default()
        };
        let create = |_: &CreationContext| {
            let values = std::sync::Arc::clone(&front.desk.values);
            let midi = Midi::new(&settings.midi, values, front.band.clone());
            let window = Self {
                front,
                panel: Panel::new(settings.panel),
                instrument: InstrumentPanel::new(settings.panel.shade),
                strip: Strip::default(),
                midi,
                size: settings.size,
                settings,
                path: Settings::path(),
                states,
                keep_old: unreadable,
                saved: Instant::now(),
            };
            Ok(Box::new(window) as Box<dyn eframe::App>)
        };
        eframe::run_native("statewave", options, Box::new(create)).map_err(|e| Fault {
            what: format!("the window cannot be opened: {e}"),
            remedy: "run it in a graphical session, or with --headless".into(),
        })
    }

    fn save(&mut self) {
        self.save_settings();
        let (loader, slots) = (self.front.desk.loader(), &self.front.band.params.slots);
        let [of_loader, of_slots] = &mut self.states;
        let saved = [
            of_loader.save(loader.bank(), || loader.kept_states()),
            of_slots.save(slots.bank(), || slots.kept_states()),
        ];
        for fault in saved.into_iter().filter_map(Result::err) {
            self.front.desk.report(fault);
        }
    }

    fn save_settings(&mut self) {
        let mut now = self.settings.clone();
        now.choice = self.front.choice().clone();
        now.panel = self.panel.settings();
        now.size = self.size;
        now.midi = self.midi.settings();
        now.instrument = self.front.band.values();
        now.model = place_of(&self.front.desk.choice());
        now.cabinet = self.front.desk.loader().cabinet();
        now.engine = self.front.desk.loader().engine_choice();
        now.remember(&self.front.desk.values);
        if now == self.settings {
            return;
        }
        self.settings = now;
        if let Some(path) = &self.path
            && let Err(error) = self.settings.save(path, self.keep_old)
        {
            eprintln!(
                "error: the settings cannot be written to {}: {error}",
                path.display()
            );
        }
        self.keep_old = false;
    }
}

impl eframe::App for Window {
    fn ui(&mut self, ui: &mut Ui, _: &mut Frame) {
        self.front.pump();
        let plays_effect = self.front.desk.task() == Task::Effect;
        if let Some(file) = dropped_sound(ui, plays_effect) {
            self.front.play(Some(file));
        }
        let area = ui.max_rect();
        let edge = area.bottom() - HEIGHT;
        let above = Rect::from_min_max(area.min, pos2(area.right(), edge));
        let plays = self.front.choice().is_instrument() && self.front.playing.is_none();
        self.front.band.shown.watch(plays);
        let (panel, front, instrument) = (&mut self.panel, &mut self.front, &mut self.instrument);
        ui.scope_builder(UiBuilder::new().max_rect(above), |ui| match plays {
            true => instrument.ui(ui, &front.band.params, &front.band.shown, Some(&Direct)),
            false => panel.ui(ui, &mut front.desk),
        });
        let beneath = Rect::from_min_max(pos2(area.left(), edge), area.max);
        let theme = *self.panel.theme();
        let input = self.panel.input_db();
        self.strip
            .show(ui, beneath, &mut self.front, &mut self.midi, input, &theme);
        self.size = area.size().into();
        if self.saved.elapsed() > SAVE {
            self.saved = Instant::now();
            self.save();
        }
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.save();
    }
}

/// A sound file that was dropped; the panel does not see it. What may be an effect's impulse response is left to the panel.
fn dropped_sound(ui: &Ui, plays_effect: bool) -> Option<PathBuf> {
    let is_sound = |path: &Path| {
        path.extension()
            .is_some_and(|ending| SOUND.iter().any(|s| ending.eq_ignore_ascii_case(s)))
    };
    ui.input_mut(|input| {
        let files = &mut input.raw.dropped_files;
        let for_panel = |path: &Path| plays_effect && may_be_response(path);
        let at = files
            .iter()
            .position(|file| is_sound(file.path()) && !for_panel(file.path()))?;
        Some(files.remove(at).path().to_owned())
    })
}
