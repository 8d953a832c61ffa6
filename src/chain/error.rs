//! Why a chain cannot be made, and what to do about it.
//!
//! Flows in: everything a chain is made from. Flows out: nothing, or the first thing that is wrong.

use super::ChainConfig;
use crate::engine::Engine;
use crate::model::file::ModelError;
use crate::model::spec::FrontEnd;

/// Rates a host may run at, in Hz: all that hosts have been seen to try.
const HOST_RATES: std::ops::RangeInclusive<u32> = 1_000..=2_000_000;

/// Rates a model may run at, in Hz.
const MODEL_RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;

/// Longest transform taken from a model file, so that a hostile one cannot claim the memory.
const MAX_WINDOW: usize = 1 << 16;

/// Why a chain cannot be made. Every message names the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The host's rate is out of range.
    #[error("the host runs at {0} Hz: set a sample rate from 1000 to 2000000 Hz")]
    SampleRate(u32),
    /// The model's rate is out of range.
    #[error("the model says it runs at {0} Hz: use a model of a rate from 8000 to 192000 Hz")]
    ModelRate(u32),
    /// There is no channel.
    #[error("the track has no channels: prepare the chain with at least one")]
    NoChannels,
    /// Blocks would have no samples.
    #[error("the longest block has no samples: give the host's buffer size, at least 1")]
    NoBlock,
    /// The front end cannot be built.
    #[error(
        "the model's front end does not fit together ({0:?}): it needs 0 < hop, overlap ≤ hop, spread ≤ hop, \
         hop + overlap ≤ window ≤ 65536, and an even window; export the model again"
    )]
    FrontEnd(FrontEnd),
    /// The engine's frames are not those of the front end.
    #[error(
        "the engine takes frames of {engine} floats and the front end makes {front_end}: build both from one model"
    )]
    FrameLength {
        /// Floats a frame of the engine.
        engine: usize,
        /// Floats a frame of the front end.
        front_end: usize,
    },
    /// The engine was prepared for another number of channels.
    #[error(
        "the engine was prepared for {engine} channels and the chain for {chain}: prepare both for the track's"
    )]
    Channels {
        /// Channels of the engine.
        engine: usize,
        /// Channels of the chain.
        chain: usize,
    },
}

pub(super) fn check(
    engine: &dyn Engine,
    front_end: &FrontEnd,
    model_rate: u32,
    config: &ChainConfig,
) -> Result<(), ChainError> {
    check_host(config)?;
    if !MODEL_RATES.contains(&model_rate) {
        return Err(ChainError::ModelRate(model_rate));
    }
    let &FrontEnd {
        hop,
        window,
        overlap,
        spread,
    } = front_end;
    // The window is bounded first, so that no sum below can overflow.
    let fits = (2..=MAX_WINDOW).contains(&window)
        && window % 2 == 0
        && (1..=window).contains(&hop)
        && overlap <= hop
        && spread <= hop
        && hop + overlap <= window;
    if !fits {
        return Err(ChainError::FrontEnd(*front_end));
    }
    if engine.frame_len() != 2 * front_end.bins() {
        return Err(ChainError::FrameLength {
            engine: engine.frame_len(),
            front_end: 2 * front_end.bins(),
        });
    }
    if engine.channels() != config.channels {
        return Err(ChainError::Channels {
            engine: engine.channels(),
            chain: config.channels,
        });
    }
    Ok(())
}

/// What the host says, by itself.
pub(super) fn check_host(config: &ChainConfig) -> Result<(), ChainError> {
    if !HOST_RATES.contains(&config.sample_rate) {
        return Err(ChainError::SampleRate(config.sample_rate));
    }
    if config.channels == 0 {
        return Err(ChainError::NoChannels);
    }
    if config.max_block == 0 {
        return Err(ChainError::NoBlock);
    }
    Ok(())
}

/// Why a chain through an effect cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    /// What the host says cannot be used.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The model cannot.
    #[error(transparent)]
    Model(#[from] ModelError),
}
