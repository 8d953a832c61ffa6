//! Accuracy against length as a picture: one line a variant, its name at the line's end, lengths on a logarithmic axis.

use std::path::Path;

use super::papers::Row;
use super::streams::Kind;
use crate::drawing::{self, Align, BACKGROUND, Canvas, FAINT, INK};
use crate::failure::Result;

const WIDTH: usize = 1200;
const HEIGHT: usize = 700;
const LEFT: f32 = 90.0;
const RIGHT: f32 = 1030.0;
const TOP: f32 = 60.0;
const BOTTOM: f32 = 620.0;
const TEXT: f32 = 14.0;
const TITLE: f32 = 19.0;

/// Rules across the picture.
const RULE: [u8; 3] = [44, 46, 54];

/// Colours of equal lightness that differ in hue, and are told apart by the names beside them as well.
const COLOURS: [[u8; 3]; 5] = [
    [240, 130, 110],
    [214, 164, 72],
    [110, 190, 120],
    [96, 178, 236],
    [196, 146, 236],
];

/// Write the picture, whole or not at all.
pub fn write(path: &Path, kind: Kind, lengths: &[usize], rows: &[Row], force: bool) -> Result<()> {
    drawing::write(path, &draw(kind, lengths, rows), force)
}

fn draw(kind: Kind, lengths: &[usize], rows: &[Row]) -> Canvas {
    let mut canvas = Canvas::new(WIDTH, HEIGHT, BACKGROUND);
    canvas.text(LEFT, TOP - 22.0, TITLE, INK, Align::Left, kind.name());
    for per_cent in (0..=100).step_by(20) {
        let y = y_of(f64::from(per_cent) / 100.0);
        canvas.line((LEFT, y), (RIGHT, y), 1.2, RULE);
        let label = format!("{per_cent} %");
        canvas.text(
            LEFT - 12.0,
            y + 0.5 * TEXT,
            TEXT,
            FAINT,
            Align::Right,
            &label,
        );
    }
    for length in lengths {
        let x = x_of(*length, lengths);
        canvas.line((x, BOTTOM + 4.0), (x, BOTTOM + 10.0), 1.2, FAINT);
        let y = BOTTOM + 16.0 + TEXT;
        canvas.text(x, y, TEXT, FAINT, Align::Centre, &length.to_string());
    }
    let y = BOTTOM + 44.0 + TEXT;
    canvas.text(0.5 * (LEFT + RIGHT), y, TEXT, FAINT, Align::Centre, "steps");
    for (row, colour) in rows.iter().zip(COLOURS.into_iter().cycle()) {
        let points: Vec<_> = lengths
            .iter()
            .zip(&row.accuracy)
            .map(|(length, a)| (x_of(*length, lengths), y_of(*a)))
            .collect();
        for pair in points.windows(2) {
            canvas.line(pair[0], pair[1], 3.0, colour);
        }
        for point in points {
            canvas.line(point, point, 9.0, colour);
        }
    }
    for ((row, colour), y) in rows
        .iter()
        .zip(COLOURS.into_iter().cycle())
        .zip(label_heights(rows))
    {
        let y = y + 0.5 * TEXT;
        canvas.text(RIGHT + 18.0, y, TEXT, colour, Align::Left, &row.variant);
    }
    canvas
}

fn x_of(length: usize, lengths: &[usize]) -> f32 {
    let log = |length: usize| (length as f32).log2();
    let (least, most) = lengths
        .iter()
        .map(|l| log(*l))
        .fold((f32::MAX, f32::MIN), |(a, b), x| (a.min(x), b.max(x)));
    let share = (log(length) - least) / (most - least).max(1.0);
    LEFT + 20.0 + (RIGHT - LEFT - 40.0) * share
}

fn y_of(accuracy: f64) -> f32 {
    BOTTOM - (BOTTOM - TOP) * accuracy as f32
}

/// Where the names stand: at the lines' ends, moved apart where they would cover each other.
fn label_heights(rows: &[Row]) -> Vec<f32> {
    let apart = 1.6 * TEXT;
    let end = |row: &Row| y_of(row.accuracy.last().copied().unwrap_or(0.0));
    let mut order: Vec<_> = (0..rows.len()).collect();
    order.sort_by(|a, b| end(&rows[*a]).total_cmp(&end(&rows[*b])));
    let mut heights = vec![0.0; rows.len()];
    let mut lowest = f32::MIN;
    for &row in &order {
        heights[row] = end(&rows[row]).max(lowest + apart);
        lowest = heights[row];
    }
    // Those that were pushed below the axis push the ones above them back.
    let mut limit = BOTTOM;
    for &row in order.iter().rev() {
        heights[row] = limit.min(heights[row]);
        limit = heights[row] - apart;
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_cover_each_other() {
        let row = |last: f64| Row {
            variant: String::new(),
            accuracy: vec![0.5, last],
        };
        for ends in [[1.0, 0.99, 1.0, 0.2, 0.19], [0.0, 0.01, 0.0, 0.02, 0.0]] {
            let mut heights = label_heights(&ends.map(row));
            heights.sort_by(f32::total_cmp);
            assert!(
                heights.windows(2).all(|w| w[1] - w[0] >= TEXT),
                "{heights:?}"
            );
            assert!(heights[4] <= BOTTOM);
        }
    }
}
