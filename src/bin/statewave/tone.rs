//! What `render` asks of an effect: its knobs by name, gain and gate in front, a cabinet behind.

use std::path::PathBuf;
use std::sync::Arc;

use statewave::chain::{Chain, ChainConfig, EffectError};
use statewave::controls::{Controls, NO_GATE_DB};
use statewave::model::effect::{EffectModel, knob_setting};

use crate::audio::{self, Audio};
use crate::failure::{Failure, Result};

/// Of effects alone.
#[derive(clap::Args, Debug, Default)]
#[command(next_help_heading = "Effects")]
pub struct ToneArguments {
    /// Turn a knob of the device; may come more than once. `statewave inspect MODEL` lists them
    #[arg(long = "knob", value_name = "NAME=VALUE", value_parser = knob_setting)]
    knobs: Vec<(String, f32)>,
    /// Gain in front of the device, dB
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    input_gain: Option<f32>,
    /// Noise gate: silence below this level of the input, dBFS
    #[arg(long, value_name = "DBFS", allow_negative_numbers = true)]
    gate: Option<f32>,
    /// An impulse response behind the device, as a sound file: a loudspeaker's cabinet
    #[arg(long, value_name = "WAV")]
    cabinet: Option<PathBuf>,
}

/// The same, read.
#[derive(Debug, Clone)]
pub struct Tone {
    knobs: Vec<(String, f32)>,
    input_gain_db: f32,
    gate_db: f32,
    cabinet: Option<Arc<Audio>>,
}

impl Default for Tone {
    fn default() -> Tone {
        Tone {
            knobs: Vec::new(),
            input_gain_db: 0.0,
            gate_db: NO_GATE_DB,
            cabinet: None,
        }
    }
}

impl ToneArguments {
    /// Whether anything was asked for.
    pub fn is_empty(&self) -> bool {
        let ToneArguments {
            knobs,
            input_gain,
            gate,
            cabinet,
        } = self;
        knobs.is_empty() && input_gain.is_none() && gate.is_none() && cabinet.is_none()
    }

    /// Reads what there is to read.
    pub fn read(&self) -> Result<Tone> {
        let cabinet = self.cabinet.as_deref().map(audio::read).transpose()?;
        Ok(Tone {
            knobs: self.knobs.clone(),
            input_gain_db: self.input_gain.unwrap_or(0.0),
            gate_db: self.gate.unwrap_or(NO_GATE_DB),
            cabinet: cabinet.map(Arc::new),
        })
    }
}

impl Tone {
    /// The chain that plays `model`, and `controls` with what only effects know.
    pub fn chain(
        &self,
        model: &EffectModel,
        config: ChainConfig,
        controls: Controls,
    ) -> Result<(Chain, Controls)> {
        let mut chain = Chain::of_effect(model, config).map_err(|e| match &e {
            EffectError::Chain(_) => {
                Failure::new(e.to_string(), "convert the recording to 48 kHz first")
            }
            EffectError::Model(source) => Failure::new(e.to_string(), source.remedy()),
        })?;
        if let Some(response) = &self.cabinet {
            let cabinet = Chain::cabinet(&config, &response.channels, response.rate)
                .map_err(|e| Failure::new(e.to_string(), "or leave --cabinet away"))?;
            chain.swap_cabinet(Some(cabinet));
        }
        Ok((chain, self.controls(model, controls)?))
    }

    /// `controls` with the knobs of `model` where they were asked to be.
    fn controls(&self, model: &EffectModel, mut controls: Controls) -> Result<Controls> {
        for (to, knob) in controls.knobs.iter_mut().zip(&model.spec().knobs) {
            *to = knob.share(knob.default);
        }
        for (name, value) in &self.knobs {
            let set = model.spec().knob_share(name, *value);
            let (index, share) = set.map_err(|e| Failure::new(e.to_string(), e.remedy()))?;
            controls.knobs[index] = share;
        }
        controls.input_gain_db = self.input_gain_db;
        controls.gate_db = self.gate_db;
        Ok(controls)
    }
}
