//! Read-only data for all: spec, file, layers.

pub mod mamba2;
pub mod spec;
pub mod tensors;
