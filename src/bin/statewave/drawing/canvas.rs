//! An RGB picture in memory, with smooth lines and text.

use super::glyphs::{CAP_HEIGHT, Point, glyph};

/// Where a text lies about its position.
#[derive(Clone, Copy)]
pub enum Align {
    /// It starts there.
    Left,
    /// Its middle is there.
    Centre,
    /// It ends there.
    Right,
}

/// Rows of RGB pixels from the top left.
pub struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    /// A picture of one colour.
    pub fn new(width: usize, height: usize, colour: [u8; 3]) -> Self {
        Self {
            width,
            height,
            pixels: colour.repeat(width * height),
        }
    }

    /// Pixels of a row, and rows.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Three bytes a pixel, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Paint one pixel.
    pub fn set(&mut self, x: usize, y: usize, colour: [u8; 3]) {
        let at = 3 * (y * self.width + x);
        self.pixels[at..at + 3].copy_from_slice(&colour);
    }

    /// A stroke with round ends, `width` pixels wide.
    pub fn line(&mut self, from: Point, to: Point, width: f32, colour: [u8; 3]) {
        self.stroke(&[vec![from, to]], width, colour);
    }

    /// A text whose baseline is at `y` and whose capitals are `size` pixels high.
    pub fn text(&mut self, x: f32, y: f32, size: f32, colour: [u8; 3], align: Align, text: &str) {
        let scale = size / CAP_HEIGHT;
        let gap = 2.0;
        let glyphs: Vec<_> = text.chars().map(glyph).collect();
        let total = glyphs.iter().map(|g| g.advance + gap).sum::<f32>() - gap;
        let mut at = x - scale
            * total
            * match align {
                Align::Left => 0.0,
                Align::Centre => 0.5,
                Align::Right => 1.0,
            };
        for g in &glyphs {
            let place = |&(u, v): &Point| (at + scale * u, y - scale * v);
            let strokes: Vec<Vec<Point>> = g
                .strokes
                .iter()
                .map(|s| s.iter().map(place).collect())
                .collect();
            self.stroke(&strokes, (size / 9.0).max(1.3), colour);
            at += scale * (g.advance + gap);
        }
    }

    /// Paint lines through points. Each pixel is covered once, by its distance to the nearest of them.
    fn stroke(&mut self, lines: &[Vec<Point>], width: f32, colour: [u8; 3]) {
        let points = || lines.iter().flatten();
        let reach = 0.5 * width + 1.0;
        let bound = |least: f32, size: usize| (least.max(0.0) as usize).min(size);
        let (left, right) =
            points().fold((f32::MAX, f32::MIN), |(a, b), p| (a.min(p.0), b.max(p.0)));
        let (top, bottom) =
            points().fold((f32::MAX, f32::MIN), |(a, b), p| (a.min(p.1), b.max(p.1)));
        for y in bound(top - reach, self.height)..bound(bottom + reach + 1.0, self.height) {
            for x in bound(left - reach, self.width)..bound(right + reach + 1.0, self.width) {
                let pixel = (x as f32 + 0.5, y as f32 + 0.5);
                let nearest = lines
                    .iter()
                    .flat_map(|line| line.windows(2))
                    .map(|w| distance(pixel, w[0], w[1]))
                    .fold(f32::MAX, f32::min);
                self.blend(x, y, colour, (0.5 + 0.5 * width - nearest).clamp(0.0, 1.0));
            }
        }
    }

    fn blend(&mut self, x: usize, y: usize, colour: [u8; 3], share: f32) {
        let at = 3 * (y * self.width + x);
        for (old, new) in self.pixels[at..at + 3].iter_mut().zip(colour) {
            *old = (f32::from(*old) + share * (f32::from(new) - f32::from(*old))).round() as u8;
        }
    }
}

/// Distance of a point to the line from `a` to `b`.
fn distance(p: Point, a: Point, b: Point) -> f32 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx * dx + dy * dy;
    let t = if length > 0.0 {
        (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (p.0 - a.0 - t * dx).hypot(p.1 - a.1 - t * dy)
}
