//! Statewave for hosts and for desktops: the CLAP and VST3 plugin, the panel, and the app.
//!
//! ```text
//! host ─► plugin ─┐                    ┌─► Processor ─► statewave::chain
//!                 ├─► params, editor ──┤       ▲  engines, both ways
//! devices ─► app ─┘        │           │       ▼
//!                          ▼           └─► Loader (a thread of its own): reads, verifies and frees models
//!            PanelHost ◄─► Panel ─► widgets
//! ```
//! [`instrument`] is a second plugin of the same library: notes in, sound out. [`processor`] and [`loader`] know no host and no window; [`panel`] knows neither hosts nor devices: everything it
//! shows and changes goes through [`panel::host::PanelHost`].

#[cfg(feature = "app")]
pub mod app;
mod awaited;
mod base64;
pub mod desk;
mod editor;
pub mod engine;
pub mod fade;
pub mod fault;
mod files;
pub mod instrument;
pub mod loader;
mod notes;
pub mod panel;
pub mod params;
pub mod plugin;
pub mod processor;
pub mod state;
mod transport;
pub mod unheard;
pub mod widgets;

pub use instrument::StatewaveInstrument;
pub use plugin::Statewave;

nice_plug::nice_export_clap!(Statewave, StatewaveInstrument);
nice_plug::nice_export_vst3!(Statewave, StatewaveInstrument);
