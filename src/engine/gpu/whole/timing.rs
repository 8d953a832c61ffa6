//! Which frames need which samples and give which, by whole numbers alone: the live chain's, less its delay.
//!
//! Frame k has the model's samples up to (k + 1) · hop and completes those up to (k + 1) · hop − overlap. With rates M : L the
//! model's sample m lies at host position (m − a) · M / L, and host sample n at the model's n · L / M + a: `frame::rate`, with
//! the delay taken off.

use std::ops::Range;

use crate::frame::Rates;
use crate::model::spec::FrontEnd;

/// Samples and frames of one front end at one host rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    hop: i64,
    window: i64,
    overlap: i64,
    /// Host and model differ.
    pub(super) rates: Option<Rates>,
}

impl Timing {
    pub(super) fn new(front_end: &FrontEnd, host_rate: u32, model_rate: u32) -> Timing {
        Timing {
            hop: front_end.hop as i64,
            window: front_end.window as i64,
            overlap: front_end.overlap as i64,
            rates: (host_rate != model_rate).then(|| Rates::new(host_rate, model_rate)),
        }
    }

    /// The model's samples that the windows of some frames cover; those before 0 are silence.
    pub(super) fn windows(&self, frames: &Range<i64>) -> Range<i64> {
        (frames.start + 1) * self.hop - self.window..frames.end * self.hop
    }

    /// The model's samples that some frames complete.
    pub(super) fn completes(&self, frames: &Range<i64>) -> Range<i64> {
        let end = |frames: i64| frames * self.hop - self.overlap;
        end(frames.start)..end(frames.end)
    }

    /// The host samples that some frames need; those before 0 are silence.
    pub(super) fn needs(&self, frames: &Range<i64>) -> Range<i64> {
        let Range { start, end } = self.windows(frames);
        match &self.rates {
            None => start..end,
            Some(rates) => {
                let half = rates.half_in as i64;
                first_tap(rates.inward(start).0, half)..rates.inward(end - 1).0 + half + 1
            }
        }
    }

    /// Host samples that are complete when `frames` are.
    pub(super) fn gives(&self, frames: i64) -> i64 {
        let end = frames * self.hop - self.overlap;
        let given = match &self.rates {
            None => end,
            Some(rates) => {
                // The last whole position that all taps reach around.
                let last = end - 1 - rates.half_out as i64 - rates.early as i64;
                let (host, model) = (rates.host as i64, rates.model as i64);
                ((last + 1) * host + model - 1).div_euclid(model)
            }
        };
        given.max(0)
    }

    /// The first frame that is complete behind host sample `n`.
    pub(super) fn frame_of(&self, n: i64) -> i64 {
        let reach = self.rates.map_or(0, |rates| rates.half_in as i64);
        let mut frame = (self.frames_in(n - reach - 1) - 1).max(0);
        while self.needs(&(frame..frame + 1)).end <= n {
            frame += 1;
        }
        frame
    }

    /// Frames that complete `len` host samples.
    pub(super) fn frames_for(&self, len: i64) -> i64 {
        let mut frames = self.frames_in(len - 1).max(0);
        while self.gives(frames) < len {
            frames += 1;
        }
        frames
    }

    /// Whole frames that go into so many host samples.
    fn frames_in(&self, samples: i64) -> i64 {
        let (host, model) = self
            .rates
            .map_or((1, 1), |r| (r.host as i64, r.model as i64));
        (samples * model).div_euclid(self.hop * host)
    }

    /// The most host samples that `frames` frames need, and that they give.
    pub(super) fn most(&self, frames: i64) -> (usize, usize) {
        let needs = self.needs(&(0..frames));
        let gives = self.gives(frames + 1000) - self.gives(1000);
        ((needs.end - needs.start + 2) as usize, (gives + 2) as usize)
    }
}

impl Rates {
    /// Where the model's sample `m` lies among the host's, and the phase behind that, of `model`.
    pub(super) fn inward(&self, m: i64) -> (i64, u32) {
        place((m - self.early as i64) * self.host as i64, self.model)
    }

    /// Where host sample `n` lies among the model's, and the phase behind that, of `host`.
    pub(super) fn outward(&self, n: i64) -> (i64, u32) {
        let (whole, phase) = place(n * self.model as i64, self.host);
        (whole + self.early as i64, phase)
    }
}

fn place(position: i64, phases: u64) -> (i64, u32) {
    let phases = phases as i64;
    (
        position.div_euclid(phases),
        position.rem_euclid(phases) as u32,
    )
}

/// The first of the 2 · `half` taps around a whole position.
pub(super) fn first_tap(whole: i64, half: i64) -> i64 {
    whole - half + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONT_END: FrontEnd = FrontEnd {
        hop: 320,
        window: 1280,
        overlap: 128,
        spread: 32,
    };

    #[test]
    fn at_the_models_rate_a_frame_is_its_samples() {
        let timing = Timing::new(&FRONT_END, 48_000, 48_000);
        assert_eq!(timing.needs(&(0..1)), -960..320);
        assert_eq!(timing.needs(&(4..6)), 320..1920);
        assert_eq!(timing.completes(&(4..6)), 1152..1792);
        assert_eq!((timing.gives(0), timing.gives(1)), (0, 192));
        assert_eq!((timing.frames_for(0), timing.frames_for(192)), (0, 1));
        assert_eq!(timing.frames_for(193), 2);
        assert_eq!((timing.frame_of(0), timing.frame_of(319)), (0, 0));
        assert_eq!(timing.frame_of(320), 1);
    }

    #[test]
    fn at_other_rates_taps_find_what_they_reach_for() {
        for rate in [8_000, 44_100, 47_999, 96_000, 192_000] {
            let timing = Timing::new(&FRONT_END, rate, 48_000);
            let rates = timing.rates.unwrap();
            let (half_in, half_out) = (rates.half_in as i64, rates.half_out as i64);
            for frames in [0..1, 3..4, 17..60, 90_000..94_096] {
                let (windows, needs) = (timing.windows(&frames), timing.needs(&frames));
                assert_eq!(
                    first_tap(rates.inward(windows.start).0, half_in),
                    needs.start
                );
                assert!(rates.inward(windows.end - 1).0 + half_in < needs.end);
                // The outputs of these frames, and not one more, have all that they reach for.
                let (first, end) = (timing.gives(frames.start), timing.gives(frames.end));
                let complete = timing.completes(&frames).end;
                // At low rates the first frame completes none.
                assert!(end == 0 || rates.outward(end - 1).0 + half_out < complete);
                assert!(rates.outward(end).0 + half_out >= complete);
                let kept = timing.completes(&frames).start - 2 * half_out;
                assert!(first_tap(rates.outward(first).0, half_out) >= kept);
                let (most_in, most_out) = timing.most(frames.end - frames.start);
                assert!(most_in as i64 >= needs.end - needs.start);
                assert!(most_out as i64 >= end - first);
                // Who is due behind a sample is complete with the samples that it needs, and nobody is before.
                for n in [needs.end - 1, needs.end] {
                    let frame = timing.frame_of(n);
                    assert!(timing.needs(&(0..frame + 1)).end > n);
                    assert!(frame == 0 || timing.needs(&(0..frame)).end <= n);
                }
            }
            for len in [1, 100, 48_000, 10_000_000] {
                let frames = timing.frames_for(len);
                assert!(timing.gives(frames) >= len && timing.gives(frames - 1) < len);
            }
        }
    }
}
