//! One stream of each kind of model, played alike.
#![allow(dead_code)]

use std::sync::Arc;

use assert_no_alloc::assert_no_alloc;
use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::Engine;
use statewave::engine::continuation::{Continuation, Continue};
use statewave::engine::cpu::CpuEngine;
use statewave::engine::wave::WaveEngine;
use statewave::latency::LatencyMode;
use statewave::model::Model;
use statewave::model::effect::EffectModel;
use statewave::model::file::ModelFile;
use statewave::model::generate::{GenerateModel, GenerateStream};
use statewave::state::{Bank, BankKey, Hand, Memory, StateControls};
use statewave::telemetry;

/// Nothing is done to the state.
pub const USUAL: StateControls = StateControls::USUAL;

/// What is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Mamba-2 over frames.
    Denoise,
    /// The same, by its gains alone.
    DenoiseZero,
    /// S4D and S6, sample by sample.
    Drive,
    Opto,
    /// S4D and Mamba, drawing samples.
    Continue,
    /// The same, of a model that says what level it knows.
    ContinueLevelled,
}

pub const KINDS: [Kind; 5] = [
    Kind::Denoise,
    Kind::DenoiseZero,
    Kind::Drive,
    Kind::Opto,
    Kind::Continue,
];

impl Kind {
    /// The most that may come of an input whose peak is `loudest`.
    pub fn bound(self, loudest: f32) -> f32 {
        match self {
            // Full scale, or the input where that is what is heard.
            Kind::Continue => loudest.max(1.0),
            _ => TWICE * loudest,
        }
    }
}

/// +6 dB.
const TWICE: f32 = 1.995_262_3;

const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/models");

pub fn denoiser() -> Arc<Model> {
    Arc::new(Model::open(format!("{MODELS}/denoise-live.safetensors")).unwrap())
}

fn effect(name: &str) -> EffectModel {
    EffectModel::open(format!("{MODELS}/tone/{name}.safetensors")).unwrap()
}

const SMALL: &[u8] = include_bytes!("../golden/generate.safetensors");

fn generator(kind: Kind) -> Arc<GenerateModel> {
    let mut file = ModelFile::from_bytes(SMALL).unwrap();
    if kind == Kind::ContinueLevelled {
        file.spec_json["level_db"] = (-25.0).into();
    }
    Arc::new(GenerateModel::from_bytes(&file.to_bytes()).unwrap())
}

enum Player {
    Chain(Box<Chain>),
    Continuation(Box<Continuation>),
}

/// A stream of one channel.
pub struct Played {
    kind: Kind,
    rate: u32,
    player: Player,
    state: StateControls,
    /// Whether a continuation goes on by itself, or listens.
    pub goes_on: bool,
}

impl Played {
    pub fn new(kind: Kind, rate: u32) -> Played {
        let config = ChainConfig {
            sample_rate: rate,
            channels: 1,
            max_block: 512,
        };
        let frames = |mode| {
            let model = denoiser();
            let engine = Box::new(CpuEngine::new(&model, 1));
            let front_end = model.spec().front_end;
            Chain::with_mode(engine, front_end, 48_000, config, mode).unwrap()
        };
        let of = |name| Chain::of_effect(&effect(name), config).unwrap();
        let player = match kind {
            Kind::Denoise => Player::Chain(Box::new(frames(LatencyMode::Live))),
            Kind::DenoiseZero => Player::Chain(Box::new(frames(LatencyMode::Zero))),
            Kind::Drive => Player::Chain(Box::new(of("tone-drive"))),
            Kind::Opto => Player::Chain(Box::new(of("tone-opto"))),
            Kind::Continue | Kind::ContinueLevelled => {
                Player::Continuation(Box::new(Continuation::new(generator(kind), rate, 1, 512)))
            }
        };
        Played {
            kind,
            rate,
            player,
            state: StateControls::default(),
            goes_on: true,
        }
    }

    pub fn set(&mut self, state: &StateControls) {
        self.state = *state;
        if let Player::Continuation(stream) = &mut self.player {
            stream.hand().set(state);
        }
    }

    /// Without the heap.
    pub fn process(&mut self, audio: &mut [f32]) {
        let (state, go_on) = (self.state, self.goes_on);
        assert_no_alloc(|| match &mut self.player {
            Player::Chain(chain) => {
                let controls = Controls {
                    state,
                    ..Controls::default()
                };
                chain.process(&mut [audio], &controls);
            }
            Player::Continuation(stream) => {
                let controls = Continue {
                    go_on,
                    ..Continue::default()
                };
                stream.process(&mut [audio], &controls);
            }
        });
    }

    /// What is shown of it, for those that are chains.
    pub fn watch(&mut self) -> telemetry::Reader {
        let (writer, mut reader) = telemetry::pair();
        reader.watch(true);
        match &mut self.player {
            Player::Chain(chain) => drop(chain.set_telemetry(Some(writer))),
            Player::Continuation(_) => panic!("nothing is shown of it alone"),
        }
        reader
    }

    pub fn reset(&mut self) {
        match &mut self.player {
            Player::Chain(chain) => chain.reset(),
            Player::Continuation(stream) => {
                stream.reset();
                stream.hand().set(&self.state);
            }
        }
    }

    pub fn restart(&mut self) {
        match &mut self.player {
            Player::Chain(chain) => chain.restart_state(),
            Player::Continuation(stream) => stream.hand().restart(),
        }
    }

    pub fn bank(&mut self) -> Arc<Bank> {
        match &mut self.player {
            Player::Chain(chain) => chain.bank().unwrap(),
            Player::Continuation(stream) => Arc::clone(stream.memory().bank()),
        }
    }

    pub fn adopt(&mut self, bank: Arc<Bank>) -> Arc<Bank> {
        match &mut self.player {
            Player::Chain(chain) => chain.adopt_bank(bank),
            Player::Continuation(stream) => stream.memory().adopt(bank),
        }
    }

    /// What a session of this kind remembers right behind the hand's step with these controls and this bank.
    pub fn recalled(&mut self) -> Vec<f32> {
        let bank = self.bank();
        let mut hand = Hand::default();
        hand.set(&self.state);
        let mut state = vec![f32::NAN; bank.key().len];
        let mut put = |memory: &mut dyn Memory| {
            memory.adopt(Arc::clone(&bank));
            assert!(Arc::ptr_eq(memory.bank(), &bank));
            assert!(hand.step(memory, 0.01));
            memory.save(&mut state);
        };
        match self.kind {
            Kind::Denoise | Kind::DenoiseZero => {
                put(CpuEngine::new(&denoiser(), 1).memory().unwrap());
            }
            Kind::Drive | Kind::Opto => {
                let name = if self.kind == Kind::Drive {
                    "tone-drive"
                } else {
                    "tone-opto"
                };
                put(WaveEngine::new(&effect(name), self.rate, 1, 64)
                    .unwrap()
                    .memory());
            }
            Kind::Continue | Kind::ContinueLevelled => {
                put(&mut GenerateStream::new(generator(self.kind)));
            }
        }
        state
    }
}

/// Values that remember nothing but themselves.
pub struct Plain {
    pub values: Vec<f32>,
    pub pace: f32,
    bank: Arc<Bank>,
}

impl Plain {
    pub fn new(len: usize) -> Plain {
        Plain {
            values: vec![0.0; len],
            pace: 1.0,
            bank: Arc::new(Bank::new(BankKey {
                model: "plain".into(),
                sample_rate: 48_000,
                streams: 1,
                len,
            })),
        }
    }
}

impl Memory for Plain {
    fn bank(&self) -> &Arc<Bank> {
        &self.bank
    }

    fn adopt(&mut self, bank: Arc<Bank>) -> Arc<Bank> {
        std::mem::replace(&mut self.bank, bank)
    }

    fn save(&mut self, to: &mut [f32]) {
        to.copy_from_slice(&self.values);
    }

    fn restore(&mut self, from: &[f32]) {
        self.values.copy_from_slice(from);
    }

    fn set_pace(&mut self, scale: f32) {
        self.pace = scale;
    }

    fn forget(&mut self) {
        self.values.fill(0.0);
    }
}

/// A low note with three partials.
pub fn tone(len: usize) -> Vec<f32> {
    let at = |t: usize| {
        let turn = t as f32 / 48_000.0 * 110.0 * std::f32::consts::TAU;
        0.2 * turn.sin() + 0.1 * (2.0 * turn).sin() + 0.05 * (3.0 * turn).sin()
    };
    (0..len).map(at).collect()
}

pub fn peak(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |peak, x| peak.max(x.abs()))
}

/// The largest step from one sample to the next.
pub fn most_step(x: &[f32]) -> f32 {
    let steps = x.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    steps.fold(0.0, f32::max)
}
