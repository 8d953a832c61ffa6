//! The plugin's window.
//!
//! Flows in: parameters, the loader's status, telemetry. Flows out: gestures to the host, models to the loader. The
//! window may be opened and closed many times; each time it has the size and the colours the project remembers.

mod gestures;

use std::sync::Arc;

use egui::Ui;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{HostMethods, SizeConstraints, SpawnedEditor};
use nice_plug::prelude::*;
use nice_plug_egui::baseview::{HandlerError, WindowSize};
use nice_plug_egui::{
    EguiEditor, EguiEditorHandle, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp,
    RepaintNotifier, create_egui_editor,
};
use parking_lot::{Mutex, RwLock};
use statewave::latency::Latency;
use statewave::telemetry::Reader;

use crate::desk::Desk;
use crate::loader::Loader;
use crate::panel::layout::LEAST;
use crate::panel::{Memory, Panel};
use crate::params::StatewaveParams;
use gestures::Gestures;

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

/// Makes windows, of the size the project remembers.
pub struct WindowMaker {
    shared: Arc<Shared>,
    /// The size of the one that is open.
    open: Mutex<Option<Arc<EguiEditorState>>>,
}

impl WindowMaker {
    pub(crate) fn new(
        params: Arc<StatewaveParams>,
        loader: Arc<Loader>,
        latency: Arc<RwLock<Option<Latency>>>,
        reader: Reader,
    ) -> Self {
        let mut desk = Desk::new(Gestures::new(Arc::clone(&params)), loader);
        desk.reader = Some(reader);
        Self {
            shared: Arc::new(Shared {
                params,
                latency,
                desk: Mutex::new(desk),
                memory: Mutex::default(),
            }),
            open: Mutex::new(None),
        }
    }

    fn window(&self, state: Arc<EguiEditorState>) -> Option<EguiEditor<Window>> {
        let settings = EguiNiceSettings::new()
            .with_tile("Statewave")
            .with_resize_hint(self.resize_hint());
        let window = Window {
            panel: Panel::new(self.shared.params.window.read().panel),
            shared: Arc::clone(&self.shared),
            built: false,
        };
        create_egui_editor(state, RepaintNotifier::new(), settings, window)
    }
}

impl Editor for WindowMaker {
    type Handle = EguiEditorHandle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Self::Handle>, Box<dyn std::error::Error>> {
        let (width, height) = self.shared.params.window.read().size();
        let state = EguiEditorState::from_size(LogicalSize::new(width, height), 1.0);
        *self.open.lock() = Some(Arc::clone(&state));
        // Only the window keeps the panel, so that it goes when the window goes.
        self.window(state).ok_or("no window could be made")?.spawn(
            parent,
            wait_for_parent,
            fallback_scale_factor,
            gui_context,
            host,
        )
    }

    fn size(&self) -> NativeSize<u32> {
        if let Some(open) = self.open.lock().as_ref().filter(|open| open.is_open()) {
            return NativeSize::from_logical_or_physical(
                open.logical_size().cast(),
                open.physical_size(),
            );
        }
        let (width, height) = self.shared.params.window.read().size();
        NativeSize::from_size(LogicalSize::new(width, height).into(), 1.0)
    }

    fn resize_hint(&self) -> ResizeHint {
        ResizeHint {
            can_resize: true,
            can_resize_horizontally: true,
            can_resize_vertically: true,
            size_constraints: SizeConstraints::min_logical_size(LogicalSize::new(LEAST.x, LEAST.y)),
            ..ResizeHint::NON_RESIZABLE
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
