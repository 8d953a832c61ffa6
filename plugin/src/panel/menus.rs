//! The menu of presets, and files dropped on the panel.

use std::path::PathBuf;

use statewave::model::spec::Task;

use egui::{Align2, Key, Popup, PopupCloseBehavior, Rect, Response, StrokeKind, TextEdit, Ui};

use super::Panel;
use super::dialog::Dialog;
use super::host::{Fault, PanelHost};
use super::presets::{Preset, PresetError, Shelf, factory};
use super::theme::{self, RADIUS, Theme};

/// What the menu keeps between frames.
pub(super) struct Menus {
    factory: Vec<Preset>,
    shelf: Shelf,
    /// Names of the person's own, read when the menu opens.
    own: Vec<String>,
    open: bool,
    /// The preset that was chosen or saved last.
    current: Option<Preset>,
    /// The name in the field for saving.
    name: String,
    /// There is a preset of that name: replacing it must be said.
    exists: bool,
    /// The paths in the fields for a model's file and for an impulse response.
    file: String,
    cabinet: String,
    /// The system's dialog for either.
    pub(super) dialog: Dialog,
}

impl Default for Menus {
    fn default() -> Self {
        Self {
            factory: factory(),
            shelf: Shelf::of_user(),
            own: Vec::new(),
            open: false,
            current: None,
            name: String::new(),
            exists: false,
            file: String::new(),
            cabinet: String::new(),
            dialog: Dialog::default(),
        }
    }
}

/// What was picked in the menu.
enum Picked {
    Factory(usize),
    Own(String),
    Save { replace: bool },
}

impl Menus {
    pub(super) fn preset(&self) -> Option<&Preset> {
        self.current.as_ref()
    }

    /// A field for the path of a model's file; gives it when it is to be opened.
    pub(super) fn model_file(&mut self, ui: &mut Ui) -> Option<PathBuf> {
        path_field(ui, &mut self.file, "Path of a model file")
    }

    /// The same of an impulse response.
    pub(super) fn cabinet_file(&mut self, ui: &mut Ui) -> Option<PathBuf> {
        path_field(ui, &mut self.cabinet, "Path of a WAV file")
    }

    pub(super) fn set_preset(&mut self, preset: Option<Preset>) {
        self.current = preset;
    }

    /// Presets of the house that are for `task`, and all of one's own.
    fn show(&mut self, ui: &mut Ui, task: Task) -> Option<Picked> {
        let mut picked = None;
        ui.set_min_width(200.0);
        let is_current = |name: &str| self.current.as_ref().is_some_and(|p| p.name == name);
        let fit = |(_, preset): &(usize, &Preset)| preset.task == task;
        for (i, preset) in self.factory.iter().enumerate().filter(fit) {
            let row = ui.selectable_label(is_current(&preset.name), &preset.name);
            if row.on_hover_text(&preset.about).clicked() {
                picked = Some(Picked::Factory(i));
            }
        }
        if !self.own.is_empty() {
            ui.separator();
        }
        for name in &self.own {
            if ui.selectable_label(is_current(name), name).clicked() {
                picked = Some(Picked::Own(name.clone()));
            }
        }
        ui.separator();
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut self.name)
                .hint_text("Name")
                .desired_width(112.0);
            let field = ui.add(field);
            if field.changed() {
                self.exists = false;
            }
            let text = if self.exists { "Replace" } else { "Save" };
            let entered =
                field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter)) && !self.exists;
            if ui.button(text).clicked() || entered {
                picked = Some(Picked::Save {
                    replace: self.exists,
                });
            }
        });
        if self.exists {
            ui.weak("There is a preset of that name");
        }
        if let Some(folder) = self.shelf.folder() {
            ui.weak(format!("Your own are in {}", folder.display()));
        }
        picked
    }
}

fn path_field(ui: &mut Ui, text: &mut String, hint: &str) -> Option<PathBuf> {
    let opened = ui.horizontal(|ui| {
        let field = TextEdit::singleline(text)
            .hint_text(hint)
            .desired_width(240.0);
        let field = ui.add(field);
        let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        entered || ui.button("Open").clicked()
    });
    // Quotes come along where a path was copied from a file manager.
    let path = text.trim().trim_matches(['"', '\'']);
    let path = (opened.inner && !path.is_empty()).then(|| PathBuf::from(path))?;
    ui.close();
    Some(path)
}

impl Panel {
    pub(super) fn preset_menu(&mut self, ui: &Ui, host: &mut dyn PanelHost, button: &Response) {
        let shown = Popup::menu(button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| {
                if !self.menus.open {
                    self.menus.own = self.menus.shelf.names();
                    self.menus.exists = false;
                }
                self.menus.show(ui, host.task())
            });
        self.menus.open = shown.is_some();
        let Some(picked) = shown.and_then(|shown| shown.inner) else {
            return;
        };
        let done = match picked {
            Picked::Factory(i) => {
                let preset = self.menus.factory[i].clone();
                self.set_preset(host, &preset);
                Ok(())
            }
            Picked::Own(name) => self
                .menus
                .shelf
                .load(&name)
                .map(|preset| self.set_preset(host, &preset)),
            Picked::Save { replace } => {
                let preset = Preset::of(host, &self.menus.name);
                let saved = self.menus.shelf.save(&preset, replace);
                if saved.is_ok() {
                    self.menus.current = Some(preset);
                }
                saved
            }
        };
        match done {
            Ok(()) => Popup::close_all(ui.ctx()),
            Err(PresetError::Exists) => self.menus.exists = true,
            Err(error) => host.report(Fault::from(error)),
        }
    }

    fn set_preset(&mut self, host: &mut dyn PanelHost, preset: &Preset) {
        self.step(host, |_, host| preset.apply(host));
        self.menus.current = Some(preset.clone());
    }

    /// Plays a model or an impulse response that is dropped, and says so while a file is held over the panel.
    pub(super) fn drop_file(&mut self, ui: &Ui, host: &mut dyn PanelHost, area: Rect) {
        let (held, dropped) = ui.input(|i| {
            let dropped = i
                .raw
                .dropped_files
                .first()
                .map(|file| file.path().to_owned());
            (!i.raw.hovered_files.is_empty(), dropped)
        });
        if held {
            let painter = ui.painter();
            painter.rect_filled(area, 0, Theme::faded(self.theme.ground, 0.8));
            let edge = (2.0, self.theme.accent);
            painter.rect_stroke(area.shrink(8.0), RADIUS, edge, StrokeKind::Inside);
            let text = "Let go to play this model or impulse response";
            painter.text(
                area.center(),
                Align2::CENTER_CENTER,
                text,
                theme::large(),
                self.theme.text,
            );
        }
        if let Some(path) = dropped {
            let is_sound = path
                .extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("wav"));
            self.step(host, |_, host| match is_sound {
                true => host.load_cabinet(Some(&path)),
                false => host.load_file(&path),
            });
        }
    }
}
