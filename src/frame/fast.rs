//! The fast branch of the zero-latency mode: short filters in the time domain, moved by what the slow branch has found.
//!
//! Flows in: the input, and the gains of the newest frame the engine has finished. Flows out: the filtered signal, not
//! a sample later. A frame that is late means older gains, and never a hole.

use super::gains::Gains;
use super::minimum_phase::{MinimumPhase, STEPS, TAPS, pass};
use super::resample::dot;
use crate::controls::Stereo;

/// The filters of all channels.
struct Filters {
    /// `[channels][TAPS]`, the latest sample's last.
    taps: Vec<f32>,
    /// They are those of middle and side.
    mid_side: bool,
}

impl Filters {
    fn new(channels: usize) -> Self {
        let mut filters = Self {
            taps: vec![0.0; channels * TAPS],
            mid_side: false,
        };
        filters.pass();
        filters
    }

    /// Everything passes.
    fn pass(&mut self) {
        self.taps.chunks_exact_mut(TAPS).for_each(pass);
        self.mid_side = false;
    }

    fn of(&self, channel: usize) -> &[f32] {
        &self.taps[channel * TAPS..][..TAPS]
    }
}

/// Filters for all channels, cross-faded from one frame's to the next one's.
pub(crate) struct Fast {
    designer: MinimumPhase,
    playing: Filters,
    /// What is faded in, while `fade_left` is not 0.
    coming: Filters,
    designed: Filters,
    /// Steps done of the design; `None` when there is none.
    done: Option<usize>,
    fade_left: usize,
    fade_len: usize,
    /// The last `TAPS - 1` samples of each channel, then the run; middle and side behind the channels, if there are two.
    history: Vec<Vec<f32>>,
}

impl Fast {
    /// For runs of at most `max_run` samples at `sample_rate` Hz; `bin_hz` is the distance of the gains' bins, and a fade
    /// takes `fade_len` samples.
    pub(crate) fn new(
        channels: usize,
        max_run: usize,
        bin_hz: f32,
        sample_rate: u32,
        fade_len: usize,
    ) -> Self {
        let sides = if channels == 2 { 2 } else { 0 };
        Self {
            designer: MinimumPhase::new(bin_hz, sample_rate),
            playing: Filters::new(channels),
            coming: Filters::new(channels),
            designed: Filters::new(channels),
            done: None,
            fade_left: 0,
            fade_len: fade_len.max(1),
            history: vec![vec![0.0; TAPS - 1 + max_run]; channels + sides],
        }
    }

    /// New gains are there to make filters of.
    pub(crate) fn begin(&mut self) {
        self.done = Some(0);
    }

    /// Brings the design up to the share `done / of`; when all is done, the new filters are faded in.
    pub(crate) fn work(&mut self, gains: &Gains, done: usize, of: usize) {
        let Some(before) = self.done else { return };
        let channels = self.designed.taps.len() / TAPS;
        // Linked channels have one filter.
        let designs = if gains.stereo() == Stereo::Link {
            1
        } else {
            channels
        };
        let target = STEPS * designs * done.min(of) / of.max(1);
        for step in before..target {
            let channel = step / STEPS;
            let taps = &mut self.designed.taps[channel * TAPS..][..TAPS];
            self.designer.step(step % STEPS, gains.of(channel), taps);
        }
        self.done = Some(before.max(target));
        if target == STEPS * designs {
            if designs == 1 {
                let (first, others) = self.designed.taps.split_at_mut(TAPS);
                others
                    .chunks_exact_mut(TAPS)
                    .for_each(|other| other.copy_from_slice(first));
            }
            self.designed.mid_side = gains.stereo() == Stereo::MidSide && channels == 2;
            self.fade_to_designed();
        }
    }

    fn fade_to_designed(&mut self) {
        self.done = None;
        if self.fade_left > 0 {
            std::mem::swap(&mut self.playing, &mut self.coming);
        }
        std::mem::swap(&mut self.coming, &mut self.designed);
        self.fade_left = self.fade_len;
    }

    /// Filters the first `len` samples of every channel.
    pub(crate) fn process(&mut self, audio: &mut [Vec<f32>], len: usize) {
        let newest = TAPS - 1..TAPS - 1 + len;
        for (history, audio) in self.history.iter_mut().zip(audio.iter()) {
            history[newest.clone()].copy_from_slice(&audio[..len]);
        }
        if let [left, right, mid, side] = &mut self.history[..] {
            for i in newest {
                mid[i] = 0.5 * (left[i] + right[i]);
                side[i] = 0.5 * (left[i] - right[i]);
            }
        }
        for i in 0..len {
            let fading = self.fade_left > 0;
            let share = 1.0 - self.fade_left as f32 / self.fade_len as f32;
            for (channel, audio) in audio.iter_mut().enumerate() {
                let now = self.filtered(&self.playing, channel, i);
                audio[i] = if fading {
                    now + share * (self.filtered(&self.coming, channel, i) - now)
                } else {
                    now
                };
            }
            if fading {
                self.fade_left -= 1;
                if self.fade_left == 0 {
                    std::mem::swap(&mut self.playing, &mut self.coming);
                }
            }
        }
        for history in &mut self.history {
            history.copy_within(len..len + TAPS - 1, 0);
        }
    }

    /// Sample `i` of the run, filtered.
    fn filtered(&self, filters: &Filters, channel: usize, i: usize) -> f32 {
        let dot = |filter: usize, history: usize| {
            dot(filters.of(filter), &self.history[history][i..i + TAPS])
        };
        if filters.mid_side {
            let (mid, side) = (dot(0, 2), dot(1, 3));
            if channel == 0 { mid + side } else { mid - side }
        } else {
            dot(channel, channel)
        }
    }

    /// Forgets the stream: everything passes until the first frame is finished.
    pub(crate) fn reset(&mut self) {
        self.playing.pass();
        self.done = None;
        self.fade_left = 0;
        self.history
            .iter_mut()
            .for_each(|history| history.fill(0.0));
    }
}
