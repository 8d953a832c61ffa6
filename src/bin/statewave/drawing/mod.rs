//! Pictures without a library of drawings: pixels, strokes, the few characters that axes need, PNG.

mod canvas;
mod glyphs;

use std::io::Write;
use std::path::Path;

pub use canvas::{Align, Canvas};

use crate::failure::{Failure, Result};
use crate::temporary::{Closed, Temporary};

/// What pictures are drawn on.
pub const BACKGROUND: [u8; 3] = [16, 17, 22];
/// Text.
pub const INK: [u8; 3] = [222, 224, 230];
/// Axes.
pub const FAINT: [u8; 3] = [140, 143, 152];

/// Write a picture as a PNG, whole or not at all.
pub fn write(path: &Path, canvas: &Canvas, force: bool) -> Result<()> {
    closed(path, canvas)?.keep(force)
}

/// The same under a temporary name, to be kept when all else has gone well.
pub fn closed(path: &Path, canvas: &Canvas) -> Result<Closed> {
    let (temporary, mut out) = Temporary::beside(path)?;
    encode(&mut out, canvas).map_err(|why| match why {
        png::EncodingError::IoError(e) => Failure::io("write", path, &e),
        why => Failure::new(
            format!("cannot write {}: {why}", path.display()),
            "check the path and the disk",
        ),
    })?;
    temporary.close(out)
}

fn encode(out: &mut impl Write, canvas: &Canvas) -> std::result::Result<(), png::EncodingError> {
    let (width, height) = canvas.size();
    let mut encoder = png::Encoder::new(out, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(canvas.pixels())?;
    writer.finish()
}
