//! Read-only data for all: spec, file, layers.

pub mod spec;
