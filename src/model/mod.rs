//! Read-only data for all: spec, file, layers.

mod error;
pub mod file;
pub mod spec;
mod tensors;
