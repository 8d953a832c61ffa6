//! The instrument's window.

use std::sync::Arc;

use egui::Ui;
use nice_plug::context::gui::GuiContext;
use nice_plug_egui::baseview::{HandlerError, WindowSize};
use nice_plug_egui::{Frame, NiceEguiApp};
use parking_lot::Mutex;

use super::hands::Hands;
use super::panel::InstrumentPanel;
use super::params::InstrumentParams;
use super::seated::Place;
use super::shown::Shown;
use crate::editor;
use crate::panel::Memory;
use crate::state::WindowState;

/// What is in the instrument's windows.
pub struct Contents {
    params: Arc<InstrumentParams>,
    shown: Arc<Shown>,
    /// What the window left that was closed last.
    memory: Arc<Mutex<Memory<Place>>>,
}

impl Contents {
    pub(super) fn new(params: Arc<InstrumentParams>, shown: Arc<Shown>) -> Self {
        Self {
            params,
            shown,
            memory: Arc::default(),
        }
    }
}

impl editor::Contents for Contents {
    type App = Window;
    const TITLE: &'static str = "Statewave Instrument";

    fn look(&self) -> WindowState {
        *self.params.window.read()
    }

    fn open(&self) -> Window {
        Window {
            panel: InstrumentPanel::new(self.look().panel.shade),
            params: Arc::clone(&self.params),
            shown: Arc::clone(&self.shown),
            memory: Arc::clone(&self.memory),
            host: None,
        }
    }
}

/// A window that is open.
pub struct Window {
    panel: InstrumentPanel,
    params: Arc<InstrumentParams>,
    shown: Arc<Shown>,
    memory: Arc<Mutex<Memory<Place>>>,
    /// `None` until it came to be seen, and has taken over what the last one left.
    host: Option<GuiContext>,
}

impl NiceEguiApp for Window {
    fn build(
        &mut self,
        _egui: egui::Context,
        host: GuiContext,
        _frame: &mut Frame,
    ) -> Result<(), HandlerError> {
        self.host = Some(host);
        self.panel.recall(std::mem::take(&mut *self.memory.lock()));
        self.shown.watch(true);
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        let hands = self.host.as_ref().map(|host| host as &dyn Hands);
        self.panel.ui(ui, &self.params, &self.shown, hands);
        self.params.window.write().panel.shade = self.panel.shade();
    }

    fn resized(&mut self, size: WindowSize) {
        let mut window = self.params.window.write();
        (window.width, window.height) = (size.logical.width as f32, size.logical.height as f32);
    }
}

impl Drop for Window {
    /// The window is closed, and nothing is measured any more.
    fn drop(&mut self) {
        if let Some(host) = &self.host {
            *self.memory.lock() = self.panel.leave(&self.params, Some(host));
        }
        self.shown.watch(false);
    }
}
