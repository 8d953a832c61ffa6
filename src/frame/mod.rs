//! From blocks of any length to frames of one length, and back, aligned to the sample.
//!
//! ```text
//! host block ─► guard ─► resample ─► framer ─► stft ─► Engine ─► stft ─► overlap_add ─► resample ─┐
//!                 └─► dry (delay) ─────────────────────────────────────────────────► dry (mix) ◄──┘
//! ```
//! Between stft and Engine, `stereo` says how the channels share the engine. Without latency, `gains` and `minimum_phase`
//! make filters of what comes back, and `fast` puts them in the place of everything behind the guard.
//!
//! Everything here is allocated when it is made. Nothing allocates, locks or panics afterwards, and no result depends
//! on how the samples were cut into blocks.

mod ceiling;
mod dry;
mod fast;
mod framer;
mod gains;
mod guard;
mod minimum_phase;
mod overlap_add;
mod rate;
mod report;
mod resample;
mod stereo;
pub mod stft;

pub(crate) use ceiling::{ABOVE_INPUT, Ceiling, FULL_SCALE, hold_below, peak};
pub(crate) use dry::{Mixer, Ramp};
pub(crate) use fast::Fast;
pub(crate) use framer::Framer;
pub(crate) use guard::{copy_flushed, replace_what_is_not_audio};
pub(crate) use minimum_phase::TAPS;
pub(crate) use rate::{RateConverter, greatest_common_divisor};
pub(crate) use report::{FrameReport, Reports};
pub(crate) use resample::Resampler;
#[cfg(feature = "gpu")]
pub(crate) use {dry::heard, guard::replace_and_tell, rate::Rates, resample::Filter};
