//! Statewave for hosts: the CLAP and VST3 plugin, and what it shares with the app.
//!
//! ```text
//! host ─► plugin ─► Processor ─► statewave::chain
//!            │          ▲  engines, both ways
//!            │          ▼
//!            ├─ params  Loader (a thread of its own): reads, verifies and frees models
//!            └─ editor
//! ```
//! [`processor`] and [`loader`] know no host and no window.

mod editor;
pub mod loader;
pub mod params;
pub mod plugin;
pub mod processor;
pub mod state;

pub use plugin::Statewave;

nice_plug::nice_export_clap!(Statewave);
nice_plug::nice_export_vst3!(Statewave);
