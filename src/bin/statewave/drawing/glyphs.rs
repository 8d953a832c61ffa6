//! The few characters that the axes need, as strokes: no font file, sharp at any size.

/// A place in a glyph, x to the right and y up from the baseline, or in the picture.
pub type Point = (f32, f32);

/// Height of capitals and figures in the glyphs' own unit.
pub const CAP_HEIGHT: f32 = 10.0;

/// A character's strokes and how far the next character is.
pub struct Glyph {
    /// Lines through points.
    pub strokes: Vec<Vec<Point>>,
    /// Width in the glyphs' own unit.
    pub advance: f32,
}

/// The strokes of a character; a space for those that are not drawn.
pub fn glyph(c: char) -> Glyph {
    let bowl = || arc((2.7, 3.5), (2.7, 3.5), 0.0, 360.0);
    let (strokes, advance) = match c {
        '0' => (vec![arc((3.0, 5.0), (3.0, 5.0), 0.0, 360.0)], 6.0),
        '1' => (vec![vec![(1.2, 8.2), (3.6, 10.0), (3.6, 0.0)]], 6.0),
        '2' => {
            let mut line = arc((3.0, 7.1), (2.8, 2.9), 165.0, -38.0);
            line.extend([(0.2, 0.0), (6.0, 0.0)]);
            (vec![line], 6.0)
        }
        '3' => (
            vec![
                arc((2.8, 7.6), (2.6, 2.4), 155.0, -90.0),
                arc((2.8, 2.6), (3.0, 2.6), 90.0, -155.0),
            ],
            6.0,
        ),
        '4' => (
            vec![vec![(4.5, 0.0), (4.5, 10.0), (0.0, 3.0), (6.2, 3.0)]],
            6.0,
        ),
        '5' => {
            let mut line = vec![(5.5, 10.0), (1.0, 10.0), (0.6, 5.4)];
            line.extend(arc((2.8, 3.2), (3.0, 3.2), 130.0, -150.0));
            (vec![line], 6.0)
        }
        '6' => (
            vec![
                arc((3.0, 3.1), (3.0, 3.1), 0.0, 360.0),
                arc((5.6, 3.1), (5.6, 6.9), 180.0, 100.0),
            ],
            6.0,
        ),
        '7' => (vec![vec![(0.0, 10.0), (6.0, 10.0), (2.0, 0.0)]], 6.0),
        '8' => (
            vec![
                arc((3.0, 7.6), (2.5, 2.4), 0.0, 360.0),
                arc((3.0, 2.6), (3.0, 2.6), 0.0, 360.0),
            ],
            6.0,
        ),
        '9' => (
            vec![
                arc((3.0, 6.9), (3.0, 3.1), 0.0, 360.0),
                arc((0.4, 6.9), (5.6, 6.9), 0.0, -80.0),
            ],
            6.0,
        ),
        '.' => (vec![vec![(0.5, 0.2), (0.5, 0.2)]], 1.0),
        ':' => (
            vec![vec![(0.5, 0.4), (0.5, 0.4)], vec![(0.5, 6.0), (0.5, 6.0)]],
            1.0,
        ),
        '-' => (vec![vec![(0.0, 4.6), (4.4, 4.6)]], 4.4),
        'B' => {
            let mut line = vec![(0.0, 0.0), (0.0, 10.0), (3.0, 10.0)];
            line.extend(arc((3.0, 7.6), (2.4, 2.4), 90.0, -90.0));
            line.push((0.0, 5.2));
            let mut lower = vec![(3.0, 5.2)];
            lower.extend(arc((3.2, 2.6), (2.8, 2.6), 90.0, -90.0));
            lower.push((0.0, 0.0));
            (vec![line, lower], 6.0)
        }
        'H' => (
            vec![
                vec![(0.0, 0.0), (0.0, 10.0)],
                vec![(6.0, 0.0), (6.0, 10.0)],
                vec![(0.0, 5.2), (6.0, 5.2)],
            ],
            6.0,
        ),
        '%' => (
            vec![
                arc((1.6, 8.2), (1.6, 1.8), 0.0, 360.0),
                arc((6.4, 1.8), (1.6, 1.8), 0.0, 360.0),
                vec![(6.4, 10.0), (1.6, 0.0)],
            ],
            8.0,
        ),
        'a' => (vec![bowl(), vec![(5.4, 7.0), (5.4, 0.0)]], 5.4),
        'b' => (vec![bowl(), vec![(0.0, 10.5), (0.0, 0.0)]], 5.4),
        'c' => (vec![arc((2.7, 3.5), (2.7, 3.5), 50.0, 310.0)], 4.8),
        'd' => (vec![bowl(), vec![(5.4, 10.5), (5.4, 0.0)]], 5.4),
        'e' => {
            let mut line = vec![(0.1, 3.7)];
            line.extend(arc((2.7, 3.5), (2.7, 3.5), 3.0, 315.0));
            (vec![line], 5.4)
        }
        'f' => {
            let mut line = arc((3.5, 8.2), (2.0, 2.3), 80.0, 180.0);
            line.push((1.5, 0.0));
            (vec![line, vec![(0.0, 6.8), (3.6, 6.8)]], 3.4)
        }
        'g' => {
            let mut stem = vec![(5.4, 7.0)];
            stem.extend(arc((2.7, -0.2), (2.7, 2.6), 0.0, -150.0));
            (vec![bowl(), stem], 5.4)
        }
        'i' => (
            vec![vec![(0.5, 7.0), (0.5, 0.0)], vec![(0.5, 9.6), (0.5, 9.6)]],
            1.0,
        ),
        'k' => (
            vec![
                vec![(0.0, 0.0), (0.0, 10.5)],
                vec![(4.6, 7.0), (0.0, 2.6)],
                vec![(1.8, 4.3), (5.0, 0.0)],
            ],
            5.0,
        ),
        'm' => {
            let arch = |x: f32| {
                let mut line = arc((x + 2.0, 5.0), (2.0, 2.0), 180.0, 0.0);
                line.push((x + 4.0, 0.0));
                line
            };
            (
                vec![vec![(0.0, 7.0), (0.0, 0.0)], arch(0.0), arch(4.0)],
                8.0,
            )
        }
        'n' => {
            let mut arch = arc((2.4, 4.6), (2.4, 2.4), 180.0, 0.0);
            arch.push((4.8, 0.0));
            (vec![vec![(0.0, 7.0), (0.0, 0.0)], arch], 4.8)
        }
        'o' => (vec![bowl()], 5.4),
        'p' => (vec![bowl(), vec![(0.0, 7.0), (0.0, -2.8)]], 5.4),
        'r' => {
            let mut line = vec![(0.0, 7.0), (0.0, 0.0)];
            line.push((0.0, 3.6));
            line.extend(arc((2.8, 3.6), (2.8, 3.4), 180.0, 75.0));
            (vec![line], 3.2)
        }
        's' => {
            let mut line = arc((2.3, 5.3), (2.1, 1.7), 35.0, 270.0);
            line.extend(arc((2.3, 1.8), (2.3, 1.8), 90.0, -150.0));
            (vec![line], 4.6)
        }
        't' => {
            let mut line = vec![(1.5, 9.4)];
            line.extend(arc((3.4, 2.0), (1.9, 2.0), 180.0, 285.0));
            (vec![line, vec![(0.0, 6.8), (3.6, 6.8)]], 3.8)
        }
        'u' => {
            let mut cup = vec![(0.0, 7.0)];
            cup.extend(arc((2.4, 2.4), (2.4, 2.4), 180.0, 360.0));
            (vec![cup, vec![(4.8, 7.0), (4.8, 0.0)]], 4.8)
        }
        'y' => (
            vec![
                vec![(0.0, 7.0), (2.6, 0.0)],
                vec![(5.2, 7.0), (2.6, 0.0), (1.4, -2.8)],
            ],
            5.2,
        ),
        'z' => (
            vec![vec![(0.2, 7.0), (4.7, 7.0), (0.0, 0.0), (4.9, 0.0)]],
            4.9,
        ),
        _ => (Vec::new(), 2.5),
    };
    Glyph { strokes, advance }
}

/// Points of an ellipse's arc, from one angle to another, degrees against the clock from the right.
fn arc(centre: Point, radius: Point, from: f32, to: f32) -> Vec<Point> {
    const STEPS: usize = 24;
    (0..=STEPS)
        .map(|k| {
            let angle = (from + (to - from) * k as f32 / STEPS as f32).to_radians();
            (
                centre.0 + radius.0 * angle.cos(),
                centre.1 + radius.1 * angle.sin(),
            )
        })
        .collect()
}
