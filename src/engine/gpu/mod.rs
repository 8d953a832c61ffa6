//! Models on a GPU, through wgpu: the device, the shaders of `shaders/`, and the recordings made of them.

pub mod denoiser;
pub mod device;
pub mod ops;
pub mod record;
pub mod shader;
pub mod worker;

pub use device::{Abilities, Choice, Gpu, GpuError};
