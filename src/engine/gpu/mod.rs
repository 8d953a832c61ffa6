//! Models on a GPU, through wgpu: the device, the shaders of `shaders/`, and the recordings made of them.

mod crew;
pub mod denoiser;
pub mod device;
pub mod hub;
pub mod ops;
pub mod record;
pub mod shader;

pub use device::{Abilities, Choice, Gpu, GpuError};
