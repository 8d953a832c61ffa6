//! The latency ledger: every delay a sample meets, by name, in host samples. Its sum is the one number reported.
//!
//! Flows in: the chain's delays, written once when it is prepared. Flows out: [`Latency::total`] to the host and to the
//! dry path, the entries to whoever shows them.

use std::fmt;

/// How long the sound may take, and what is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LatencyMode {
    /// Not a sample: the model's gains of the frame before, as a short filter of minimum phase.
    Zero,
    /// The model's own: its frames, joined.
    #[default]
    Live,
}

/// Where the chain's delay comes from, in samples of the host's rate.
///
/// ```
/// use statewave::latency::Latency;
///
/// let latency = Latency {
///     sample_rate: 48_000,
///     framing_samples: 320,
///     overlap_samples: 128,
///     look_ahead_samples: 0,
///     spread_samples: 32,
///     resampling_samples: 0,
///     engine_samples: 0,
/// };
/// assert_eq!(latency.total(), 480);
/// assert_eq!(latency.total_ms(), 10.0);
/// assert_eq!(
///     latency.to_string(),
///     "480 samples (10.00 ms at 48000 Hz): framing 320, overlap 128, spread 32"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// The host's rate, in Hz.
    pub sample_rate: u32,
    /// The first sample of a hop waits for the last one.
    pub framing_samples: usize,
    /// The cross-fade into the next frame.
    pub overlap_samples: usize,
    /// What the model hears of the future beyond its frame.
    pub look_ahead_samples: usize,
    /// The work of a hop is shared out over this many samples.
    pub spread_samples: usize,
    /// Filters to the model's rate and back, rounded up so that the total is whole.
    pub resampling_samples: usize,
    /// Delay inside an engine, such as a trip to another device.
    pub engine_samples: usize,
}

impl Latency {
    /// The entries in the order a sample meets them, as (name, host samples).
    pub fn entries(&self) -> [(&'static str, usize); 6] {
        [
            ("framing", self.framing_samples),
            ("overlap", self.overlap_samples),
            ("look-ahead", self.look_ahead_samples),
            ("spread", self.spread_samples),
            ("resampling", self.resampling_samples),
            ("engine", self.engine_samples),
        ]
    }

    /// The latency to report, in host samples: the sum of the entries.
    pub fn total(&self) -> usize {
        self.entries().iter().map(|(_, samples)| samples).sum()
    }

    /// The latency in milliseconds.
    pub fn total_ms(&self) -> f64 {
        self.total() as f64 * 1000.0 / f64::from(self.sample_rate)
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} samples ({:.2} ms at {} Hz)",
            self.total(),
            self.total_ms(),
            self.sample_rate
        )?;
        let present = self
            .entries()
            .into_iter()
            .filter(|&(_, samples)| samples > 0);
        for (i, (name, samples)) in present.enumerate() {
            write!(f, "{} {name} {samples}", if i == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}
