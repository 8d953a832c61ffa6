//! The parameters of a plugin as its window changes them: every change is a gesture that the host may record.

use std::sync::Arc;

use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::Param as _;

use crate::awaited::Awaited;
use crate::desk::Values;
use crate::panel::host::Param;
use crate::params::{ParamList, StatewaveParams, with};

/// The way to the host, while a window is open.
pub(super) struct Gestures {
    params: Arc<StatewaveParams>,
    host: Option<GuiContext>,
    sent: Awaited<Param>,
}

impl Gestures {
    pub(super) fn new(params: Arc<StatewaveParams>) -> Self {
        Self {
            params,
            host: None,
            sent: Awaited::default(),
        }
    }

    /// A window has opened, or closed; a gesture that the closing cut short is ended.
    pub(super) fn connect(&mut self, host: Option<GuiContext>) {
        for param in self.sent.held() {
            self.end(param);
        }
        self.sent = Awaited::default();
        self.host = host;
    }
}

impl Values for Gestures {
    fn list(&self) -> &ParamList {
        &self.params.list
    }

    fn get(&self, param: Param) -> f32 {
        let pointer = with!(self.list(), param, p => p.as_ptr());
        if let Some(value) = self.params.unheard.get(pointer) {
            return value;
        }
        self.sent.value(param, self.params.list.value(param))
    }

    fn begin(&mut self, param: Param) {
        self.sent.begin(param, self.get(param));
        if let Some(host) = &self.host {
            let setter = host.param_setter();
            with!(self.params.list, param, p => setter.begin_set_parameter(p));
        }
    }

    fn set(&mut self, param: Param, value: f32) {
        let value = self.params.list.snapped(param, value);
        self.sent.set(param, value);
        if let Some(host) = &self.host {
            let pointer = with!(self.params.list, param, p => p.as_ptr());
            // SAFETY: the notes are a field of the parameters.
            unsafe { self.params.unheard.note(&*self.params, pointer, value) };
            let setter = host.param_setter();
            with!(self.params.list, param, p => setter.set_parameter(p, p.preview_plain(value)));
        }
    }

    fn end(&mut self, param: Param) {
        self.sent.end(param);
        if let Some(host) = &self.host {
            let setter = host.param_setter();
            with!(self.params.list, param, p => setter.end_set_parameter(p));
        }
    }
}
