//! The panel: what a person sees and touches, in the app's window and in a plugin's editor alike.
//!
//! Flows in: a [`PanelHost`] with its parameters and telemetry, once a frame. Flows out: gestures on the host's
//! parameters, models to be loaded. Undo, the comparison of A and B and presets are the panel's own.

mod continuing;
pub(crate) mod controls;
mod dialog;
pub(crate) mod editing;
mod engine;
mod footer;
pub(crate) mod header;
pub mod history;
pub mod host;
pub mod layout;
pub mod levels;
mod menus;
pub mod patch;
pub(crate) mod pictures;
mod preset_menu;
pub mod presets;
pub mod scope;
pub(crate) mod selection;
pub(crate) mod state;
pub mod theme;
mod tone;

use std::time::Duration;

use egui::{Rect, Ui};
use serde::{Deserialize, Serialize};
use statewave::controls::{Controls, UNLIMITED_AMOUNT_DB};
use statewave::model::spec::Task;

use editing::Editing;
pub use editing::Memory;
use host::{PanelHost, Param};
use layout::Layout;
use menus::Menus;
use presets::Side;
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

/// The panel's own state; see the module.
pub struct Panel {
    settings: PanelSettings,
    theme: Theme,
    /// egui has been given fonts and colours.
    dressed: bool,
    scope: Scope,
    editing: Editing,
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
            editing: Editing::new(Side::Effect),
            menus: Menus::default(),
        }
    }

    /// Goes on where another panel on the same values was closed.
    pub fn recall(&mut self, memory: Memory) {
        self.editing.recall(memory);
    }

    /// What the next panel on the same values is to go on with.
    pub fn leave(&mut self) -> Memory {
        self.editing.leave()
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
        let [left, right] = self.scope.input().bars();
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
        self.editing.shortcuts(ui, host);
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

    /// A card with nothing on it.
    fn card(&self, ui: &Ui, rect: Rect) {
        ui.painter().rect_filled(rect, RADIUS + 2, self.theme.card);
    }
}
