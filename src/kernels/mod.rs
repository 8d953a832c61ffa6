//! What runs on the samples: one file a job, each kernel written once and run by the widest instructions the machine
//! has.
//!
//! Rows are `[batch][time][channels]`, contiguous f32. The channels are the lanes of the vectors, so no kernel sums
//! across a vector and a row's result does not depend on the rows beside it. A kernel checks its slices' lengths and
//! panics on a wrong one: shapes are settled when a layer is made, never by what comes in. Nothing here allocates but
//! the constructors, and the `chunked` scans for whole files.
//!
//! | file | job |
//! |---|---|
//! | [`simd`] | which instructions run ([`Path`]), aligned memory |
//! | [`proj`] | dense layers: rows by packed weights |
//! | [`banded`] | a dense layer for each band |
//! | [`mix`] | one small dense layer per channel (the bands of a spectrum mixed) |
//! | [`conv`] | causal depthwise convolution with SiLU |
//! | [`scan`] | the recurrences: S6 (Mamba), SSD (Mamba-2), S4D |
//! | [`norm`] | RMSNorm, plain and gated |
//! | [`gate`] | SiLU, softplus, sigmoid, exp2 |
//! | [`compress`] | power-law compression of spectra |
//! | [`film`] | rows scaled and moved by a condition |
//! | [`filter`] | complex filters and gates applied to spectra |
//! | [`planes`] | complex numbers from pairs to planes and back |
//! | [`real_fft`] | Fourier transforms of real signals |
//! | [`sines`] | sums of sines and of bands of noise |
//! | [`peak`] | the floor of this machine, measured |
//! | [`oracle`] | the same in f64, as the papers write it, for tests |

#[macro_use]
pub mod simd;
pub mod banded;
pub mod compress;
pub mod conv;
pub mod film;
pub mod filter;
pub mod gate;
mod lane;
pub mod mix;
pub mod norm;
pub mod oracle;
pub mod peak;
pub mod planes;
pub mod proj;
pub mod real_fft;
pub mod scan;
pub mod sines;

pub use simd::{Aligned, Path};
