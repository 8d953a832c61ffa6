//! What may pass: keeps values that are not audio out of the model and out of the loudspeakers.
//!
//! Flows in: samples from a host or an engine, of which nothing is known. Flows out: samples that are finite, of
//! bounded size, and, on the way to the model, never so small that they slow the processor down.

/// Largest sample taken for audio: +80 dBFS, above anything a healthy mixer passes on.
const MAX_SAMPLE: f32 = 1.0e4;

/// Largest real or imaginary part of a bin taken from an engine; keeps the inverse transform finite.
const MAX_BIN: f32 = 1.0e9;

/// Samples below this (-300 dBFS) become zero on the wet path, far from where f32 gets slow (1e-38).
const MIN_SAMPLE: f32 = 1.0e-15;

/// Replaces samples that are NaN, infinite or beyond [`MAX_SAMPLE`] by silence, not by the limit, for a full-scale click would
/// be the louder error; returns how many.
pub(crate) fn replace_what_is_not_audio(samples: &mut [f32]) -> u64 {
    let mut replaced = 0;
    replace_and_tell(samples, |_| replaced += 1);
    replaced
}

/// The same; `told` hears where each was.
pub(crate) fn replace_and_tell(samples: &mut [f32], mut told: impl FnMut(usize)) {
    // Nearly always all is well, and looking at all samples before deciding lets the compiler take many at once.
    if samples.iter().fold(true, |ok, x| ok & is_audio(*x)) {
        return;
    }
    for (i, x) in samples.iter_mut().enumerate() {
        if !is_audio(*x) {
            *x = 0.0;
            told(i);
        }
    }
}

/// False for NaN as well.
fn is_audio(x: f32) -> bool {
    x.abs() <= MAX_SAMPLE
}

/// Copies samples, those that cannot be heard as exact zeros.
pub(crate) fn copy_flushed(from: &[f32], to: &mut [f32]) {
    for (to, &x) in to.iter_mut().zip(from) {
        *to = flushed(x);
    }
}

/// The sample, or zero where it is too small to be heard.
pub(crate) fn flushed(x: f32) -> f32 {
    if x.abs() < MIN_SAMPLE { 0.0 } else { x }
}

/// Whether an engine's frame can be played.
pub(crate) fn is_playable(frame: &[f32]) -> bool {
    // All are looked at, so that the compiler can take many at once.
    frame.iter().fold(true, |ok, x| ok & (x.abs() <= MAX_BIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_audio_passes() {
        let mut samples = [
            0.5,
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            1.0e30,
            -9.0e3,
            1.0e-40,
        ];
        assert_eq!(replace_what_is_not_audio(&mut samples), 4);
        assert_eq!(samples, [0.5, 0.0, 0.0, 0.0, 0.0, -9.0e3, 1.0e-40]);
        let mut flushed = [1.0; 7];
        copy_flushed(&samples, &mut flushed);
        assert_eq!(flushed, [0.5, 0.0, 0.0, 0.0, 0.0, -9.0e3, 0.0]);
    }
}
