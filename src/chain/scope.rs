//! Spectra of a stream that has no frames of its own, for whoever watches.

use std::f32::consts::TAU;
use std::sync::Arc;

use realfft::{RealFftPlanner, RealToComplex};
use rustfft::num_complex::Complex32;

use crate::frame::{FrameReport, Reports};
use crate::telemetry::{BANDS, Bands, SNAPSHOTS};

/// Length of the window, a power of two, in 1/20 s or more.
fn window_len(sample_rate: u32) -> usize {
    (sample_rate as usize / 20).next_power_of_two().max(64)
}

/// The newest samples of the loudest moment of all channels, before and after.
pub(super) struct Scope {
    every: usize,
    /// Samples since the last report.
    position: usize,
    frames: u64,
    reports: Reports,
    bands: Bands,
    window: Vec<f32>,
    /// The mean of the channels, newest last.
    input: Vec<f32>,
    output: Vec<f32>,
    fft: Arc<dyn RealToComplex<f32>>,
    signal: Vec<f32>,
    bins: Vec<Complex32>,
    flat: Vec<f32>,
    scratch: Vec<Complex32>,
}

impl Scope {
    pub(super) fn new(sample_rate: u32) -> Self {
        let len = window_len(sample_rate);
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(len);
        let window: Vec<f32> = (0..len)
            .map(|i| 0.5 - 0.5 * (TAU * i as f32 / len as f32).cos())
            .collect();
        Self {
            every: (sample_rate / SNAPSHOTS).max(1) as usize,
            position: 0,
            frames: 0,
            reports: Reports::new(),
            bands: Bands::new(&window, sample_rate),
            window,
            input: vec![0.0; len],
            output: vec![0.0; len],
            signal: fft.make_input_vec(),
            bins: fft.make_output_vec(),
            flat: vec![0.0; len + 2],
            scratch: fft.make_scratch_vec(),
            fft,
        }
    }

    pub(super) fn watch(&mut self, on: bool) {
        self.reports.watch(on);
    }

    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Samples until the next report, at least 1.
    pub(super) fn left(&self) -> usize {
        self.every - self.position
    }

    /// What goes into the device.
    pub(super) fn input(&mut self, audio: &[Vec<f32>], len: usize) {
        if self.reports.is_watched() {
            keep(&mut self.input, audio, len);
        }
    }

    /// What comes out; counts the samples. Gives the report that is due, if one is, for what the engine has to say.
    pub(super) fn output(&mut self, audio: &[Vec<f32>], len: usize) -> Option<&mut FrameReport> {
        let watched = self.reports.is_watched();
        if watched {
            keep(&mut self.output, audio, len);
        }
        self.position += len;
        if self.position < self.every {
            return None;
        }
        self.position = 0;
        self.frames += 1;
        if !watched {
            return None;
        }
        let (input_db, output_db) = (self.spectrum(true), self.spectrum(false));
        let report = self.reports.begin(self.frames);
        (report.input_db, report.output_db) = (input_db, output_db);
        Some(report)
    }

    pub(super) fn take_report(&mut self) -> Option<&FrameReport> {
        self.reports.take()
    }

    fn spectrum(&mut self, of_input: bool) -> [f32; BANDS] {
        let from = if of_input { &self.input } else { &self.output };
        for ((to, x), w) in self.signal.iter_mut().zip(from).zip(&self.window) {
            *to = x * w;
        }
        let mut levels = Bands::silence();
        let done =
            self.fft
                .process_with_scratch(&mut self.signal, &mut self.bins, &mut self.scratch);
        if done.is_ok() {
            for (pair, bin) in self.flat.chunks_exact_mut(2).zip(&self.bins) {
                pair.copy_from_slice(&[bin.re, bin.im]);
            }
            self.bands.raise(&self.flat, &mut levels);
        }
        levels
    }
}

/// Moves `kept` on by the mean of the channels.
fn keep(kept: &mut [f32], audio: &[Vec<f32>], len: usize) {
    let (size, new) = (kept.len(), len.min(kept.len()));
    kept.copy_within(new.., 0);
    let share = 1.0 / audio.len().max(1) as f32;
    for (i, to) in kept[size - new..].iter_mut().enumerate() {
        let sum: f32 = audio.iter().map(|channel| channel[len - new + i]).sum();
        *to = share * sum;
    }
}
