//! The desk and the rig together: what the window and the headless app have in common.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::band::Band;
use super::bridge::BridgeStatus;
use super::devices::Devices;
use super::rig::{Command, Event, Rig};
use super::settings::Choice;
use super::values::Values;
use crate::desk::Desk;
use crate::fault::Fault;
use crate::panel::host::PanelHost;

/// The streams that run, for people.
#[derive(Debug, Clone)]
pub struct Route {
    /// Name of the input.
    pub input: String,
    /// Name of the output.
    pub output: String,
    /// Rates of both, Hz.
    pub rates: (u32, u32),
    bridge: Arc<BridgeStatus>,
}

impl Route {
    /// By how much the input's clock is faster than the output's, parts per million.
    pub fn drift_ppm(&self) -> i32 {
        self.bridge.drift_ppm.load(Ordering::Relaxed)
    }

    /// What waits between input and output, milliseconds.
    pub fn held_ms(&self) -> f32 {
        self.bridge.held_us.load(Ordering::Relaxed) as f32 / 1000.0
    }

    /// Gaps so far: times nothing had come, and times too much had.
    pub fn gaps(&self) -> (u32, u32) {
        let count = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        let bridge = &self.bridge;
        (
            count(&bridge.empty),
            count(&bridge.surplus) + count(&bridge.full),
        )
    }
}

/// See the module.
pub struct Front {
    /// The app as the panel sees it.
    pub desk: Desk<Arc<Values>>,
    /// The instrument.
    pub band: Band,
    rig: Rig,
    /// What was told to the rig.
    choice: Choice,
    /// What there is.
    pub devices: Devices,
    /// What runs.
    pub route: Option<Route>,
    /// The file that is recorded to.
    pub recording: Option<PathBuf>,
    /// The file that is played instead of the input.
    pub playing: Option<PathBuf>,
}

impl Front {
    /// Opens the streams; `file` is played instead of the input, `trace` takes when callbacks came.
    pub fn new(
        desk: Desk<Arc<Values>>,
        band: Band,
        choice: Choice,
        file: Option<PathBuf>,
        trace: Option<PathBuf>,
    ) -> Self {
        let rig = Rig::start(
            choice.clone(),
            file,
            trace,
            band.clone(),
            Arc::clone(desk.loader()),
            Arc::clone(&desk.values),
        );
        Self {
            desk,
            band,
            rig,
            choice,
            devices: Devices::default(),
            route: None,
            recording: None,
            playing: None,
        }
    }

    /// What is chosen.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// Other devices; opens the streams anew if more than hearing differs.
    pub fn choose(&mut self, choice: Choice) {
        if choice == self.choice {
            return;
        }
        let only_heard = Choice {
            monitor: self.choice.monitor,
            ..choice.clone()
        } == self.choice;
        self.rig.tell(if only_heard {
            Command::Monitor(choice.monitor)
        } else {
            Command::Open(choice.clone())
        });
        self.choice = choice;
    }

    /// Plays a file instead of the input, or the input again.
    pub fn play(&self, file: Option<PathBuf>) {
        self.rig.tell(Command::Play(file));
    }

    /// Starts a recording, or ends it.
    pub fn record(&self, path: Option<PathBuf>) {
        self.rig.tell(Command::Record(path));
    }

    /// Takes in what the rig and the loader tell. Gives the faults that came.
    pub fn pump(&mut self) -> Vec<Fault> {
        let mut faults = Vec::from_iter(self.desk.refresh());
        while let Ok(event) = self.rig.events.try_recv() {
            match event {
                Event::Running(running) => {
                    self.desk.latency = Some(running.latency);
                    self.desk.reader = Some(running.reader);
                    self.desk.watch(true);
                    self.route = Some(Route {
                        input: running.input,
                        output: running.output,
                        rates: running.rates,
                        bridge: running.bridge,
                    });
                }
                Event::Stopped => {
                    self.desk.latency = None;
                    self.desk.reader = None;
                    self.route = None;
                }
                Event::Latency(latency) => self.desk.latency = Some(latency),
                Event::Devices(devices) => self.devices = devices,
                Event::Recording(path) => self.recording = path,
                Event::Playing(path) => self.playing = path,
                Event::Fault(fault) => {
                    self.desk.report(fault.clone());
                    faults.push(fault);
                }
                Event::Recovered => self.desk.dismiss(),
            }
        }
        faults
    }
}
