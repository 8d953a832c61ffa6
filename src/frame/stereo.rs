//! How the channels of a frame share the model, done on spectra, so that a change of mode is faded in by the overlap of
//! the frames and the dry path never notices.
//!
//! Flows in: the spectra of all channels before the engine, and what came back. Flows out: what the engine is given, and
//! what is played.

use crate::controls::Stereo;

/// Added to the energy a gain is divided by, so that silence divides by something: -200 dBFS and below.
const ENERGY_FLOOR: f32 = 1e-20;

/// Turns the channels of a frame, `[channels][frame_len]`, into what the engine is to hear. Real-time safe.
pub(crate) fn encode(stereo: Stereo, frames: &mut [f32], frame_len: usize) {
    if stereo == Stereo::MidSide
        && let Some((left, right)) = pair(frames, frame_len)
    {
        for (l, r) in left.iter_mut().zip(right) {
            // Halves are exact, so that equal channels leave nothing at the side.
            (*l, *r) = (0.5 * (*l + *r), 0.5 * (*l - *r));
        }
    }
}

/// The way back of [`encode`].
pub(crate) fn decode(stereo: Stereo, frames: &mut [f32], frame_len: usize) {
    if stereo == Stereo::MidSide
        && let Some((mid, side)) = pair(frames, frame_len)
    {
        for (m, s) in mid.iter_mut().zip(side) {
            (*m, *s) = (*m + *s, *m - *s);
        }
    }
}

/// Gives all channels one gain a bin. `given` is what the engine heard and `taken` what it made of it, which is
/// replaced.
///
/// With X the spectra given and Y those taken, the gain is H = Σ Y·X* / Σ |X|², over the channels: of all single gains
/// the one whose outputs H·X lie nearest to what each channel would have had alone. The louder channel has the greater
/// say, so that a voice on one side is not pulled down by the silence of the other, which the mean of the filters would
/// do, and a signal of opposite phase is heard, which a model that listens to the middle would miss. One gain for both
/// leaves the image where it is, and equal channels equal to the bit. |H·X| never exceeds the energy of Y.
pub(crate) fn link(given: &[f32], taken: &mut [f32], frame_len: usize) {
    for bin in (0..frame_len).step_by(2) {
        let (mut re, mut im, mut energy) = (0.0, 0.0, ENERGY_FLOOR);
        for (x, y) in given
            .chunks_exact(frame_len)
            .zip(taken.chunks_exact(frame_len))
        {
            let (x, y) = (&x[bin..bin + 2], &y[bin..bin + 2]);
            re += y[0] * x[0] + y[1] * x[1];
            im += y[1] * x[0] - y[0] * x[1];
            energy += x[0] * x[0] + x[1] * x[1];
        }
        let (re, im) = (re / energy, im / energy);
        for (x, y) in given
            .chunks_exact(frame_len)
            .zip(taken.chunks_exact_mut(frame_len))
        {
            let (x, y) = (&x[bin..bin + 2], &mut y[bin..bin + 2]);
            (y[0], y[1]) = (re * x[0] - im * x[1], re * x[1] + im * x[0]);
        }
    }
}

/// The two channels of a stereo frame; other counts have no middle and no side.
fn pair(frames: &mut [f32], frame_len: usize) -> Option<(&mut [f32], &mut [f32])> {
    (frames.len() == 2 * frame_len).then(|| frames.split_at_mut(frame_len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mid_and_side_come_back_as_left_and_right() {
        let frames = [0.5, -0.25, 1.0, 0.125];
        let mut coded = frames;
        encode(Stereo::MidSide, &mut coded, 2);
        assert_eq!(coded, [0.75, -0.0625, -0.25, -0.1875]);
        decode(Stereo::MidSide, &mut coded, 2);
        assert_eq!(coded, frames);
    }

    #[test]
    fn the_louder_channel_decides_and_the_image_stays() {
        // Left is loud and kept; right is faint and would have been taken away.
        let given = [1.0, 0.0, 0.0, 0.01];
        let mut taken = [1.0, 0.0, 0.0, 0.0];
        link(&given, &mut taken, 2);
        assert!((taken[0] - 1.0).abs() < 1e-3 && taken[1].abs() < 1e-6);
        assert!((taken[3] / taken[0] - 0.01).abs() < 1e-6);
    }

    #[test]
    fn silence_stays_silence() {
        let mut taken = [0.0; 4];
        link(&[0.0; 4], &mut taken, 2);
        assert_eq!(taken, [0.0; 4]);
    }
}
