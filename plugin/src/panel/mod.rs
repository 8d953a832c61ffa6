//! The panel: what a person sees and touches, in the app's window and in a plugin's editor alike.
//!
//! Flows in: a [`PanelHost`] with its parameters and telemetry, once a frame. Flows out: gestures on the host's
//! parameters, models to be loaded. Undo, the comparison of A and B and presets are the panel's own.

mod continuing;
mod controls;
mod dialog;
mod engine;
mod footer;
pub(crate) mod header;
pub mod history;
pub mod host;
pub mod layout;
mod menus;
mod pictures;
pub mod presets;
pub mod scope;
pub(crate) mod selection;
pub(crate) mod state;
pub mod theme;
mod tone;

use std::time::Duration;

use egui::{Key, KeyboardShortcut, Modifiers, Rect, Ui};
use serde::{Deserialize, Serialize};
use statewave::controls::{Controls, UNLIMITED_AMOUNT_DB};
use statewave::model::spec::Task;

use crate::widgets::gesture::Edit;
use history::{Compare, History};
use host::{PanelHost, Param};
use layout::Layout;
use menus::Menus;
use presets::Preset;
use scope::Scope;
use theme::{RADIUS, Shade, Theme};

/// Between two frames while sound flows: 60 a second.
const FRAME: Duration = Duration::from_millis(16);

/// Between two frames while nothing comes.
const IDLE_FRAME: Duration = Duration::from_millis(100);

/// Which picture is in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Picture {
    /// Levels now.
    #[default]
    Spectrum,
    /// Levels of the last seconds.
    Spectrogram,
}

/// What the panel remembers of itself; whoever shows it keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PanelSettings {
    /// Dark or light.
    pub shade: Shade,
    /// The picture in the middle.
    pub picture: Picture,
}

/// What a panel that is closed leaves to the next one: steps to undo, A and B, the preset.
#[derive(Debug, Default)]
pub struct Memory {
    history: History,
    compare: Compare,
    preset: Option<Preset>,
}

/// The panel's own state; see the module.
pub struct Panel {
    settings: PanelSettings,
    theme: Theme,
    /// egui has been given fonts and colours.
    dressed: bool,
    scope: Scope,
    history: History,
    compare: Compare,
    menus: Menus,
}

impl Panel {
    /// A panel as it was left.
    pub fn new(settings: PanelSettings) -> Self {
        let theme = Theme::of(settings.shade);
        Self {
            settings,
            theme,
            dressed: false,
            scope: Scope::new(&theme),
            history: History::default(),
            compare: Compare::default(),
            menus: Menus::default(),
        }
    }

    /// Goes on where another panel on the same values was closed.
    pub fn recall(&mut self, memory: Memory) {
        self.history = memory.history;
        self.compare = memory.compare;
        self.menus.set_preset(memory.preset);
    }

    /// What the next panel on the same values is to go on with.
    pub fn leave(&mut self) -> Memory {
        self.history.pause();
        Memory {
            history: std::mem::take(&mut self.history),
            compare: std::mem::take(&mut self.compare),
            preset: self.menus.preset().cloned(),
        }
    }

    /// What is to be remembered.
    pub fn settings(&self) -> PanelSettings {
        self.settings
    }

    /// The colours, for what is drawn beside the panel.
    pub fn theme(&self) -> &Theme {
        &self.theme
    }

    /// The louder input channel now, dBFS.
    pub fn input_db(&self) -> f32 {
        let [left, right] = self.scope.input();
        left.db.max(right.db)
    }

    /// Changes the shade or the picture.
    pub fn set_settings(&mut self, settings: PanelSettings) {
        if settings.shade != self.settings.shade {
            self.theme = Theme::of(settings.shade);
            self.scope.set_theme(&self.theme);
            self.dressed = false;
        }
        self.settings = settings;
    }

    /// Takes in what came from the audio thread. [`Self::ui`] does it by itself.
    pub fn listen(&mut self, host: &mut dyn PanelHost) -> bool {
        let plain = |param| host.list().plain(param, host.value(param));
        let is_denoiser = host.task() == Task::Denoise;
        let amount_db = if is_denoiser {
            plain(Param::Amount)
        } else {
            UNLIMITED_AMOUNT_DB
        };
        let controls = Controls {
            amount_db,
            mix: plain(Param::Mix),
            bypass: plain(Param::Bypass) >= 0.5,
            ..Controls::default()
        };
        let mut heard = false;
        while let Some(snapshot) = host.snapshot() {
            self.scope.take(&snapshot, &controls, is_denoiser);
            heard = true;
        }
        heard
    }

    /// Fits egui's fonts and colours to the theme.
    pub fn dress(&mut self, ctx: &egui::Context) {
        if !self.dressed {
            theme::install_fonts(ctx);
            self.theme.apply(ctx);
            self.dressed = true;
        }
    }

    /// Draws the panel in all of `ui` and passes on what is done to it.
    pub fn ui(&mut self, ui: &mut Ui, host: &mut dyn PanelHost) {
        self.dress(ui.ctx());
        let heard = self.listen(host);
        self.shortcuts(ui, host);
        let area = ui.max_rect();
        let is_denoiser = host.task() == Task::Denoise;
        let layout = Layout::of(area, host.fault().is_some());
        ui.painter().rect_filled(area, 0, self.theme.ground);
        self.header(ui, host, &layout);
        self.knobs(ui, host, layout.knobs);
        self.picture(ui, layout.picture, is_denoiser);
        if let Some(rect) = layout.selection {
            self.selection(ui, rect, is_denoiser);
        }
        self.meters(ui, layout.meters, is_denoiser);
        self.switches(ui, host, layout.switches);
        if let Some(rect) = layout.state {
            self.state(ui, host, rect);
        }
        if let Some(rect) = layout.fault {
            self.fault(ui, host, rect);
        }
        self.footer(ui, host, &layout);
        self.drop_file(ui, host, area);
        let next = if heard { FRAME } else { IDLE_FRAME };
        ui.ctx().request_repaint_after(next);
    }

    /// Passes an edit of a control on to the host, as part of one step of the history.
    fn edit(&mut self, ui: &Ui, host: &mut dyn PanelHost, param: Param, edit: Edit) {
        let typed = edit.typed.and_then(|text| host.list().parse(param, &text));
        let edit = typed.map_or(
            Edit {
                typed: None,
                ..edit
            },
            Edit::step,
        );
        if edit.began {
            self.history.begin(host);
            host.begin(param);
        }
        if let Some(value) = edit.value {
            host.set(param, value);
        }
        if edit.ended {
            host.end(param);
            self.history.end(host, Some(param), ui.input(|i| i.time));
        }
    }

    /// Does something to the host that is one step of the history.
    fn step(&mut self, host: &mut dyn PanelHost, what: impl FnOnce(&mut Self, &mut dyn PanelHost)) {
        self.history.begin(host);
        what(self, host);
        self.history.end(host, None, 0.0);
    }

    fn shortcuts(&mut self, ui: &Ui, host: &mut dyn PanelHost) {
        if ui.ctx().text_edit_focused() {
            return;
        }
        let again = Modifiers::COMMAND | Modifiers::SHIFT;
        let pressed = |modifiers, key| {
            ui.input_mut(|i| i.consume_shortcut(&KeyboardShortcut::new(modifiers, key)))
        };
        if pressed(again, Key::Z) || pressed(Modifiers::COMMAND, Key::Y) {
            self.history.redo(host);
        } else if pressed(Modifiers::COMMAND, Key::Z) {
            self.history.undo(host);
        }
    }

    /// A card with nothing on it.
    fn card(&self, ui: &Ui, rect: Rect) {
        ui.painter().rect_filled(rect, RADIUS + 2, self.theme.card);
    }
}
