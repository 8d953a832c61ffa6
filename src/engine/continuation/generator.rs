//! What runs at the model's rate: hears the input, or goes on by itself from what it has heard.

use std::sync::Arc;

use super::level::Level;
use super::sampler::{Sampler, Sampling};
use super::watch::{Astray, Watch};
use crate::kernels::Path;
use crate::model::generate::{Density, GenerateModel, GenerateStream, StreamState, mu_law};
use crate::state::{Hand, Memory};

/// Samples of a cross-fade from where the generator was to where it is taken back to, or where its state is put.
const JOIN: usize = 128;

/// Samples between looks whether the state is all numbers.
const CHECK: usize = 1024;

/// How often it was taken back, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restarts {
    /// See [`Astray::Silent`].
    pub silent: u64,
    /// See [`Astray::BlownUp`].
    pub blown_up: u64,
    /// See [`Astray::Stuck`].
    pub stuck: u64,
}

impl Restarts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.silent + self.blown_up + self.stuck
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Generator {
    stream: GenerateStream,
    /// Where it last began to go on by itself.
    primed: StreamState,
    expects_sound: bool,
    sampler: Sampler,
    watch: Watch,
    density: Density,
    level: Level,
    /// The sample before it was taken back, and how many of the cross-fade are to come.
    before: f32,
    joining: usize,
    last: f32,
    steps: usize,
    restarts: Restarts,
    hand: Hand,
    /// Seconds of a row of the middle.
    row_seconds: f32,
}

impl Generator {
    pub(super) fn new(path: Path, model: Arc<GenerateModel>) -> Generator {
        let rate = model.spec().sample_rate;
        let row_seconds = model.period() as f32 / rate as f32;
        let level = Level::new(rate, model.spec().level_db);
        let stream = GenerateStream::on(path, model);
        Generator {
            primed: stream.state().clone(),
            stream,
            expects_sound: false,
            sampler: Sampler::new(path),
            watch: Watch::new(rate),
            density: Density::default(),
            level,
            before: 0.0,
            joining: 0,
            last: 0.0,
            steps: 0,
            restarts: Restarts::default(),
            hand: Hand::default(),
            row_seconds,
        }
    }

    pub(super) fn hand(&mut self) -> &mut Hand {
        &mut self.hand
    }

    pub(super) fn memory(&mut self) -> &mut dyn Memory {
        &mut self.stream
    }

    /// Before a sample, between two rows of the middle: what is to be done to the state.
    fn touch(&mut self) {
        if self.stream.is_between_rows() && self.hand.step(&mut self.stream, self.row_seconds) {
            self.before = self.last;
            self.joining = JOIN;
        }
    }

    pub(super) fn stream(&self) -> &GenerateStream {
        &self.stream
    }

    pub(super) fn stream_mut(&mut self) -> &mut GenerateStream {
        &mut self.stream
    }

    pub(super) fn restarts(&self) -> Restarts {
        self.restarts
    }

    pub(super) fn reset(&mut self) {
        self.stream.reset();
        self.level.reset();
        self.steps = 0;
    }

    pub(super) fn set_density(&mut self, density: Density) {
        if density != self.density {
            self.density = density;
            self.stream.set_density(density);
        }
    }

    /// Hears a sample of the input.
    pub(super) fn listen(&mut self, x: f32) {
        let x = if x.is_finite() { x } else { 0.0 };
        self.touch();
        let x = self.level.hear(x);
        self.stream.hear(mu_law::encode(x));
    }

    /// Begins to go on by itself from here.
    pub(super) fn begin(&mut self, seed: u64) {
        if !self.stream.state().is_finite() {
            self.stream.reset();
        }
        self.primed.copy_from(self.stream.state());
        self.expects_sound = self.level.is_audible();
        self.sampler.seed(seed);
        self.watch.reset();
        self.joining = 0;
    }

    /// The next sample, as loud as what was heard.
    pub(super) fn go_on(&mut self, sampling: Sampling) -> f32 {
        let x = self.next(sampling);
        self.level.speak(x)
    }

    /// The most that it says, from what was heard.
    pub(super) fn most(&self) -> f32 {
        self.level.most()
    }

    fn next(&mut self, sampling: Sampling) -> f32 {
        self.touch();
        let drawn = self.sampler.draw(self.stream.logits(), sampling);
        self.steps = (self.steps + 1) % CHECK;
        let whole = drawn.filter(|_| self.steps != 0 || self.stream.state().is_finite());
        let astray = match whole {
            Some(token) => {
                self.stream.hear(token);
                self.watch.hear(token, self.expects_sound).filter(|astray| {
                    // A state that stands still may well say the same for ever.
                    self.hand.pace() > 0.0 || *astray == Astray::BlownUp
                })
            }
            None => Some(Astray::BlownUp),
        };
        if let Some(astray) = astray {
            self.restart(astray);
        }
        let x = whole.map_or(0.0, mu_law::decode);
        let share = self.joining as f32 / JOIN as f32;
        self.joining = self.joining.saturating_sub(1);
        self.last = x + (self.before - x) * share;
        if astray.is_some() {
            self.before = self.last;
            self.joining = JOIN;
        }
        self.last
    }

    /// Back to where it began. The random numbers go on, so it goes another way from there.
    fn restart(&mut self, astray: Astray) {
        match astray {
            Astray::Silent => self.restarts.silent += 1,
            Astray::BlownUp => self.restarts.blown_up += 1,
            Astray::Stuck => self.restarts.stuck += 1,
        }
        self.stream.state_mut().copy_from(&self.primed);
        self.watch.reset();
    }
}
