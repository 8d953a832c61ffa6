//! The GPU adapters that wgpu finds.

use std::sync::Arc;
use std::time::Duration;

use statewave::engine::gpu::round_trip::RoundTrip;
use statewave::engine::gpu::{Choice, Gpu, GpuError, shared};
use statewave::model::{Model, catalogue};
use wgpu::{AdapterInfo, DeviceType};

use super::{Report, clean};
use crate::models;

/// Samples of a small buffer at 48 kHz, and its time.
const BLOCK: (u32, Duration) = (64, Duration::from_nanos(64 * 1_000_000_000 / 48_000));

/// An adapter each: what it is, and how long the usual model's frames are on their way there and back. A note where there
/// is none.
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
        match trip(info, model) {
            Ok(trip) => println!("  round trip     {}", words(&trip, model)),
            Err(error) => {
                println!("  round trip     none");
                report.note(&clean(&error.to_string()), error.remedy());
            }
        }
    }
}

/// Measures an adapter.
fn trip(info: &AdapterInfo, model: &Arc<Model>) -> Result<RoundTrip, GpuError> {
    let choice = Choice {
        name: Some(info.name.clone()),
        ..Choice::default()
    };
    shared::hub(&choice)?.round_trip(model)
}

fn words(trip: &RoundTrip, model: &Model) -> String {
    let ms = |time: Duration| 1e3 * time.as_secs_f64();
    let (p50, p999, block) = (ms(trip.p50), ms(trip.p999), BLOCK.0);
    let spec = model.spec();
    let handoff = trip.handoff(&spec.front_end, spec.sample_rate, BLOCK.1, Duration::ZERO);
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
