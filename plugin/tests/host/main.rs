//! The plugin in a CLAP host of our own, and its parts beside it.
//!
//! In debug builds nice-plug aborts at the first use of the heap within `process` and `reset`, so every test here is
//! also one of that, from the first callback on.

mod automation;
mod clap_host;
mod continuing;
mod cost;
mod effects;
mod gpu;
mod held;
mod instrument;
mod instrument_held;
mod latency;
mod layouts;
mod models;
mod ranges;
mod same_sound;
#[cfg(target_os = "linux")]
#[path = "../window/screen.rs"]
#[allow(dead_code, reason = "its pictures are for the tests of the app")]
mod screen;
mod signals;
mod state;
mod swap;
mod telemetry;
mod tone;
mod window;
#[cfg(target_os = "linux")]
mod window_shown;
