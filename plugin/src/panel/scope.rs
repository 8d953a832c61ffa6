//! Telemetry made fit for the eye: levels that fall slowly, peaks that are held, columns of the scrolling pictures.

use statewave::controls::Controls;
use statewave::telemetry::{BANDS, SNAPSHOTS, Snapshot};

use super::levels::{Levels, Meter, to_db};
use super::selection::Selection;
use super::theme::Theme;
use crate::widgets::level::{FLOOR_DB, MOST_REDUCTION_DB};
use crate::widgets::spectrum::RANGE_DB;
use crate::widgets::waterfall::Waterfall;

/// Snapshots a second.
pub(crate) const RATE_HZ: f32 = SNAPSHOTS as f32;

/// Snapshots to a column of the pictures: 6.8 s in 512 columns.
pub(crate) const PER_COLUMN: u32 = 2;

/// Columns of the pictures.
pub(super) const COLUMNS: usize = 512;

/// Taken away by so much, sound is drawn as gone, dB.
const GONE_DB: f32 = 15.0;

/// Time constants of the spectrum's lines, upwards and downwards, seconds.
const RISE_SECONDS: f32 = 0.02;
const SINK_SECONDS: f32 = 0.15;

/// Everything that moves on the panel.
pub struct Scope {
    input: Levels,
    output: Levels,
    reduction: Meter,
    /// Smoothed spectra, dBFS.
    pub input_db: [f32; BANDS],
    /// What is heard, amount and mix applied, dBFS.
    pub output_db: [f32; BANDS],
    /// Frequency over time: what stays and what goes.
    pub spectrogram: Waterfall,
    /// What the layers take in and what they hold.
    pub(super) selection: Selection,
    heard_db: [f32; BANDS],
    columns_due: u32,
    /// The last snapshot.
    pub last: Option<Snapshot>,
    /// Share of real time, smoothed.
    pub load: f32,
}

impl Scope {
    /// Nothing heard yet.
    pub fn new(theme: &Theme) -> Self {
        let low = RANGE_DB.0;
        Self {
            input: Levels::default(),
            output: Levels::default(),
            reduction: Meter::new(0.0),
            input_db: [low; BANDS],
            output_db: [low; BANDS],
            spectrogram: Waterfall::new("spectrogram", BANDS, COLUMNS, spectrogram_palette(theme)),
            selection: Selection::new(theme),
            heard_db: [low; BANDS],
            columns_due: 0,
            last: None,
            load: 0.0,
        }
    }

    /// Colours the pictures anew.
    pub fn set_theme(&mut self, theme: &Theme) {
        self.spectrogram.set_palette(spectrogram_palette(theme));
        self.selection.set_theme(theme);
    }

    /// Takes in a snapshot. `controls` say how much of the model's work is heard, which may be something `taken` away from
    /// the input, or a sound of its own.
    pub fn take(&mut self, snapshot: &Snapshot, controls: &Controls, taken: bool) {
        self.input.follow(snapshot.input_peak);
        self.output.follow(snapshot.output_peak);
        self.take_spectra(
            snapshot,
            if controls.bypass {
                0.0
            } else {
                controls.wet_share()
            },
            taken,
        );
        let is_column = self.columns_due == 0;
        let Snapshot {
            delta, pace, frame, ..
        } = snapshot;
        self.selection.take(delta, *pace, *frame, is_column);
        self.load += (snapshot.load - self.load) / (RATE_HZ * 0.5);
        self.last = Some(*snapshot);
    }

    fn take_spectra(&mut self, snapshot: &Snapshot, wet: f32, taken: bool) {
        let (rise, sink) = (keep(RISE_SECONDS), keep(SINK_SECONDS));
        let glide = |from: f32, to: f32| to + (from - to) * if to > from { rise } else { sink };
        let (mut power_in, mut power_out) = (1e-12, 1e-12);
        for band in 0..BANDS {
            let input = snapshot.input_db[band].max(-140.0);
            // A filter hardly turns phases, so the mix of both is that of their amplitudes.
            let amplitude = (1.0 - wet) * from_db(input) + wet * from_db(snapshot.output_db[band]);
            let heard = to_db(amplitude);
            power_in += from_db(input).powi(2);
            power_out += from_db(heard).powi(2);
            self.heard_db[band] = heard;
            self.input_db[band] = glide(self.input_db[band], input);
            self.output_db[band] = glide(self.output_db[band], heard);
        }
        let audible = power_in > from_db(FLOOR_DB - 20.0).powi(2);
        let reduction = 10.0 * (power_in / power_out).log10();
        self.reduction.follow(if audible && taken {
            reduction.clamp(0.0, MOST_REDUCTION_DB)
        } else {
            0.0
        });

        self.columns_due = (self.columns_due + 1) % PER_COLUMN;
        if self.columns_due == 0 {
            let heard = &self.heard_db;
            self.spectrogram.push(|row| {
                let band = BANDS - 1 - row;
                let heard = in_range(heard[band]);
                // As bright as the input, where something of that goes; else as what is heard.
                [
                    if taken {
                        in_range(snapshot.input_db[band])
                    } else {
                        heard
                    },
                    heard,
                ]
            });
        }
    }

    /// What comes in.
    pub fn input(&self) -> &Levels {
        &self.input
    }

    /// What goes out.
    pub fn output(&self) -> &Levels {
        &self.output
    }

    /// What is taken away now, and the most of late, dB.
    pub fn reduction_db(&self) -> (f32, f32) {
        self.reduction.now_and_held()
    }

    /// Puts the clipping lamps out.
    pub fn forgive(&mut self) {
        self.input.forgive();
        self.output.forgive();
    }
}

/// What is left of a difference after one snapshot.
fn keep(seconds: f32) -> f32 {
    (-1.0 / (RATE_HZ * seconds)).exp()
}

fn from_db(db: f32) -> f32 {
    10.0_f32.powf(db / 20.0)
}

fn in_range(db: f32) -> u8 {
    let (low, high) = RANGE_DB;
    (255.0 * ((db - low) / (high - low)).clamp(0.0, 1.0)) as u8
}

/// As bright as the input is loud; in the accent where it stays, grey where it goes.
fn spectrogram_palette(theme: &Theme) -> Vec<egui::Color32> {
    let db_a_step = (RANGE_DB.1 - RANGE_DB.0) / 255.0;
    let mut colors = Vec::with_capacity(1 << 16);
    for input in 0..=255u8 {
        for heard in 0..=255u8 {
            let gone_db = f32::from(input.saturating_sub(heard)) * db_a_step;
            let kept = (1.0 - gone_db / GONE_DB).clamp(0.0, 1.0);
            let ink = theme.removed.lerp_to_gamma(theme.accent, kept);
            let loud = (f32::from(input) / 255.0).powf(1.5);
            colors.push(theme.card.lerp_to_gamma(ink, loud * (0.75 + 0.25 * kept)));
        }
    }
    colors
}
