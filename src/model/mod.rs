//! Read-only data for all: spec, file, layers.

mod container;
pub mod discretize;
mod error;
pub mod file;
pub mod mamba;
pub mod mamba2;
pub mod s4d;
pub mod spec;
pub mod stack;
pub mod tensors;
