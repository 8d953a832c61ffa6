//! The GPU adapters that wgpu finds.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wgpu::{AdapterInfo, Backends, DeviceType, Instance, InstanceDescriptor};

use super::{Report, clean};

/// One line an adapter, or a note when there is none.
pub fn check(report: &mut Report) {
    let instance = Instance::new(InstanceDescriptor::new_without_display_handle());
    let adapters = ready(instance.enumerate_adapters(Backends::PRIMARY));
    if adapters.is_empty() {
        println!("GPU adapters     none");
        report.note("no GPU adapter was found; models run on the CPU", REMEDY);
    }
    for adapter in &adapters {
        println!("GPU adapter      {}", line(&adapter.get_info()));
    }
}

/// What to install where nothing answers.
const REMEDY: &str = if cfg!(target_os = "linux") {
    "install a Vulkan driver: the maker's for a graphics card, or one that works on the CPU, on Debian: \
     apt install mesa-vulkan-drivers"
} else {
    "install the newest driver of the graphics card from its maker"
};

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

/// The value of a future. wgpu's are ready at the first look, except in browsers; a thread of its own would be a waste.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::yield_now(),
        }
    }
}
