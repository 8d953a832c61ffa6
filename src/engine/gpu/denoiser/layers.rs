//! The layers between: Mamba-2 over time, and mixing across bands.

use std::sync::Arc;

use super::state::Memory;
use super::{Between, GpuDenoiser, Over};
use crate::engine::gpu::ops::{
    self, Activation, Around, Conv, ConvBuffers, Gate, Maps, Place, ScanBuffers, SsdScan, Strides,
};
use crate::model::denoise::bands::BandMix;
use crate::model::mamba2::Mamba2Block;
use crate::telemetry::DELTA_LAYERS;

/// Up to so many frames at a time, lanes share a channel.
const FEW: usize = 16;

impl GpuDenoiser {
    /// A Mamba-2 block over time.
    pub(super) fn time(&mut self, block: &Mamba2Block, between: &Between) {
        let c = block.config();
        let streams = self.bands * self.sessions;
        let (e, conv, row) = (c.inner(), c.conv_channels(), block.in_proj.outputs());
        let gpu = Arc::clone(&self.gpu);
        let tails = gpu.zeros("tails", streams * block.conv.state_len());
        let new_tails = gpu.zeros("new tails", streams * block.conv.state_len());
        let state = gpu.zeros("state", streams * block.scan.state_len());
        let run = &self.over_bands;
        // z, x, B, C and raw Δ. The norm's weights are in the map.
        let in_maps = Maps::new().with(
            Place::default(),
            (row, c.width),
            |m, k| block.in_proj.weight(m, k) * block.norm[k],
            |m| block.in_proj.bias(m),
        );
        let norm = Around {
            norm_eps: Some(c.eps),
            ..Around::default()
        };
        let out_maps = Maps::new().with(
            Place::default(),
            (c.width, e),
            |m, k| block.out_proj.weight(m, k) * block.gated_norm[k],
            |m| block.out_proj.bias(m),
        );
        let gated_norm = Around {
            norm_eps: Some(c.gated_eps),
            gate: Some(Gate::Input { at: 0, row }),
            accumulate: true,
            ..Around::default()
        };
        let Between {
            x,
            wide,
            convolved,
            y,
            carried,
            sums,
        } = between;
        let sizes = Conv {
            channels: conv,
            x_row: row,
            x_at: e,
        };
        let scanned = SsdScan {
            x: convolved,
            x_row: conv,
            dt: wide,
            dt_row: row,
            dt_at: e + conv,
        };
        let buffers = ScanBuffers {
            few: self.max_time <= FEW,
            run,
            slots: &self.slots,
            y,
            state: &state,
            carried,
            sums,
        };
        let into = Strides::rows(c.width, row);
        let out_of = Strides::rows(e, c.width);
        let convolution = ConvBuffers {
            run,
            slots: &self.slots,
            x: wide,
            tails: &tails,
            new_tails: &new_tails,
            y: convolved,
        };
        let mut steps = vec![ops::proj(&gpu, &in_maps, into, norm, run, x, None, wide)];
        let layer = self.memories.len();
        let watched = (layer < DELTA_LAYERS)
            .then(|| ops::deltas(&gpu, &block.scan, scanned, layer, (run, &self.shown)));
        steps.extend(ops::conv(&gpu, sizes, &block.conv, convolution));
        steps.extend(ops::ssd(&gpu, &block.scan, scanned, buffers));
        steps.push(ops::proj(
            &gpu,
            &out_maps,
            out_of,
            gated_norm,
            run,
            y,
            Some(wide),
            x,
        ));
        self.steps
            .extend(steps.into_iter().map(|step| (Over::Bands, step)));
        // Raw Δ is where it is until the next layer.
        self.steps.extend(watched.map(|step| (Over::Watched, step)));
        self.memories.push(Memory {
            tails,
            tails_len: block.conv.state_len(),
            state,
            state_len: block.scan.state_len(),
        });
    }

    /// Mixing across bands.
    pub(super) fn mix(&mut self, block: &BandMix, width: usize, between: &Between) {
        let (channels, bands) = (block.mix.channels(), self.bands);
        let gpu = Arc::clone(&self.gpu);
        let in_maps = Maps::new().with(
            Place::default(),
            (2 * channels, width),
            |m, k| block.in_proj.weight(m, k) * block.norm[k],
            |m| block.in_proj.bias(m),
        );
        let into = Around {
            norm_eps: Some(block.eps),
            activation: Activation::Silu,
            ..Around::default()
        };
        // A map for each channel: what it takes is a band apart, `time` rows of u and z.
        let mix_maps = (0..channels).fold(Maps::new(), |maps, c| {
            let place = Place {
                x: c,
                out: c,
                ..Place::default()
            };
            maps.with(
                place,
                (bands, bands),
                |f, g| block.mix.weight(c, f, g),
                |f| block.mix.bias(c, f),
            )
        });
        let across = Strides {
            x_row: 2 * channels,
            x_k: 0,
            x_k_time: 2 * channels,
            out_row: channels,
            out_m: 0,
            out_m_time: channels,
        };
        let gated = Around {
            gate: Some(Gate::Output {
                at: channels,
                row: 2 * channels,
                m_time: 2 * channels,
            }),
            ..Around::default()
        };
        let out_maps = Maps::new().with(
            Place::default(),
            (width, channels),
            |m, k| block.out_proj.weight(m, k),
            |m| block.out_proj.bias(m),
        );
        let added = Around {
            accumulate: true,
            ..Around::default()
        };
        let Between { x, wide, y, .. } = between;
        let (bands, sessions) = (&self.over_bands, &self.over_sessions);
        let into_rows = Strides::rows(width, 2 * channels);
        let out_rows = Strides::rows(channels, width);
        self.steps.extend([
            (
                Over::Bands,
                ops::proj(&gpu, &in_maps, into_rows, into, bands, x, None, wide),
            ),
            (
                Over::Sessions,
                ops::proj(
                    &gpu,
                    &mix_maps,
                    across,
                    gated,
                    sessions,
                    wide,
                    Some(wide),
                    y,
                ),
            ),
            (
                Over::Bands,
                ops::proj(&gpu, &out_maps, out_rows, added, bands, y, None, x),
            ),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::gpu::{Choice, Gpu};
    use crate::model::Model;
    use crate::model::denoise::Layer;

    const MODEL: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/models/denoise-live.safetensors"
    );

    #[test]
    fn a_layer_is_as_few_dispatches_as_is_said() {
        let gpu = match Gpu::open(&Choice::any()) {
            Ok(gpu) => Arc::new(gpu),
            Err(error) => return eprintln!("skipped: {error}"),
        };
        let model = Model::open(MODEL).unwrap();
        let net = model.net();
        let over_time = net.time_layers();
        let across = net.layers.iter();
        let across = across.filter(|layer| matches!(layer, Layer::Bands(_)));
        // Compress, level, remember and the split before the layers; the head and the filter behind them.
        let [ends, across] = [6, 3 * across.count()];
        let denoiser = GpuDenoiser::new(gpu, net, 1, 64).unwrap();
        for (frames, each) in [(1, 4), (16, 4), (17, 5), (32, 5), (33, 7), (64, 7)] {
            let (_, steps) = denoiser.steps_of_all(frames);
            assert_eq!(
                steps.count(),
                ends + across + each * over_time,
                "{frames} frames"
            );
        }
    }
}
