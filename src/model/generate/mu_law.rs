//! The μ-law in 8 bit: G.711's continuous form, `sgn(x)·ln(1 + 255·|x|) / ln 256`, in 256 even steps.

/// Number of tokens.
pub const LEVELS: usize = 256;

const MU: f32 = 255.0;

/// The token of a sample; beyond -1 and 1 the outermost ones, and that of silence for what is no number.
pub fn encode(x: f32) -> u8 {
    if x.is_nan() {
        return SILENCE;
    }
    let bent = (MU * x.abs().min(1.0)).ln_1p() / MU.ln_1p();
    let y = if x < 0.0 { -bent } else { bent };
    ((y + 1.0) * (LEVELS / 2) as f32).clamp(0.0, (LEVELS - 1) as f32) as u8
}

/// The sample in the middle of a token's interval, within -1 and 1.
pub fn decode(token: u8) -> f32 {
    let y = (f32::from(token) + 0.5) * (2.0 / LEVELS as f32) - 1.0;
    (y.abs() * MU.ln_1p()).exp_m1() / MU * y.signum()
}

/// The token of zero.
pub const SILENCE: u8 = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_is_that_of_its_own_sample() {
        for token in 0..=255 {
            assert_eq!(encode(decode(token)), token);
        }
        assert_eq!(encode(0.0), SILENCE);
        assert_eq!((encode(9.0), encode(-9.0)), (255, 0));
        assert_eq!(encode(f32::NAN), SILENCE);
        assert_eq!((encode(f32::INFINITY), encode(f32::NEG_INFINITY)), (255, 0));
    }
}
