//! The app: a window with the panel and a strip for devices, or no window and flags.
//!
//! ```text
//! window / headless ─► Front ─┬─ Desk: values, models, telemetry
//!                             └─ Rig, a thread: opens and watches the streams
//!                                  input callback ─► bridge ─► Processor ─► output callback ─► tape ─► file
//! ```

pub mod band;
pub mod bridge;
pub mod devices;
pub mod difference;
pub mod drift;
pub mod earliest;
pub mod flags;
pub mod front;
pub mod headless;
pub mod hosts;
pub mod midi;
pub mod opening;
pub mod player;
pub mod quiet;
pub mod record;
pub mod rig;
pub mod set;
pub mod settings;
pub mod states;
pub mod streams;
mod strip;
pub mod trace;
pub mod values;
pub mod window;
pub mod youth;
