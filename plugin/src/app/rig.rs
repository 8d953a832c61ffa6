//! The thread that owns the streams: opens them, watches them, and opens others when a device goes away or comes back.
//!
//! Flows in: [`Command`]s from the window or the flags. Flows out: [`Event`]s. It may wait, since no sound goes through it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use statewave::latency::Latency;

use super::band::Band;
use super::devices::{self, Devices, Way};
use super::hosts;
use super::opening::{Request, Running, Streams};
use super::quiet;
use super::settings::Choice;
use super::values::Values;
use crate::fault::Fault;
use crate::loader::Loader;

/// Between two looks at the streams.
const LOOK: Duration = Duration::from_millis(200);

/// Between two looks for devices.
const SCAN: Duration = Duration::from_secs(3);

/// What the rig is told.
pub enum Command {
    /// These devices, from now on.
    Open(Choice),
    /// This file instead of the input; `None` for the input again.
    Play(Option<PathBuf>),
    /// The output is heard, or not.
    Monitor(bool),
    /// Record to this file; `None` ends it.
    Record(Option<PathBuf>),
}

/// What the rig tells.
pub enum Event {
    /// Streams run.
    Running(Box<Running>),
    /// Nothing runs.
    Stopped,
    /// The delays are others now.
    Latency(Latency),
    /// What there is; when it changes.
    Devices(Devices),
    /// The file that is recorded to.
    Recording(Option<PathBuf>),
    /// The file that is played instead of the input.
    Playing(Option<PathBuf>),
    /// Something is wrong.
    Fault(Fault),
    /// A device that was missing is back.
    Recovered,
}

/// The way to the thread; it ends when this is dropped.
pub struct Rig {
    commands: Option<Sender<Command>>,
    /// What it tells.
    pub events: Receiver<Event>,
    thread: Option<JoinHandle<()>>,
}

impl Rig {
    /// Starts the thread and opens `choice`, or `file` in the place of its input; `trace` takes when callbacks came.
    pub fn start(
        choice: Choice,
        file: Option<PathBuf>,
        trace: Option<PathBuf>,
        band: Band,
        loader: Arc<Loader>,
        values: Arc<Values>,
    ) -> Self {
        let (commands, received) = mpsc::channel();
        let (told, events) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            quiet::hush();
            let mut work = Work {
                choice,
                file,
                trace,
                band,
                loader,
                values,
                events: told,
                streams: None,
                heard: Arc::new(AtomicBool::new(false)),
                devices: Devices::default(),
                scanned: None,
                failed: None,
            };
            work.open();
            work.run(&received);
        });
        Self {
            commands: Some(commands),
            events,
            thread: Some(thread),
        }
    }

    /// Tells it.
    pub fn tell(&self, command: Command) {
        if let Some(commands) = &self.commands {
            // It only stops listening when it has come to its end.
            let _ = commands.send(command);
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    choice: Choice,
    file: Option<PathBuf>,
    trace: Option<PathBuf>,
    band: Band,
    loader: Arc<Loader>,
    values: Arc<Values>,
    events: Sender<Event>,
    streams: Option<Streams>,
    heard: Arc<AtomicBool>,
    devices: Devices,
    scanned: Option<Instant>,
    /// What was told last, so that trying again does not tell it again.
    failed: Option<Fault>,
}

impl Work {
    fn run(&mut self, commands: &Receiver<Command>) {
        loop {
            match commands.recv_timeout(LOOK) {
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.stop_recording(),
            }
            if self.scanned.is_none_or(|then| then.elapsed() > SCAN) {
                self.scan();
                self.scanned = Some(Instant::now());
            }
            self.watch();
            self.renew();
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Open(choice) => {
                self.choice = choice;
                self.open();
            }
            Command::Play(file) => {
                self.file = file;
                self.open();
            }
            Command::Monitor(on) => {
                self.choice.monitor = on;
                self.set_heard();
                let hushed = self.streams.as_ref().and_then(|s| s.hushed.clone());
                if let Some(fault) = hushed.filter(|_| on) {
                    self.tell(Event::Fault(fault));
                }
            }
            Command::Record(path) => self.record(path),
        }
    }

    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn open(&mut self) {
        self.stop_recording();
        // The devices must be free before they are opened again.
        self.streams = None;
        self.heard.store(false, Ordering::Relaxed);
        let request = Request {
            choice: &self.choice,
            file: self.file.as_deref(),
            trace: self.trace.as_deref(),
            band: &self.band,
            loader: &self.loader,
            values: &self.values,
            heard: &self.heard,
        };
        match Streams::open(&request) {
            Ok((streams, running)) => {
                self.failed = None;
                self.tell(Event::Running(Box::new(running)));
                self.tell(Event::Playing(self.file.clone()));
                // What stays on the panel is the last.
                let told = [&streams.longer, &streams.hushed];
                for fault in told.into_iter().flatten().chain(&streams.missing) {
                    self.tell(Event::Fault(fault.clone()));
                }
                self.streams = Some(streams);
                self.set_heard();
            }
            Err(fault) => {
                self.file = None;
                self.tell(Event::Stopped);
                self.tell(Event::Playing(None));
                if self.failed.as_ref() != Some(&fault) {
                    self.failed = Some(fault.clone());
                    self.tell(Event::Fault(fault));
                }
            }
        }
    }

    /// Another latency mode, a model of other frames, or a GPU takes another processor.
    fn renew(&mut self) {
        let request = Request {
            choice: &self.choice,
            file: None,
            trace: None,
            band: &self.band,
            loader: &self.loader,
            values: &self.values,
            heard: &self.heard,
        };
        let Some(streams) = &mut self.streams else {
            return;
        };
        if !streams.is_outdated(&request) {
            return;
        }
        match streams.renew(&request) {
            Ok(latency) => self.tell(Event::Latency(latency)),
            Err(fault) if self.failed.as_ref() != Some(&fault) => {
                self.failed = Some(fault.clone());
                self.tell(Event::Fault(fault));
            }
            Err(_) => {}
        }
    }

    /// A file and the instrument are always heard; the input only if it is asked for, since a microphone near a loudspeaker howls, and only
    /// where it was asked for.
    fn set_heard(&self) {
        let hushed = self.streams.as_ref().is_some_and(|s| s.hushed.is_some());
        self.heard.store(
            self.file.is_some() || self.choice.is_instrument() || self.choice.monitor && !hushed,
            Ordering::Relaxed,
        );
    }

    fn record(&mut self, path: Option<PathBuf>) {
        let Some(streams) = &mut self.streams else {
            return;
        };
        let result = match path {
            Some(path) => streams.recorder.start(path),
            None => streams.recorder.stop().map(drop),
        };
        let now = streams.recorder.path().map(PathBuf::from);
        if let Err(fault) = result {
            self.tell(Event::Fault(fault));
        }
        self.tell(Event::Recording(now));
    }

    fn stop_recording(&mut self) {
        if self
            .streams
            .as_ref()
            .is_some_and(|s| s.recorder.path().is_some())
        {
            self.record(None);
        }
    }

    /// Whether a stream has died, and whether a file has ended.
    fn watch(&mut self) {
        let Some(streams) = &mut self.streams else {
            return;
        };
        if streams.is_lost() {
            self.lose();
        } else if streams.has_ended() && self.file.take().is_some() {
            self.open();
        }
    }

    fn lose(&mut self) {
        let recorded = self.streams.as_ref().and_then(|s| s.recorder.path());
        let what = match recorded {
            Some(path) => format!(
                "a sound device went away, and the recording to {} ended",
                path.display()
            ),
            None => "a sound device went away".into(),
        };
        self.tell(Event::Fault(Fault {
            what,
            remedy: "connect it again; until then the system's own is used".into(),
        }));
        self.open();
    }

    /// Which devices there are; whether those that were missing are back, and those that were chosen are still there.
    fn scan(&mut self) {
        quiet::hush();
        if self.streams.as_ref().is_some_and(|streams| streams.on_jack) {
            hosts::jack_runs();
        }
        let devices = devices::list();
        if devices != self.devices {
            self.devices = devices.clone();
            self.tell(Event::Devices(devices));
        }
        let back = match &self.streams {
            None => true,
            Some(streams) if streams.missing.is_empty() => {
                // A sound server may have moved our stream to another device, where nobody wants it.
                if !self.wanted_are_there() {
                    self.lose();
                }
                return;
            }
            Some(_) => self.wanted_are_there(),
        };
        if back {
            self.open();
            if self
                .streams
                .as_ref()
                .is_some_and(|streams| streams.missing.is_empty())
            {
                self.tell(Event::Recovered);
            }
        }
    }

    fn wanted_are_there(&self) -> bool {
        let there = |wanted: &Option<String>, way| {
            wanted
                .as_deref()
                .is_none_or(|wanted| devices::is_there(wanted, way))
        };
        there(&self.choice.output, Way::Out)
            && (self.file.is_some() || there(&self.choice.input, Way::In))
    }
}
