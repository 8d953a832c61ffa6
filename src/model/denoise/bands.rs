//! Bands: how bins are grouped, linear maps of a band's own, and the gated mixing across bands.

use crate::kernels::banded::PackedBands;
use crate::kernels::gate::silu;
use crate::kernels::mix::{PackedMix, Steps, mix_gated};
use crate::kernels::norm::rms_norm;
use crate::kernels::proj::{Packed, proj};
use crate::kernels::{Aligned, Path};
use crate::model::tensors::{TensorError, Tensors};

/// Bands of one width and one filter length, next to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    pub bands: usize,
    /// Bins of a band.
    pub width: usize,
    pub taps: usize,
    /// Whether each bin has a gate.
    pub gated: bool,
}

impl Group {
    /// Floats of filter a band and frame.
    pub fn coefficients(&self) -> usize {
        (2 * self.taps + usize::from(self.gated)) * self.width
    }

    /// Where in the file the filter's float `i` is: files keep `[width][taps][2]` and the gates behind, the filter wants
    /// `[taps][2][width]` and the gates behind.
    fn in_file(&self, i: usize) -> usize {
        let planes = 2 * self.taps;
        if i < planes * self.width {
            i % self.width * planes + i / self.width
        } else {
            i
        }
    }

    /// Cuts the bands where the long filters end. `None` if a band is empty or they go past `bins`.
    pub fn cut(
        bands: &[(usize, usize)],
        taps: usize,
        tap_bins: usize,
        gated: bool,
        bins: usize,
    ) -> Option<Vec<Group>> {
        let mut groups = Vec::new();
        let mut at = 0usize;
        for &(count, width) in bands {
            if count == 0 || width == 0 {
                return None;
            }
            let low = (tap_bins.saturating_sub(at) / width).min(count);
            for (bands, taps) in [(low, taps), (count - low, 1)] {
                if bands > 0 {
                    groups.push(Group {
                        bands,
                        width,
                        taps,
                        gated,
                    });
                }
            }
            at = at.checked_add(count.checked_mul(width)?)?;
            if at > bins {
                return None;
            }
        }
        (!groups.is_empty()).then_some(groups)
    }
}

/// A linear map of its own for every band, those of a group packed together.
#[derive(Debug)]
pub struct Grouped {
    maps: Vec<PackedBands>,
}

impl Grouped {
    /// Features to the residual stream: `split.weight.G`, `[bands, D, 3·width]`, and `split.bias.G`, `[bands, D]`.
    pub fn split(
        tensors: &Tensors,
        groups: &[Group],
        width: usize,
    ) -> Result<Grouped, TensorError> {
        Grouped::new(tensors, "split", groups, |g| {
            let inputs = 3 * g.width;
            // Files keep `[width][3]`, lanes want `[3][width]`.
            (width, inputs, |m| m, move |k| k % g.width * 3 + k / g.width)
        })
    }

    /// The residual stream to filters: `head.weight.G`, `[bands, coefficients, D]`, and `head.bias.G`.
    pub fn head(tensors: &Tensors, groups: &[Group], width: usize) -> Result<Grouped, TensorError> {
        Grouped::new(tensors, "head", groups, |g| {
            (g.coefficients(), width, move |m| g.in_file(m), |k| k)
        })
    }

    /// `shape` gives the numbers of outputs and inputs, and for each of them its place in the file.
    fn new<'a, M: Fn(usize) -> usize, K: Fn(usize) -> usize>(
        tensors: &Tensors,
        name: &str,
        groups: &'a [Group],
        shape: impl Fn(&'a Group) -> (usize, usize, M, K),
    ) -> Result<Grouped, TensorError> {
        let mut maps = Vec::new();
        for (index, group) in groups.iter().enumerate() {
            let (outputs, inputs, output, input) = shape(group);
            let sizes = [group.bands, outputs, inputs];
            let weight = tensors.get(&format!("{name}.weight.{index}"), &sizes)?;
            let bias = tensors.get(&format!("{name}.bias.{index}"), &sizes[..2])?;
            maps.push(PackedBands::new(
                (group.bands, outputs, inputs),
                |band, m, k| weight[(band * outputs + output(m)) * inputs + input(k)],
                |band, m| bias[band * outputs + output(m)],
            ));
        }
        Ok(Grouped { maps })
    }

    /// The maps of every group, from the lowest.
    pub fn maps(&self) -> &[PackedBands] {
        &self.maps
    }

    pub fn macs(&self) -> usize {
        self.maps.iter().map(PackedBands::macs).sum()
    }
}

/// Mamba's gated block with one dense band-by-band matrix a channel in the place of the state space model:
/// `x ← x + W_out (M silu(u) ⊙ silu(z))`, `(u, z) = W_in norm(x)`.
#[derive(Debug)]
pub struct BandMix {
    pub(crate) norm: Aligned,
    pub(crate) in_proj: Packed,
    pub(crate) mix: PackedMix,
    pub(crate) out_proj: Packed,
    pub(crate) eps: f32,
}

impl BandMix {
    /// Pieces of a call: into the mix, and out of it.
    pub const PIECES: usize = 2;

    pub fn new(
        tensors: &Tensors,
        prefix: &str,
        width: usize,
        channels: usize,
        bands: usize,
        eps: f32,
    ) -> Result<BandMix, TensorError> {
        if channels == 0 || !channels.is_multiple_of(8) || channels > 4096 {
            return Err(TensorError::Size {
                layer: prefix.into(),
                reason: "the channels must be a multiple of 8, at most 4096".into(),
            });
        }
        let get = |name: &str, shape: &[usize]| tensors.get(&format!("{prefix}{name}"), shape);
        Ok(BandMix {
            norm: get("norm.weight", &[width])?.into(),
            in_proj: Packed::new(
                get("in_proj.weight", &[2 * channels, width])?,
                2 * channels,
                width,
                None,
            ),
            mix: PackedMix::new(
                get("mix", &[channels, bands, bands])?,
                channels,
                bands,
                bands,
                Some(get("bias", &[channels, bands])?),
            ),
            out_proj: Packed::new(
                get("out_proj.weight", &[width, channels])?,
                width,
                channels,
                None,
            ),
            eps,
        })
    }

    pub fn scratch_len(&self, time: usize, width: usize) -> usize {
        self.mix.inputs() * time * (2 * self.mix.channels() + width.max(self.mix.channels()))
    }

    pub fn macs(&self, width: usize) -> usize {
        let (f, c) = (self.mix.inputs(), self.mix.channels());
        3 * f * width * c + c * f * f
    }

    /// Piece `k` on the residual stream `x`, `[band][time][width]`.
    pub fn piece(
        &self,
        path: Path,
        k: usize,
        x: &mut [f32],
        time: usize,
        width: usize,
        scratch: &mut [f32],
    ) {
        let (f, c) = (self.mix.inputs(), self.mix.channels());
        let rows = f * time;
        let (uz, y) = scratch.split_at_mut(rows * 2 * c);
        if k == 0 {
            rms_norm(path, x, &self.norm, self.eps, y, rows);
            proj(path, &self.in_proj, y, width, uz, 2 * c, rows, false);
            silu(path, uz);
        } else {
            let rows_of = |len: usize| Steps {
                band: time * len,
                frame: len,
            };
            mix_gated(
                path,
                &self.mix,
                uz,
                &uz[c..],
                rows_of(2 * c),
                y,
                rows_of(c),
                time,
            );
            proj(path, &self.out_proj, y, c, x, width, rows, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Group;

    #[test]
    fn bands_are_cut_where_long_filters_end() {
        let group = |bands, width, taps| Group {
            bands,
            width,
            taps,
            gated: false,
        };
        assert_eq!(
            Group::cut(&[(4, 4), (3, 8)], 3, 24, false, 41),
            Some(vec![group(4, 4, 3), group(1, 8, 3), group(2, 8, 1)])
        );
        assert_eq!(Group::cut(&[(4, 4), (3, 8)], 3, 24, false, 39), None);
        assert_eq!(Group::cut(&[(1, 0)], 3, 24, false, 39), None);
        assert_eq!(Group::cut(&[(usize::MAX, 2)], 3, 24, false, 39), None);
    }
}
