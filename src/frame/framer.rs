//! Cuts the model-rate stream into frames, has the engine work on them, and joins the results, for all channels.
//!
//! Flows in: any number of samples a channel. Flows out: as many, later by exactly hop + overlap + spread + handoff. A
//! frame is given to the engine as soon as its last sample has come; the engine's work is shared out over the next
//! `spread` samples; after as many more as the engine's handoff the result is taken and starts to play, whatever the
//! lengths of the calls. With a handoff of a hop and more, several frames are in flight.

use crate::controls::Stereo;
use crate::engine::{Engine, EngineReport, Exchange};
use crate::model::spec::FrontEnd;
use crate::state::{Hand, Memory};
use crate::telemetry::{Bands, Deltas};

use super::gains::Gains;
use super::guard::is_playable;
use super::overlap_add::OverlapAdd;
use super::report::{FrameReport, Reports};
use super::stereo::{decode, encode, link};
use super::stft::{Stft, analysis_window};

/// What became of the frames so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FrameCounts {
    pub frames: u64,
    pub late: u64,
    pub lost: u64,
    pub not_finite: u64,
    pub resets: u64,
}

/// The engine with everything between it and the sample streams.
pub(crate) struct Framer {
    front_end: FrontEnd,
    engine: Box<dyn Engine>,
    stft: Stft,
    /// A channel's newest `window` samples; the last hop of them is being filled.
    history: Vec<Vec<f32>>,
    joined: Vec<OverlapAdd>,
    /// The frames the engine has, the newest at `sequence` modulo their number.
    given: Vec<Given>,
    taken: Vec<f32>,
    /// Samples come since the last frame ended, 0..hop.
    position: usize,
    /// The position at which a result is taken, and how many frames behind the newest it is.
    take_at: usize,
    behind: usize,
    /// The number of the newest frame, and of the first of the stream.
    sequence: u64,
    first: u64,
    /// The engine has frame `sequence`, and its work has not been asked for in full.
    in_work: bool,
    reset_wanted: bool,
    counts: FrameCounts,
    /// What is done to the engine's state, and the seconds between two frames.
    hand: Hand,
    hop_seconds: f32,
    /// How the channels are to share the engine, from the next frame on.
    stereo: Stereo,
    /// Where only gains are wanted of the frames, and no signal.
    gains: Option<Gains>,
    gains_ready: bool,
    bands: Bands,
    reports: Reports,
}

/// A frame as the engine was given it, kept to play it dry if nothing better comes back.
struct Given {
    /// `[channels][frame_len]`.
    values: Vec<f32>,
    /// How its channels share the engine.
    stereo: Stereo,
}

impl Framer {
    /// `engine` must have `channels` channels and frames of `2 · bins` floats; see `Stft::new` for the front end, of
    /// which `spread ≤ hop` as well.
    pub(crate) fn new(
        engine: Box<dyn Engine>,
        front_end: FrontEnd,
        model_rate: u32,
        channels: usize,
    ) -> Self {
        let frames_len = channels * 2 * front_end.bins();
        let wait = front_end.spread + engine.handoff();
        let behind = wait.saturating_sub(1) / front_end.hop;
        let given = || Given {
            values: vec![0.0; frames_len],
            stereo: Stereo::default(),
        };
        Self {
            front_end,
            engine,
            stft: Stft::new(&front_end),
            history: vec![vec![0.0; front_end.window]; channels],
            joined: (0..channels)
                .map(|_| OverlapAdd::new(front_end.hop, front_end.overlap))
                .collect(),
            given: (0..=behind).map(|_| given()).collect(),
            taken: vec![0.0; frames_len],
            position: 0,
            take_at: wait - behind * front_end.hop,
            behind,
            sequence: 0,
            first: 1,
            in_work: false,
            reset_wanted: false,
            counts: FrameCounts::default(),
            hand: Hand::default(),
            hop_seconds: front_end.hop as f32 / model_rate as f32,
            stereo: Stereo::default(),
            gains: None,
            gains_ready: false,
            bands: Bands::new(&analysis_window(&front_end), model_rate),
            reports: Reports::new(),
        }
    }

    /// The same, of whose frames only gains are wanted, each from `reach` bins on either side; its output is silence.
    pub(crate) fn of_gains(self, reach: usize) -> Self {
        let gains = Gains::new(self.joined.len(), self.front_end.bins(), reach);
        Self {
            gains: Some(gains),
            ..self
        }
    }

    /// Gains of the newest frame that was taken, and whether they are new since the last call.
    pub(crate) fn gains(&mut self) -> Option<(&Gains, bool)> {
        let is_new = std::mem::take(&mut self.gains_ready);
        self.gains.as_ref().map(|gains| (gains, is_new))
    }

    /// Samples come since the last frame ended.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// How the channels share the engine, from the next frame on.
    pub(crate) fn set_stereo(&mut self, stereo: Stereo) {
        self.stereo = stereo;
    }

    /// What is done to the engine's state, between two frames.
    pub(crate) fn hand(&mut self) -> &mut Hand {
        &mut self.hand
    }

    /// Where the engine's states are kept, if it has any.
    pub(crate) fn memory(&mut self) -> Option<&mut dyn Memory> {
        self.engine.memory()
    }

    /// Whether frames are to be reported, from the next one on.
    pub(crate) fn watch(&mut self, on: bool) {
        if self.reports.watch(on) {
            self.engine.observe(on);
        }
    }

    /// The report of the frame taken since the last call, if there was one.
    pub(crate) fn take_report(&mut self) -> Option<&FrameReport> {
        self.reports.take()
    }

    pub(crate) fn counts(&self) -> FrameCounts {
        self.counts
    }

    pub(crate) fn engine_report(&self) -> EngineReport {
        self.engine.report()
    }

    /// Samples behind the end of a frame at which a result is taken, at most a hop.
    pub(crate) fn take_at(&self) -> usize {
        self.take_at
    }

    /// Samples until the next frame is complete, at least 1.
    pub(crate) fn until_frame(&self) -> usize {
        self.front_end.hop - self.position
    }

    /// Has the engine forget the stream before it is given the next frame.
    pub(crate) fn want_reset(&mut self) {
        self.reset_wanted = true;
    }

    /// Puts `engine`, of the same handoff, in the place of the one that runs, which is returned. The frames in flight are
    /// given to the new one, and the fade between frames is the fade between engines.
    pub(crate) fn swap_engine(&mut self, engine: Box<dyn Engine>) -> Box<dyn Engine> {
        let mut retired = std::mem::replace(&mut self.engine, engine);
        retired.observe(false);
        self.hand.renew();
        self.engine.observe(self.reports.is_watched());
        let taken = self.position >= self.take_at;
        let oldest = (self.sequence + u64::from(taken)).saturating_sub(self.behind as u64);
        for sequence in oldest.max(self.first)..=self.sequence {
            let at = self.slot(sequence);
            self.engine.submit(sequence, &self.given[at].values);
        }
        retired
    }

    /// Samples that an engine's results may come later than the spread.
    pub(crate) fn handoff(&self) -> usize {
        self.engine.handoff()
    }

    /// Where a frame is among those given.
    fn slot(&self, sequence: u64) -> usize {
        (sequence % self.given.len() as u64) as usize
    }

    /// Replaces the first `len` samples of every channel of `audio` by the stream's output.
    pub(crate) fn process(&mut self, audio: &mut [Vec<f32>], len: usize) {
        let FrontEnd {
            hop,
            window,
            spread,
            ..
        } = self.front_end;
        let mut at = 0;
        while at < len {
            // Within a run nothing happens but samples coming and going.
            let events = [spread, self.take_at, hop].map(|event| event.wrapping_sub(self.position));
            let next_event = events
                .into_iter()
                .filter(|left| (1..=hop).contains(left))
                .min();
            let run = (len - at).min(next_event.unwrap_or(hop));
            // A frame starts to play `take_at` samples after one ended.
            let playing = (self.position + hop - self.take_at) % hop;
            for ((audio, history), joined) in
                audio.iter_mut().zip(&mut self.history).zip(&self.joined)
            {
                let samples = &mut audio[at..at + run];
                let newest = window - hop + self.position;
                history[newest..newest + run].copy_from_slice(samples);
                samples.copy_from_slice(&joined.finished()[playing..playing + run]);
            }
            at += run;
            self.position += run;
            if self.in_work {
                self.engine.work(self.position as u32, spread as u32);
                self.in_work = self.position < spread;
            }
            if self.position == self.take_at {
                self.take();
            }
            if self.position == hop {
                self.give();
            }
        }
    }

    /// Analyses the frame that is complete and gives it to the engine.
    fn give(&mut self) {
        self.position = 0;
        self.sequence += 1;
        self.counts.frames += 1;
        if std::mem::take(&mut self.reset_wanted) {
            self.reset_engine();
        }
        let frame_len = 2 * self.front_end.bins();
        let at = self.slot(self.sequence);
        let given = &mut self.given[at];
        for (history, frame) in self
            .history
            .iter_mut()
            .zip(given.values.chunks_exact_mut(frame_len))
        {
            self.stft.analyse(history, frame);
            history.copy_within(self.front_end.hop.., 0);
        }
        given.stereo = self.stereo;
        encode(given.stereo, &mut given.values, frame_len);
        if let Some(memory) = self.engine.memory() {
            // Frames overlap, which joins what a leap of the state parts.
            self.hand.step(memory, self.hop_seconds);
        }
        let given = &self.given[at];
        self.engine.submit(self.sequence, &given.values);
        self.in_work = self.front_end.spread > 0;
        if self.take_at == 0 {
            self.take();
        }
    }

    /// Takes the engine's result, or the frame as it was given where there is none, and joins it to the stream.
    fn take(&mut self) {
        let Some(sequence) = self
            .sequence
            .checked_sub(self.behind as u64)
            .filter(|sequence| *sequence >= self.first)
        else {
            return;
        };
        let playable = match self.engine.collect(sequence, &mut self.taken) {
            Exchange::Ready if is_playable(&self.taken) => true,
            Exchange::Ready => {
                self.counts.not_finite += 1;
                self.reset_engine();
                false
            }
            Exchange::Late => {
                self.counts.late += 1;
                false
            }
            Exchange::Lost => {
                self.counts.lost += 1;
                false
            }
        };
        let frame_len = 2 * self.front_end.bins();
        let at = self.slot(sequence);
        let Given { values, stereo } = &mut self.given[at];
        // All channels fall back together, so that they stay alike.
        if !playable {
            self.taken.copy_from_slice(values);
        } else if *stereo == Stereo::Link && self.joined.len() > 1 {
            link(values, &mut self.taken, frame_len);
        }
        if let (Some(gains), true) = (&mut self.gains, playable) {
            gains.measure(*stereo, values, &self.taken);
            self.gains_ready = true;
        }
        decode(*stereo, &mut self.taken, frame_len);
        if self.reports.is_watched() {
            decode(*stereo, values, frame_len);
        }
        if self.gains.is_none() {
            for (joined, frame) in self
                .joined
                .iter_mut()
                .zip(self.taken.chunks_exact(frame_len))
            {
                joined.add(self.stft.synthesise(frame));
            }
        }
        if self.reports.is_watched() {
            self.report(at);
        }
    }

    /// Reports the frame that was taken, given at `at`.
    fn report(&mut self, at: usize) {
        let frame_len = 2 * self.front_end.bins();
        let report = self.reports.begin(self.counts.frames);
        report.input_db = Bands::silence();
        for frame in self.given[at].values.chunks_exact(frame_len) {
            self.bands.raise(frame, &mut report.input_db);
        }
        report.output_db = Bands::silence();
        for frame in self.taken.chunks_exact(frame_len) {
            self.bands.raise(frame, &mut report.output_db);
        }
        report.deltas = Deltas::default();
        self.engine.deltas(&mut report.deltas);
        report.engine = self.engine.report();
        report.pace = self.hand.pace();
    }

    fn reset_engine(&mut self) {
        self.counts.resets += 1;
        self.engine.reset();
    }

    /// Forgets the stream. Frame numbers go on, so that a result from before cannot be taken for a new one.
    pub(crate) fn reset(&mut self) {
        self.engine.reset();
        self.history
            .iter_mut()
            .for_each(|history| history.fill(0.0));
        self.joined.iter_mut().for_each(OverlapAdd::reset);
        if let Some(gains) = &mut self.gains {
            gains.reset();
        }
        self.gains_ready = false;
        self.hand.reset();
        self.position = 0;
        self.first = self.sequence + 1;
        self.in_work = false;
        self.reset_wanted = false;
    }
}
