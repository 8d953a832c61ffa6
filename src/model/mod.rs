//! Read-only data for all: spec, file, layers.

pub mod discretize;
pub mod mamba;
pub mod mamba2;
pub mod s4d;
pub mod spec;
pub mod stack;
pub mod tensors;
