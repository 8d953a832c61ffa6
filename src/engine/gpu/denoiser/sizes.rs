//! How large the buffers of a denoiser are: what they are made by, and how many frames at a time fit a device.

use crate::engine::gpu::ops::most_chunks;
use crate::engine::gpu::{Gpu, GpuError};
use crate::model::denoise::{DenoiseNet, Layer};

/// Floats of a row of each kind, the widest of all layers.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Widths {
    bands: usize,
    /// Frames that the filters look back to, and floats of a spectrum.
    past: usize,
    spectrum: usize,
    features: usize,
    coefficients: usize,
    x: usize,
    /// What a layer's first projection gives.
    wide: usize,
    /// x, B and C.
    convolved: usize,
    /// Channels of a scan, or of the mixing across bands.
    pub(super) inner: usize,
    /// States of a stream, and its heads.
    state: usize,
    heads: usize,
}

/// Floats of each buffer whose size depends on sessions or frames.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) spectra: usize,
    pub(super) filtered: usize,
    pub(super) features: usize,
    pub(super) coefficients: usize,
    pub(super) x: usize,
    pub(super) wide: usize,
    pub(super) convolved: usize,
    pub(super) y: usize,
    pub(super) carried: usize,
    pub(super) sums: usize,
    /// The widest layer's; others have less.
    state: usize,
}

impl Widths {
    pub(super) fn of(net: &DenoiseNet) -> Widths {
        let mut widths = Widths {
            bands: net.bands,
            past: net.taps - 1,
            spectrum: 2 * net.bins,
            features: 3 * net.used,
            coefficients: net.groups.iter().map(|g| g.bands * g.coefficients()).sum(),
            x: net.width,
            ..Widths::default()
        };
        for layer in &net.layers {
            match layer {
                Layer::Time(block) => {
                    let c = block.config();
                    widths.wide = widths.wide.max(block.in_proj.outputs());
                    widths.inner = widths.inner.max(c.inner());
                    widths.convolved = widths.convolved.max(c.conv_channels());
                    widths.state = widths.state.max(block.scan.state_len());
                    widths.heads = widths.heads.max(c.heads);
                }
                Layer::Bands(mix) => {
                    widths.wide = widths.wide.max(2 * mix.mix.channels());
                    widths.inner = widths.inner.max(mix.mix.channels());
                }
            }
        }
        widths
    }

    /// For `sessions` streams, up to `frames` of each at a time.
    pub(super) fn sizes(&self, sessions: usize, frames: usize) -> Sizes {
        let (rows, streams) = (sessions * frames, self.bands * sessions);
        let chunks = most_chunks(frames, streams, self.inner);
        Sizes {
            spectra: sessions * (self.past + frames) * self.spectrum,
            filtered: rows * self.spectrum,
            features: rows * self.features,
            coefficients: rows * self.coefficients,
            x: self.bands * rows * self.x,
            wide: self.bands * rows * self.wide,
            convolved: self.bands * rows * self.convolved,
            y: self.bands * rows * self.inner,
            carried: chunks * self.state,
            sums: chunks * self.heads,
            state: streams * self.state,
        }
    }
}

impl Sizes {
    /// Whether shaders of `gpu` reach all of every buffer.
    ///
    /// # Errors
    /// [`GpuError::Room`].
    pub(super) fn fit(&self, gpu: &Gpu) -> Result<(), GpuError> {
        gpu.has_room(&[
            ("spectra", self.spectra),
            ("filtered spectra", self.filtered),
            ("features", self.features),
            ("filters", self.coefficients),
            ("the residual stream", self.x),
            ("a layer's first projection", self.wide),
            ("what is convolved", self.convolved),
            ("a scan's output", self.y),
            ("the chunks' states", self.carried),
            ("the chunks' sums", self.sums),
            ("the streams' states", self.state),
        ])
    }
}
