//! What sounds, from the audio thread to the panel: the last of each value counts, and nobody waits.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use statewave::instrument::Instrument;
use statewave::telemetry::{BANDS, DELTA_BANDS, DELTA_LAYERS, Deltas, HIGH_HZ, LOW_HZ};

/// See the module.
pub struct Shown {
    /// A window is open.
    watched: AtomicBool,
    sounding: AtomicU32,
    /// The largest amplitude of a partial in each band, as the bits of an f32.
    bands: [AtomicU32; BANDS],
    /// Δ of the newest note as [`Deltas`] has it, the same way, and the factor in it.
    layers: AtomicU32,
    deltas: [[AtomicU32; DELTA_BANDS]; DELTA_LAYERS],
    pace: AtomicU32,
    /// The peak of each channel since the last look, the same way.
    peaks: [AtomicU32; 2],
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            watched: AtomicBool::new(false),
            sounding: AtomicU32::new(0),
            bands: std::array::from_fn(|_| AtomicU32::new(0)),
            layers: AtomicU32::new(0),
            deltas: std::array::from_fn(|_| std::array::from_fn(|_| AtomicU32::new(0))),
            pace: AtomicU32::new(1.0_f32.to_bits()),
            peaks: [AtomicU32::new(0), AtomicU32::new(0)],
        }
    }
}

impl Shown {
    /// Somebody looks, or nobody does.
    pub fn watch(&self, on: bool) {
        if !self.watched.swap(on, Ordering::Relaxed) {
            // What was loud when somebody looked last is of then.
            self.peaks();
        }
    }

    /// What `instrument` plays now, times `gain`, and the `sound` that came of it in a block. Real-time safe.
    pub fn write(&self, instrument: &mut Instrument, gain: f32, sound: [&[f32]; 2]) {
        let watched = self.watched.load(Ordering::Relaxed);
        instrument.observe(watched);
        if !watched {
            return;
        }
        for (peak, channel) in self.peaks.iter().zip(sound) {
            let loudest = channel.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            // The bits of floats above zero are in their order. Only a look can come between, so this ends.
            peak.fetch_max(loudest.to_bits(), Ordering::Relaxed);
        }
        let mut largest = [0.0f32; BANDS];
        for note in instrument.notes() {
            for (k, amplitude) in (1..).zip(note.partials) {
                if let Some(band) = band_of(k as f32 * note.hz as f32) {
                    largest[band] = largest[band].max(amplitude * gain);
                }
            }
        }
        for (band, largest) in self.bands.iter().zip(largest) {
            band.store(largest.to_bits(), Ordering::Relaxed);
        }
        let sounding = instrument.sounding() as u32;
        self.sounding.store(sounding, Ordering::Relaxed);
        let taken = instrument.deltas();
        self.layers.store(taken.layers as u32, Ordering::Relaxed);
        let shown = self.deltas.iter().flatten();
        for (shown, delta) in shown.zip(taken.values.iter().flatten()) {
            shown.store(delta.to_bits(), Ordering::Relaxed);
        }
        let pace = instrument.pace().to_bits();
        self.pace.store(pace, Ordering::Relaxed);
    }

    /// Δ of the newest note, and the factor in it.
    pub fn deltas(&self) -> (Deltas, f32) {
        let float = |bits: &AtomicU32| f32::from_bits(bits.load(Ordering::Relaxed));
        let deltas = Deltas {
            layers: self.layers.load(Ordering::Relaxed) as usize,
            values: self
                .deltas
                .each_ref()
                .map(|layer| layer.each_ref().map(float)),
        };
        (deltas, float(&self.pace))
    }

    /// Voices that sound.
    pub fn sounding(&self) -> u32 {
        self.sounding.load(Ordering::Relaxed)
    }

    /// The peaks of both channels since they were asked for last; for one who asks.
    pub fn peaks(&self) -> [f32; 2] {
        let take = |peak: &AtomicU32| f32::from_bits(peak.swap(0, Ordering::Relaxed));
        self.peaks.each_ref().map(take)
    }

    /// The largest amplitude in a band.
    pub fn band(&self, band: usize) -> f32 {
        f32::from_bits(self.bands[band].load(Ordering::Relaxed))
    }
}

/// The band in which a frequency lies, if any.
fn band_of(hz: f32) -> Option<usize> {
    let part = (hz / LOW_HZ).ln() / (HIGH_HZ / LOW_HZ).ln();
    (0.0..1.0)
        .contains(&part)
        .then_some((part * BANDS as f32) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_go_from_the_lowest_to_the_highest() {
        assert_eq!(band_of(LOW_HZ), Some(0));
        assert_eq!(band_of(HIGH_HZ * 0.999), Some(BANDS - 1));
        assert_eq!(band_of(LOW_HZ * 0.9), None);
        assert_eq!(band_of(HIGH_HZ * 1.1), None);
        assert_eq!(band_of((LOW_HZ * HIGH_HZ).sqrt() * 1.001), Some(BANDS / 2));
    }
}
