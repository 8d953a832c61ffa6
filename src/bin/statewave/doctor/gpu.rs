//! The GPU adapters that wgpu finds.

use statewave::engine::gpu::{Gpu, GpuError};
use wgpu::{AdapterInfo, DeviceType};

use super::{Report, clean};

/// One line an adapter, or a note when there is none.
pub fn check(report: &mut Report) {
    let adapters = Gpu::adapters(false);
    if adapters.is_empty() {
        let none = GpuError::NoAdapter;
        println!("GPU adapters     none");
        report.note(&format!("{none}; models run on the CPU"), none.remedy());
    }
    for info in &adapters {
        println!("GPU adapter      {}", line(info));
    }
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
