//! The device: which adapter, and what it can do.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use thiserror::Error;
use wgpu::{
    Adapter, AdapterInfo, Backends, ComputePipeline, Device, DeviceDescriptor, DeviceType,
    Features, Instance, InstanceDescriptor, Queue,
};

/// Why there is no GPU, or none any more.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GpuError {
    /// No adapter answers.
    #[error("no GPU adapter was found")]
    NoAdapter,
    /// None of that name.
    #[error("no GPU adapter is called `{wanted}`; there are: {found}")]
    NotFound {
        /// What was asked for.
        wanted: String,
        /// The names of those that are there.
        found: String,
    },
    /// The adapter gives no device.
    #[error("{adapter} gives no device: {reason}")]
    Device {
        /// The adapter's name.
        adapter: String,
        /// The driver's words.
        reason: String,
    },
    /// A model whose sizes the shaders do not serve.
    #[error("the GPU cannot run this model: {0}")]
    Model(String),
    /// The device is gone, or has not answered.
    #[error("the GPU was lost")]
    Lost,
}

impl GpuError {
    /// What to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            GpuError::NoAdapter if cfg!(target_os = "linux") => {
                "install a Vulkan driver: the maker's for a graphics card, or one that works on the CPU, on Debian: \
                 apt install mesa-vulkan-drivers"
            }
            GpuError::NoAdapter => "install the newest driver of the graphics card from its maker",
            GpuError::NotFound { .. } => "name one of those, or none for the best",
            GpuError::Device { .. } => {
                "update the graphics driver, or choose another adapter; models run on the CPU meanwhile"
            }
            GpuError::Model(_) => "run it on the CPU",
            GpuError::Lost => "models run on the CPU until it is back",
        }
    }
}

/// Which adapter to open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Part of its name, in any case; the best if not said.
    pub name: Option<String>,
    /// Rather one that saves power, where there are several.
    pub low_power: bool,
}

/// What the kernels may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Sums across the lanes of a subgroup.
    pub subgroups: bool,
    /// Half precision in shaders.
    pub half: bool,
    /// Times of passes, taken on the device.
    pub timestamps: bool,
}

/// An open device and its queue, shared by all that run on it.
#[derive(Debug)]
pub struct Gpu {
    pub(super) device: Device,
    pub(super) queue: Queue,
    info: AdapterInfo,
    abilities: Abilities,
    lost: Arc<AtomicBool>,
    /// What has been compiled, by text and entry point: layers of one shape, and denoisers of one model, share it.
    pub(super) pipelines: Mutex<HashMap<(String, String), ComputePipeline>>,
}

impl Gpu {
    /// All adapters, the best first.
    pub fn adapters(low_power: bool) -> Vec<AdapterInfo> {
        enumerate(low_power).iter().map(Adapter::get_info).collect()
    }

    /// Opens the adapter of `choice`. Takes tens of milliseconds and more; not for the audio thread.
    ///
    /// # Errors
    /// [`GpuError::NoAdapter`], [`GpuError::NotFound`] or [`GpuError::Device`].
    pub fn open(choice: &Choice) -> Result<Gpu, GpuError> {
        let adapters = enumerate(choice.low_power);
        let names = || adapters.iter().map(|a| a.get_info().name);
        let adapter = match &choice.name {
            None => adapters.first().ok_or(GpuError::NoAdapter)?,
            Some(wanted) => {
                let lower = wanted.to_lowercase();
                let at = names().position(|name| name.to_lowercase().contains(&lower));
                match at {
                    Some(at) => &adapters[at],
                    None if adapters.is_empty() => return Err(GpuError::NoAdapter),
                    None => {
                        return Err(GpuError::NotFound {
                            wanted: wanted.clone(),
                            found: names().collect::<Vec<_>>().join(", "),
                        });
                    }
                }
            }
        };
        let info = adapter.get_info();
        let wanted = Features::SUBGROUP | Features::SHADER_F16 | Features::TIMESTAMP_QUERY;
        let features = adapter.features() & wanted;
        let described = DeviceDescriptor {
            label: Some("statewave"),
            required_features: features,
            // Buffers of a whole file's chunk are larger than what is promised everywhere.
            required_limits: adapter.limits(),
            ..DeviceDescriptor::default()
        };
        let (device, queue) =
            ready(adapter.request_device(&described)).map_err(|e| GpuError::Device {
                adapter: info.name.clone(),
                reason: e.to_string(),
            })?;
        let lost = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&lost);
        device.set_device_lost_callback(move |_, _| told.store(true, Ordering::Release));
        let told = Arc::clone(&lost);
        // A fault in a submit, such as memory that ran out, leaves nothing that could be trusted.
        device.on_uncaptured_error(Arc::new(move |_| told.store(true, Ordering::Release)));
        Ok(Gpu {
            device,
            queue,
            info,
            abilities: Abilities {
                subgroups: features.contains(Features::SUBGROUP),
                half: features.contains(Features::SHADER_F16),
                timestamps: features.contains(Features::TIMESTAMP_QUERY),
            },
            lost,
            pipelines: Mutex::new(HashMap::new()),
        })
    }

    /// The adapter's name.
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// What the adapter says of itself.
    pub fn info(&self) -> &AdapterInfo {
        &self.info
    }

    /// What the kernels may use.
    pub fn abilities(&self) -> Abilities {
        self.abilities
    }

    /// Whether the device is gone, or has reported a fault.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Gives the device up, as a driver that resets does: everything that runs on it finds it lost.
    pub fn destroy(&self) {
        self.device.destroy();
        self.lost.store(true, Ordering::Release);
    }
}

fn enumerate(low_power: bool) -> Vec<Adapter> {
    let instance = Instance::new(InstanceDescriptor::new_without_display_handle());
    let mut adapters = ready(instance.enumerate_adapters(Backends::PRIMARY));
    adapters.sort_by_key(|adapter| match adapter.get_info().device_type {
        DeviceType::DiscreteGpu => 1 + u8::from(low_power),
        DeviceType::IntegratedGpu => 2 - u8::from(low_power),
        DeviceType::VirtualGpu => 3,
        DeviceType::Other => 4,
        DeviceType::Cpu => 5,
    });
    adapters
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
