//! The plugin's window.
//!
//! Flows in: parameters, the loader's status, telemetry. Flows out: gestures to the host, models to the loader. The
//! window may be opened and closed many times; each time it has the size and the colours the project remembers.

mod gestures;
mod maker;

use std::sync::Arc;

use egui::Ui;
use nice_plug::context::gui::GuiContext;
use nice_plug_egui::baseview::{HandlerError, WindowSize};
use nice_plug_egui::{Frame, NiceEguiApp};
use parking_lot::{Mutex, RwLock};
use statewave::latency::Latency;
use statewave::telemetry::Reader;

use crate::desk::Desk;
use crate::loader::Loader;
use crate::panel::{Memory, Panel};
use crate::params::StatewaveParams;
use crate::state::WindowState;
use gestures::Gestures;
pub use maker::{Contents, WindowMaker};

/// What every window of one instance shares.
struct Shared {
    params: Arc<StatewaveParams>,
    /// The delays of what runs; `None` before anything did.
    latency: Arc<RwLock<Option<Latency>>>,
    /// Locked by the thread that draws, for a frame.
    desk: Mutex<Desk<Gestures>>,
    /// What the window left that was closed last.
    memory: Mutex<Memory>,
}

/// What is in the effect's windows.
pub struct Effect(Arc<Shared>);

impl WindowMaker<Effect> {
    pub(crate) fn of_effect(
        params: Arc<StatewaveParams>,
        loader: Arc<Loader>,
        latency: Arc<RwLock<Option<Latency>>>,
        reader: Reader,
    ) -> Self {
        let mut desk = Desk::new(Gestures::new(Arc::clone(&params)), loader);
        desk.reader = Some(reader);
        Self::new(Effect(Arc::new(Shared {
            params,
            latency,
            desk: Mutex::new(desk),
            memory: Mutex::default(),
        })))
    }
}

impl Contents for Effect {
    type App = Window;
    const TITLE: &'static str = "Statewave";

    fn look(&self) -> WindowState {
        *self.0.params.window.read()
    }

    fn open(&self) -> Window {
        Window {
            panel: Panel::new(self.look().panel),
            shared: Arc::clone(&self.0),
            built: false,
        }
    }
}

/// A window that is open.
pub struct Window {
    shared: Arc<Shared>,
    panel: Panel,
    /// It came to be seen, and has taken over what the last one left.
    built: bool,
}

impl NiceEguiApp for Window {
    fn build(
        &mut self,
        egui: egui::Context,
        host: GuiContext,
        _frame: &mut Frame,
    ) -> Result<(), HandlerError> {
        self.panel.dress(&egui);
        self.panel
            .recall(std::mem::take(&mut *self.shared.memory.lock()));
        self.built = true;
        let mut desk = self.shared.desk.lock();
        desk.values.connect(Some(host));
        desk.watch(true);
        desk.find();
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        let mut desk = self.shared.desk.lock();
        desk.latency = *self.shared.latency.read();
        desk.refresh();
        self.panel.ui(ui, &mut *desk);
        self.shared.params.window.write().panel = self.panel.settings();
    }

    fn resized(&mut self, size: WindowSize) {
        let mut window = self.shared.params.window.write();
        (window.width, window.height) = (size.logical.width as f32, size.logical.height as f32);
    }
}

impl Drop for Window {
    /// The window is closed, and nothing is measured any more.
    fn drop(&mut self) {
        if self.built {
            *self.shared.memory.lock() = self.panel.leave();
        }
        let mut desk = self.shared.desk.lock();
        desk.watch(false);
        desk.values.connect(None);
    }
}
