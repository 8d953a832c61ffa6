//! The GPU adapters that wgpu finds.

use std::sync::Arc;
use std::time::Duration;

use statewave::chain::ChainConfig;
use statewave::engine::cost::{StandIn, times};
use statewave::engine::gpu::round_trip::RoundTrip;
use statewave::engine::gpu::{Choice, Gpu, GpuError, shared};
use statewave::model::{Model, catalogue};
use wgpu::{AdapterInfo, DeviceType};

use super::trial::{self, Played, Stream};
use super::{Report, clean};
use crate::models;

/// What an adapter is asked for: stereo in small blocks.
const CONFIG: ChainConfig = ChainConfig {
    sample_rate: 48_000,
    channels: 2,
    max_block: 64,
};
const BLOCK: Duration = Duration::from_nanos(64 * 1_000_000_000 / 48_000);

/// How long a device may take until it plays, and how long that is watched.
const PATIENCE: Duration = Duration::from_secs(5);
const WATCHED: Duration = Duration::from_secs(2);

/// An adapter each: what it is, how long the usual model's frames are on their way there and back, and, where it can play live, what
/// came of a stream that it played. A note where there is none.
pub fn check(report: &mut Report) {
    let adapters = Gpu::adapters(false);
    if adapters.is_empty() {
        let none = GpuError::NoAdapter;
        println!("GPU adapters     none");
        report.note(&format!("{none}; models run on the CPU"), none.remedy());
    }
    let usual = catalogue::find(catalogue::DEFAULT)
        .and_then(|found| models::load(found).ok())
        .and_then(|loaded| loaded.model().ok());
    for info in &adapters {
        println!("GPU adapter      {}", line(info));
        // A model that is not here is told of elsewhere.
        let Some(model) = &usual else { continue };
        if let Err(error) = measure(info, model) {
            println!("  round trip     none");
            report.note(&clean(&error.to_string()), error.remedy());
        }
    }
}

/// Measures an adapter, and has it play if it can.
fn measure(info: &AdapterInfo, model: &Arc<Model>) -> Result<(), GpuError> {
    let choice = Choice {
        name: Some(info.name.clone()),
        ..Choice::default()
    };
    let hub = shared::hub(&choice)?;
    let (front_end, rate) = (&model.spec().front_end, model.spec().sample_rate);
    let stand_in = StandIn::of(times(model), CONFIG.channels, front_end, rate, BLOCK);
    let save_every = stand_in.save_every;
    let trip = hub.round_trip(model, save_every)?;
    let handoff = trip.handoff(front_end, rate, BLOCK, Duration::ZERO);
    println!("  round trip     {}", words(&trip, handoff));
    if let Some(handoff) = handoff {
        let stream = Stream {
            config: CONFIG,
            handoff,
            save_every,
        };
        let played = trial::play(&hub, model, &stream, PATIENCE, WATCHED)?;
        println!("  played live    {}", befell(&played));
    }
    Ok(())
}

/// What came of a stream that was played.
fn befell(played: &Played) -> String {
    let Played {
        frames,
        late,
        lost,
        age,
        by_gpu,
    } = played;
    let first = if *by_gpu {
        ""
    } else {
        "never on time for long enough to play; "
    };
    format!(
        "{first}{late} of {frames} frames late, {lost} lost; newest result {age} frames old at the most"
    )
}

fn words(trip: &RoundTrip, handoff: Option<usize>) -> String {
    let ms = |time: Duration| 1e3 * time.as_secs_f64();
    let (p50, p999, block) = (ms(trip.p50), ms(trip.p999), CONFIG.max_block);
    let then = match handoff {
        Some(samples) => format!("{samples} samples later in blocks of {block}"),
        None => "too slow to play live".into(),
    };
    format!("{p50:.2} ms, {p999:.2} at the most (p50 and p99.9 of a frame); {then}")
}

/// Name, kind, interface and driver of an adapter.
fn line(info: &AdapterInfo) -> String {
    let kind = match info.device_type {
        DeviceType::IntegratedGpu => "integrated GPU",
        DeviceType::DiscreteGpu => "discrete GPU",
        DeviceType::VirtualGpu => "virtual GPU",
        DeviceType::Cpu => "software on the CPU",
        DeviceType::Other => "of unknown kind",
    };
    let driver = format!("{} {}", info.driver, info.driver_info);
    let driver = match driver.trim() {
        "" => "driver not named",
        named => named,
    };
    clean(&format!(
        "{}: {kind}, {}, {driver}",
        info.name, info.backend
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_played_is_told_with_its_age() {
        let played = Played {
            frames: 300,
            late: 2,
            lost: 1,
            age: 3,
            by_gpu: true,
        };
        let told = "2 of 300 frames late, 1 lost; newest result 3 frames old at the most";
        assert_eq!(befell(&played), told);
        let never = Played {
            by_gpu: false,
            ..played
        };
        assert_eq!(
            befell(&never),
            format!("never on time for long enough to play; {told}")
        );
    }
}
