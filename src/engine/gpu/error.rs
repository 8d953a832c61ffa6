//! What can be wrong with a GPU, and what helps.

use std::time::Duration;

use thiserror::Error;

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
    /// None but such as work on the CPU.
    #[error("no GPU was found, only {adapter}, which works on the CPU")]
    OnlySoftware {
        /// The first one's name.
        adapter: String,
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
    /// Frames come faster than they are done, or are too long on their way.
    #[error(
        "{adapter} is too slow for this model: {} a frame, {} at the most",
        ms(.usual),
        ms(.longest)
    )]
    Slow {
        /// The adapter's name.
        adapter: String,
        /// Half of the frames were faster.
        usual: Duration,
        /// 99.9 % of the frames were faster.
        longest: Duration,
    },
    /// Samples came back that are none.
    #[error("the GPU gave what is no number")]
    NotANumber,
    /// Buffers that no shader of the device reaches all of.
    #[error(
        "{adapter} cannot hold this model: {what} would take {}, and a buffer has {} at the most",
        mib(.bytes),
        mib(.most)
    )]
    Room {
        /// The adapter's name.
        adapter: String,
        /// What the buffer is for.
        what: &'static str,
        /// Its bytes.
        bytes: u64,
        /// The device's limit.
        most: u64,
    },
    /// Buffers or pipelines that the device does not make.
    #[error("{adapter} cannot prepare this model: {reason}")]
    Refused {
        /// The adapter's name.
        adapter: String,
        /// The driver's words, or wgpu's.
        reason: String,
    },
    /// The device is gone, or has not answered; with what was said then.
    #[error("the GPU was lost{}", said(.0))]
    Lost(Option<String>),
}

fn said(words: &Option<String>) -> String {
    let with = |words: &String| format!(": {words}");
    words.as_ref().map_or_else(String::new, with)
}

fn mib(bytes: &u64) -> String {
    format!("{:.1} MiB", *bytes as f64 / (1 << 20) as f64)
}

fn ms(time: &Duration) -> String {
    format!("{:.1} ms", 1e3 * time.as_secs_f64())
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
            GpuError::OnlySoftware { .. } => {
                "install the graphics card's driver, stay on the CPU, or name that adapter to have it all the same"
            }
            GpuError::Device { .. } => {
                "update the graphics driver, or choose another adapter; models run on the CPU meanwhile"
            }
            GpuError::Model(_) => "run it on the CPU",
            GpuError::Slow { .. } => {
                "stay on the CPU, or choose another adapter or a smaller model"
            }
            GpuError::NotANumber => "update the graphics driver, or run it on the CPU",
            GpuError::Room { .. } => {
                "run it on the CPU, choose an adapter with larger buffers, or play fewer channels at once"
            }
            GpuError::Refused { .. } => {
                "run it on the CPU, choose an adapter with more memory, or close what else uses that one"
            }
            GpuError::Lost(_) => "models run on the CPU until it is back",
        }
    }
}
