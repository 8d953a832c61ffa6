//! Chains for models of all kinds, made where waiting does no harm.

use std::sync::Arc;

use statewave::chain::{Cabinet, Chain, EffectError};
use statewave::engine::gpu::GpuError;
use statewave::model::streams::StreamModel;

use super::cabinet::Response;
use super::cost;
use super::device::{Device, Made, Stream};
use crate::fault::Fault;

/// A chain, and what runs its model.
pub(super) struct MadeChain {
    pub chain: Box<Chain>,
    /// The GPU's name; `None` for this processor.
    pub on: Option<String>,
    /// What keeps the GPU from running it.
    pub error: Option<GpuError>,
    /// The handoff of its engine.
    pub handoff: usize,
    /// It is too much for this processor.
    pub cost: Option<Fault>,
}

/// A chain for `stream` through `model`, which is called `name`, on the GPU where that plays it.
pub(super) fn made(
    model: &StreamModel,
    name: &str,
    device: &Device,
    stream: &Stream,
) -> Result<MadeChain, Fault> {
    let config = stream.config;
    let by_samples = |make: &dyn Fn() -> Result<Chain, EffectError>| {
        let chain = make().map_err(|e| cannot(&e))?;
        Ok(MadeChain {
            chain: Box::new(chain),
            on: None,
            error: None,
            handoff: 0,
            cost: cost::of_samples(make, model.sha256(), name, stream),
        })
    };
    match model {
        StreamModel::Denoise(model) => {
            let Made { engine, on, error } = device.engine(model, stream, 0);
            let (spec, handoff) = (model.spec(), engine.handoff());
            let cost = cost::of_frames(model, name, stream, on.as_deref());
            let (front_end, rate) = (spec.front_end, spec.sample_rate);
            let chain = Chain::with_mode(engine, front_end, rate, config, stream.mode)
                .map_err(|e| cannot(&e))?;
            Ok(MadeChain {
                chain: Box::new(chain),
                on,
                error,
                handoff,
                cost,
            })
        }
        StreamModel::Effect(model) => by_samples(&|| Chain::of_effect(model, config)),
        StreamModel::Continue(model) => by_samples(&|| {
            let chain = Chain::of_continuation(Arc::clone(model), config);
            chain.map_err(EffectError::from)
        }),
    }
}

fn cannot(error: &dyn std::error::Error) -> Fault {
    Fault {
        what: error.to_string(),
        remedy: "set the audio to a rate from 8 to 192 kHz".into(),
    }
}

/// Puts the cabinet behind the effect of a chain that nobody plays yet, if it has one; gives what is wrong with it.
pub(super) fn furnish(
    chain: &mut Chain,
    model: &StreamModel,
    response: Option<&Response>,
    stream: &Stream,
) -> Option<Fault> {
    let response = response.filter(|_| matches!(model, StreamModel::Effect(_)))?;
    match cabinet(response, stream) {
        Ok(cabinet) => {
            chain.swap_cabinet(Some(cabinet));
            None
        }
        Err(fault) => Some(fault),
    }
}

/// The cabinet of a stream, ready to run.
pub(super) fn cabinet(response: &Response, stream: &Stream) -> Result<Box<Cabinet>, Fault> {
    let cabinet = Chain::cabinet(&stream.config, &response.channels, response.rate);
    cabinet.map_err(|e| super::cabinet::fault(&response.path, &e.to_string()))
}
