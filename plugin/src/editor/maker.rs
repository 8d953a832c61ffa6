//! Windows in hosts: of the size the project remembers, whatever is in them.

use std::sync::Arc;

use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{HostMethods, SizeConstraints, SpawnedEditor};
use nice_plug::prelude::*;
use nice_plug_egui::{
    EguiEditor, EguiEditorHandle, EguiEditorState, EguiNiceSettings, NiceEguiApp, RepaintNotifier,
    create_egui_editor,
};
use parking_lot::Mutex;

use crate::panel::layout::LEAST;
use crate::state::WindowState;

/// What is in the windows of a plugin.
pub trait Contents: Send + Sync + 'static {
    /// What a window runs.
    type App: NiceEguiApp;
    /// What a window is called.
    const TITLE: &'static str;
    /// How the window looked last.
    fn look(&self) -> WindowState;
    /// A window's contents. Only the window keeps them, so that they go when it goes.
    fn open(&self) -> Self::App;
}

/// Makes windows, of the size the project remembers.
pub struct WindowMaker<C> {
    contents: C,
    /// The size of the one that is open.
    open: Mutex<Option<Arc<EguiEditorState>>>,
}

impl<C: Contents> WindowMaker<C> {
    pub(crate) fn new(contents: C) -> Self {
        Self {
            contents,
            open: Mutex::new(None),
        }
    }

    fn window(&self, state: Arc<EguiEditorState>) -> Option<EguiEditor<C::App>> {
        let settings = EguiNiceSettings::new()
            .with_tile(C::TITLE)
            .with_resize_hint(self.resize_hint());
        create_egui_editor(
            state,
            RepaintNotifier::new(),
            settings,
            self.contents.open(),
        )
    }
}

impl<C: Contents> Editor for WindowMaker<C> {
    type Handle = EguiEditorHandle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Self::Handle>, Box<dyn std::error::Error>> {
        let (width, height) = self.contents.look().size();
        let state = EguiEditorState::from_size(LogicalSize::new(width, height), 1.0);
        *self.open.lock() = Some(Arc::clone(&state));
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
        let (width, height) = self.contents.look().size();
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
