//! To the model's rate and back, with a total delay of a whole number of host samples.
//!
//! Flows in: the host's samples. Flows out: the model's; and the same way back. With host and model rates reduced to
//! M : L, the way in puts model sample m at host position (m − a)·M/L, where `a` only says how much the filter rings
//! before the first sample. The way out takes host sample n from model position (n − D)·L/M + a + delay: any whole D can be
//! had, because the filters reach every position between samples. D is the least one for which the samples that the
//! filter reaches for have always come:
//!
//! ```text
//! D = half_in + floor((delay + half_out) · M / L)
//! ```

use super::resample::Resampler;

/// A host's rate and a model's in their smallest whole numbers, M : L, and how far the filters between them reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rates {
    pub host: u64,
    pub model: u64,
    /// Half the filter's length in host samples on the way in, and in the model's on the way out.
    pub half_in: usize,
    pub half_out: usize,
    /// a: samples of the model that ring before the host's first.
    pub early: u64,
}

impl Rates {
    pub(crate) fn new(host_rate: u32, model_rate: u32) -> Self {
        let divisor = greatest_common_divisor(host_rate, model_rate);
        let (host, model) = (
            u64::from(host_rate / divisor),
            u64::from(model_rate / divisor),
        );
        let half_in = Resampler::half_width(host, model);
        Self {
            host,
            model,
            half_in,
            half_out: Resampler::half_width(model, host),
            early: half_in as u64 * model / host,
        }
    }
}

/// Both directions of the change of rate around a stage at the model's rate.
pub(crate) struct RateConverter {
    inward: Resampler,
    outward: Resampler,
    /// The stage's signal, a channel each.
    model_audio: Vec<Vec<f32>>,
    delay_samples: usize,
}

impl RateConverter {
    /// Around a stage that delays by `model_delay` of its samples. `max_run` is the most host samples a call.
    pub(crate) fn new(
        host_rate: u32,
        model_rate: u32,
        model_delay: usize,
        channels: usize,
        max_run: usize,
    ) -> Self {
        let Rates {
            host,
            model,
            half_in,
            half_out,
            early,
        } = Rates::new(host_rate, model_rate);
        let delay = half_in + ((model_delay + half_out) as u64 * host / model) as usize;
        // A run of host samples completes at most this many model samples.
        let max_model_run = (max_run as u64 * model / host) as usize + 2;
        let inward_offset = -((early * host) as i64);
        let outward_offset = (early * host) as i64 + (model_delay as u64 * host) as i64
            - (delay as u64 * model) as i64;
        Self {
            inward: Resampler::new(host, model, inward_offset, channels, max_run),
            outward: Resampler::new(model, host, outward_offset, channels, max_model_run),
            model_audio: vec![vec![0.0; max_model_run]; channels],
            delay_samples: delay,
        }
    }

    /// Delay there and back, the stage's included, in host samples.
    pub(crate) fn delay_samples(&self) -> usize {
        self.delay_samples
    }

    /// Host samples until `model_samples` more of the model's are complete.
    pub(crate) fn host_samples_before(&self, model_samples: usize) -> usize {
        self.inward.pushes_before(model_samples)
    }

    /// Replaces the first `len` samples of every channel of `audio`; `stage` is given the model's samples to replace.
    pub(crate) fn process(
        &mut self,
        audio: &mut [Vec<f32>],
        len: usize,
        stage: impl FnOnce(&mut [Vec<f32>], usize),
    ) {
        self.inward.push(audio, len);
        let model_len = self.inward.pull(&mut self.model_audio, usize::MAX);
        stage(&mut self.model_audio, model_len);
        self.outward.push(&self.model_audio, model_len);
        let returned = self.outward.pull(audio, len);
        debug_assert_eq!(returned, len, "the delay covers what the filters reach for");
    }

    pub(crate) fn reset(&mut self) {
        self.inward.reset();
        self.outward.reset();
    }
}

pub(crate) fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}
