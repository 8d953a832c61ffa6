//! What the panel needs of whoever shows it. All calls come from the thread that draws.

use std::path::Path;

use statewave::latency::Latency;
use statewave::model::effect::{Knob, MAX_KNOBS};
use statewave::model::spec::Task;
use statewave::state::SLOTS;
use statewave::telemetry::Snapshot;

pub use super::patch::change;
use crate::engine::{EngineChoice, EngineStatus};
pub use crate::fault::Fault;
use crate::params::ParamList;

/// The parameters, in the order in which they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Param {
    /// The most that is taken away. Plain: dB.
    Amount,
    /// Share of the processed signal. Plain: 0 to 1.
    Mix,
    /// What is heard. Plain: 0 output, 1 removed, 2 input.
    Listen,
    /// Which latency. Plain: index of the choice.
    LatencyMode,
    /// Gain behind the mix. Plain: dB.
    OutputGain,
    /// How channels are treated. Plain: index of the choice.
    Stereo,
    /// Hear the delayed input. Plain: 0 or 1.
    Bypass,
    /// The knobs of an effect. Plain: the share of the way up.
    Knob1,
    /// See [`Param::Knob1`].
    Knob2,
    /// See [`Param::Knob1`].
    Knob3,
    /// See [`Param::Knob1`].
    Knob4,
    /// Gain in front of an effect. Plain: dB.
    InputGain,
    /// Level of the input below which an effect hears nothing. Plain: dBFS.
    Gate,
    /// The cabinet is heard. Plain: 0 or 1.
    Cabinet,
    /// Sound goes on by itself. Plain: 0 or 1.
    GoOn,
    /// How far from the likeliest sample it strays. Plain: 0 to 2.
    Temperature,
    /// Share of the probability that is drawn from. Plain: 0 to 1.
    TopP,
    /// How dense what comes should be. Plain: 0 as heard, else the share of the training set that is sparser.
    Density,
    /// Where random numbers begin. Plain: the number.
    Seed,
    /// How far the state is kept from changing. Plain: 0 to 1.
    Freeze,
    /// Factor on the state's time constants. Plain: octaves.
    Memory,
    /// The slot that the state goes to. Plain: 0 for none, else the slot from 1 on.
    Store,
    /// The state is what lies between two slots. Plain: 0 or 1.
    Recall,
    /// The slot at a morph of 0. Plain: index of the slot.
    From,
    /// The slot at 1. Plain: index of the slot.
    To,
    /// Where between the slots. Plain: 0 to 1.
    Morph,
    /// The state begins anew when the host's transport starts. Plain: 0 or 1.
    ResetOnStart,
}

impl Param {
    /// All of them.
    pub const ALL: [Param; 27] = [
        Param::Amount,
        Param::Mix,
        Param::Listen,
        Param::LatencyMode,
        Param::OutputGain,
        Param::Stereo,
        Param::Bypass,
        Param::Knob1,
        Param::Knob2,
        Param::Knob3,
        Param::Knob4,
        Param::InputGain,
        Param::Gate,
        Param::Cabinet,
        Param::GoOn,
        Param::Temperature,
        Param::TopP,
        Param::Density,
        Param::Seed,
        Param::Freeze,
        Param::Memory,
        Param::Store,
        Param::Recall,
        Param::From,
        Param::To,
        Param::Morph,
        Param::ResetOnStart,
    ];

    /// The knobs of an effect, in their order.
    pub const KNOBS: [Param; MAX_KNOBS] = [Param::Knob1, Param::Knob2, Param::Knob3, Param::Knob4];

    /// Whether it is played with, rather than set: neither presets nor a fresh start touch it.
    pub fn is_played(self) -> bool {
        use Param::{Bypass, Freeze, From, GoOn, Morph, Recall, Store, To};
        matches!(
            self,
            Bypass | GoOn | Freeze | Store | Recall | From | To | Morph
        )
    }

    /// The name in preset files. Never changes.
    pub fn key(self) -> &'static str {
        match self {
            Param::Amount => "amount_db",
            Param::Mix => "mix",
            Param::Listen => "listen",
            Param::LatencyMode => "latency_mode",
            Param::OutputGain => "output_gain_db",
            Param::Stereo => "stereo",
            Param::Bypass => "bypass",
            Param::Knob1 => "knob_1",
            Param::Knob2 => "knob_2",
            Param::Knob3 => "knob_3",
            Param::Knob4 => "knob_4",
            Param::InputGain => "input_gain_db",
            Param::Gate => "gate_db",
            Param::Cabinet => "cabinet",
            Param::GoOn => "go_on",
            Param::Temperature => "temperature",
            Param::TopP => "top_p",
            Param::Density => "density",
            Param::Seed => "seed",
            Param::Freeze => "freeze",
            Param::Memory => "memory",
            Param::Store => "store",
            Param::Recall => "recall",
            Param::From => "recall_from",
            Param::To => "recall_to",
            Param::Morph => "state_morph",
            Param::ResetOnStart => "reset_on_start",
        }
    }

    /// The name on the panel and for screen readers.
    pub fn label(self) -> &'static str {
        match self {
            Param::Amount => "Amount",
            Param::Mix => "Mix",
            Param::Listen => "Listen",
            Param::LatencyMode => "Latency",
            Param::OutputGain => "Output",
            Param::Stereo => "Stereo",
            Param::Bypass => "Bypass",
            Param::Knob1 => "Knob 1",
            Param::Knob2 => "Knob 2",
            Param::Knob3 => "Knob 3",
            Param::Knob4 => "Knob 4",
            Param::InputGain => "Input",
            Param::Gate => "Gate",
            Param::Cabinet => "Cabinet",
            Param::GoOn => "Go on",
            Param::Temperature => "Temperature",
            Param::TopP => "Top-p",
            Param::Density => "Density",
            Param::Seed => "Seed",
            Param::Freeze => "Freeze",
            Param::Memory => "Memory",
            Param::Store => "Store",
            Param::Recall => "Recall",
            Param::From => "From",
            Param::To => "To",
            Param::Morph => "Morph",
            Param::ResetOnStart => "Reset on start",
        }
    }
}

/// A model that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// What it is for; `None` of a file that is no model.
    pub task: Option<Task>,
}

impl Listed {
    /// Where it is among the others, and what they are called together.
    pub fn group(&self) -> (u8, &'static str) {
        match self.task {
            Some(Task::Denoise) => (0, "Clean"),
            Some(Task::Effect) => (1, "Tone"),
            Some(Task::Continue) => (2, "Continue"),
            Some(Task::Generate | Task::Sequence) | None => (3, "Not to be played"),
        }
    }
}

/// The shell around the panel: an app's window or a plugin's editor.
///
/// Values are normalised, 0 to 1, unless called plain. A gesture is `begin`, any number of `set`, `end`.
pub trait PanelHost {
    /// The value now.
    fn value(&self, param: Param) -> f32;
    /// A gesture begins: the pointer or a key went down.
    fn begin(&mut self, param: Param);
    /// The value within a gesture.
    fn set(&mut self, param: Param, value: f32);
    /// The gesture ends.
    fn end(&mut self, param: Param);
    /// What the parameters are: their defaults, steps, texts and ranges.
    fn list(&self) -> &ParamList;

    /// The delays of the mode that runs; `None` while nothing runs.
    fn latency(&self) -> Option<Latency>;
    /// Milliseconds of a choice of [`Param::LatencyMode`]; `None` until the model is read.
    fn mode_ms(&self, mode: usize) -> Option<f64>;

    /// The models that can be chosen, in order: those for one task together.
    fn models(&self) -> &[Listed];
    /// What the model that plays is for.
    fn task(&self) -> Task;
    /// Its knobs, in the order of [`Param::KNOBS`].
    fn knobs(&self) -> &[Knob];
    /// The file of the impulse response behind effects.
    fn cabinet(&self) -> Option<&Path>;
    /// Reads an impulse response and plays it, or none.
    fn load_cabinet(&mut self, path: Option<&Path>);
    /// Which slots keep a state; `None` while nothing plays that has any.
    fn slots(&self) -> Option<[bool; SLOTS]>;
    /// Has the state kept in a slot.
    fn keep_state(&mut self, slot: usize);
    /// Name of the model that plays or is on its way.
    fn model(&self) -> &str;
    /// SHA-256 of its file; empty until it was read.
    fn model_sha256(&self) -> &str;
    /// Plays the model of that name.
    fn select_model(&mut self, name: &str) {
        self.recall_model(name, "");
    }
    /// Plays the model whose file has that SHA-256, under whatever name; one of that name if there is none, and says so.
    fn recall_model(&mut self, name: &str, sha256: &str);
    /// Reads a model file and plays it.
    fn load_file(&mut self, path: &Path);

    /// What runs models, and what was chosen to.
    fn engine(&self) -> &EngineStatus;
    /// Has models run by something else.
    fn choose_engine(&mut self, choice: EngineChoice);
    /// Has [`EngineStatus::adapters`] looked for.
    fn find_adapters(&mut self);

    /// What is wrong now, to be shown until it is dismissed.
    fn fault(&self) -> Option<&Fault>;
    /// The panel itself found something wrong.
    fn report(&mut self, fault: Fault);
    /// The person has read it.
    fn dismiss(&mut self);

    /// Takes one snapshot of those that came since the last frame, oldest first; `None` when there are no more.
    fn snapshot(&mut self) -> Option<Snapshot>;
}

/// Value of the choice of that index.
pub fn choice_value(index: usize, choices: usize) -> f32 {
    index as f32 / (choices.max(2) - 1) as f32
}

/// Index of the choice nearest to a value.
pub fn choice_index(value: f32, choices: usize) -> usize {
    (value.clamp(0.0, 1.0) * (choices.max(2) - 1) as f32).round() as usize
}
