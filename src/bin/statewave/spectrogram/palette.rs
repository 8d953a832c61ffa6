//! A colour scale with even steps for the eye: lightness rises in a straight line in OKLCh while the hue turns from
//! blue over magenta and orange to pale yellow.

/// Lightness of the lowest and of the highest level.
const LIGHTNESS: [f32; 2] = [0.13, 0.975];

/// Hue of the lowest and of the highest level, degrees, on the way through red.
const HUE: [f32; 2] = [275.0, 465.0];

/// The most chroma, half way up.
const CHROMA: f32 = 0.19;

/// The colour of a level between 0 and 1; beyond, that of the nearer end.
pub fn colour(level: f32) -> [u8; 3] {
    let t = level.clamp(0.0, 1.0);
    let lightness = LIGHTNESS[0] + t * (LIGHTNESS[1] - LIGHTNESS[0]);
    let hue = (HUE[0] + t * (HUE[1] - HUE[0])).to_radians();
    let mut chroma = CHROMA * (std::f32::consts::PI * (0.08 + 0.84 * t)).sin();
    // Some of these colours are beyond what a screen can show; less chroma keeps lightness and hue.
    loop {
        let rgb = linear_rgb(lightness, chroma * hue.cos(), chroma * hue.sin());
        if chroma < 0.005 || rgb.iter().all(|c| (0.0..=1.0).contains(c)) {
            return rgb.map(encode);
        }
        chroma *= 0.97;
    }
}

/// OKLab to linear sRGB, with the constants of its definition.
fn linear_rgb(l: f32, a: f32, b: f32) -> [f32; 3] {
    let long = (l + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let medium = (l - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let short = (l - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * long - 3.307_711_6 * medium + 0.230_969_94 * short,
        -1.268_438 * long + 2.609_757_4 * medium - 0.341_319_38 * short,
        -0.004_196_086_3 * long - 0.703_418_6 * medium + 1.707_614_7 * short,
    ]
}

/// Linear light to an sRGB byte.
fn encode(c: f32) -> u8 {
    let c = c.clamp(0.0, 1.0);
    let coded = if c <= 0.003_130_8 {
        12.92 * c
    } else {
        1.055 * c.powf(1.0 / 2.4) - 0.055
    };
    (255.0 * coded).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brighter_means_louder_everywhere() {
        let luma = |c: [u8; 3]| {
            0.2126 * f32::from(c[0]) + 0.7152 * f32::from(c[1]) + 0.0722 * f32::from(c[2])
        };
        let steps: Vec<_> = (0..=32).map(|k| luma(colour(k as f32 / 32.0))).collect();
        assert!(steps.windows(2).all(|w| w[1] > w[0]), "{steps:?}");
    }
}
