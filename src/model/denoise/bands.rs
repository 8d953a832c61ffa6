//! Bands: how bins are grouped, linear maps of a band's own, and the gated mixing across bands.

use crate::kernels::gate::silu;
use crate::kernels::mix::{PackedMix, mix};
use crate::kernels::norm::{gate_silu, rms_norm};
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

    /// Where the head's output `i` of a band goes: files keep `[width][taps][2]` and the gates behind, the filter wants
    /// `[taps][2][width]` and the gates behind.
    pub fn plane_of(&self, i: usize) -> usize {
        let of_bin = 2 * self.taps;
        if i < of_bin * self.width {
            i % of_bin * self.width + i / of_bin
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

/// A linear map of its own for every band.
#[derive(Debug)]
pub struct Grouped {
    maps: Vec<Packed>,
}

impl Grouped {
    /// Reads `{name}.weight.G`, `[bands, out, in]`, and `{name}.bias.G`, `[bands, out]`; `sizes` gives (in, out), and
    /// `place` where an output of the file goes.
    pub fn new(
        tensors: &Tensors,
        name: &str,
        groups: &[Group],
        sizes: impl Fn(&Group) -> (usize, usize),
        place: impl Fn(&Group, usize) -> usize,
    ) -> Result<Grouped, TensorError> {
        let mut maps = Vec::new();
        for (k, group) in groups.iter().enumerate() {
            let (inputs, outputs) = sizes(group);
            let shape = [group.bands, outputs, inputs];
            let weight = tensors.get(&format!("{name}.weight.{k}"), &shape)?;
            let bias = tensors.get(&format!("{name}.bias.{k}"), &shape[..2])?;
            for (w, b) in weight
                .chunks_exact(outputs * inputs)
                .zip(bias.chunks_exact(outputs))
            {
                let (mut weight, mut bias) = (vec![0.0; w.len()], vec![0.0; outputs]);
                for (i, row) in w.chunks_exact(inputs).enumerate() {
                    let to = place(group, i);
                    weight[to * inputs..][..inputs].copy_from_slice(row);
                    bias[to] = b[i];
                }
                maps.push(Packed::new(&weight, outputs, inputs, Some(&bias)));
            }
        }
        Ok(Grouped { maps })
    }

    /// The map of every band, from the lowest.
    pub fn maps(&self) -> &[Packed] {
        &self.maps
    }

    pub fn macs(&self) -> usize {
        self.maps.iter().map(|m| m.inputs() * m.outputs()).sum()
    }
}

/// Mamba's gated block with one dense band-by-band matrix a channel in the place of the state space model:
/// `x ← x + W_out (M silu(u) ⊙ silu(z))`, `(u, z) = W_in norm(x)`.
#[derive(Debug)]
pub struct BandMix {
    norm: Aligned,
    in_proj: Packed,
    mix: PackedMix,
    out_proj: Packed,
    eps: f32,
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
        self.mix.inputs() * time * (width.max(self.mix.channels()) + 4 * self.mix.channels())
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
        let (uz, rest) = scratch.split_at_mut(rows * 2 * c);
        let (u, rest) = rest.split_at_mut(rows * c);
        let (mixed, y) = rest.split_at_mut(rows * c);
        if k == 0 {
            rms_norm(path, x, &self.norm, self.eps, y, rows);
            proj(path, &self.in_proj, y, width, uz, 2 * c, rows, false);
            // The mix wants all bands of a frame together.
            for (row, uz) in uz.chunks_exact(2 * c).enumerate() {
                let to = (row % time * f + row / time) * c;
                u[to..to + c].copy_from_slice(&uz[..c]);
            }
            silu(path, u);
        } else {
            mix(path, &self.mix, u, mixed, time, false);
            for (row, y) in y[..rows * c].chunks_exact_mut(c).enumerate() {
                let from = (row % time * f + row / time) * c;
                y.copy_from_slice(&mixed[from..from + c]);
            }
            gate_silu(path, y, &uz[c..], 2 * c, c, rows);
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
