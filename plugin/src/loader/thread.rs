//! The loader's thread: one command after the other, and in between, engines in and out of the slot.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statewave::engine::gpu::Gpu;
use statewave::model::Model;

use super::device::{self, Device, Stream};
use super::{Shared, lock, resolve};
use crate::processor::{BoxedEngine, EngineEnds};

/// How long an engine may lie about before it is looked for again.
const POLL: Duration = Duration::from_millis(5);

pub(super) enum Command {
    /// Load the choice.
    Load,
    /// Open the device that was chosen, if it is not, and measure the model on it.
    Engine,
    /// Look which adapters there are.
    Adapters,
    /// A processor has been made.
    Connect(Link),
    /// Free everything and end.
    Quit,
}

/// A processor that runs.
pub(super) struct Link {
    pub ends: EngineEnds,
    pub stream: Stream,
    /// The model of the newest engine given to it.
    pub playing: Arc<Model>,
    /// The GPU that this engine runs on.
    pub on: Option<String>,
    /// What all its engines must have.
    pub handoff: usize,
}

pub(super) struct Worker {
    shared: Arc<Mutex<Shared>>,
    restart_wanted: Arc<AtomicBool>,
    commands: Receiver<Command>,
    link: Option<Link>,
    /// An engine that found no room yet.
    waiting: Option<BoxedEngine>,
    /// Engines given whose predecessors have not come back.
    given: usize,
}

impl Worker {
    pub(super) fn new(
        shared: Arc<Mutex<Shared>>,
        restart_wanted: Arc<AtomicBool>,
        commands: Receiver<Command>,
    ) -> Self {
        Self {
            shared,
            restart_wanted,
            commands,
            link: None,
            waiting: None,
            given: 0,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            let command = if self.given == 0 && self.waiting.is_none() {
                self.commands
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                self.commands.recv_timeout(POLL)
            };
            match command {
                Ok(Command::Load) => self.load(),
                Ok(Command::Engine) => self.open(),
                Ok(Command::Adapters) => self.find_adapters(),
                Ok(Command::Connect(link)) => self.connect(link),
                Ok(Command::Quit) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.hand_over();
        }
    }

    fn connect(&mut self, link: Link) {
        // The engines of the processor before go with its ends.
        self.link = Some(link);
        self.waiting = None;
        self.given = 0;
        self.restart_wanted.store(false, Ordering::Relaxed);
        // A model or a device may have become ready between the making of the processor and now.
        self.open();
    }

    /// Opens the device that was chosen and measures the model on it, where that is still to be done; then plays.
    fn open(&mut self) {
        let (choice, model) = {
            let shared = lock(&self.shared);
            (shared.status.engine.choice.clone(), shared.ready.clone())
        };
        let Some(model) = model else {
            // Reading it leads back here.
            return self.load();
        };
        if lock(&self.shared).device.is_coming(&model) {
            let opened = Device::open(&choice, &model);
            let mut shared = lock(&self.shared);
            if shared.status.engine.choice != choice {
                // Somebody has changed their mind; another command is under way.
                return;
            }
            match opened {
                Ok(device) => shared.device = device,
                Err(error) => {
                    shared.device = Device::None;
                    shared.status.engine_fault = Some(device::fault(&error));
                }
            }
        }
        self.play();
    }

    fn find_adapters(&self) {
        let mut names: Vec<String> = Vec::new();
        for info in Gpu::adapters(false) {
            // One card may be reached in several ways.
            if !names.contains(&info.name) {
                names.push(info.name);
            }
        }
        lock(&self.shared).status.engine.adapters = names;
    }

    fn load(&mut self) {
        let choice = {
            let shared = lock(&self.shared);
            if shared.ready.is_some() {
                // Read by the main thread meanwhile.
                None
            } else {
                Some(shared.choice.clone())
            }
        };
        if let Some(choice) = choice {
            let resolved = resolve(&choice);
            let mut shared = lock(&self.shared);
            if shared.choice != choice || shared.ready.is_some() {
                // Somebody has changed their mind; another command is under way.
                return;
            }
            match resolved {
                Ok(resolved) => shared.accept(resolved),
                Err(error) => return shared.refuse(error),
            }
        }
        self.open();
    }

    /// Has the model that is ready played by the engine that is, if that can be without a new processor.
    fn play(&mut self) {
        let (model, device, name) = {
            let shared = lock(&self.shared);
            let name = shared.status.playing.clone();
            (shared.ready.clone(), shared.device.clone(), name)
        };
        let (Some(link), Some(model)) = (&mut self.link, model) else {
            return;
        };
        let on = device.facts().map(|facts| facts.adapter);
        if Arc::ptr_eq(&link.playing, &model) && link.on == on {
            self.restart_wanted.store(false, Ordering::Relaxed);
            return;
        }
        let (now, then) = (link.playing.spec(), model.spec());
        if now.front_end != then.front_end || now.sample_rate != then.sample_rate {
            self.restart_wanted.store(true, Ordering::Relaxed);
            return;
        }
        // The delay of a GPU that plays holds for the next model too, if it is long enough for it.
        let least = if link.on.is_some() { link.handoff } else { 0 };
        let made = device.engine(&model, &link.stream, least);
        let fits = made.engine.handoff() == link.handoff;
        let cost = match made.on {
            Some(_) => None,
            None => device::cost(&model, &name, &link.stream),
        };
        lock(&self.shared).note(&made, cost);
        let same = Arc::ptr_eq(&link.playing, &model) && link.on == made.on;
        self.restart_wanted.store(!fits, Ordering::Relaxed);
        if fits && !same {
            (link.playing, link.on) = (model, made.on);
            self.waiting = Some(made.engine);
        }
    }

    /// Gives the engine that waits, and frees those that came back.
    fn hand_over(&mut self) {
        let Some(link) = &mut self.link else { return };
        if let Some(engine) = self.waiting.take() {
            match link.ends.new.offer(engine) {
                Ok(()) => self.given += 1,
                Err(engine) => self.waiting = Some(engine),
            }
        }
        while let Some(retired) = link.ends.retired.take() {
            drop(retired);
            self.given = self.given.saturating_sub(1);
            lock(&self.shared).status.swaps += 1;
        }
    }
}
