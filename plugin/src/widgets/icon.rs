//! Signs drawn with lines, so that they are sharp at every scale and need no font.

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};

/// A sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// The one before.
    Previous,
    /// The one behind.
    Next,
    /// Take back.
    Undo,
    /// Do again.
    Redo,
    /// On and off.
    Power,
    /// The dark shade.
    Moon,
    /// The light shade.
    Sun,
    /// Away with it.
    Close,
    /// There is a list.
    Down,
    /// Record.
    Record,
    /// Stop.
    Stop,
    /// Play.
    Play,
}

/// Draws `icon` around `center`, in a square of 14 points.
pub fn paint(painter: &Painter, icon: Icon, center: Pos2, color: Color32) {
    let stroke = Stroke::new(1.6, color);
    let at = |x: f32, y: f32| center + vec2(x, y);
    let line = |points: &[(f32, f32)]| {
        let points = points.iter().map(|&(x, y)| at(x, y)).collect();
        painter.add(Shape::line(points, stroke));
    };
    match icon {
        Icon::Previous => line(&[(2.0, -5.0), (-3.0, 0.0), (2.0, 5.0)]),
        Icon::Next => line(&[(-2.0, -5.0), (3.0, 0.0), (-2.0, 5.0)]),
        Icon::Down => line(&[(-4.0, -2.0), (0.0, 2.0), (4.0, -2.0)]),
        Icon::Close => {
            line(&[(-4.0, -4.0), (4.0, 4.0)]);
            line(&[(-4.0, 4.0), (4.0, -4.0)]);
        }
        Icon::Undo => turn(painter, center, -1.0, stroke),
        Icon::Redo => turn(painter, center, 1.0, stroke),
        Icon::Power => {
            painter.add(Shape::line(circle(center, 6.0, -0.9, 4.05), stroke));
            line(&[(0.0, -7.0), (0.0, -1.0)]);
        }
        Icon::Moon => {
            // A disc of radius 6 with a disc of radius 5 bitten out of its upper right; the angles are where they meet.
            let mut points = circle(center, 6.0, 0.154, 4.559);
            points.extend(circle(at(3.4, -3.4), 5.0, 3.672, 1.04));
            points.push(points[0]);
            painter.add(Shape::line(points, stroke));
        }
        Icon::Sun => {
            painter.circle_stroke(center, 3.2, stroke);
            for k in 0..8 {
                let toward = Vec2::angled(k as f32 * std::f32::consts::FRAC_PI_4);
                painter.line_segment([center + toward * 5.2, center + toward * 7.0], stroke);
            }
        }
        Icon::Record => {
            painter.circle_filled(center, 5.0, color);
        }
        Icon::Stop => {
            painter.rect_filled(Rect::from_center_size(center, Vec2::splat(9.0)), 1, color);
        }
        Icon::Play => {
            let points = vec![at(-3.5, -5.0), at(5.0, 0.0), at(-3.5, 5.0)];
            painter.add(Shape::convex_polygon(points, color, Stroke::NONE));
        }
    }
}

/// An arrow that turns back; `side` -1 to the left, 1 to the right.
fn turn(painter: &Painter, center: Pos2, side: f32, stroke: Stroke) {
    let at = |x: f32, y: f32| pos2(center.x + side * x, center.y + y);
    painter.add(Shape::line(
        vec![at(2.5, -6.0), at(6.0, -2.5), at(2.5, 1.0)],
        stroke,
    ));
    let mut points = vec![at(6.0, -2.5), at(-1.0, -2.5)];
    let bow = circle(
        Pos2::ZERO,
        3.75,
        -std::f32::consts::FRAC_PI_2,
        -3.0 * std::f32::consts::FRAC_PI_2,
    );
    points.extend(bow.iter().map(|p| at(-1.5 + p.x, 1.25 + p.y)));
    points.push(at(2.0, 5.0));
    painter.add(Shape::line(points, stroke));
}

/// Points of a part of a circle, from one angle to another, radians clockwise from three o'clock.
fn circle(center: Pos2, radius: f32, from: f32, to: f32) -> Vec<Pos2> {
    const CORNERS: usize = 24;
    (0..=CORNERS)
        .map(|k| center + radius * Vec2::angled(from + (to - from) * k as f32 / CORNERS as f32))
        .collect()
}
