//! The way of the wet signal: through the model's frames, or past them.
//!
//! Flows in: a run of host samples. Flows out: as many, later by the path's delay.
//!
//! ```text
//! live   rate ─► framer ─► Engine ─► framer ─► rate
//! zero   ┬───────────────────────────► filters ─►
//!        └─► rate ─► framer ─► Engine ─► gains ┘
//! ```

use super::ChainConfig;
use crate::engine::Engine;
use crate::frame::{Fast, Framer, RateConverter, Resampler, TAPS, greatest_common_divisor};
use crate::latency::{Latency, LatencyMode};
use crate::model::spec::FrontEnd;

/// Samples of the model over which the design of the filters is spread.
const DESIGN_SPREAD: usize = 32;

/// Share of a hop over which filters are faded.
const FADE_OF_HOP: (usize, usize) = (3, 4);

/// The framer with what leads to it.
pub(super) struct Path {
    pub framer: Framer,
    kind: Kind,
    /// Host samples of sound after the end of the input, beyond the delay.
    tail: usize,
}

enum Kind {
    /// At the model's rate.
    Live,
    /// At another one.
    Converted(Box<RateConverter>),
    Zero(Box<ZeroPath>),
}

/// What the zero-latency mode has beside the framer.
struct ZeroPath {
    /// To the model's rate; `None` where the host runs at it.
    inward: Option<Resampler>,
    /// The model's samples of a run, a channel each.
    model_audio: Vec<Vec<f32>>,
    fast: Fast,
    /// When a frame's gains are taken and when its filters are due, in the model's samples behind a frame's end.
    taken: usize,
    due: usize,
}

impl Path {
    /// The path and its delays; `max_run` is the most samples of a run.
    pub(super) fn new(
        engine: Box<dyn Engine>,
        front_end: FrontEnd,
        model_rate: u32,
        config: &ChainConfig,
        max_run: usize,
        mode: LatencyMode,
    ) -> (Self, Latency) {
        let &ChainConfig {
            sample_rate,
            channels,
            ..
        } = config;
        let framer = Framer::new(engine, front_end, model_rate, channels);
        let model_delay = front_end.latency() + framer.handoff();
        let mut latency = Latency {
            sample_rate,
            framing_samples: 0,
            overlap_samples: 0,
            look_ahead_samples: 0,
            spread_samples: 0,
            resampling_samples: 0,
            engine_samples: 0,
        };
        if mode == LatencyMode::Zero {
            let zero = ZeroPath::new(front_end, framer.take_at(), model_rate, config, max_run);
            // The gains are no finer than the filters can be.
            let bin_hz = model_rate as f32 / front_end.window as f32;
            let reach = (sample_rate as f32 / TAPS as f32 / bin_hz).round().max(1.0);
            let path = Self {
                framer: framer.of_gains(reach as usize),
                kind: Kind::Zero(Box::new(zero)),
                tail: TAPS - 1,
            };
            return (path, latency);
        }
        let converter = (sample_rate != model_rate)
            .then(|| RateConverter::new(sample_rate, model_rate, model_delay, channels, max_run));
        let total = converter
            .as_ref()
            .map_or(model_delay, RateConverter::delay_samples);
        let to_host = |samples: usize| to_host(samples, sample_rate, model_rate);
        let framed = to_host(front_end.hop + front_end.overlap);
        let spread = to_host(front_end.latency());
        latency.framing_samples = to_host(front_end.hop);
        latency.overlap_samples = framed - latency.framing_samples;
        latency.spread_samples = spread - framed;
        let handed = to_host(model_delay);
        latency.engine_samples = handed - spread;
        latency.resampling_samples = total - handed;
        let kind = converter.map_or(Kind::Live, |converter| Kind::Converted(Box::new(converter)));
        // The last frame that hears the end begins with it; filters between rates ring as long as they delay.
        let tail = to_host(front_end.window) + 1 + latency.resampling_samples;
        (Self { framer, kind, tail }, latency)
    }

    /// Host samples that a run may have, at least 1: until a frame is complete, or filters are due.
    pub(super) fn longest_run(&self) -> usize {
        let until_frame = self.framer.until_frame();
        match &self.kind {
            Kind::Live => until_frame,
            Kind::Converted(rate) => rate.host_samples_before(until_frame).max(1),
            Kind::Zero(zero) => {
                let until_due = zero.due.saturating_sub(self.framer.position());
                let run = if until_due > 0 {
                    until_due
                } else {
                    until_frame
                };
                let inward = zero.inward.as_ref();
                inward.map_or(run, |inward| inward.pushes_before(run).max(1))
            }
        }
    }

    /// Replaces the first `len` samples of every channel of `wet`.
    pub(super) fn process(&mut self, wet: &mut [Vec<f32>], len: usize) {
        let framer = &mut self.framer;
        match &mut self.kind {
            Kind::Live => framer.process(wet, len),
            Kind::Converted(rate) => {
                rate.process(wet, len, |audio, len| framer.process(audio, len))
            }
            Kind::Zero(zero) => zero.process(framer, wet, len),
        }
    }

    /// Samples of sound after the end of the input, beyond the delay.
    pub(super) fn tail(&self) -> usize {
        self.tail
    }

    pub(super) fn reset(&mut self) {
        self.framer.reset();
        match &mut self.kind {
            Kind::Live => {}
            Kind::Converted(rate) => rate.reset(),
            Kind::Zero(zero) => {
                zero.fast.reset();
                if let Some(inward) = &mut zero.inward {
                    inward.reset();
                }
            }
        }
    }
}

impl ZeroPath {
    fn new(
        front_end: FrontEnd,
        taken: usize,
        model_rate: u32,
        config: &ChainConfig,
        max_run: usize,
    ) -> Self {
        let &ChainConfig {
            sample_rate,
            channels,
            ..
        } = config;
        let divisor = greatest_common_divisor(sample_rate, model_rate);
        let (host, model) = (sample_rate / divisor, model_rate / divisor);
        let inward = (host != model)
            .then(|| Resampler::new(host.into(), model.into(), 0, channels, max_run));
        let max_model_run = max_run * model as usize / host as usize + 2;
        let (share, of) = FADE_OF_HOP;
        let fade_len = to_host(front_end.hop * share / of, sample_rate, model_rate);
        let bin_hz = model_rate as f32 / front_end.window as f32;
        Self {
            inward,
            model_audio: vec![vec![0.0; max_model_run]; channels],
            fast: Fast::new(channels, max_run, bin_hz, sample_rate, fade_len),
            taken,
            due: (taken + DESIGN_SPREAD).min(front_end.hop),
        }
    }

    fn process(&mut self, framer: &mut Framer, wet: &mut [Vec<f32>], len: usize) {
        let model_len = match &mut self.inward {
            Some(inward) => {
                inward.push(wet, len);
                inward.pull(&mut self.model_audio, usize::MAX)
            }
            None => {
                for (model, wet) in self.model_audio.iter_mut().zip(wet.iter()) {
                    model[..len].copy_from_slice(&wet[..len]);
                }
                len
            }
        };
        // What this run brings about is heard from the next one on, wherever the blocks are cut.
        self.fast.process(wet, len);
        framer.process(&mut self.model_audio, model_len);
        let position = framer.position();
        if let Some((gains, is_new)) = framer.gains() {
            if is_new {
                self.fast.begin();
            }
            // A frame that is complete has waited long enough, whatever its position says.
            let done = if position < self.taken {
                DESIGN_SPREAD
            } else {
                position - self.taken
            };
            self.fast.work(gains, done, (self.due - self.taken).max(1));
        }
    }
}

/// Samples of the model's rate as samples of the host's, rounded down.
pub(super) fn to_host(model_samples: usize, sample_rate: u32, model_rate: u32) -> usize {
    (model_samples as u64 * u64::from(sample_rate) / u64::from(model_rate)) as usize
}
