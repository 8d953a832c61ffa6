//! One stream of a denoiser: its state, and the work of a frame (or of many at once) in pieces.

use std::sync::Arc;

use super::features::{LEVEL_LEN, Level, features};
use super::{DenoiseNet, Layer};
use crate::kernels::banded::banded;
use crate::kernels::filter::{Filters, OVERHANG, filter};
use crate::kernels::mix::Steps;
use crate::kernels::norm::rms_norm;
use crate::kernels::planes;
use crate::kernels::{Aligned, Path};
use crate::model::layer::Layer as _;
use crate::model::pace::Pace;
use crate::telemetry::DELTA_LAYERS;

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
    /// Frames as planes, `[taps - 1 + time][2][plane]`, the oldest first: those that filters look back to, and those
    /// begun.
    spectra: Aligned,
    /// A filtered frame, `[2][plane]`, and the power of each bin's filter, `[plane]`.
    filtered: Aligned,
    features: Aligned,
    /// Residual stream, `[band][time][D]`.
    x: Aligned,
    scratch: Aligned,
    /// Of every time layer.
    pace: [f32; 1],
    coefficients: Aligned,
    /// Whether anybody looks at `deltas`: Δ of the first time layers, `[DELTA_LAYERS][bands]`.
    observed: bool,
    deltas: Vec<f32>,
}

impl DenoiseSession {
    /// A stream at its start, for up to `max_time` frames at a time, on the instructions of `path`.
    pub fn new(net: Arc<DenoiseNet>, path: Path, max_time: usize) -> DenoiseSession {
        let rows = net.bands * max_time;
        let (mut state, mut scratch) = (0, rows * net.width + 2 * net.plane());
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
            spectra: Aligned::zeros((net.taps - 1 + max_time) * 2 * net.plane()),
            filtered: Aligned::zeros(3 * net.plane()),
            features: Aligned::zeros(max_time * 3 * net.used + OVERHANG),
            x: Aligned::zeros(rows * net.width),
            scratch: Aligned::zeros(scratch),
            pace: [1.0],
            coefficients: Aligned::zeros(rows * coefficient_stride(&net) + OVERHANG),
            observed: false,
            deltas: vec![0.0; DELTA_LAYERS * net.bands],
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
        let (frame, plane, past) = (2 * self.net.bins, self.net.plane(), self.net.taps - 1);
        // What filters look back to from here on.
        for k in 0..2 * past {
            let from = (2 * self.time + k) * plane;
            self.spectra
                .copy_within(from..from + self.net.tap_bins, k * plane);
        }
        self.time = frames.len() / frame;
        assert!(self.time * frame == frames.len() && self.time <= self.max_time);
        let begun = &mut self.spectra[past * 2 * plane..];
        for (from, to) in frames
            .chunks_exact(frame)
            .zip(begun.chunks_exact_mut(2 * plane))
        {
            let (re, im) = to.split_at_mut(plane);
            planes::part(self.path, from, re, im);
        }
    }

    /// Does piece `k` of [`DenoiseNet::pieces`]; all, in order, make the work of the frames begun.
    pub fn piece(&mut self, k: usize) {
        let net = &*self.net;
        let (time, path) = (self.time, self.path);
        if time == 0 {
            return;
        }
        if k == 0 {
            let plane = net.plane();
            let begun = &self.spectra[(net.taps - 1) * 2 * plane..];
            for (t, spectrum) in begun.chunks_exact(2 * plane).take(time).enumerate() {
                features(
                    path,
                    &net.groups,
                    &spectrum[..plane],
                    &spectrum[plane..],
                    net.compress,
                    net.keep,
                    &mut self.level,
                    &mut self.scratch[..2 * plane],
                    &mut self.features[t * 3 * net.used..],
                );
            }
            let (mut bin, mut band) = (0, 0);
            for (map, group) in net.split.maps().iter().zip(&net.groups) {
                let from = Steps {
                    band: 3 * group.width,
                    frame: 3 * net.used,
                };
                let to = Steps {
                    band: time * net.width,
                    frame: net.width,
                };
                let x = &mut self.x[band * time * net.width..];
                banded(path, map, &self.features[3 * bin..], from, x, to, time);
                bin += group.bands * group.width;
                band += group.bands;
            }
            return;
        }
        let mut first = 1;
        let mut state_at = 0;
        let mut shown = self.deltas.chunks_exact_mut(net.bands);
        for layer in &net.layers {
            let (pieces, state) = match layer {
                Layer::Time(block) => (block.pieces(), block.state_len(net.bands)),
                Layer::Bands(_) => (layer.pieces(), 0),
            };
            if k < first + pieces {
                let rows = &mut self.x[..net.bands * time * net.width];
                match layer {
                    Layer::Time(block) => block.piece_at(
                        path,
                        k - first,
                        rows,
                        net.bands,
                        time,
                        &mut self.state[state_at..state_at + state],
                        &mut self.scratch,
                        Pace::new(&self.pace),
                    ),
                    Layer::Bands(mix) => {
                        mix.piece(path, k - first, rows, time, net.width, &mut self.scratch);
                    }
                }
                if let (Layer::Time(block), true, 1) = (layer, self.observed, k - first)
                    && let Some(deltas) = shown.next()
                {
                    let last = block.deltas(net.bands, time, &self.scratch);
                    let last = last.iter().skip(time - 1).step_by(time);
                    for (delta, heads) in deltas.iter_mut().zip(last) {
                        *delta = heads.iter().sum::<f32>() / heads.len() as f32;
                    }
                }
                return;
            }
            if let Layer::Time(_) = layer {
                shown.next();
            }
            first += pieces;
            state_at += state;
        }
        let rows = net.bands * time;
        rms_norm(path, &self.x, &net.norm_f, net.eps, &mut self.scratch, rows);
        let stride = coefficient_stride(net);
        let from = Steps {
            band: time * net.width,
            frame: net.width,
        };
        let to = Steps {
            band: stride,
            frame: net.bands * stride,
        };
        let mut band = 0;
        for map in net.head.maps() {
            let x = &self.scratch[band * time * net.width..];
            let coefficients = &mut self.coefficients[band * stride..];
            banded(path, map, x, from, coefficients, to, time);
            band += map.bands();
        }
    }

    /// Gives the cleaned frames, as many as were begun, `[time][bins]` of (re, im).
    pub fn finish(&mut self, out: &mut [f32]) {
        let (net, path) = (&self.net, self.path);
        let (frame, plane, past) = (2 * net.bins, net.plane(), net.taps - 1);
        let stride = coefficient_stride(net);
        let (filtered, power) = self.filtered.split_at_mut(2 * plane);
        for (t, out) in out.chunks_exact_mut(frame).take(self.time).enumerate() {
            // Up to this frame, the oldest first.
            let spectra = &self.spectra[..(past + t + 1) * 2 * plane];
            let (mut first, mut at) = (0, t * net.bands * stride);
            let mut top = 0.0;
            for group in &net.groups {
                let filters = Filters {
                    coefficients: &self.coefficients[at..],
                    stride,
                    bands: group.bands,
                    width: group.width,
                    taps: group.taps,
                    gated: group.gated,
                    limit: self.net.limit,
                };
                let seen = &spectra[(past + t + 1 - group.taps) * 2 * plane..];
                filter(path, filters, seen, plane, first, filtered, power);
                first += group.bands * group.width;
                at += group.bands * stride;
                top = power[first - group.width..first].iter().sum::<f32>() / group.width as f32;
            }
            // Bins above the bands take the mean gain of the highest band.
            let gain = (top + 1e-12).sqrt();
            let newest = &spectra[(past + t) * 2 * plane..];
            for (part, x) in filtered
                .chunks_exact_mut(plane)
                .zip(newest.chunks_exact(plane))
            {
                for (y, x) in part[first..net.bins].iter_mut().zip(&x[first..net.bins]) {
                    *y = gain * x;
                }
            }
            let (re, im) = filtered.split_at(plane);
            planes::join(path, re, im, out);
        }
    }

    /// Begin, all pieces, finish.
    pub fn run(&mut self, frames: &[f32], out: &mut [f32]) {
        self.begin(frames);
        for k in 0..self.net.pieces() {
            self.piece(k);
        }
        self.finish(out);
    }

    /// Whether to keep what [`Self::deltas`] gives. Real-time safe.
    pub fn observe(&mut self, on: bool) {
        self.observed = on;
        self.deltas.fill(0.0);
    }

    /// Δ of the last frame at its pace, mean over heads, `[DELTA_LAYERS][bands]`; zeros where there is no layer, and while not
    /// observed.
    pub fn deltas(&self) -> &[f32] {
        &self.deltas
    }

    /// Takes every Δ times `scale` from the next frames on; see [`Pace`]. What the stream knows beside the states of its time
    /// layers, such as its level, keeps its pace. Real-time safe.
    pub fn set_pace(&mut self, scale: f32) {
        self.pace = [scale];
    }

    /// Floats of a stream's state as [`Self::save`] gives it.
    pub fn state_len(&self) -> usize {
        LEVEL_LEN + (self.net.taps - 1) * 2 * self.net.tap_bins + self.state.len()
    }

    /// Writes what the stream remembers between two frames: its level, the bins that filters look back to as (re, im), the
    /// oldest frame first, and each layer's convolution tails and states, the layout of all engines. Real-time safe.
    ///
    /// # Panics
    /// If `to` is not [`Self::state_len`] long.
    pub fn save(&self, to: &mut [f32]) {
        assert_eq!(to.len(), self.state_len(), "a state of another net");
        let (plane, bins) = (self.net.plane(), self.net.tap_bins);
        let (level, rest) = to.split_at_mut(LEVEL_LEN);
        level.copy_from_slice(&self.level.parts());
        let (past, state) = rest.split_at_mut(rest.len() - self.state.len());
        state.copy_from_slice(&self.state);
        let newest = self.spectra[2 * self.time * plane..].chunks_exact(2 * plane);
        for (from, to) in newest.zip(past.chunks_exact_mut((2 * bins).max(1))) {
            let (re, im) = from.split_at(plane);
            for ((to, re), im) in to.chunks_exact_mut(2).zip(re).zip(im) {
                to.copy_from_slice(&[*re, *im]);
            }
        }
    }

    /// Goes on from a state that [`Self::save`] has written. Real-time safe.
    ///
    /// # Panics
    /// If `from` is not [`Self::state_len`] long.
    pub fn restore(&mut self, from: &[f32]) {
        assert_eq!(from.len(), self.state_len(), "a state of another net");
        let (plane, bins) = (self.net.plane(), self.net.tap_bins);
        let (level, rest) = from.split_at(LEVEL_LEN);
        self.level = Level::from_parts([level[0], level[1]]);
        let (past, state) = rest.split_at(rest.len() - self.state.len());
        self.state.copy_from_slice(state);
        self.time = 0;
        let oldest = self.spectra.chunks_exact_mut(2 * plane);
        for (to, from) in oldest.zip(past.chunks_exact((2 * bins).max(1))) {
            let (re, im) = to.split_at_mut(plane);
            for ((from, re), im) in from.chunks_exact(2).zip(re).zip(im) {
                (*re, *im) = (from[0], from[1]);
            }
        }
    }

    /// Back to the start of a stream, at the same pace. Real-time safe.
    pub fn reset(&mut self) {
        self.time = 0;
        self.level = Level::default();
        self.state.fill(0.0);
        self.spectra.fill(0.0);
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
