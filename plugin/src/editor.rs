//! The plugin's window.
//!
//! Flows in: parameters, the loader's status, telemetry. Flows out: gestures to the host, models to the loader. The
//! window may be opened and closed many times; each time it has the size the project remembers.

use std::sync::Arc;

use egui::{ProgressBar, Ui};
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{HostMethods, SizeConstraints, SpawnedEditor};
use nice_plug::prelude::*;
use nice_plug_egui::baseview::{HandlerError, WindowSize};
use nice_plug_egui::widgets::ParamSlider;
use nice_plug_egui::{
    EguiEditor, EguiEditorHandle, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp,
    RepaintNotifier, create_egui_editor,
};
use parking_lot::{Mutex, RwLock};
use statewave::latency::Latency;
use statewave::telemetry::{Reader, Snapshot};

use crate::loader::Loader;
use crate::params::StatewaveParams;
use crate::state::WindowState;

/// Level at the left end of a meter, in dBFS.
const METER_FLOOR_DB: f32 = -60.0;

/// What every window of one instance shares.
struct Shared {
    params: Arc<StatewaveParams>,
    loader: Arc<Loader>,
    /// The delays of what runs; `None` before anything did.
    latency: Arc<RwLock<Option<Latency>>>,
    /// Locked by the thread that draws, for a frame.
    reader: Mutex<Reader>,
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
        let reader = Mutex::new(reader);
        Self {
            shared: Arc::new(Shared {
                params,
                loader,
                latency,
                reader,
            }),
            open: Mutex::new(None),
        }
    }

    fn window(&self, state: Arc<EguiEditorState>) -> Option<EguiEditor<Panel>> {
        let settings = EguiNiceSettings::new()
            .with_tile("Statewave")
            .with_resize_hint(self.resize_hint());
        let panel = Panel {
            shared: Arc::clone(&self.shared),
            host: None,
            newest: None,
        };
        create_egui_editor(state, RepaintNotifier::new(), settings, panel)
    }
}

impl Editor for WindowMaker {
    type Handle = EguiEditorHandle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: nice_plug::context::gui::GuiContext,
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
        let (width, height) = WindowState::LEAST;
        ResizeHint {
            can_resize: true,
            can_resize_horizontally: true,
            can_resize_vertically: true,
            size_constraints: SizeConstraints::min_logical_size(LogicalSize::new(width, height)),
            ..ResizeHint::NON_RESIZABLE
        }
    }
}

/// What is drawn.
pub struct Panel {
    shared: Arc<Shared>,
    /// The way to the host, while a window is open.
    host: Option<nice_plug::context::gui::GuiContext>,
    newest: Option<Snapshot>,
}

impl NiceEguiApp for Panel {
    fn build(
        &mut self,
        _egui: egui::Context,
        host: nice_plug::context::gui::GuiContext,
        _frame: &mut Frame,
    ) -> Result<(), HandlerError> {
        self.host = Some(host);
        self.shared.reader.lock().watch(true);
        Ok(())
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut Frame) {
        let mut reader = self.shared.reader.lock();
        while let Some(snapshot) = reader.read() {
            self.newest = Some(snapshot);
        }
        drop(reader);
        ui.ctx().request_repaint();
        egui::CentralPanel::default().show(ui, |ui| {
            self.header(ui);
            ui.separator();
            self.controls(ui);
            ui.separator();
            self.meters(ui);
        });
    }

    fn resized(&mut self, size: WindowSize) {
        let mut window = self.shared.params.window.write();
        (window.width, window.height) = (size.logical.width as f32, size.logical.height as f32);
    }
}

impl Drop for Panel {
    /// The window is closed, and nothing is measured any more.
    fn drop(&mut self) {
        self.shared.reader.lock().watch(false);
    }
}

impl Panel {
    fn header(&self, ui: &mut Ui) {
        let status = self.shared.loader.status();
        ui.horizontal(|ui| {
            ui.heading("Statewave");
            ui.label(&status.playing);
            if let Some(latency) = *self.shared.latency.read() {
                ui.label(latency.to_string());
            }
            if status.loading {
                ui.spinner();
            }
        });
        if let Some(fault) = status.fault {
            ui.colored_label(ui.visuals().error_fg_color, fault.what);
            ui.label(fault.remedy);
        }
    }

    fn controls(&self, ui: &mut Ui) {
        let Some(host) = &self.host else { return };
        let setter = host.param_setter();
        let params = &self.shared.params;
        egui::Grid::new("controls").num_columns(2).show(ui, |ui| {
            slider(ui, &params.amount, &setter);
            slider(ui, &params.mix, &setter);
            slider(ui, &params.listen, &setter);
            slider(ui, &params.mode, &setter);
            slider(ui, &params.stereo, &setter);
            slider(ui, &params.output_gain, &setter);
            slider(ui, &params.bypass, &setter);
        });
    }

    fn meters(&self, ui: &mut Ui) {
        let Some(snapshot) = &self.newest else { return };
        let loudest = |peaks: [f32; 2]| 20.0 * peaks[0].max(peaks[1]).max(1e-6).log10();
        for (name, db) in [
            ("Input", loudest(snapshot.input_peak)),
            ("Output", loudest(snapshot.output_peak)),
        ] {
            ui.add(
                ProgressBar::new(1.0 - db / METER_FLOOR_DB).text(format!("{name} {db:.0} dBFS")),
            );
        }
        ui.label(format!(
            "load {:.1} %, missed {}",
            100.0 * snapshot.load,
            snapshot.missed
        ));
    }
}

fn slider<P: Param>(ui: &mut Ui, param: &P, setter: &ParamSetter) {
    ui.label(param.name());
    ui.add(ParamSlider::for_param(param, setter).with_width(240.0));
    ui.end_row();
}
