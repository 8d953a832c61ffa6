//! The thread that owns the streams: opens them, watches them, and opens others when a device goes away or comes back.
//!
//! Flows in: [`Command`]s from the window or the flags. Flows out: [`Event`]s. It may wait, since no sound goes through it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cpal::Stream;
use rtrb::{Consumer, Producer, RingBuffer};
use statewave::chain::ChainConfig;
use statewave::latency::Latency;
use statewave::model::Model;
use statewave::telemetry::Snapshot;

use super::bridge::{BridgeStatus, bridge};
use super::devices::{self, Devices, Way};
use super::drive::Drive;
use super::player::{SoundFile, feed};
use super::record::{Recorder, recorder};
use super::settings::Choice;
use super::streams::{self, MAX_BLOCK, Player, Pulse};
use super::values::Values;
use crate::panel::host::Fault;

/// Between two looks at the streams.
const LOOK: Duration = Duration::from_millis(200);

/// Between two looks for devices.
const SCAN: Duration = Duration::from_secs(3);

/// A stream that was not heard of for so long is gone.
const STALLED: Duration = Duration::from_secs(3);

/// Snapshots that may wait for the panel: half a second.
const SNAPSHOTS: usize = 75;

/// What the rig is told.
pub enum Command {
    /// These devices, from now on.
    Open(Choice),
    /// This file instead of the input; `None` for the input again.
    Play(Option<PathBuf>),
    /// This model.
    Model(Arc<Model>),
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

/// Streams that run.
pub struct Running {
    /// Delays of the chain.
    pub latency: Latency,
    /// From the audio thread.
    pub snapshots: Consumer<Snapshot>,
    /// Name of the input, or of the file.
    pub input: String,
    /// Name of the output.
    pub output: String,
    /// Rates of both, Hz.
    pub rates: (u32, u32),
    /// What is between them.
    pub bridge: Arc<BridgeStatus>,
}

/// The way to the thread; it ends when this is dropped.
pub struct Rig {
    commands: Option<Sender<Command>>,
    /// What it tells.
    pub events: Receiver<Event>,
    thread: Option<JoinHandle<()>>,
}

impl Rig {
    /// Starts the thread and opens `choice`. `heard` lets the input be heard before [`Command::Monitor`] says so.
    pub fn start(choice: Choice, model: Arc<Model>, values: Arc<Values>) -> Self {
        let (commands, received) = mpsc::channel();
        let (told, events) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut work = Work {
                choice,
                file: None,
                model,
                values,
                events: told,
                streams: None,
                heard: Arc::new(AtomicBool::new(false)),
                substitute: false,
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

/// Streams and what belongs to them.
struct Streams {
    _output: Stream,
    _input: Option<Stream>,
    pulses: Vec<(Arc<Pulse>, u64, Instant)>,
    bridge: Arc<BridgeStatus>,
    recorder: Recorder,
    config: ChainConfig,
    next: Producer<Box<Drive>>,
    retired: Consumer<Box<Drive>>,
}

struct Work {
    choice: Choice,
    file: Option<PathBuf>,
    model: Arc<Model>,
    values: Arc<Values>,
    events: Sender<Event>,
    streams: Option<Streams>,
    heard: Arc<AtomicBool>,
    /// A device plays in place of one that is not there.
    substitute: bool,
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
            self.watch();
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
            Command::Model(model) => {
                self.model = model;
                self.swap();
            }
            Command::Monitor(on) => {
                self.choice.monitor = on;
                self.set_heard();
            }
            Command::Record(path) => self.record(path),
        }
    }

    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn open(&mut self) {
        self.stop_recording();
        self.streams = None;
        self.set_heard();
        match self.opened() {
            Ok((streams, running)) => {
                self.streams = Some(streams);
                self.failed = None;
                self.tell(Event::Running(Box::new(running)));
                self.tell(Event::Playing(self.file.clone()));
            }
            Err(fault) => {
                self.file = None;
                self.tell(Event::Stopped);
                if self.failed.as_ref() != Some(&fault) {
                    self.failed = Some(fault.clone());
                    self.tell(Event::Fault(fault));
                }
            }
        }
    }

    fn opened(&mut self) -> Result<(Streams, Running), Fault> {
        let Choice { rate, buffer, .. } = self.choice;
        let output = devices::open(self.choice.output.as_deref(), Way::Out, rate, buffer)?;
        let output_rate = output.config.sample_rate;
        let file = self.file.as_deref().map(SoundFile::open).transpose()?;
        let input = match &file {
            Some(_) => None,
            None => Some(devices::open(
                self.choice.input.as_deref(),
                Way::In,
                rate,
                buffer,
            )?),
        };
        let input_rate = match (&file, &input) {
            (Some(file), _) => file.rate,
            (None, Some(input)) => input.config.sample_rate,
            (None, None) => output_rate,
        };
        let channels = input
            .as_ref()
            .map_or(2, |input| usize::from(input.config.channels.clamp(1, 2)));
        let (inlet, outlet) =
            bridge(channels, input_rate, output_rate, file.is_none()).map_err(|e| Fault {
                what: format!("from {input_rate} to {output_rate} Hz: {e}"),
                remedy: "choose another rate".into(),
            })?;
        let config = ChainConfig {
            sample_rate: output_rate,
            channels,
            max_block: MAX_BLOCK,
        };
        let drive = self.drive(config)?;
        let latency = drive.latency();
        let (tape, recorder) = recorder(channels, output_rate);
        let (snapshots, to_panel) = RingBuffer::new(SNAPSHOTS);
        let (next, to_player) = RingBuffer::new(2);
        let (from_player, retired) = RingBuffer::new(2);
        let status = Arc::clone(outlet.status());
        let player = Player {
            outlet,
            drive: Box::new(drive),
            next: to_player,
            retired: from_player,
            snapshots,
            tape,
            heard: Arc::clone(&self.heard),
            fade: 0.0,
            planes: vec![vec![0.0; MAX_BLOCK]; channels],
        };
        let pulse = || (Arc::new(Pulse::default()), 0, Instant::now());
        let mut pulses = vec![pulse()];
        let output_stream = streams::output(&output, player, Arc::clone(&pulses[0].0))?;
        let input_stream = match (&input, file) {
            (Some(input), _) => {
                pulses.push(pulse());
                Some(streams::input(input, inlet, Arc::clone(&pulses[1].0))?)
            }
            (None, Some(file)) => {
                feed(file, inlet);
                None
            }
            (None, None) => None,
        };
        self.substitute = !output.wanted || input.as_ref().is_some_and(|input| !input.wanted);
        if self.substitute {
            self.tell_missing(&output, input.as_ref());
        }
        let running = Running {
            latency,
            snapshots: to_panel,
            input: match (&input, &self.file) {
                (Some(input), _) => input.name.clone(),
                (None, file) => file.iter().map(|file| file.display().to_string()).collect(),
            },
            output: output.name,
            rates: (input_rate, output_rate),
            bridge: Arc::clone(&status),
        };
        let streams = Streams {
            _output: output_stream,
            _input: input_stream,
            pulses,
            bridge: status,
            recorder,
            config,
            next,
            retired,
        };
        Ok((streams, running))
    }

    fn drive(&self, config: ChainConfig) -> Result<Drive, Fault> {
        Drive::new(&self.model, config, Arc::clone(&self.values)).map_err(|e| Fault {
            what: e.to_string(),
            remedy: "choose a rate from 8 to 192 kHz".into(),
        })
    }

    fn tell_missing(&self, output: &devices::Opened, input: Option<&devices::Opened>) {
        let of = |wanted: &Option<String>, opened: &devices::Opened, kind: &str| {
            let missing = wanted.as_deref().unwrap_or_default();
            Fault {
                what: format!("the {kind} {missing} is not there"),
                remedy: format!("{} stands in until it comes back", opened.name),
            }
        };
        if !output.wanted {
            self.tell(Event::Fault(of(&self.choice.output, output, "output")));
        }
        if let Some(input) = input.filter(|input| !input.wanted) {
            self.tell(Event::Fault(of(&self.choice.input, input, "input")));
        }
    }

    /// Another model in the streams that run.
    fn swap(&mut self) {
        let Some(config) = self.streams.as_ref().map(|streams| streams.config) else {
            return;
        };
        match self.drive(config) {
            Ok(drive) => {
                self.tell(Event::Latency(drive.latency()));
                if let Some(streams) = &mut self.streams {
                    // Where two wait already, the next look brings this one in by opening anew.
                    let _ = streams.next.push(Box::new(drive));
                }
            }
            Err(fault) => self.tell(Event::Fault(fault)),
        }
    }

    /// A file is always heard; the input only if it is asked for, since a microphone near a loudspeaker howls.
    fn set_heard(&self) {
        self.heard.store(
            self.choice.monitor || self.file.is_some(),
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

    fn watch(&mut self) {
        let now = Instant::now();
        if self.scanned.is_none_or(|then| now - then > SCAN) {
            self.scan();
            self.scanned = Some(Instant::now());
            if self.substitute && self.wanted_are_back() {
                self.open();
                if !self.substitute {
                    self.tell(Event::Recovered);
                }
            } else if self.streams.is_none() {
                self.open();
                if self.streams.is_some() {
                    self.tell(Event::Recovered);
                }
            }
        }
        let Some(streams) = &mut self.streams else {
            return;
        };
        while streams.retired.pop().is_ok() {}
        let mut lost = false;
        for (pulse, beats, since) in &mut streams.pulses {
            let now_beats = pulse.beats.load(Ordering::Relaxed);
            if now_beats != *beats {
                (*beats, *since) = (now_beats, now);
            }
            lost |= pulse.lost.load(Ordering::Relaxed) || now - *since > STALLED;
        }
        let ended = streams.bridge.ended.load(Ordering::Acquire)
            && streams.bridge.held_us.load(Ordering::Relaxed) == 0;
        if lost {
            self.tell(Event::Fault(Fault {
                what: "a sound device went away".into(),
                remedy: "connect it again; until then the system's own is used".into(),
            }));
            self.open();
        } else if ended && self.file.take().is_some() {
            self.open();
        }
    }

    fn scan(&mut self) {
        let devices = devices::list();
        if devices != self.devices {
            self.devices = devices.clone();
            self.tell(Event::Devices(devices));
        }
    }

    fn wanted_are_back(&self) -> bool {
        let there = |wanted: &Option<String>, way| {
            wanted
                .as_deref()
                .is_none_or(|wanted| devices::is_there(wanted, way))
        };
        there(&self.choice.output, Way::Out)
            && (self.file.is_some() || there(&self.choice.input, Way::In))
    }
}
