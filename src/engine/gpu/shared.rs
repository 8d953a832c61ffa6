//! The hubs of this process: one an adapter, shared by all that play on it, made when the first asks and gone with the last.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use wgpu::AdapterInfo;

use super::device::{Choice, Gpu};
use super::error::GpuError;
use super::hub::GpuHub;

/// Every hub there is, by its adapter.
static HUBS: Mutex<Vec<(AdapterInfo, Weak<GpuHub>)>> = Mutex::new(Vec::new());

/// The hub on the adapter of `choice`, which stays awake or not as the last who asks wants it. Opens the device if nobody plays on it yet, and waits for whoever is doing so:
/// not for the audio thread, and no more for one that draws.
///
/// # Errors
/// See [`Gpu::open`].
pub fn hub(choice: &Choice) -> Result<Arc<GpuHub>, GpuError> {
    // Held while a device is opened, so that it is opened once.
    let mut hubs = HUBS.lock().unwrap_or_else(PoisonError::into_inner);
    hubs.retain(|(_, hub)| hub.strong_count() > 0);
    let wanted = Gpu::find(choice)?;
    let same = hubs.iter().find(|(info, _)| *info == wanted);
    if let Some(hub) = same.and_then(|(_, hub)| hub.upgrade()) {
        hub.stay_awake(choice.awake);
        return Ok(hub);
    }
    let gpu = Arc::new(Gpu::open(choice)?);
    let hub = GpuHub::start(gpu, choice.clone()).map_err(|e| GpuError::Device {
        adapter: wanted.name.clone(),
        reason: e.to_string(),
    })?;
    let hub = Arc::new(hub);
    hubs.push((wanted, Arc::downgrade(&hub)));
    Ok(hub)
}
