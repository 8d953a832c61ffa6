//! A loudspeaker's cabinet or a room: convolution with an impulse response, by parts and without delay.
//!
//! Flows in: a recorded response of one channel or more. Flows out: what runs it on the audio thread, made elsewhere.

use fft_convolver::FFTConvolver;

use crate::frame::{Resampler, greatest_common_divisor};

/// Samples of a part of the response.
const PART: usize = 128;

/// The longest response, seconds.
pub const CABINET_SECONDS: f64 = 4.0;

/// Below this (−80 dB of its peak) the end of a response is left away.
const END: f32 = 1e-4;

/// Why a response cannot be used. Every message names the remedy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CabinetError {
    /// It holds no sound.
    #[error(
        "the impulse response is silent: choose a WAV file that holds a click as the cabinet answers it"
    )]
    Silent,
    /// A sample is no number.
    #[error(
        "the impulse response holds samples that are no numbers: export it again as 24-bit or 32-bit float"
    )]
    NotFinite,
    /// It is a piece of music, most likely.
    #[error(
        "the file lasts {0:.1} s and an impulse response at most {CABINET_SECONDS} s: choose another, or cut it"
    )]
    Long(f64),
    /// Its rate is out of range.
    #[error("the impulse response is at {0} Hz: use one from 8000 to 384000 Hz")]
    Rate(u32),
}

/// A response ready to be run.
pub struct Cabinet {
    /// One a channel.
    convolvers: Vec<FFTConvolver<f32>>,
    out: Vec<f32>,
    len: usize,
}

impl Cabinet {
    /// For `channels` channels at `sample_rate`, in runs of at most `max_run` samples. `response` has a slice a channel, at
    /// `rate` Hz; a channel that it does not have takes the last one it has. Allocates; not for the audio thread.
    ///
    /// # Errors
    /// See [`CabinetError`].
    pub fn new(
        response: &[Vec<f32>],
        rate: u32,
        sample_rate: u32,
        channels: usize,
        max_run: usize,
    ) -> Result<Cabinet, CabinetError> {
        if !(8_000..=384_000).contains(&rate) {
            return Err(CabinetError::Rate(rate));
        }
        let longest = response.iter().map(Vec::len).max().unwrap_or(0);
        let seconds = longest as f64 / f64::from(rate);
        if seconds > CABINET_SECONDS {
            return Err(CabinetError::Long(seconds));
        }
        if response.iter().flatten().any(|x| !x.is_finite()) {
            return Err(CabinetError::NotFinite);
        }
        let peak = response
            .iter()
            .flatten()
            .fold(0.0f32, |m, x| m.max(x.abs()));
        if peak == 0.0 {
            return Err(CabinetError::Silent);
        }
        let mut len = 0;
        let mut convolvers = Vec::with_capacity(channels);
        for channel in 0..channels {
            // There is a channel, for something has been heard.
            let own = &response[channel.min(response.len() - 1)];
            let at_rate = resampled(own, rate, sample_rate);
            let last = at_rate
                .iter()
                .rposition(|x| x.abs() > END * peak * rate_gain(rate, sample_rate));
            let cut = &at_rate[..last.map_or(1, |last| last + 1)];
            let mut convolver = FFTConvolver::default();
            // What it can fail of is a part without samples, or a transform whose buffers are not its own.
            if convolver.init(PART, cut).is_err() {
                return Err(CabinetError::Silent);
            }
            len = len.max(cut.len());
            convolvers.push(convolver);
        }
        Ok(Cabinet {
            convolvers,
            out: vec![0.0; max_run],
            len,
        })
    }

    /// Samples of the response.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never: a response has a sample.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Replaces the first `len` samples of every channel, at most `max_run` of them. Real-time safe.
    pub(super) fn process(&mut self, audio: &mut [Vec<f32>], len: usize) {
        let out = &mut self.out[..len];
        for (channel, convolver) in audio.iter_mut().zip(&mut self.convolvers) {
            if convolver.process(&channel[..len], out).is_ok() {
                channel[..len].copy_from_slice(out);
            }
        }
    }

    /// Forgets the stream. Real-time safe.
    pub(super) fn reset(&mut self) {
        self.convolvers.iter_mut().for_each(FFTConvolver::reset);
    }
}

/// What a response's samples are multiplied with at another rate, so that it has the same loudness.
fn rate_gain(rate: u32, sample_rate: u32) -> f32 {
    (f64::from(rate) / f64::from(sample_rate)) as f32
}

fn resampled(response: &[f32], rate: u32, sample_rate: u32) -> Vec<f32> {
    if rate == sample_rate {
        return response.to_vec();
    }
    let divisor = greatest_common_divisor(rate, sample_rate);
    let (from, to) = (u64::from(rate / divisor), u64::from(sample_rate / divisor));
    let half = Resampler::half_width(from, to);
    let mut input = response.to_vec();
    // As much as the filter reaches for behind the end.
    input.resize(response.len() + 2 * half, 0.0);
    let len = input.len();
    let mut resampler = Resampler::new(from, to, 0, 1, len);
    let wanted = (response.len() as u64 * to).div_ceil(from) as usize;
    let mut out = vec![vec![0.0; wanted + 2 * half]];
    resampler.push(&[input], len);
    let got = resampler.pull(&mut out, wanted);
    let gain = rate_gain(rate, sample_rate);
    out[0][..got].iter().map(|x| gain * x).collect()
}
