//! What sounds, from the audio thread to the panel: the last of each value counts, and nobody waits.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use statewave::instrument::Instrument;
use statewave::telemetry::{BANDS, HIGH_HZ, LOW_HZ};

/// See the module.
pub struct Shown {
    /// A window is open.
    watched: AtomicBool,
    sounding: AtomicU32,
    /// The largest amplitude of a partial in each band, as the bits of an f32.
    bands: [AtomicU32; BANDS],
}

impl Default for Shown {
    fn default() -> Self {
        Self {
            watched: AtomicBool::new(false),
            sounding: AtomicU32::new(0),
            bands: std::array::from_fn(|_| AtomicU32::new(0)),
        }
    }
}

impl Shown {
    /// Somebody looks, or nobody does.
    pub fn watch(&self, on: bool) {
        self.watched.store(on, Ordering::Relaxed);
    }

    /// What `instrument` plays now, times `gain`. Real-time safe.
    pub fn write(&self, instrument: &Instrument, gain: f32) {
        if !self.watched.load(Ordering::Relaxed) {
            return;
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
    }

    /// Voices that sound.
    pub fn sounding(&self) -> u32 {
        self.sounding.load(Ordering::Relaxed)
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
