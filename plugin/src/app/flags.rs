//! The app's flags: everything the window can choose, for servers and routing.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;

use statewave::model::effect::knob_setting;

use super::band::Band;
use super::devices::INSTRUMENT;
use super::headless::tell;
use super::set::{self, Setting};
use super::settings::{Choice, Settings, model_of};
use super::values::Values;
use crate::desk::Desk;
use crate::engine::{EngineChoice, EngineKind};
use crate::fault::Fault;
use crate::loader::ModelChoice;
use crate::panel::host::Param;
use crate::panel::presets::{self, Shelf, Side};
use crate::params::ParamList;

/// Plays a model live: microphone in, cleaned voice out; or an amplifier, or sound that goes on by itself.
///
/// What a flag does not say is as it was left in the window.
#[derive(Debug, Parser)]
#[command(name = "statewave-app", version)]
pub struct Flags {
    /// Run without a window until it is told to end
    #[arg(long)]
    pub headless: bool,
    /// List the sound devices and MIDI ports, and end
    #[arg(long)]
    pub list: bool,
    /// Input device, by id or name
    #[arg(long, value_name = "DEVICE")]
    input: Option<String>,
    /// Output device, by id or name
    #[arg(long, value_name = "DEVICE")]
    output: Option<String>,
    /// Sample rate, Hz
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u32).range(8_000..=192_000))]
    rate: Option<u32>,
    /// Buffer, frames
    #[arg(long, value_name = "FRAMES", value_parser = clap::value_parser!(u32).range(16..=8_192))]
    buffer: Option<u32>,
    /// Let the cleaned input be heard (without a window it always is, unless --mute)
    #[arg(long, conflicts_with = "mute")]
    monitor: bool,
    /// Keep the output silent, such as while recording
    #[arg(long)]
    mute: bool,
    /// Model, by name or by the path of its file
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// What runs the model: this processor, or a GPU, with the processor to stand in
    #[arg(long, value_enum, value_name = "cpu|gpu")]
    engine: Option<EngineKind>,
    /// The GPU: part of an adapter's name as `statewave doctor` shows it
    #[arg(long, value_name = "NAME", conflicts_with = "low_power")]
    adapter: Option<String>,
    /// Rather a GPU that saves power, where there are several
    #[arg(long)]
    low_power: bool,
    /// Wait awake for the GPU, which takes a core: where frames come late since sleeps last too long
    #[arg(long)]
    awake: bool,
    /// Milliseconds that frames on a GPU may take beside what was measured: latency, for systems that stand still at times
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u16).range(..=100))]
    room: Option<u16>,
    /// The most that is taken away, such as "24 dB" or "no limit"
    #[arg(long, value_name = "DB", value_parser = |text: &str| plain(Param::Amount, text))]
    amount: Option<f32>,
    /// Share of the cleaned signal, such as "80 %"
    #[arg(long, value_name = "PERCENT", value_parser = |text: &str| plain(Param::Mix, text))]
    mix: Option<f32>,
    /// What is heard: output, removed or dry
    #[arg(long, value_name = "WHAT", value_parser = |text: &str| plain(Param::Listen, text))]
    listen: Option<f32>,
    /// How late the output is: zero or live
    #[arg(long, value_name = "MODE", value_parser = |text: &str| plain(Param::LatencyMode, text))]
    latency: Option<f32>,
    /// How two channels share the model: link, dual or mid-side
    #[arg(long, value_name = "HOW", value_parser = |text: &str| plain(Param::Stereo, text))]
    stereo: Option<f32>,
    /// Gain of the output, such as "-3 dB"
    #[arg(long, value_name = "DB", allow_hyphen_values = true, value_parser = |text: &str| plain(Param::OutputGain, text))]
    gain: Option<f32>,
    /// Of effects: turn a knob of the device; may come more than once. `statewave inspect MODEL` lists them
    #[arg(long = "knob", value_name = "NAME=VALUE", value_parser = knob_setting)]
    knobs: Vec<(String, f32)>,
    /// Of effects: gain in front of the device, such as "6 dB"
    #[arg(long, value_name = "DB", allow_hyphen_values = true, value_parser = |text: &str| plain(Param::InputGain, text))]
    input_gain: Option<f32>,
    /// Of effects: nothing reaches the device below this level of the input, such as "-60 dB", or "off"
    #[arg(long, value_name = "DBFS", allow_hyphen_values = true, value_parser = |text: &str| plain(Param::Gate, text))]
    gate: Option<f32>,
    /// Of effects: an impulse response behind the device, a WAV file; "none" for none
    #[arg(long, value_name = "FILE")]
    cabinet: Option<PathBuf>,
    /// Of models that go on by themselves: do so from the start, without the input
    #[arg(long = "continue")]
    go_on: bool,
    /// How far what goes on strays from the likeliest, 0 to 2
    #[arg(long, value_name = "T", value_parser = |text: &str| plain(Param::Temperature, text))]
    temperature: Option<f32>,
    /// Draw from the likeliest samples that have this share of the probability, 0 to 1
    #[arg(long, value_name = "P", value_parser = |text: &str| plain(Param::TopP, text))]
    top_p: Option<f32>,
    /// Onsets to aim for, from "0.1 %" to "100 %", or "as heard"
    #[arg(long, value_name = "PERCENT", value_parser = |text: &str| plain(Param::Density, text))]
    density: Option<f32>,
    /// Where random numbers begin, 0 to 9999
    #[arg(long, value_name = "N", value_parser = |text: &str| plain(Param::Seed, text))]
    seed: Option<f32>,
    /// Set any parameter, with a value as the panel shows it, such as memory="2 ×" or recall=on; may come more than once. Of the
    /// instrument where that plays. A name that there is not is answered by all there are
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = set::setting)]
    set: Vec<Setting>,
    /// Begin with a preset, of the house or your own; other flags go before what it sets. Of the instrument where that plays. A name
    /// that there is not is answered by all there are
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// Play this file instead of the input
    #[arg(long, value_name = "FILE")]
    pub play: Option<PathBuf>,
    /// Record the output to this WAV file
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// MIDI port whose controllers move what they learned in the window (without a window; else as it was left)
    #[arg(long, value_name = "PORT", requires = "headless")]
    pub midi: Option<String>,
    /// Play an instrument by MIDI, instead of an input; the one of that name, or as it was left
    #[arg(long, value_name = "NAME", conflicts_with = "input", num_args = 0..=1, default_missing_value = "")]
    instrument: Option<String>,
    /// Append to this file when each callback came, to look into gaps
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// End after so many seconds
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<f64>,
}

/// A value as a person writes it.
fn plain(param: Param, text: &str) -> Result<f32, String> {
    let list = ParamList::default();
    list.parse(param, text)
        .ok_or_else(|| list.suggestion(param))
}

impl Flags {
    /// The devices: as they were left, but for what the flags say.
    pub fn choice(&self, left: &Choice) -> Choice {
        Choice {
            input: match self.instrument {
                Some(_) => Some(INSTRUMENT.into()),
                None => self.input.clone().or_else(|| left.input.clone()),
            },
            output: self.output.clone().or_else(|| left.output.clone()),
            rate: self.rate.or(left.rate),
            buffer: self.buffer.or(left.buffer),
            monitor: !self.mute && (self.monitor || self.headless || left.monitor),
        }
    }

    /// What runs models: as it was left, but for what the flags say. A GPU that is named or described is wanted.
    pub fn engine(&self, left: &EngineChoice) -> EngineChoice {
        let described = self.adapter.is_some() || self.low_power;
        let kind = match self.engine {
            Some(kind) => kind,
            None if described || self.awake || self.room.is_some() => EngineKind::Gpu,
            None => left.kind,
        };
        EngineChoice {
            kind,
            adapter: match described {
                true => self.adapter.clone(),
                false => left.adapter.clone(),
            },
            low_power: self.low_power || (!described && left.low_power),
            awake: self.awake || (!described && left.awake),
            room_ms: self
                .room
                .unwrap_or(if described { 0 } else { left.room_ms }),
        }
    }

    /// The model to begin with: as it was left, but for what the flag says.
    pub fn model(&self, left: &str) -> ModelChoice {
        model_of(self.model.as_deref().unwrap_or(left))
    }

    /// The instrument: as it was left, but for what the flags say.
    ///
    /// # Errors
    /// When there is no instrument, preset or parameter of that name, or it has no such value.
    pub fn set_instrument(&self, settings: &Settings, band: &Band) -> Result<(), Fault> {
        band.restore(&settings.instrument);
        let plays = self.choice(&settings.choice).is_instrument();
        if let Some(name) = self.preset.as_ref().filter(|_| plays) {
            let preset = presets::named(name, &Shelf::of_user(Side::Instrument))?;
            if let Some(fault) = band.set(&preset) {
                tell(&fault);
            }
        }
        match self.instrument.as_deref() {
            None | Some("") => {}
            Some(name) => band.choose(name)?,
        }
        match plays {
            true => set::instrument(&band.params, &self.set),
            false => Ok(()),
        }
    }

    /// What sound goes through, but for the instrument: as `desk` has it, but for what the flags say.
    ///
    /// # Errors
    /// When there is no preset, knob or parameter of that name, or it has no such value, or no model can be played.
    pub fn set(&self, settings: &Settings, desk: &mut Desk<Arc<Values>>) -> Result<(), Fault> {
        let instrument = self.choice(&settings.choice).is_instrument();
        if let Some(name) = self.preset.as_ref().filter(|_| !instrument) {
            presets::named(name, &Shelf::of_user(Side::Effect))?.apply(desk);
            if let Some(model) = &self.model {
                desk.loader().choose(model_of(model));
            }
        }
        let loader = Arc::clone(desk.loader());
        if self.cabinet.is_some() {
            loader.choose_cabinet(self.cabinet(loader.cabinet().as_ref()));
        }
        self.set_values(&desk.values);
        let settings = if instrument { &[][..] } else { &self.set };
        if self.knobs.is_empty() && settings.is_empty() {
            return Ok(());
        }
        // The texts of knobs are the model's.
        set::knobs(&desk.values, &loader.model()?, &self.knobs)?;
        set::values(&desk.values, settings)
    }

    /// The impulse response: as it was left, but for what the flag says.
    fn cabinet(&self, left: Option<&PathBuf>) -> Option<PathBuf> {
        match &self.cabinet {
            Some(none) if none.as_os_str() == "none" => None,
            Some(file) => Some(file.clone()),
            None => left.cloned(),
        }
    }

    /// Sets the values that have flags of their own.
    fn set_values(&self, values: &Values) {
        let said = [
            (Param::Amount, self.amount),
            (Param::Mix, self.mix),
            (Param::Listen, self.listen),
            (Param::LatencyMode, self.latency),
            (Param::Stereo, self.stereo),
            (Param::OutputGain, self.gain),
            (Param::InputGain, self.input_gain),
            (Param::Gate, self.gate),
            (Param::GoOn, self.go_on.then_some(1.0)),
            (Param::Temperature, self.temperature),
            (Param::TopP, self.top_p),
            (Param::Density, self.density),
            (Param::Seed, self.seed),
        ];
        for (param, value) in said {
            if let Some(value) = value {
                values.set(param, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_fit_together() {
        Flags::command().debug_assert();
    }

    #[test]
    fn a_gpu_is_chosen_by_a_flag_and_else_as_it_was_left() {
        let engine = |flags: &[&str], left: &EngineChoice| {
            let all = [&["statewave-app"], flags].concat();
            Flags::parse_from(all).engine(left)
        };
        let cpu = EngineChoice::default();
        let card = EngineChoice::gpu(Some("card".into()));
        assert_eq!(engine(&[], &cpu), cpu);
        assert_eq!(engine(&[], &card), card);
        assert_eq!(engine(&["--engine", "gpu"], &cpu), EngineChoice::gpu(None));
        assert_eq!(engine(&["--adapter", "card"], &cpu), card);
        assert_eq!(engine(&["--engine", "cpu"], &card).device(), None);
        let saving = engine(&["--low-power"], &card).device().unwrap();
        assert_eq!((saving.name, saving.low_power), (None, true));
        let awake = engine(&["--awake"], &card).device().unwrap();
        assert_eq!((awake.name.as_deref(), awake.awake), (Some("card"), true));
        let roomy = engine(&["--room", "10"], &cpu);
        assert_eq!((roomy.kind, roomy.room_ms), (EngineKind::Gpu, 10));
        assert_eq!(engine(&[], &roomy), roomy);
        assert_eq!(engine(&["--adapter", "card"], &roomy), card);
    }

    #[test]
    fn an_instrument_is_played_by_name_or_as_it_was_left() {
        let plays = |flags: &[&str]| {
            let flags = Flags::parse_from([&["statewave-app"], flags].concat());
            let band = Band::default();
            let left = Settings {
                instrument: [("a".to_owned(), 1.0)].into(),
                ..Settings::default()
            };
            let set = flags
                .set_instrument(&left, &band)
                .map(|()| band.params.controls().a);
            (flags.choice(&Choice::default()).is_instrument(), set)
        };
        let first = Band::default().params.controls().a;
        assert_eq!(first, 0);
        assert_eq!(plays(&["--instrument"]), (true, Ok(15)));
        assert_eq!(plays(&[]), (false, Ok(15)));
        let (chosen, cello) = plays(&["--instrument", "Cello"]);
        assert!(chosen && cello.is_ok_and(|place| place > 0 && place < 15));
        let (_, fault) = plays(&["--instrument", "kazoo"]);
        assert!(fault.is_err_and(|fault| fault.remedy.contains("cello")));
    }

    #[test]
    fn knobs_are_turned_by_the_names_that_the_model_has() {
        use statewave::model::catalogue;
        use statewave::model::streams::StreamModel;

        let model = |name| {
            let found = catalogue::find(name).expect("it is compiled in");
            StreamModel::from_bytes(&found.bytes().expect("it is in memory")).expect("it is sound")
        };
        let set = |knob: &str, name| {
            let values = Values::default();
            let flags = Flags::parse_from(["statewave-app", "--knob", knob]);
            let done = set::knobs(&values, &model(name), &flags.knobs);
            done.map(|()| Param::KNOBS.map(|knob| values.get(knob)))
        };
        assert_eq!(set("Tone=0.25", "tone-drive"), Ok([0.5, 0.25, 0.5, 0.5]));
        let unknown = set("bass=0.25", "tone-drive").expect_err("it has none");
        assert!(unknown.remedy.contains("drive, tone"), "{}", unknown.remedy);
        assert!(set("drive=3", "tone-drive").is_err());
        let other = set("drive=0.2", "denoise-live").expect_err("it has none");
        assert!(other.remedy.contains("--model"));
    }

    #[test]
    fn a_cabinet_is_as_it_was_left_unless_a_flag_says_otherwise() {
        let cabinet = |flags: &[&str]| {
            let all = [&["statewave-app"], flags].concat();
            Flags::parse_from(all).cabinet(Some(&"left.wav".into()))
        };
        assert_eq!(cabinet(&[]), Some("left.wav".into()));
        assert_eq!(
            cabinet(&["--cabinet", "other.wav"]),
            Some("other.wav".into())
        );
        assert_eq!(cabinet(&["--cabinet", "none"]), None);
    }

    #[test]
    fn without_a_window_the_output_is_heard_unless_it_is_muted() {
        let monitor = |flags: &[&str]| {
            let all = [&["statewave-app"], flags].concat();
            Flags::parse_from(all).choice(&Choice::default()).monitor
        };
        assert!(!monitor(&[]), "a microphone near a loudspeaker howls");
        assert!(monitor(&["--monitor"]));
        assert!(monitor(&["--headless"]));
        assert!(!monitor(&["--headless", "--mute"]));
    }
}
