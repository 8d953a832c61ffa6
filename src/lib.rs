//! Statewave: a real-time Mamba audio engine.
//!
//! ```text
//! host block ─► Chain ─► dry tap ─────────────────────────────────────────► aligned mix ─► host block
//!                   └─► resample in ─► framer ─► STFT ─► Engine ─► overlap-add ─► resample out ─┘
//!                                                          │
//!                                                 CpuEngine: the recurrence, a share of each hop
//!                                                            at every callback
//! ```
//! One way: `chain → frame → engine → kernels`; `model` is read-only data for all.

pub mod chain;
pub mod controls;
pub mod engine;
pub mod folders;
pub mod frame;
pub mod handoff;
pub mod instrument;
pub mod kernels;
pub mod latency;
pub mod model;
pub mod state;
pub mod tape;
pub mod telemetry;
