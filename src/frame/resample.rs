//! One direction of a change of sample rate, exact for any ratio of whole numbers, for all channels.
//!
//! Flows in: samples at one rate, any number a call. Flows out: samples at the other rate, each as soon as the filter
//! has what it needs. Output `j` is the band-limited input at position (j·step + offset)/phases, computed in whole
//! numbers: no chunk to wait for, no drift, and a delay that is known and not measured.
//!
//! The filter is a Kaiser-windowed sinc with its middle at the lower rate's Nyquist frequency: flat to 0.91 of it,
//! [`STOP_BAND_DB`] down from 1.09 of it, for a delay of [`HALF_WIDTH`] samples of the lower rate.

use std::f64::consts::PI;

/// Half the length of the filter, in samples of the lower rate.
const HALF_WIDTH: usize = 32;

/// Attenuation the window is made for.
const STOP_BAND_DB: f64 = 90.0;

/// Ratios with more phases than this are interpolated between so many; the error is below -120 dB.
const MAX_TABLE_PHASES: usize = 1024;

/// Products summed at a time, so that the compiler can use vector instructions.
const LANES: usize = 8;

/// Streaming resampler from one rate to another.
pub(crate) struct Resampler {
    filter: Filter,
    /// Positions advance by `step / phases` input samples an output sample.
    step: u64,
    phases: u64,
    /// Zeros before the first input sample.
    lead: usize,
    first_phase: u64,
    /// The input still needed, a channel each, of which `filled` samples are valid.
    history: Vec<Vec<f32>>,
    filled: usize,
    /// Where the next output's first tap lies in `history`, and its phase.
    next: usize,
    phase: u64,
}

impl Resampler {
    /// Half the filter's length in input samples, for rates reduced to their smallest whole numbers.
    pub(crate) fn half_width(rate_in: u64, rate_out: u64) -> usize {
        let stretched = HALF_WIDTH as u64 * rate_in.max(rate_out);
        (stretched.div_ceil(rate_out) as usize).next_multiple_of(LANES / 2)
    }

    /// Outputs lie at (j·rate_in + offset)/rate_out input samples; `offset ≤ 0`. `max_push` is the most samples a
    /// push brings; all outputs that are ready need not be pulled, but no more than `max_push` input may wait.
    pub(crate) fn new(
        rate_in: u64,
        rate_out: u64,
        offset: i64,
        channels: usize,
        max_push: usize,
    ) -> Self {
        let filter = Filter::new(rate_in, rate_out);
        let start = offset.div_euclid(rate_out as i64);
        let lead = filter.half_width() as i64 - 1 - start;
        debug_assert!(
            lead >= 0,
            "the first output lies within the filter's reach of the first input"
        );
        let mut resampler = Self {
            // The slack makes moving the history back to the front a rare event for small blocks.
            history: vec![vec![0.0; lead as usize + 8 * filter.taps + 2 * max_push]; channels],
            step: rate_in,
            phases: rate_out,
            lead: lead as usize,
            first_phase: offset.rem_euclid(rate_out as i64) as u64,
            filter,
            filled: 0,
            next: 0,
            phase: 0,
        };
        resampler.reset();
        resampler
    }

    /// Forgets the stream.
    pub(crate) fn reset(&mut self) {
        self.history
            .iter_mut()
            .for_each(|history| history.fill(0.0));
        self.filled = self.lead;
        self.next = 0;
        self.phase = self.first_phase;
    }

    /// How many samples must be pushed before `outputs` more can be pulled.
    pub(crate) fn pushes_before(&self, outputs: usize) -> usize {
        let ahead = (self.phase + self.step * (outputs as u64 - 1)) / self.phases;
        (self.next + ahead as usize + self.filter.taps).saturating_sub(self.filled)
    }

    /// Takes the first `len` samples of every channel.
    pub(crate) fn push(&mut self, input: &[Vec<f32>], len: usize) {
        if self
            .history
            .first()
            .is_some_and(|history| self.filled + len > history.len())
        {
            self.history
                .iter_mut()
                .for_each(|history| history.copy_within(self.next..self.filled, 0));
            self.filled -= self.next;
            self.next = 0;
        }
        for (history, input) in self.history.iter_mut().zip(input) {
            history[self.filled..self.filled + len].copy_from_slice(&input[..len]);
        }
        self.filled += len;
    }

    /// Writes up to `limit` output samples, as many as are ready; returns how many.
    pub(crate) fn pull(&mut self, output: &mut [Vec<f32>], limit: usize) -> usize {
        let mut pulled = 0;
        while pulled < limit && self.next + self.filter.taps <= self.filled {
            for (history, output) in self.history.iter().zip(output.iter_mut()) {
                let reach = &history[self.next..self.next + self.filter.taps];
                output[pulled] = self.filter.apply(reach, self.phase, self.phases);
            }
            pulled += 1;
            self.phase += self.step;
            self.next += (self.phase / self.phases) as usize;
            self.phase %= self.phases;
        }
        pulled
    }
}

/// The windowed sinc, sampled at every phase between two input samples.
pub(crate) struct Filter {
    pub(crate) taps: usize,
    /// Rows of `taps`, one a phase, and one more for the phase of the next sample.
    pub(crate) table: Vec<f32>,
    /// Where they are fewer than the phases, rows are interpolated between.
    pub(crate) table_phases: u64,
}

impl Filter {
    pub(crate) fn new(rate_in: u64, rate_out: u64) -> Self {
        let half_width = Resampler::half_width(rate_in, rate_out);
        let taps = 2 * half_width;
        let table_phases = rate_out.min(MAX_TABLE_PHASES as u64);
        let cutoff = (rate_out as f64 / rate_in as f64).min(1.0);
        // Kaiser's rule for the window's shape.
        let beta = 0.1102 * (STOP_BAND_DB - 8.7);
        let kernel = |distance: f64| {
            let edge = 1.0 - (distance / half_width as f64).powi(2);
            if edge <= 0.0 {
                0.0
            } else {
                cutoff * sinc(cutoff * distance) * bessel_i0(beta * edge.sqrt()) / bessel_i0(beta)
            }
        };
        let tap = |row: u64, tap: usize| {
            let fraction = row as f64 / table_phases as f64;
            kernel(fraction + half_width as f64 - 1.0 - tap as f64) as f32
        };
        let table = (0..=table_phases)
            .flat_map(|row| (0..taps).map(move |i| tap(row, i)))
            .collect();
        Self {
            taps,
            table,
            table_phases,
        }
    }

    fn half_width(&self) -> usize {
        self.taps / 2
    }

    /// The filter's output at `phase / phases` past the middle of `reach`, `taps` long.
    fn apply(&self, reach: &[f32], phase: u64, phases: u64) -> f32 {
        let row = |row: u64| &self.table[row as usize * self.taps..][..self.taps];
        if self.table_phases == phases {
            return dot(row(phase), reach);
        }
        let scaled = phase * self.table_phases;
        let (below, rest) = (scaled / phases, scaled % phases);
        let share = rest as f32 / phases as f32;
        (1.0 - share) * dot(row(below), reach) + share * dot(row(below + 1), reach)
    }
}

/// The sum of the products; both are a multiple of [`LANES`] long.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else {
        (PI * x).sin() / (PI * x)
    }
}

/// The modified Bessel function of the first kind and order zero, by its power series.
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let mut term = 1.0;
    let mut sum = 1.0;
    let mut k = 1.0;
    while term > sum * 1e-17 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gain in dB of the filter at `frequency`, in cycles a sample of the lower rate.
    fn gain_db(filter: &Filter, cutoff: f64, frequency: f64) -> f64 {
        // All rows together are the kernel sampled `table_phases` times an input sample.
        let (mut re, mut im) = (0.0, 0.0);
        for row in 0..filter.table_phases {
            for tap in 0..filter.taps {
                let position = row as f64 / filter.table_phases as f64 - tap as f64;
                let weight = f64::from(filter.table[row as usize * filter.taps + tap]);
                re += weight * (2.0 * PI * frequency * cutoff * position).cos();
                im += weight * (2.0 * PI * frequency * cutoff * position).sin();
            }
        }
        20.0 * (re.hypot(im) / filter.table_phases as f64).log10()
    }

    #[test]
    fn the_filter_is_flat_below_and_silent_above() {
        for (rate_in, rate_out) in [(147, 160), (160, 147), (4, 1), (1, 6)] {
            let filter = Filter::new(rate_in, rate_out);
            let cutoff = (rate_out as f64 / rate_in as f64).min(1.0);
            for i in 0..=45 {
                let at = gain_db(&filter, cutoff, f64::from(i) / 100.0);
                assert!(at.abs() < 0.01, "{rate_in}:{rate_out}: {at} dB at {i} %");
            }
            for i in 55..100 {
                let at = gain_db(&filter, cutoff, f64::from(i) / 100.0);
                assert!(at < -88.0, "{rate_in}:{rate_out}: {at} dB at {i} %");
            }
        }
    }
}
