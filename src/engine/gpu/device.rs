//! The device: which adapter, and what it can do.

use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};

use super::abilities::Abilities;
use super::adapters;
use super::cache::DiskCache;
use super::error::GpuError;
use super::record::encode;
use super::shader::{Shader, Source};
use crate::folders;
use wgpu::{
    Adapter, AdapterInfo, ComputePipeline, Device, DeviceDescriptor, ErrorFilter, Features, Queue,
};

/// Which adapter to open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// Part of its name, in any case; the best if not said.
    pub name: Option<String>,
    /// Rather one that saves power, where there are several.
    pub low_power: bool,
    /// Weights in half precision, where the adapter has that: less to bring from memory, and a sound that is no longer the
    /// CPU's to -100 dBFS.
    pub half: bool,
    /// Without a name: one that works on the CPU will do, if there is no other.
    pub software: bool,
    /// Waits awake for frames and for the device while streams play, which takes a core: for machines whose sleeps last
    /// longer than they were asked to, so that frames come late.
    pub awake: bool,
}

impl Choice {
    /// The best there is, be it one that works on the CPU.
    pub fn any() -> Choice {
        Choice {
            software: true,
            ..Choice::default()
        }
    }
}

/// An open device and its queue, shared by all that run on it.
#[derive(Debug)]
pub struct Gpu {
    pub(super) device: Device,
    pub(super) queue: Queue,
    info: AdapterInfo,
    abilities: Abilities,
    half_weights: bool,
    awake: AtomicBool,
    pub(super) submits: AtomicU64,
    lost: Arc<AtomicBool>,
    /// What the driver, or wgpu, said when it was lost.
    fault: Arc<OnceLock<String>>,
    /// What has been compiled, by text and entry point: layers of one shape, and denoisers of one model, share it.
    pub(super) pipelines: Mutex<HashMap<(String, String), ComputePipeline>>,
    /// The same on disk.
    pub(super) cache: Option<DiskCache>,
}

impl Gpu {
    /// All adapters, the best first.
    pub fn adapters(low_power: bool) -> Vec<AdapterInfo> {
        let found = adapters::enumerate(low_power);
        found.iter().map(Adapter::get_info).collect()
    }

    /// The adapter that `choice` names.
    ///
    /// # Errors
    /// [`GpuError::NoAdapter`], [`GpuError::NotFound`] or [`GpuError::OnlySoftware`].
    pub fn find(choice: &Choice) -> Result<AdapterInfo, GpuError> {
        adapters::find(choice).map(|adapter| adapter.get_info())
    }

    /// Opens the adapter of `choice`, with all that it can do. Takes tens of milliseconds and more; not for the audio
    /// thread.
    ///
    /// # Errors
    /// As [`Gpu::find`], and [`GpuError::Device`].
    pub fn open(choice: &Choice) -> Result<Gpu, GpuError> {
        let folder = folders::cache().map(|folder| folder.join("pipelines"));
        Gpu::open_with(choice, Abilities::ALL, folder.as_deref())
    }

    /// The same with no more than `wanted` of what it can do, and with what was compiled kept in the folder `cache`.
    ///
    /// # Errors
    /// As [`Gpu::open`].
    pub fn open_with(
        choice: &Choice,
        wanted: Abilities,
        cache: Option<&Path>,
    ) -> Result<Gpu, GpuError> {
        let adapter = adapters::find(choice)?;
        let info = adapter.get_info();
        let features = adapter.features() & (wanted.features() | Features::PIPELINE_CACHE);
        let mut limits = adapter.limits();
        limits.max_storage_buffer_binding_size = limits
            .max_storage_buffer_binding_size
            .min(wanted.binding_bytes);
        let described = DeviceDescriptor {
            label: Some("statewave"),
            required_features: features,
            // Buffers of a whole file's chunk are larger than what is promised everywhere.
            required_limits: limits.clone(),
            ..DeviceDescriptor::default()
        };
        let (device, queue) =
            ready(adapter.request_device(&described)).map_err(|e| GpuError::Device {
                adapter: info.name.clone(),
                reason: e.to_string(),
            })?;
        let lost = Arc::new(AtomicBool::new(false));
        let fault = Arc::new(OnceLock::new());
        let (told, words) = (Arc::clone(&lost), Arc::clone(&fault));
        device.set_device_lost_callback(move |_, message| {
            let _ = words.set(message);
            told.store(true, Ordering::Release);
        });
        let (told, words) = (Arc::clone(&lost), Arc::clone(&fault));
        // A fault in a submit, such as memory that ran out, leaves nothing that could be trusted.
        device.on_uncaptured_error(Arc::new(move |error| {
            let _ = words.set(error.to_string());
            told.store(true, Ordering::Release);
        }));
        let cache = cache
            .filter(|_| features.contains(Features::PIPELINE_CACHE))
            .and_then(|folder| DiskCache::open(&device, &info, folder));
        let abilities = Abilities::of(features, &limits);
        let mut gpu = Gpu {
            device,
            queue,
            info,
            abilities,
            half_weights: choice.half && abilities.half,
            awake: AtomicBool::new(choice.awake),
            submits: AtomicU64::new(0),
            lost,
            fault,
            pipelines: Mutex::new(HashMap::new()),
            cache,
        };
        // Kernels need more of subgroups than every adapter that has them gives.
        gpu.abilities.subgroups = abilities.subgroups && lanes_are_in_order(&gpu);
        Ok(gpu)
    }

    /// Whether weights are kept in half precision.
    pub(super) fn half_weights(&self) -> bool {
        self.half_weights
    }

    /// Whether threads that wait for the device stay awake.
    pub(super) fn awake(&self) -> bool {
        self.awake.load(Ordering::Relaxed)
    }

    /// Has them stay awake from now on, or no more.
    pub(super) fn stay_awake(&self, awake: bool) {
        self.awake.store(awake, Ordering::Relaxed);
    }

    /// Keeps what has been compiled so far for the next start, where the adapter has a cache.
    pub fn keep_pipelines(&self) {
        if let Some(cache) = self.cache.as_ref().filter(|_| !self.is_lost()) {
            cache.store();
        }
    }

    /// Bytes of memory that the threads of a workgroup may share.
    pub(super) fn workgroup_bytes(&self) -> usize {
        self.device.limits().max_compute_workgroup_storage_size as usize
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

    /// What has been submitted so far.
    pub fn submits(&self) -> u64 {
        self.submits.load(Ordering::Relaxed)
    }

    /// Whether the device is gone, or has reported a fault.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// What was said when the device was lost, by the driver or by wgpu.
    pub fn fault(&self) -> Option<&str> {
        self.fault.get().map(String::as_str)
    }

    /// That it is lost, with what was said.
    pub(super) fn gone(&self) -> GpuError {
        GpuError::Lost(self.fault().map(String::from))
    }

    /// Whether a shader reaches all of each of `buffers`, (what for, floats).
    ///
    /// # Errors
    /// [`GpuError::Room`], for the largest.
    pub(super) fn has_room(&self, buffers: &[(&'static str, usize)]) -> Result<(), GpuError> {
        let most = self.abilities.binding_bytes;
        let bytes = |(_, floats): &(&str, usize)| 4 * *floats as u64;
        match buffers.iter().max_by_key(|buffer| bytes(buffer)) {
            Some(largest) if bytes(largest) > most => Err(GpuError::Room {
                adapter: self.info.name.clone(),
                what: largest.0,
                bytes: bytes(largest),
                most,
            }),
            _ => Ok(()),
        }
    }

    /// Does `work`, which makes buffers and pipelines; what the device refuses of it leaves the device as it was.
    ///
    /// # Errors
    /// Those of `work`, [`GpuError::Refused`], and [`GpuError::Lost`] where the device is gone behind it.
    pub(super) fn prepared<T>(
        &self,
        work: impl FnOnce() -> Result<T, GpuError>,
    ) -> Result<T, GpuError> {
        let filters = [ErrorFilter::OutOfMemory, ErrorFilter::Validation];
        let scopes = filters.map(|filter| self.device.push_error_scope(filter));
        let done = work();
        let refused = scopes.into_iter().rev().map(|scope| ready(scope.pop()));
        // The first that was pushed is asked last, and each has to be asked.
        let refused = refused.fold(None, |first, error| first.or(error));
        if let Some(error) = refused {
            return Err(GpuError::Refused {
                adapter: self.info.name.clone(),
                reason: error.to_string(),
            });
        }
        if self.is_lost() {
            return Err(self.gone());
        }
        done
    }

    /// Bytes of device memory that are in use; `None` where the backend does not tell.
    pub fn memory(&self) -> Option<u64> {
        let report = self.device.generate_allocator_report()?;
        Some(report.total_allocated_bytes)
    }

    /// Gives the device up, as a driver that resets does: everything that runs on it finds it lost.
    pub fn destroy(&self) {
        self.device.destroy();
        // wgpu tells only who asks again.
        let _ = self.fault.set("it was destroyed".into());
        self.lost.store(true, Ordering::Release);
    }
}

/// Whether threads that follow each other in a workgroup are neighbours in a subgroup, which WebGPU does not promise.
fn lanes_are_in_order(gpu: &Gpu) -> bool {
    const THREADS: usize = 64;
    let seen = gpu.zeros("seen", 2 * THREADS);
    let look = gpu.dispatch(&Source::new(Shader::Lanes), "main", &[(1, &seen)]);
    let mut encoder = gpu.encoder();
    encode(&mut encoder, [(&look, [1, 1, 1])]);
    gpu.submit(encoder);
    let mut read = vec![0.0f32; 2 * THREADS];
    let is_other = |(i, pair): (usize, &[f32])| {
        [pair[0], pair[1]].map(f32::to_bits) != [i as u32 ^ 1, i as u32 ^ 2]
    };
    gpu.read(&seen, 0, &mut read).is_ok() && !read.chunks_exact(2).enumerate().any(is_other)
}

/// The value of a future. wgpu's are ready at the first look, except in browsers; a thread of its own would be a waste.
pub(super) fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::yield_now(),
        }
    }
}
