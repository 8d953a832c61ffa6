//! One stream of a denoiser: its state, and the work of a frame (or of many at once) in pieces.

use std::sync::Arc;

use super::features::{Level, features};
use super::filter::filter;
use super::{DenoiseNet, Layer};
use crate::kernels::norm::rms_norm;
use crate::kernels::proj::proj;
use crate::kernels::{Aligned, Path};

/// A stream's state and buffers. Frames go in with [`Self::begin`], [`Self::piece`] is called for every piece in order,
/// [`Self::finish`] gives the frames out. Only [`Self::new`] allocates.
///
/// The result does not depend, to the bit, on how many frames are given at a time.
#[derive(Debug)]
pub struct DenoiseSession {
    net: Arc<DenoiseNet>,
    path: Path,
    max_time: usize,
    time: usize,
    level: Level,
    /// The states of the time layers, one after the other.
    state: Aligned,
    /// The last `taps - 1` frames' lowest bins, the latest first.
    past: Vec<f32>,
    spectra: Vec<f32>,
    features: Aligned,
    /// Residual stream, `[band][time][D]`.
    x: Aligned,
    scratch: Aligned,
    coefficients: Aligned,
    /// `[time layer][band]`.
    delta: Vec<f32>,
}

impl DenoiseSession {
    /// A stream at its start, for up to `max_time` frames at a time, on the instructions of `path`.
    pub fn new(net: Arc<DenoiseNet>, path: Path, max_time: usize) -> DenoiseSession {
        let rows = net.bands * max_time;
        let (mut state, mut scratch) = (0, rows * net.width + 4 * net.used);
        for layer in &net.layers {
            match layer {
                Layer::Time(block) => {
                    state += block.state_len(net.bands);
                    scratch = scratch.max(block.scratch_len(net.bands, max_time));
                }
                Layer::Bands(mix) => scratch = scratch.max(mix.scratch_len(max_time, net.width)),
            }
        }
        DenoiseSession {
            max_time,
            time: 0,
            level: Level::default(),
            state: Aligned::zeros(state),
            past: vec![0.0; (net.taps - 1) * 2 * net.tap_bins],
            spectra: vec![0.0; max_time * 2 * net.bins],
            features: Aligned::zeros(max_time * 3 * net.used),
            x: Aligned::zeros(rows * net.width),
            scratch: Aligned::zeros(scratch),
            coefficients: Aligned::zeros(rows * coefficient_stride(&net)),
            delta: vec![
                0.0;
                net.bands
                    * net
                        .layers
                        .iter()
                        .filter(|l| matches!(l, Layer::Time(_)))
                        .count()
            ],
            net,
            path,
        }
    }

    /// The net this session runs.
    pub fn net(&self) -> &Arc<DenoiseNet> {
        &self.net
    }

    /// Takes in frames, `[time][bins]` of (re, im).
    ///
    /// # Panics
    /// If `frames` is not a whole number of frames, or more than `max_time`.
    pub fn begin(&mut self, frames: &[f32]) {
        let frame = 2 * self.net.bins;
        self.time = frames.len() / frame;
        assert!(self.time * frame == frames.len() && self.time <= self.max_time);
        self.spectra[..frames.len()].copy_from_slice(frames);
    }

    /// Does piece `k` of [`DenoiseNet::pieces`]; all, in order, make the work of the frames begun.
    pub fn piece(&mut self, k: usize) {
        let net = Arc::clone(&self.net);
        let (time, path) = (self.time, self.path);
        if time == 0 {
            return;
        }
        if k == 0 {
            for (t, spectrum) in self.spectra[..time * 2 * net.bins]
                .chunks_exact(2 * net.bins)
                .enumerate()
            {
                features(
                    path,
                    spectrum,
                    net.compress,
                    net.keep,
                    &mut self.level,
                    &mut self.scratch[..4 * net.used],
                    &mut self.features[t * 3 * net.used..][..3 * net.used],
                );
            }
            let mut at = 0;
            for (map, x) in net
                .split
                .maps()
                .iter()
                .zip(self.x.chunks_exact_mut(time * net.width))
            {
                proj(
                    path,
                    map,
                    &self.features[at..],
                    3 * net.used,
                    x,
                    net.width,
                    time,
                    false,
                );
                at += map.inputs();
            }
            return;
        }
        let mut first = 1;
        let (mut state_at, mut delta_at) = (0, 0);
        for layer in &net.layers {
            let (pieces, state) = match layer {
                Layer::Time(block) => (block.pieces(), block.state_len(net.bands)),
                Layer::Bands(_) => (layer.pieces(), 0),
            };
            if k < first + pieces {
                let rows = &mut self.x[..net.bands * time * net.width];
                match layer {
                    Layer::Time(block) => {
                        block.piece(
                            path,
                            k - first,
                            rows,
                            net.bands,
                            time,
                            &mut self.state[state_at..state_at + state],
                            &mut self.scratch,
                        );
                        if k - first == 1 && time == 1 {
                            let told = &mut self.delta[delta_at..delta_at + net.bands];
                            for (band, told) in told.iter_mut().enumerate() {
                                *told = block.delta(&self.scratch, net.bands, band);
                            }
                        }
                    }
                    Layer::Bands(mix) => {
                        mix.piece(path, k - first, rows, time, net.width, &mut self.scratch);
                    }
                }
                return;
            }
            first += pieces;
            state_at += state;
            if matches!(layer, Layer::Time(_)) {
                delta_at += net.bands;
            }
        }
        let rows = net.bands * time;
        if k == first {
            rms_norm(path, &self.x, &net.norm_f, net.eps, &mut self.scratch, rows);
        } else {
            let stride = coefficient_stride(&net);
            for (band, map) in net.head.maps().iter().enumerate() {
                let from = &self.scratch[band * time * net.width..];
                let to = &mut self.coefficients[band * stride..];
                proj(
                    path,
                    map,
                    from,
                    net.width,
                    to,
                    net.bands * stride,
                    time,
                    false,
                );
            }
        }
    }

    /// Gives the cleaned frames, as many as were begun, `[time][bins]` of (re, im).
    pub fn finish(&mut self, out: &mut [f32]) {
        let net = &self.net;
        let (frame, past_len) = (2 * net.bins, 2 * net.tap_bins);
        let stride = coefficient_stride(net);
        for t in 0..self.time {
            let spectrum = &self.spectra[t * frame..][..frame];
            filter(
                &net.groups,
                &self.coefficients[t * net.bands * stride..][..net.bands * stride],
                stride,
                spectrum,
                &self.past,
                past_len,
                &mut out[t * frame..][..frame],
            );
            if !self.past.is_empty() {
                let kept = self.past.len() - past_len;
                self.past.copy_within(..kept, past_len);
                self.past[..past_len].copy_from_slice(&spectrum[..past_len]);
            }
        }
    }

    /// The step Δ of every band in each layer over time, one after the other, of the last frame that came alone.
    pub fn delta(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.delta.chunks_exact(self.net.bands)
    }

    /// Begin, all pieces, finish.
    pub fn run(&mut self, frames: &[f32], out: &mut [f32]) {
        self.begin(frames);
        for k in 0..self.net.pieces() {
            self.piece(k);
        }
        self.finish(out);
    }

    /// Back to the start of a stream. Real-time safe.
    pub fn reset(&mut self) {
        self.time = 0;
        self.level = Level::default();
        self.state.fill(0.0);
        self.past.fill(0.0);
    }
}

/// Floats between the coefficients of two bands: those of the largest, in whole cache lines.
fn coefficient_stride(net: &DenoiseNet) -> usize {
    let most = net
        .groups
        .iter()
        .map(|g| g.coefficients())
        .max()
        .unwrap_or(0);
    most.next_multiple_of(16)
}
