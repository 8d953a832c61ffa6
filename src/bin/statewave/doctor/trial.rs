//! A stream that a GPU plays for a while, in real time, as in a host: how old its results are, and what comes too late.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use statewave::chain::{Chain, ChainConfig};
use statewave::controls::Controls;
use statewave::engine::gpu::GpuError;
use statewave::engine::gpu::hub::GpuHub;
use statewave::engine::gpu::session::GpuEngine;
use statewave::engine::{EngineReport, Player};
use statewave::model::Model;

/// What is played, in its longest blocks.
pub struct Stream {
    pub config: ChainConfig,
    /// Samples of the model's rate by which results may come later than the spread.
    pub handoff: usize,
    /// A state comes back with every so many-th frame.
    pub save_every: u64,
}

/// What befell the stream while it was watched.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Played {
    /// Frames given.
    pub frames: u64,
    /// Frames that were not there when they were due.
    pub late: u64,
    /// Frames that the device could not take or could not run.
    pub lost: u64,
    /// The most of [`EngineReport::age`] behind a block.
    pub age: u64,
    /// The device had taken the stream over before.
    pub by_gpu: bool,
}

/// Plays `stream` of `model` on `hub` until the device has it, but no longer than `patience`, and then `watched` more.
///
/// # Errors
/// [`GpuError::Model`].
pub fn play(
    hub: &Arc<GpuHub>,
    model: &Arc<Model>,
    stream: &Stream,
    patience: Duration,
    watched: Duration,
) -> Result<Played, GpuError> {
    let (spec, config) = (model.spec(), stream.config);
    let engine = GpuEngine::with_states(
        hub,
        model,
        config.channels,
        stream.handoff,
        false,
        stream.save_every,
    )?;
    let chain = Chain::new(Box::new(engine), spec.front_end, spec.sample_rate, config);
    let mut chain = chain.map_err(|e| GpuError::Model(e.to_string()))?;
    let block = config.max_block;
    let mut audio = vec![vec![0.0f32; block]; config.channels];
    let (began, mut blocks) = (Instant::now(), 0);
    let mut next = |chain: &mut Chain| -> EngineReport {
        for (n, sample) in audio.iter_mut().flatten().enumerate() {
            // Not silence: numbers that become tiny are slow on some processors.
            *sample = ((n + 31 * blocks) % 101) as f32 / 500.0 - 0.1;
        }
        let mut planes: Vec<&mut [f32]> = audio.iter_mut().map(Vec::as_mut_slice).collect();
        chain.process(&mut planes, &Controls::default());
        blocks += 1;
        let samples = (blocks * block) as f64;
        let due = Duration::from_secs_f64(samples / f64::from(config.sample_rate));
        thread::sleep(due.saturating_sub(began.elapsed()));
        chain.engine_report()
    };
    let mut before = EngineReport::default();
    while before.player != Player::Gpu && began.elapsed() < patience {
        before = next(&mut chain);
    }
    let given = chain.stats().frames;
    let mut played = Played {
        by_gpu: before.player == Player::Gpu,
        ..Played::default()
    };
    let since = Instant::now();
    while since.elapsed() < watched {
        let now = next(&mut chain);
        (played.late, played.lost) = (now.late - before.late, now.lost - before.lost);
        played.age = played.age.max(now.age);
    }
    played.frames = chain.stats().frames - given;
    Ok(played)
}

#[cfg(test)]
mod tests {
    use statewave::engine::gpu::{Choice, shared};
    use statewave::model::catalogue;

    use super::*;

    #[test]
    fn a_stream_is_watched_whether_or_not_the_device_takes_it() {
        let hub = match shared::hub(&Choice::any()) {
            Ok(hub) => hub,
            Err(error) => return eprintln!("skipped: {error}"),
        };
        let usual = catalogue::built_in().next().expect("one is compiled in");
        let bytes = usual.bytes().expect("it is in memory");
        let model = Arc::new(Model::from_bytes(&bytes).expect("it is sound"));
        let stream = Stream {
            config: ChainConfig {
                sample_rate: 48_000,
                channels: 1,
                max_block: 480,
            },
            handoff: 4_800,
            save_every: 8,
        };
        // Half a second of being on time is what the device needs, so it has no chance to take the stream.
        let [patience, watched] = [100, 1_000].map(Duration::from_millis);
        let played = play(&hub, &model, &stream, patience, watched).expect("it is played");
        assert!(!played.by_gpu);
        // What a block completes is on its way when the block has ended; and a frame is due for each that is given.
        assert!(played.frames >= 1 && played.age >= 1, "{played:?}");
        assert!(played.late <= played.frames + 1, "{played:?}");
        assert!(
            play(&hub, &model, &stream, Duration::ZERO, Duration::ZERO)
                .is_ok_and(|played| played == Played::default())
        );
    }
}
