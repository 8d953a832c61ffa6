//! Loops of noise for a host's rate, one a band of the model.

use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

use crate::kernels::sines::Loops;
use crate::model::instrument::InstrumentFacts;

/// About how long a loop is, in seconds. No two are equally long, so together they do not come round for hours.
const SECONDS: f64 = 0.7;

/// What the loops' lengths differ by, in samples.
const APART: usize = 254;

/// A hertz on the scale of equivalent rectangular bandwidths (Glasberg & Moore 1990).
fn erb(hz: f64) -> f64 {
    21.4 * (1.0 + 0.00437 * hz).log10()
}

/// The share of power at `hz` that `band` holds.
fn share(facts: &InstrumentFacts, band: usize, hz: f64) -> f64 {
    if hz > facts.top_hz {
        return 0.0;
    }
    let at = erb(hz) / erb(facts.top_hz) * facts.bands as f64 - 0.5;
    (1.0 - (at - band as f64).abs()).max(0.0)
}

/// The loops for a rate in Hz, each with a root mean square of 1 if the rate can hold its band; a band above half the
/// rate is silent. The same for the same rate, always.
pub(super) fn loops(facts: &InstrumentFacts, sample_rate: u32) -> Loops {
    let rate = f64::from(sample_rate);
    let mut random = Random(0x5354_4154_4557_4156);
    let mut planner = RealFftPlanner::<f32>::new();
    let made = |band: usize| {
        // Even, so that there is a highest bin of its own.
        let len = ((SECONDS * rate) as usize + APART * band) / 2 * 2;
        let fft = planner.plan_fft_inverse(len);
        let mut spectrum = fft.make_input_vec();
        let hz = |bin: usize| bin as f64 * rate / len as f64;
        // The root mean square of the whole band, whatever of it the rate can hold.
        let mut power = 0.0;
        let mut bin = 1;
        while hz(bin) <= facts.top_hz {
            power += 2.0 * share(facts, band, hz(bin));
            bin += 1;
        }
        let last = spectrum.len() - 1;
        for (bin, value) in spectrum.iter_mut().enumerate().take(last).skip(1) {
            let size = (share(facts, band, hz(bin)) / power.max(1e-12)).sqrt() as f32;
            *value = Complex::from_polar(size, random.unit() * std::f32::consts::TAU);
        }
        let mut samples = fft.make_output_vec();
        fft.process(&mut spectrum, &mut samples)
            .expect("the plan's own buffers fit, and the ends are real");
        samples
    };
    Loops::new((0..facts.bands).map(made).collect())
}

/// SplitMix64 (Steele, Lea & Flood 2014).
#[derive(Debug, Clone)]
pub(super) struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Within [0, 1).
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u64 << 24) as f32
    }

    /// Within [0, below).
    pub fn below(&mut self, below: usize) -> usize {
        (self.next() % below as u64) as usize
    }
}
