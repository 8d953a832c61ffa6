//! The GPU that was chosen: opened, measured with the model that plays, and engines made on it.
//!
//! Flows in: a choice, a model, a stream. Flows out: engines; the CPU's where there is no GPU or none that will do.

use std::sync::Arc;
use std::time::Duration;

use statewave::chain::ChainConfig;
use statewave::engine::cost::{StandIn, times};
use statewave::engine::cpu::CpuEngine;
use statewave::engine::gpu::GpuError;
use statewave::engine::gpu::hub::GpuHub;
use statewave::engine::gpu::round_trip::{MOST_HANDOFF, RoundTrip};
use statewave::engine::gpu::session::GpuEngine;
use statewave::engine::gpu::shared;
use statewave::engine::supervisor::Policy;
use statewave::latency::LatencyMode;
use statewave::model::Model;

use crate::engine::{EngineChoice, GpuFacts};
use crate::fault::Fault;
use crate::processor::BoxedEngine;

/// What a processor is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Rate, channels and the longest block.
    pub config: ChainConfig,
    /// The latency mode.
    pub mode: LatencyMode,
    /// Samples that come at once, as far as is known.
    pub block: usize,
    /// Nobody listens: what is late is waited for.
    pub offline: bool,
}

impl Stream {
    /// A stream that is heard, in blocks of the longest length.
    pub fn live(config: ChainConfig, mode: LatencyMode) -> Self {
        Self {
            config,
            mode,
            block: config.max_block,
            offline: false,
        }
    }

    /// What is asked of this processor where it takes over from a GPU that plays `model`.
    pub(super) fn stand_in(&self, model: &Arc<Model>) -> StandIn {
        let (spec, channels) = (model.spec(), self.config.channels);
        let (front_end, rate) = (&spec.front_end, spec.sample_rate);
        StandIn::of(times(model), channels, front_end, rate, self.block_time())
    }

    /// Every so many-th frame of this stream brings its state back from a GPU that plays `model`.
    fn save_every(&self, model: &Arc<Model>) -> u64 {
        match self.offline {
            // Who waits can run as many frames here as there are.
            true => Policy::SAVE_EVERY,
            false => self.stand_in(model).save_every,
        }
    }

    pub(super) fn block_time(&self) -> Duration {
        Duration::from_secs_f64(self.block as f64 / f64::from(self.config.sample_rate))
    }
}

/// The device that was chosen, as far as it has come.
#[derive(Clone, Default)]
pub(super) enum Device {
    /// None is wanted, or none can be had.
    #[default]
    None,
    /// It is being opened.
    Opening,
    /// It has played the model of that SHA-256, with states that came back with every `save_every`th frame.
    Ready {
        hub: Arc<GpuHub>,
        sha256: String,
        save_every: u64,
        trip: RoundTrip,
        /// What frames may take beside their trip.
        room: Duration,
    },
}

/// An engine, and where it runs.
pub(super) struct Made {
    pub engine: BoxedEngine,
    /// The GPU's name; `None` for this processor.
    pub on: Option<String>,
    /// What keeps the GPU from running it.
    pub error: Option<GpuError>,
}

impl Device {
    /// Opens the device of `choice` and measures `model` on it, as `stream` will have it played if there is one. Takes seconds the
    /// first time.
    pub(super) fn open(
        choice: &EngineChoice,
        model: &Arc<Model>,
        stream: Option<&Stream>,
    ) -> Result<Device, GpuError> {
        let Some(wanted) = choice.device() else {
            return Ok(Device::None);
        };
        let hub = shared::hub(&wanted)?;
        let save_every = stream.map_or(Policy::SAVE_EVERY, |stream| stream.save_every(model));
        Ok(Device::Ready {
            trip: hub.round_trip(model, save_every)?,
            hub,
            sha256: model.sha256().into(),
            save_every,
            room: choice.room(),
        })
    }

    /// Whether it may yet be ready to play `model` in `stream`, if there is one.
    pub(super) fn is_coming(&self, model: &Arc<Model>, stream: Option<&Stream>) -> bool {
        match self {
            Device::None => false,
            Device::Opening => true,
            Device::Ready {
                sha256, save_every, ..
            } => {
                // Who waits needs no measure of how long.
                let heard = stream.filter(|stream| !stream.offline);
                let other = |stream: &Stream| stream.save_every(model) != *save_every;
                sha256 != model.sha256() || heard.is_some_and(other)
            }
        }
    }

    /// What there is to say of it.
    pub(super) fn facts(&self) -> Option<GpuFacts> {
        match self {
            Device::Ready { hub, trip, .. } => Some(GpuFacts {
                adapter: hub.adapter(),
                trip: *trip,
            }),
            Device::None | Device::Opening => None,
        }
    }

    /// An engine for a stream, with a handoff of `least` samples or what the device takes; the CPU's, without one, where
    /// the device will not do.
    pub(super) fn engine(&self, model: &Arc<Model>, stream: &Stream, least: usize) -> Made {
        let here = |error| Made {
            engine: Box::new(CpuEngine::new(model, stream.config.channels)),
            on: None,
            error,
        };
        let Device::Ready {
            hub, trip, room, ..
        } = self
        else {
            return here(None);
        };
        if self.is_coming(model, Some(stream)) {
            return here(None);
        }
        let spec = model.spec();
        // What is waited for may take its time.
        let most = MOST_HANDOFF.as_secs_f64() * f64::from(spec.sample_rate);
        let handoff = trip
            .handoff(
                &spec.front_end,
                spec.sample_rate,
                stream.block_time(),
                *room,
            )
            .or(stream.offline.then_some(most as usize));
        let Some(handoff) = handoff else {
            return here(Some(GpuError::Slow {
                adapter: hub.adapter(),
                usual: trip.p50,
                longest: trip.p999,
            }));
        };
        let channels = stream.config.channels;
        let save_every = stream.save_every(model);
        let (handoff, waits) = (handoff.max(least), stream.offline);
        match GpuEngine::with_states(hub, model, channels, handoff, waits, save_every) {
            Ok(engine) => Made {
                engine: Box::new(engine),
                on: Some(hub.adapter()),
                error: None,
            },
            Err(error) => here(Some(error)),
        }
    }
}

/// That a device cannot be had.
pub(super) fn fault(error: &GpuError) -> Fault {
    Fault {
        what: format!("{error}; the CPU plays"),
        remedy: error.remedy().into(),
    }
}
