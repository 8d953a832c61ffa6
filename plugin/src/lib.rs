//! The panel, its widgets, and the app around it.
//!
//! ```text
//! PanelHost ◄──► Panel ──► widgets ──► egui
//!     ▲
//!     └── the app's window, or a plugin's editor
//! ```
//! The panel knows neither hosts nor devices: everything it shows and changes goes through [`panel::host::PanelHost`].

#[cfg(feature = "app")]
pub mod app;
pub mod panel;
pub mod widgets;
