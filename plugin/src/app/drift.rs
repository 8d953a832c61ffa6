//! Holds the sound between two clocks at a steady length: reads faster where it grows, slower where it shrinks.
//!
//! A proportional and integral controller on the smoothed length. Settled, its integral is the difference of the clocks.

/// Natural frequency of the loop, radians a second: settles within a minute, and hears nothing of single blocks.
const SPEED: f64 = 0.1;

/// Time constant of the length, seconds.
const SMOOTH_SECONDS: f64 = 0.5;

/// The most that reading is bent, as a share: 5 per mille, a twelfth of a semitone.
pub const MOST_BEND: f64 = 0.005;

/// See the module. Lengths are in seconds of the input's rate.
#[derive(Debug, Clone)]
pub struct DriftControl {
    target: f64,
    smoothed: Option<f64>,
    integral: f64,
}

impl DriftControl {
    /// Aims at a length.
    pub fn new(target_seconds: f64) -> Self {
        Self {
            target: target_seconds,
            smoothed: None,
            integral: 0.0,
        }
    }

    /// Aims at another length.
    pub fn set_target(&mut self, target_seconds: f64) {
        self.target = target_seconds;
    }

    /// After a gap: the length is what it is now, the difference of the clocks still known.
    pub fn restart(&mut self) {
        self.smoothed = None;
    }

    /// The length without its ripple, seconds, where it was told since the last gap.
    pub fn length(&self) -> Option<f64> {
        self.smoothed
    }

    /// By how much faster to read, as a share, when the length is `length_seconds` and was last told `passed` seconds
    /// ago. Real-time safe.
    pub fn update(&mut self, length_seconds: f64, passed: f64) -> f64 {
        let smoothed = self.smoothed.get_or_insert(length_seconds);
        *smoothed += (length_seconds - *smoothed) * (1.0 - (-passed / SMOOTH_SECONDS).exp());
        let error = *smoothed - self.target;
        let wanted = 2.0 * SPEED * error + self.integral;
        // Not while at the stop, where it would wind up.
        if wanted.abs() < MOST_BEND {
            self.integral += SPEED * SPEED * error * passed;
        }
        wanted.clamp(-MOST_BEND, MOST_BEND)
    }

    /// By how much the input's clock is faster than the output's, parts per million.
    pub fn drift_ppm(&self) -> f64 {
        self.integral * 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An input of blocks of 480 and an output of blocks of 256 at 48 kHz, the input's clock off by `ppm`.
    fn run(ppm: f64, seconds: f64) -> (DriftControl, f64, f64) {
        let target = 0.025;
        let mut control = DriftControl::new(target);
        let (mut length, mut next_input, mut bend) = (target, 0.0, 0.0);
        let (output_block, input_block) = (256.0 / 48_000.0, 480.0 / 48_000.0);
        let (mut least, mut most) = (f64::MAX, f64::MIN);
        let mut now = 0.0;
        while now < seconds {
            while next_input <= now {
                length += input_block;
                next_input += input_block / (1.0 + ppm * 1e-6);
            }
            length -= output_block * (1.0 + bend);
            bend = control.update(length, output_block);
            if now > seconds / 2.0 {
                (least, most) = (least.min(length), most.max(length));
            }
            now += output_block;
        }
        (control, least, most)
    }

    #[test]
    fn the_difference_of_the_clocks_is_found_and_the_length_stays() {
        for ppm in [-300.0, -20.0, 0.0, 80.0, 1_000.0] {
            let (control, least, most) = run(ppm, 240.0);
            // The beat of the two block lengths is slower than the loop and leaves a ripple.
            let off = control.drift_ppm() - ppm;
            assert!(
                off.abs() < 20.0,
                "{ppm} ppm: found {} ppm",
                control.drift_ppm()
            );
            assert!(
                least > 0.010 && most < 0.040,
                "{ppm} ppm: {least} to {most} s"
            );
        }
    }

    #[test]
    fn a_clock_that_is_far_off_does_not_wind_it_up() {
        let (control, ..) = run(20_000.0, 60.0);
        assert!(control.drift_ppm().abs() <= 1e6 * MOST_BEND);
    }
}
