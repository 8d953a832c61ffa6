//! The loader's thread: one command after the other, and in between, engines in and out of the slot.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statewave::engine::cpu::CpuEngine;
use statewave::model::Model;

use super::{Shared, lock, resolve};
use crate::processor::{BoxedEngine, EngineEnds};

/// How long an engine may lie about before it is looked for again.
const POLL: Duration = Duration::from_millis(5);

pub(super) enum Command {
    /// Load the choice.
    Load,
    /// A processor has been made.
    Connect(Link),
    /// Free everything and end.
    Quit,
}

/// A processor that runs.
pub(super) struct Link {
    pub ends: EngineEnds,
    pub channels: usize,
    /// The model of the newest engine given to it.
    pub playing: Arc<Model>,
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
        // A model may have become ready between the making of the processor and now.
        self.play();
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
        self.play();
    }

    /// Has the model that is ready played by the processor that runs, if it can be without a new one.
    fn play(&mut self) {
        let (Some(link), Some(model)) = (&mut self.link, lock(&self.shared).ready.clone()) else {
            return;
        };
        if Arc::ptr_eq(&link.playing, &model) {
            return;
        }
        let (now, then) = (link.playing.spec(), model.spec());
        if now.front_end != then.front_end || now.sample_rate != then.sample_rate {
            self.restart_wanted.store(true, Ordering::Relaxed);
            return;
        }
        self.restart_wanted.store(false, Ordering::Relaxed);
        self.waiting = Some(Box::new(CpuEngine::new(&model, link.channels)));
        link.playing = model;
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
