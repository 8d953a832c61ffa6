//! The chooser of presets: those of the house, the person's own, a field to save under a name; and the ones beside it.

use egui::{Id, Key, Popup, PopupCloseBehavior, Rect, Response, ScrollArea, TextEdit, Ui};
use statewave::model::spec::Task;

use super::patch::Patch;
use super::presets::{Preset, PresetError, Shelf, Side, factory};
use super::theme::{GRID, Theme};
use crate::widgets::button::Button;

/// What the menu needs beneath its rows, and the least for those, points.
const BENEATH: f32 = 16.0 * GRID;
const LEAST: f32 = 12.0 * GRID;

/// A preset that was chosen, or saved.
#[derive(Debug, Clone)]
pub struct Chosen {
    preset: Preset,
    /// It is the person's own, not of the house.
    is_own: bool,
}

impl Chosen {
    fn of_house(preset: Preset) -> Self {
        Self {
            preset,
            is_own: false,
        }
    }

    fn own(preset: Preset) -> Self {
        Self {
            preset,
            is_own: true,
        }
    }

    /// What it sets.
    pub fn preset(&self) -> &Preset {
        &self.preset
    }
}

/// What the chooser keeps between frames.
pub(super) struct PresetMenu {
    factory: Vec<Preset>,
    shelf: Shelf,
    /// Names of the person's own, read when the menu opens.
    own: Vec<String>,
    open: bool,
    /// The one that was chosen or saved last.
    pub(super) chosen: Option<Chosen>,
    /// The name in the field for saving.
    name: String,
    /// There is a preset of that name: replacing it must be said.
    exists: bool,
}

/// What was picked in the menu.
enum Picked {
    Factory(usize),
    Own(String),
    Save { replace: bool },
}

impl PresetMenu {
    pub(super) fn new(side: Side) -> Self {
        Self {
            factory: factory(side),
            shelf: Shelf::of_user(side),
            own: Vec::new(),
            open: false,
            chosen: None,
            name: String::new(),
            exists: false,
        }
    }

    pub(super) fn set_shelf(&mut self, shelf: Shelf) {
        self.shelf = shelf;
    }

    /// The button with the name of the one that is chosen, marked if something was changed since.
    pub(super) fn button<H: Patch + ?Sized>(
        &self,
        ui: &Ui,
        host: &H,
        rect: Rect,
        theme: &Theme,
    ) -> Response {
        let (text, label) = match self.chosen.as_ref().map(Chosen::preset) {
            None => ("Presets".to_owned(), "Presets".to_owned()),
            Some(preset) if preset.is_set(host) => {
                (preset.name.clone(), format!("Preset {}", preset.name))
            }
            Some(preset) => (
                format!("{} •", preset.name),
                format!("Preset {}, changed since", preset.name),
            ),
        };
        Button::menu(&text, &label).show(ui, Id::unique("presets"), rect, theme)
    }

    /// The menu of that button: gives the preset that is to be set, or what is wrong with it.
    pub(super) fn menu<H: Patch + ?Sized>(
        &mut self,
        host: &H,
        button: &Response,
    ) -> Option<Result<Chosen, PresetError>> {
        let shown = Popup::menu(button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .show(|ui| {
                if !self.open {
                    self.own = self.shelf.names();
                    self.exists = false;
                }
                let below = ui.ctx().content_rect().bottom() - button.rect.bottom();
                self.list(ui, host.task(), below - BENEATH)
            });
        self.open = shown.is_some();
        let done = match shown?.inner? {
            Picked::Factory(i) => Ok(Chosen::of_house(self.factory[i].clone())),
            Picked::Own(name) => self.shelf.load(&name).map(Chosen::own),
            Picked::Save { replace } => {
                let preset = Preset::of(host, &self.name);
                let saved = self.shelf.save(&preset, replace);
                saved.map(|()| Chosen::own(preset))
            }
        };
        match done {
            Ok(_) => Popup::close_all(&button.ctx),
            Err(PresetError::Exists) => {
                self.exists = true;
                return None;
            }
            Err(_) => {}
        }
        Some(done)
    }

    /// Presets of the house that are for `task`, and all of one's own, as high as there is room; beneath them what saves.
    fn list(&mut self, ui: &mut Ui, task: Task, height: f32) -> Option<Picked> {
        ui.set_min_width(200.0);
        let rows = ScrollArea::vertical().max_height(height.max(LEAST));
        let mut picked = rows.show(ui, |ui| self.rows(ui, task)).inner;
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

    fn rows(&self, ui: &mut Ui, task: Task) -> Option<Picked> {
        let mut picked = None;
        let chosen = self.chosen.as_ref();
        let row = |ui: &mut Ui, name: &str, is_own: bool| {
            let is_chosen = chosen.is_some_and(|c| c.preset.name == name && c.is_own == is_own);
            let row = ui.selectable_label(is_chosen, name);
            if row.gained_focus() {
                row.scroll_to_me(None);
            }
            row
        };
        let fit = |(_, preset): &(usize, &Preset)| preset.task == task;
        for (i, preset) in self.factory.iter().enumerate().filter(fit) {
            let row = row(ui, &preset.name, false);
            if row.on_hover_text(&preset.about).clicked() {
                picked = Some(Picked::Factory(i));
            }
        }
        if !self.own.is_empty() {
            ui.separator();
        }
        for name in &self.own {
            if row(ui, name, true).clicked() {
                picked = Some(Picked::Own(name.clone()));
            }
        }
        picked
    }

    /// The preset behind the chosen one, or before it if `back`, as the menu has them, and round at its ends. What cannot be read
    /// is passed over, and told of.
    pub(super) fn neighbour(
        &self,
        task: Task,
        back: bool,
    ) -> (Option<Chosen>, Option<PresetError>) {
        let house = self.factory.iter().filter(|preset| preset.task == task);
        let mut all: Vec<(&str, Option<&Preset>)> =
            house.map(|p| (p.name.as_str(), Some(p))).collect();
        let own = self.shelf.names();
        all.extend(own.iter().map(|name| (name.as_str(), None)));
        let is_chosen = |&(name, house): &(&str, Option<&Preset>)| {
            let chosen = self.chosen.as_ref();
            chosen.is_some_and(|c| c.preset.name == name && c.is_own == house.is_none())
        };
        if back {
            all.reverse();
        }
        let after = all.iter().position(is_chosen).map_or(0, |at| at + 1);
        all.rotate_left(after);
        let mut fault = None;
        for (name, house) in all {
            match house {
                Some(preset) => return (Some(Chosen::of_house(preset.clone())), fault),
                None => match self.shelf.load(name) {
                    Ok(preset) => return (Some(Chosen::own(preset)), fault),
                    Err(error) => fault = Some(error),
                },
            }
        }
        (None, fault)
    }
}
