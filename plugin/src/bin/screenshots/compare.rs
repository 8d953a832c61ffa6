//! Whether a picture drawn anew is the one that is kept, but for what other processors and drivers do to edges.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

/// A difference in any channel from which on a pixel counts as off, of 255.
const OFF: u8 = 32;

/// Side of the tiles that are looked at one by one, points: what has gone wrong may be small.
const TILE: usize = 32;

/// Most of the mean difference of a whole picture, of 255.
const MOST_MEAN: f64 = 0.5;

/// Most of the share of pixels that are off, in a whole picture and in a tile.
const MOST_OFF: (f64, f64) = (0.002, 0.03);

/// A picture: rows of red, green, blue, alpha.
pub struct Pixels {
    /// Pixels a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Four bytes a pixel.
    pub rgba: Vec<u8>,
}

/// How two pictures differ.
#[derive(Debug, PartialEq)]
pub enum Difference {
    /// One is larger than the other.
    Size {
        /// Width and height of what is kept.
        kept: (usize, usize),
        /// Width and height of what was drawn.
        drawn: (usize, usize),
    },
    /// They look different.
    Look {
        /// Mean difference of all channels, of 255.
        mean: f64,
        /// Share of pixels that are off.
        off: f64,
        /// Share of those in the tile that has most of them.
        worst: f64,
        /// Upper left corner of that tile, pixels.
        at: (usize, usize),
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { kept, drawn } => write!(
                f,
                "it is {} by {} pixels, and was {} by {}",
                drawn.0, drawn.1, kept.0, kept.1
            ),
            Self::Look {
                mean,
                off,
                worst,
                at,
            } => write!(
                f,
                "mean difference {mean:.3} of 255, {:.3} % of the pixels are off; most of them at {}, {}: {:.1} %",
                100.0 * off,
                at.0,
                at.1,
                100.0 * worst
            ),
        }
    }
}

impl Difference {
    /// Whether it is more than processors and drivers make.
    pub fn is_too_much(&self) -> bool {
        match *self {
            Self::Size { .. } => true,
            Self::Look {
                mean, off, worst, ..
            } => mean > MOST_MEAN || off > MOST_OFF.0 || worst > MOST_OFF.1,
        }
    }
}

impl Pixels {
    /// Reads a PNG of eight bits with alpha, as [`Pixels::write`] makes them.
    ///
    /// # Errors
    /// When it cannot be read, or is of another kind.
    pub fn read(path: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let mut reader = png::Decoder::new(BufReader::new(File::open(path)?)).read_info()?;
        let size = reader.output_buffer_size().ok_or("it is too large")?;
        let mut rgba = vec![0; size];
        let info = reader.next_frame(&mut rgba)?;
        if (info.color_type, info.bit_depth) != (png::ColorType::Rgba, png::BitDepth::Eight) {
            return Err("it has no eight bits with alpha".into());
        }
        Ok(Self {
            width: info.width as usize,
            height: info.height as usize,
            rgba,
        })
    }

    /// Writes a PNG.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let file = BufWriter::new(File::create(path)?);
        let mut encoder = png::Encoder::new(file, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_compression(png::Compression::High);
        encoder.write_header()?.write_image_data(&self.rgba)?;
        Ok(())
    }

    /// How `drawn` differs from this one, both at `scale` pixels a point.
    pub fn difference(&self, drawn: &Self, scale: f32) -> Difference {
        let size = |picture: &Self| (picture.width, picture.height);
        if size(self) != size(drawn) {
            return Difference::Size {
                kept: size(self),
                drawn: size(drawn),
            };
        }
        let tile = (TILE as f32 * scale) as usize;
        let columns = self.width.div_ceil(tile);
        let mut off = vec![0_usize; columns * self.height.div_ceil(tile)];
        let mut sum = 0_u64;
        let pairs = self.rgba.chunks_exact(4).zip(drawn.rgba.chunks_exact(4));
        for (n, (a, b)) in pairs.enumerate() {
            let apart = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b));
            sum += apart.clone().map(u64::from).sum::<u64>();
            if apart.max().is_some_and(|most| most >= OFF) {
                let (x, y) = (n % self.width, n / self.width);
                off[y / tile * columns + x / tile] += 1;
            }
        }
        let worst = (0..off.len()).max_by_key(|&k| off[k]).unwrap_or(0);
        let pixels = (self.width * self.height) as f64;
        Difference::Look {
            mean: sum as f64 / (4.0 * pixels),
            off: off.iter().sum::<usize>() as f64 / pixels,
            worst: off[worst] as f64 / (tile * tile) as f64,
            at: (worst % columns * tile, worst / columns * tile),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey() -> Pixels {
        Pixels {
            width: 320,
            height: 200,
            rgba: vec![100; 320 * 200 * 4],
        }
    }

    fn with_square(side: usize, value: u8) -> Pixels {
        let mut picture = grey();
        for (x, y) in (0..side).flat_map(|x| (0..side).map(move |y| (x, y))) {
            let pixel = 4 * ((y + 70) * picture.width + x + 130);
            picture.rgba[pixel..pixel + 3].fill(value);
        }
        picture
    }

    #[test]
    fn what_is_alike_passes() {
        assert!(!grey().difference(&grey(), 1.0).is_too_much());
        // Edges that are smoothed in another way, and a pixel that is off.
        assert!(!grey().difference(&with_square(30, 110), 1.0).is_too_much());
        assert!(!grey().difference(&with_square(1, 255), 1.0).is_too_much());
    }

    #[test]
    fn a_small_thing_that_is_off_is_found_and_told_where() {
        let difference = grey().difference(&with_square(6, 255), 1.0);
        assert!(difference.is_too_much(), "{difference}");
        assert!(
            matches!(difference, Difference::Look { at: (128, 64), .. }),
            "{difference}"
        );
    }

    #[test]
    fn all_of_it_a_little_darker_is_too_much() {
        let mut darker = grey();
        darker.rgba.iter_mut().for_each(|value| *value -= 2);
        assert!(grey().difference(&darker, 1.0).is_too_much());
    }

    #[test]
    fn another_size_is_told() {
        let mut lower = grey();
        lower.height = 100;
        lower.rgba.truncate(320 * 100 * 4);
        assert!(grey().difference(&lower, 1.0).is_too_much());
    }
}
