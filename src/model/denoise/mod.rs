//! The denoiser: Mamba-2 over time within bands, gated linear mixing across bands, a short complex filter a bin.
//!
//! ```text
//! spectrum ─► features ─► band split ─► L × [ Mamba-2 over time │ band mix ] ─► head ─► filter ─► spectrum
//! ```
//! Flows in and out: complex spectra, `[time][bins]` as (re, im). The residual stream is `[band][time][D]`.

pub(crate) mod bands;
mod features;
mod session;

use super::layer::Layer as _;
use super::mamba2::{Mamba2Block, Mamba2Config};
use super::spec::{LayerSpec, ModelSpec};
use super::tensors::{TensorError, Tensors};
use crate::kernels::Aligned;
use crate::kernels::filter::{LIMIT, OVERHANG};
use bands::{BandMix, Group, Grouped};

pub use session::DenoiseSession;

/// Magnitudes below this count as silence when the level is taken: compressed and unnormalised, about -100 dBFS.
pub(crate) const LEVEL_FLOOR: f32 = 0.05;

/// The most that a model may hold its filters' coefficients within: 24 dB louder than what comes in.
const MOST_LIMIT: f32 = 16.0;

/// The weights of a denoiser, packed. Immutable; see [`DenoiseSession`] for a stream's state.
#[derive(Debug)]
pub struct DenoiseNet {
    /// Bins of a spectrum.
    pub(crate) bins: usize,
    /// Bins that the bands cover.
    pub(crate) used: usize,
    pub(crate) bands: usize,
    pub(crate) width: usize,
    pub(crate) compress: f32,
    /// What the running level keeps from one frame to the next.
    pub(crate) keep: f32,
    pub(crate) eps: f32,
    pub(crate) groups: Vec<Group>,
    pub(crate) split: Grouped,
    pub(crate) layers: Vec<Layer>,
    pub(crate) norm_f: Aligned,
    pub(crate) head: Grouped,
    pub(crate) taps: usize,
    pub(crate) tap_bins: usize,
    pub(crate) limit: f32,
}

/// A layer on the residual stream.
#[derive(Debug)]
pub(crate) enum Layer {
    /// Over time, bands as streams.
    Time(Box<Mamba2Block>),
    /// Across bands.
    Bands(Box<BandMix>),
}

impl Layer {
    fn pieces(&self) -> usize {
        match self {
            Layer::Time(block) => block.pieces(),
            Layer::Bands(_) => BandMix::PIECES,
        }
    }
}

impl DenoiseNet {
    /// Builds the net that `spec` describes from its tensors.
    ///
    /// # Errors
    /// Layers in an order that makes no denoiser, sizes that do not fit together, or a tensor missing or misshapen.
    pub fn new(spec: &ModelSpec, tensors: &Tensors) -> Result<DenoiseNet, TensorError> {
        let wrong = |layer: &str, reason: &str| TensorError::Size {
            layer: layer.into(),
            reason: reason.into(),
        };
        let [first, middle @ .., last] = spec.layers.as_slice() else {
            return Err(wrong("layers", "a denoiser has a split, layers and a head"));
        };
        let LayerSpec::BandSplit {
            bands,
            width,
            compress,
            level_seconds,
        } = first
        else {
            return Err(wrong("layers", "the first layer must be `band_split`"));
        };
        let &LayerSpec::FilterHead {
            taps,
            tap_bins,
            gated,
            limit,
        } = last
        else {
            return Err(wrong("layers", "the last layer must be `filter_head`"));
        };
        let (width, bins) = (*width, spec.front_end.bins());
        if width == 0 || !width.is_multiple_of(8) || width > 4096 {
            return Err(wrong(
                "split",
                "the width must be a multiple of 8, at most 4096",
            ));
        }
        if !(1..=16).contains(&taps) || tap_bins > bins {
            return Err(wrong(
                "head",
                "taps must be 1 to 16 and tap_bins within the bins",
            ));
        }
        let limit = limit.unwrap_or(LIMIT);
        if !(limit > 0.0 && limit <= MOST_LIMIT) {
            return Err(wrong(
                "head",
                "what coefficients are held within must be above 0, at most 16",
            ));
        }
        if !(*level_seconds > 0.0 && (0.01..=1.0).contains(compress)) {
            return Err(wrong(
                "split",
                "level_seconds must be above 0, compress 0.01 to 1",
            ));
        }
        let groups = Group::cut(bands, taps, tap_bins, gated, bins).ok_or_else(|| {
            wrong(
                "split",
                "the bands must be of 1 bin or more and fit the spectrum",
            )
        })?;
        let count: usize = groups.iter().map(|g| g.bands).sum();
        let eps = spec.norm_eps as f32;
        let mut layers = Vec::new();
        let mut index = 0;
        for layer in middle {
            match *layer {
                LayerSpec::Mamba2 {
                    heads,
                    head_dim,
                    states,
                    groups,
                    taps,
                } => {
                    if matches!(layers.last(), Some(Layer::Time(_))) {
                        index += 1;
                    }
                    let config = Mamba2Config {
                        width,
                        heads,
                        head_dim,
                        states,
                        groups,
                        taps,
                        delta_limit: (0.0, f32::INFINITY),
                        eps,
                        gated_eps: eps,
                    };
                    let prefix = format!("layers.{index}.");
                    layers.push(Layer::Time(Box::new(Mamba2Block::new(
                        config, tensors, &prefix,
                    )?)));
                }
                LayerSpec::BandMix { channels } => {
                    let prefix = format!("layers.{index}.bands.");
                    let mix = BandMix::new(tensors, &prefix, width, channels, count, eps)?;
                    layers.push(Layer::Bands(Box::new(mix)));
                    index += 1;
                }
                _ => {
                    return Err(wrong(
                        "layers",
                        "`band_split` comes first and `filter_head` last, once each",
                    ));
                }
            }
        }
        let hop_seconds = spec.front_end.hop as f64 / f64::from(spec.sample_rate);
        Ok(DenoiseNet {
            bins,
            used: groups.iter().map(|g| g.bands * g.width).sum(),
            bands: count,
            width,
            compress: *compress as f32,
            keep: (-hop_seconds / level_seconds).exp() as f32,
            eps,
            split: Grouped::split(tensors, &groups, width)?,
            layers,
            norm_f: tensors.get("norm_f.weight", &[width])?.into(),
            head: Grouped::head(tensors, &groups, width)?,
            groups,
            taps,
            tap_bins,
            limit,
        })
    }

    /// Complex bins of a frame.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Pieces that the work of a frame is made of, about alike in cost.
    pub fn pieces(&self) -> usize {
        2 + self.layers.iter().map(Layer::pieces).sum::<usize>()
    }

    /// Floats between two planes of a spectrum: the bins, what a kernel may touch behind them, in whole cache lines.
    fn plane(&self) -> usize {
        (self.bins + OVERHANG).next_multiple_of(16)
    }

    /// Layers over time: those that select.
    pub(crate) fn time_layers(&self) -> usize {
        let is_time = |layer: &&Layer| matches!(layer, Layer::Time(_));
        self.layers.iter().filter(is_time).count()
    }

    /// Multiply-accumulates a frame.
    pub fn macs(&self) -> usize {
        let layers: usize = self
            .layers
            .iter()
            .map(|layer| match layer {
                Layer::Time(block) => {
                    let c = block.config();
                    let conv = c.conv_channels();
                    self.bands
                        * (c.width * (2 * c.inner() + 2 * c.groups * c.states + c.heads)
                            + c.inner() * c.width
                            + conv * c.taps
                            + 3 * c.inner() * c.states)
                }
                Layer::Bands(mix) => mix.macs(self.width),
            })
            .sum();
        self.split.macs() + layers + self.head.macs()
    }
}
