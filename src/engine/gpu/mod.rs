//! Models on a GPU, through wgpu: the device, the shaders of `shaders/`, and the recordings made of them.

mod abilities;
mod adapters;
mod cache;
mod clock;
mod crew;
pub mod denoiser;
pub mod device;
mod error;
pub mod hub;
pub mod ops;
pub mod record;
pub mod round_trip;
pub mod session;
pub mod shader;
pub mod shared;
pub mod whole;

pub use abilities::Abilities;
pub use device::{Choice, Gpu};
pub use error::GpuError;
