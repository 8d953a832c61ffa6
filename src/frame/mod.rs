//! From blocks of any length to frames of one length, and back, aligned to the sample.
//!
//! ```text
//! host block ─► guard ─► resample ─► framer ─► stft ─► Engine ─► stft ─► overlap_add ─► resample ─┐
//!                 └─► dry (delay) ─────────────────────────────────────────────────► dry (mix) ◄──┘
//! ```
//! Everything here is allocated when it is made. Nothing allocates, locks or panics afterwards, and no result depends
//! on how the samples were cut into blocks.

mod dry;
mod framer;
mod guard;
mod overlap_add;
mod rate;
mod resample;
pub mod stft;

pub(crate) use dry::Mixer;
pub(crate) use framer::Framer;
pub(crate) use guard::{copy_flushed, replace_what_is_not_audio};
pub(crate) use rate::RateConverter;
