//! The parameters of a plugin as its window changes them: every change is a gesture that the host may record.

use std::sync::Arc;
use std::time::{Duration, Instant};

use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::Param as _;

use crate::desk::Values;
use crate::panel::host::Param;
use crate::params::{ParamList, StatewaveParams, with};

/// A host sends what was set back as an event of a later block; until then, at most so long, it counts as set.
const PATIENCE: Duration = Duration::from_millis(500);

/// Values as near as that are the same, after a host had them.
const NEAR: f32 = 1e-4;

/// What was set and has perhaps not come back.
#[derive(Debug, Clone, Copy)]
struct Sent {
    value: f32,
    at: Instant,
    /// The gesture goes on.
    held: bool,
}

/// The way to the host, while a window is open.
pub(super) struct Gestures {
    params: Arc<StatewaveParams>,
    host: Option<GuiContext>,
    sent: [Option<Sent>; Param::ALL.len()],
}

impl Gestures {
    pub(super) fn new(params: Arc<StatewaveParams>) -> Self {
        Self {
            params,
            host: None,
            sent: [None; Param::ALL.len()],
        }
    }

    /// A window has opened, or closed; a gesture that the closing cut short is ended.
    pub(super) fn connect(&mut self, host: Option<GuiContext>) {
        for param in Param::ALL {
            if self.sent[param as usize].is_some_and(|sent| sent.held) {
                self.end(param);
            }
        }
        self.sent = [None; Param::ALL.len()];
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
        let came = self.params.list.value(param);
        match self.sent[param as usize] {
            Some(sent)
                if sent.held
                    || ((sent.value - came).abs() > NEAR && sent.at.elapsed() < PATIENCE) =>
            {
                sent.value
            }
            _ => came,
        }
    }

    fn begin(&mut self, param: Param) {
        let sent = Sent {
            value: self.get(param),
            at: Instant::now(),
            held: true,
        };
        self.sent[param as usize] = Some(sent);
        if let Some(host) = &self.host {
            let setter = host.param_setter();
            with!(self.params.list, param, p => setter.begin_set_parameter(p));
        }
    }

    fn set(&mut self, param: Param, value: f32) {
        let value = self.params.list.snapped(param, value);
        if let Some(sent) = &mut self.sent[param as usize] {
            (sent.value, sent.at) = (value, Instant::now());
        }
        if let Some(host) = &self.host {
            let pointer = with!(self.params.list, param, p => p.as_ptr());
            // SAFETY: the notes are a field of the parameters.
            unsafe { self.params.unheard.note(&*self.params, pointer, value) };
            let setter = host.param_setter();
            with!(self.params.list, param, p => setter.set_parameter(p, p.preview_plain(value)));
        }
    }

    fn end(&mut self, param: Param) {
        if let Some(sent) = &mut self.sent[param as usize] {
            sent.held = false;
        }
        if let Some(host) = &self.host {
            let setter = host.param_setter();
            with!(self.params.list, param, p => setter.end_set_parameter(p));
        }
    }
}
