//! Where frames come in and go out: features and split before the layers, head and filters behind them.

use std::sync::Arc;

use super::{Between, GpuDenoiser, Over};
use crate::engine::gpu::ops::{self, Around, Gate, Maps, Place, Step, Strides};
use crate::engine::gpu::shader::{Shader, Source};
use crate::model::denoise::DenoiseNet;
use crate::model::denoise::bands::Group;

impl GpuDenoiser {
    /// Spectrum to residual stream, by so many floats of features.
    pub(super) fn front(&mut self, net: &DenoiseNet, features: usize, between: &Between) {
        let rows = self.sessions * self.max_time;
        let features = self.gpu.zeros("features", features);
        let gains = self.gpu.zeros("gains", rows);
        let mut places: Vec<[u32; 2]> = Vec::new();
        for group in &net.groups {
            for i in 0..group.bands * group.width {
                let band_first = places.len() - i % group.width;
                let at = 3 * band_first + i % group.width;
                places.push([at as u32, group.width as u32]);
            }
        }
        let places = self.gpu.holding("feature places", &places);
        let source = self.features(net);
        let run = (0, &self.over_sessions);
        let slots = (15, &self.slots);
        let spectra = (2, &self.spectra);
        let most = ops::MOST_GROUPS;
        let compress = self.gpu.dispatch(
            &source,
            "compress",
            &[
                run,
                slots,
                (1, &places),
                spectra,
                (3, &features),
                (4, &gains),
            ],
        );
        let level = self.gpu.dispatch(
            &source,
            "level",
            &[run, slots, (4, &gains), (5, &self.levels)],
        );
        let steps = [
            Step::new(compress, move |run| {
                [
                    (run.time as usize * run.batch as usize).min(most) as u32,
                    1,
                    1,
                ]
            }),
            Step::new(level, |run| [run.batch, 1, 1]),
        ];
        self.steps.extend(steps.map(|step| (Over::Sessions, step)));

        let (mut maps, mut bin, mut band) = (Maps::new(), 0, 0);
        for (packed, group) in net.split.maps().iter().zip(&net.groups) {
            for own in 0..group.bands {
                let place = Place {
                    x: 3 * (bin + own * group.width),
                    out_time: (band + own) * net.width,
                    ..Place::default()
                };
                maps = maps.with(
                    place,
                    (packed.outputs(), packed.inputs()),
                    |m, k| packed.weight(own, m, k),
                    |m| packed.bias(own, m),
                );
            }
            bin += group.bands * group.width;
            band += group.bands;
        }
        let around = Around {
            gate: Some(Gate::Rows),
            ..Around::default()
        };
        let split = ops::proj(
            &self.gpu,
            &maps,
            Strides::rows(3 * net.used, net.width),
            around,
            &self.over_sessions,
            &features,
            Some(&gains),
            &between.x,
        );
        self.steps.push((Over::Sessions, split));
    }

    /// Residual stream to filters, of so many floats, and the filters on the spectrum.
    pub(super) fn head(&mut self, net: &DenoiseNet, coefficients: usize, between: &Between) {
        let row: usize = net.groups.iter().map(|g| g.bands * g.coefficients()).sum();
        let gpu = Arc::clone(&self.gpu);
        let coefficients = gpu.zeros("coefficients", coefficients);
        let (mut maps, mut at, mut band) = (Maps::new(), 0, 0);
        let mut places: Vec<[u32; 4]> = Vec::new();
        let mut top = (0, net.groups[0]);
        for (packed, group) in net.head.maps().iter().zip(&net.groups) {
            for own in 0..group.bands {
                let place = Place {
                    x_time: (band + own) * net.width,
                    out: at,
                    ..Place::default()
                };
                maps = maps.with(
                    place,
                    (packed.outputs(), packed.inputs()),
                    |m, k| packed.weight(own, m, k) * net.norm_f[k],
                    |m| packed.bias(own, m),
                );
                places.extend((0..group.width).map(|i| {
                    [at + i, group.width, group.taps, usize::from(group.gated)].map(|v| v as u32)
                }));
                top = (at, *group);
                at += group.coefficients();
            }
            band += group.bands;
        }
        let around = Around {
            norm_eps: Some(net.eps),
            ..Around::default()
        };
        let run = &self.over_sessions;
        let strides = Strides::rows(net.width, row);
        let heads = ops::proj(
            &gpu,
            &maps,
            strides,
            around,
            run,
            &between.x,
            None,
            &coefficients,
        );

        let places = gpu.holding("filter places", &places);
        let (
            top_at,
            Group {
                width, taps, gated, ..
            },
        ) = top;
        let source = Source::new(Shader::Filter)
            .size("BINS", net.bins)
            .size("USED", net.used)
            .size("PAST", self.past)
            .size("FRAMES", self.past + self.max_time)
            .size("ROW", row)
            .size("TOP_AT", top_at)
            .size("TOP_WIDTH", width)
            .size("TOP_TAPS", taps)
            .switch("TOP_GATED", gated)
            .number("LIMIT", net.limit);
        let filter = gpu.dispatch(
            &source,
            "main",
            &[
                (0, run),
                (15, &self.slots),
                (1, &places),
                (2, &self.spectra),
                (3, &coefficients),
                (4, &self.filtered),
            ],
        );
        let remember = gpu.dispatch(
            &self.features(net),
            "remember",
            &[(0, run), (15, &self.slots), (2, &self.spectra)],
        );
        let (columns, most) = (net.bins.div_ceil(64) as u32, ops::MOST_GROUPS);
        let filter = Step::new(filter, move |run| {
            let rows = run.time as usize * run.batch as usize;
            [columns, rows.min(most) as u32, 1]
        });
        let remember = Step::new(remember, move |run| [columns, run.batch, 1]);
        self.steps
            .extend([heads, filter, remember].map(|step| (Over::Sessions, step)));
    }

    fn features(&self, net: &DenoiseNet) -> Source {
        Source::new(Shader::Features)
            .size("BINS", net.bins)
            .size("USED", net.used)
            .size("PAST", self.past)
            .size("FRAMES", self.past + self.max_time)
            .number("COMPRESS", net.compress)
            .number("KEEP", net.keep)
    }
}
