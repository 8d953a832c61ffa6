//! The loader's thread: one command after the other, and in between, parts in and out of the slot.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use statewave::engine::gpu::Gpu;
use statewave::latency::Latency;
use statewave::model::Model;
use statewave::model::streams::StreamModel;

use super::cabinet::Response;
use super::chains::{self, MadeChain};
use super::device::{self, Device, Stream};
use super::shared::read_cabinet;
use super::{Shared, cost, lock, resolve, states};
use crate::processor::{Ends, Part};

/// How long a part may lie about before it is looked for again.
const POLL: Duration = Duration::from_millis(5);

pub(super) enum Command {
    /// Load the choice.
    Load,
    /// Open the device that was chosen, if it is not, and measure the model on it.
    Engine,
    /// Look which adapters there are.
    Adapters,
    /// Read the impulse response that was chosen.
    Cabinet,
    /// A processor has been made.
    Connect(Link),
    /// Free everything and end.
    Quit,
}

/// A processor that runs.
pub(super) struct Link {
    pub ends: Ends,
    pub stream: Stream,
    /// The model of the newest part given to it.
    pub playing: StreamModel,
    /// The GPU that runs it.
    pub on: Option<String>,
    /// What all engines of this chain must have.
    pub handoff: usize,
    /// What all its chains must have.
    pub latency: Latency,
    /// The impulse response behind the newest chain given to it, if that is an effect's.
    pub response: Option<Arc<Response>>,
}

pub(super) struct Worker {
    shared: Arc<Mutex<Shared>>,
    restart_wanted: Arc<AtomicBool>,
    commands: Receiver<Command>,
    link: Option<Link>,
    /// Parts that found no room yet, in order.
    waiting: VecDeque<Part>,
    /// Parts given whose predecessors have not come back.
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
            waiting: VecDeque::new(),
            given: 0,
        }
    }

    pub(super) fn run(mut self) {
        loop {
            let command = if self.given == 0 && self.waiting.is_empty() {
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
                Ok(Command::Cabinet) => self.load_cabinet(),
                Ok(Command::Connect(link)) => self.connect(link),
                Ok(Command::Quit) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.hand_over();
        }
    }

    fn connect(&mut self, link: Link) {
        // The parts of the processor before go with its ends.
        self.link = Some(link);
        self.waiting.clear();
        self.given = 0;
        self.restart_wanted.store(false, Ordering::Relaxed);
        // A model, a device or a cabinet may have become ready between the making of the processor and now.
        self.open();
        self.load_cabinet();
    }

    /// Opens the device that was chosen and measures the model on it, where that is still to be done; then plays.
    fn open(&mut self) {
        let (choice, model, device) = {
            let shared = lock(&self.shared);
            let choice = shared.status.engine.choice.clone();
            (choice, shared.ready.clone(), shared.device.clone())
        };
        let Some(model) = model else {
            // Reading it leads back here.
            return self.load();
        };
        let stream = self.link.as_ref().map(|link| &link.stream);
        if let StreamModel::Denoise(model) = &model
            && device.is_coming(model, stream)
        {
            let opened = Device::open(&choice, model, stream);
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

    fn load_cabinet(&mut self) {
        read_cabinet(&self.shared);
        let response = lock(&self.shared).response.clone();
        let Some(link) = &mut self.link else { return };
        let file = |response: &Option<Arc<Response>>| response.as_ref().map(Arc::as_ptr);
        // A chain that is made later brings its own.
        if !matches!(link.playing, StreamModel::Effect(_))
            || file(&link.response) == file(&response)
        {
            return;
        }
        link.response.clone_from(&response);
        let made = response.map(|response| chains::cabinet(&response, &link.stream));
        match made.transpose() {
            Ok(cabinet) => {
                self.waiting
                    .retain(|part| !matches!(part, Part::Cabinet(_)));
                self.waiting.push_back(Part::Cabinet(cabinet));
            }
            Err(fault) => lock(&self.shared).status.cabinet_fault = Some(fault),
        }
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
        let on = match model {
            StreamModel::Denoise(_) => device.facts().map(|facts| facts.adapter),
            StreamModel::Effect(_) | StreamModel::Continue(_) => None,
        };
        if link.playing.sha256() == model.sha256() && link.on == on {
            self.restart_wanted.store(false, Ordering::Relaxed);
            return;
        }
        match (&link.playing, &model) {
            (StreamModel::Denoise(now), StreamModel::Denoise(then))
                if now.spec().front_end == then.spec().front_end
                    && now.spec().sample_rate == then.spec().sample_rate =>
            {
                self.play_frames(Arc::clone(then), &device, &name);
            }
            _ => self.play_anew(model, &device, &name),
        }
    }

    /// Another engine for the chain that plays: its frames are the same.
    fn play_frames(&mut self, model: Arc<Model>, device: &Device, name: &str) {
        let Some(link) = &mut self.link else { return };
        // The delay of a GPU that plays holds for the next model too, if it is long enough for it.
        let least = if link.on.is_some() { link.handoff } else { 0 };
        let mut made = device.engine(&model, &link.stream, least);
        let fits = made.engine.handoff() == link.handoff;
        let cost = cost::of_frames(&model, name, &link.stream, made.on.as_deref());
        lock(&self.shared).note(made.on.is_some(), made.error.as_ref(), cost, None);
        let same = link.playing.sha256() == model.sha256() && link.on == made.on;
        self.restart_wanted.store(!fits, Ordering::Relaxed);
        if fits && !same {
            if let Some(memory) = made.engine.memory() {
                let bank = lock(&self.shared).settle(Arc::clone(memory.bank()));
                memory.adopt(bank);
            }
            (link.playing, link.on) = (StreamModel::Denoise(model), made.on);
            // One that waits behind a chain is for that chain.
            self.waiting.retain(|part| !matches!(part, Part::Engine(_)));
            self.waiting.push_back(Part::Engine(made.engine));
        }
    }

    /// Another chain, if its delays are the same; else the audio has to start anew.
    fn play_anew(&mut self, model: StreamModel, device: &Device, name: &str) {
        let Some(link) = &mut self.link else { return };
        let made = chains::made(&model, name, device, &link.stream);
        let mut shared = lock(&self.shared);
        let MadeChain {
            mut chain,
            on,
            error,
            handoff,
            cost,
        } = match made {
            Ok(made) => made,
            Err(fault) => return shared.status.fault = Some(fault),
        };
        let response = shared.response.clone();
        drop(shared);
        let cabinet = chains::furnish(&mut chain, &model, response.as_deref(), &link.stream);
        lock(&self.shared).note(on.is_some(), error.as_ref(), cost, cabinet);
        let fits = chain.latency() == link.latency;
        self.restart_wanted.store(!fits, Ordering::Relaxed);
        if fits {
            states::settle(&self.shared, &mut chain);
            (link.playing, link.on, link.handoff) = (model, on, handoff);
            link.response = response;
            // What was for the chain before is of no use any more.
            self.waiting.clear();
            self.waiting.push_back(Part::Chain(chain));
        }
    }

    /// Gives the parts that wait, and frees those that came back.
    fn hand_over(&mut self) {
        let Some(link) = &mut self.link else { return };
        while let Some(part) = self.waiting.pop_front() {
            match link.ends.new.offer(part) {
                Ok(()) => self.given += 1,
                Err(part) => {
                    self.waiting.push_front(part);
                    break;
                }
            }
        }
        while let Some(retired) = link.ends.retired.take() {
            self.given = self.given.saturating_sub(1);
            if !matches!(retired, Part::Cabinet(_)) {
                lock(&self.shared).status.swaps += 1;
            }
        }
    }
}
