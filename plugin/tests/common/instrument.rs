//! The instrument's panel in a window that has no screen, in the app or in a host that takes its time.

use std::cell::RefCell;
use std::path::PathBuf;

use egui::{Ui, Vec2};
use nice_plug::params::internals::ParamPtr;
use statewave_plugin::app::band::Band;
use statewave_plugin::instrument::hands::{Direct, Hands};
use statewave_plugin::instrument::panel::InstrumentPanel;
use statewave_plugin::panel::presets::{Shelf, Side};
use statewave_plugin::panel::theme::Shade;

use super::headless::{Headless, Stage};

/// A host: it is told of gestures, and gives values back with the next block, or at once.
#[derive(Default)]
pub struct Told {
    /// Everything it was told, and of what.
    pub calls: RefCell<Vec<(ParamPtr, &'static str)>>,
    late: RefCell<Vec<(ParamPtr, f32)>>,
    /// It gives values back with [`Told::block`].
    pub is_late: bool,
}

impl Told {
    /// Parameters within a gesture now, each of which was begun once.
    pub fn open(&self) -> Vec<ParamPtr> {
        let mut open = Vec::new();
        for &(param, call) in &*self.calls.borrow() {
            match call {
                "begin" => {
                    assert!(!open.contains(&param), "a gesture began twice");
                    open.push(param);
                }
                "set" => assert!(open.contains(&param), "set outside of a gesture"),
                _ => {
                    assert!(open.contains(&param), "a gesture ended that had not begun");
                    open.retain(|&other| other != param);
                }
            }
        }
        open
    }

    /// A block runs, and what was set comes with it.
    pub fn block(&self) {
        for (param, value) in self.late.take() {
            // SAFETY: the parameters are those of the stage that this is of.
            unsafe { Direct.set(param, value) };
        }
    }
}

impl Hands for Told {
    unsafe fn begin(&self, param: ParamPtr) {
        self.calls.borrow_mut().push((param, "begin"));
    }

    unsafe fn set(&self, param: ParamPtr, value: f32) {
        self.calls.borrow_mut().push((param, "set"));
        self.late.borrow_mut().push((param, value));
        if !self.is_late {
            self.block();
        }
    }

    unsafe fn end(&self, param: ParamPtr) {
        self.calls.borrow_mut().push((param, "end"));
    }
}

/// The panel, what is played, and who takes what is done.
pub struct Played {
    pub panel: InstrumentPanel,
    pub band: Band,
    pub hands: Told,
}

impl Stage for Played {
    fn draw(&mut self, ui: &mut Ui) {
        let band = &self.band;
        self.panel
            .ui(ui, &band.params, &band.shown, Some(&self.hands));
    }
}

/// A window of that size, whose own presets are in a folder that is not there.
pub fn window(size: Vec2, shade: Shade, band: Band) -> Headless<Played> {
    let mut panel = InstrumentPanel::new(shade);
    panel.set_shelf(Shelf::at(Side::Instrument, PathBuf::from("nowhere")));
    band.shown.watch(true);
    let hands = Told::default();
    let stage = Played { panel, band, hands };
    Headless::of(stage, size)
}
