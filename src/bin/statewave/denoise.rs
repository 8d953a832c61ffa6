//! The one place where the program meets the engine: a whole recording in, the cleaned one out.
//!
//! The engine is not part of this build yet: `clean` gives the sound back as it was, through the same doors.

use crate::failure::Result;
use crate::models::Loaded;

/// What a person asked for.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The most that is taken away, dB; infinite for all that the model hears as noise.
    pub amount_db: f32,
    /// Share of the cleaned sound in the output, 0 to 1; the rest is the input.
    pub mix: f32,
    /// Give what was taken away instead of what was kept.
    pub removed: bool,
}

/// A cleaned recording.
pub struct Cleaned {
    /// One vector a channel, as long as the input's and in time with it.
    pub channels: Vec<Vec<f32>>,
    /// Algorithmic latency of the model, ms; the output has been moved back by it.
    pub latency_ms: f64,
}

/// Samples a channel that the chain is given at a time.
pub const BLOCK: usize = 4096;

/// Clean a recording. `progress` is told how many more samples a channel are done.
pub fn clean(
    model: &Loaded,
    channels: Vec<Vec<f32>>,
    rate: u32,
    settings: &Settings,
    progress: &mut dyn FnMut(usize),
) -> Result<Cleaned> {
    let _ = (&model.file, rate, settings.amount_db, settings.mix);
    let mut channels = channels;
    let len = channels.first().map_or(0, Vec::len);
    for start in (0..len).step_by(BLOCK) {
        let end = len.min(start + BLOCK);
        if settings.removed {
            channels.iter_mut().for_each(|c| c[start..end].fill(0.0));
        }
        progress(end - start);
    }
    Ok(Cleaned {
        channels,
        latency_ms: 0.0,
    })
}

/// The least time that this machine's arithmetic allows for one hop of the model, in ns, once the engine can tell.
pub fn floor_ns(_model: &Loaded) -> Option<f64> {
    None
}
