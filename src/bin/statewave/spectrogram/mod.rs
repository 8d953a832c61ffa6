//! A picture of a recording before and after: two panels over one time axis, level in dB as colour.

mod levels;
mod palette;

use crate::drawing::{Align, BACKGROUND, Canvas, FAINT, INK};
pub use levels::{Analysis, Levels};
use levels::{frequency_at, height_of};

const WIDTH: usize = 1600;
const HEIGHT: usize = 1100;
const PANEL_WIDTH: usize = 1380;
const PANEL_HEIGHT: usize = 460;
const PANEL_LEFT: usize = 90;
const PANEL_TOPS: [usize; 2] = [54, 592];
const BAR_LEFT: usize = PANEL_LEFT + PANEL_WIDTH + 28;
const BAR_WIDTH: usize = 16;

/// Levels shown below the loudest point of the input.
const RANGE_DB: f32 = 80.0;

/// Size of the figures' capital letters, in pixels.
const TEXT: f32 = 14.0;
const TITLE: f32 = 19.0;

/// Begins to analyse a recording of `samples` a channel that passes, for one of the two panels.
pub fn analysis((rate, channels): (u32, usize), samples: usize) -> Analysis {
    Analysis::new((rate, channels), samples, (PANEL_WIDTH, PANEL_HEIGHT))
}

/// The picture of a recording of `samples` a channel at `rate` Hz, before and after.
pub fn draw(levels: &[Levels; 2], rate: u32, samples: usize) -> Canvas {
    let mut canvas = Canvas::new(WIDTH, HEIGHT, BACKGROUND);
    let top_db = levels[0].loudest_db();
    let seconds = samples as f64 / f64::from(rate);
    for ((levels, title), top) in levels.iter().zip(["before", "after"]).zip(PANEL_TOPS) {
        draw_panel(&mut canvas, levels, top, top_db);
        canvas.text(
            PANEL_LEFT as f32,
            top as f32 - 14.0,
            TITLE,
            INK,
            Align::Left,
            title,
        );
        frequency_axis(&mut canvas, top, rate);
        time_axis(&mut canvas, top, seconds);
        colour_bar(&mut canvas, top, top_db);
    }
    canvas
}

fn draw_panel(canvas: &mut Canvas, levels: &Levels, top: usize, top_db: f32) {
    for y in 0..PANEL_HEIGHT {
        for x in 0..PANEL_WIDTH {
            let share = 1.0 + (levels.db(x, y) - top_db) / RANGE_DB;
            canvas.set(PANEL_LEFT + x, top + y, palette::colour(share));
        }
    }
}

fn frequency_axis(canvas: &mut Canvas, top: usize, rate: u32) {
    let highest = frequency_at(1.0, rate);
    let right = PANEL_LEFT as f32 - 8.0;
    for khz in [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0] {
        if 1000.0 * khz > highest {
            break;
        }
        let y = top as f32 + PANEL_HEIGHT as f32 * (1.0 - height_of(1000.0 * khz, rate));
        canvas.line((right, y), (right + 6.0, y), 1.2, FAINT);
        canvas.text(
            right - 6.0,
            y + TEXT * 0.5,
            TEXT,
            FAINT,
            Align::Right,
            &format!("{khz}"),
        );
    }
    canvas.text(
        right - 6.0,
        top as f32 - 14.0,
        TEXT,
        FAINT,
        Align::Right,
        "kHz",
    );
}

fn time_axis(canvas: &mut Canvas, top: usize, seconds: f64) {
    let bottom = (top + PANEL_HEIGHT) as f32;
    let step = nice_step(seconds);
    let mut k = 0;
    while f64::from(k) * step <= seconds && seconds > 0.0 {
        let t = f64::from(k) * step;
        let x = PANEL_LEFT as f32 + (PANEL_WIDTH as f64 * t / seconds) as f32;
        canvas.line((x, bottom + 3.0), (x, bottom + 9.0), 1.2, FAINT);
        canvas.text(
            x,
            bottom + 14.0 + TEXT,
            TEXT,
            FAINT,
            Align::Centre,
            &time_label(t, step),
        );
        k += 1;
    }
}

/// A step of the 1-2-5 series, or of the clock's, that puts about ten marks on the axis.
fn nice_step(seconds: f64) -> f64 {
    const STEPS: [f64; 19] = [
        0.0001, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0,
        300.0, 600.0, 1800.0, 3600.0,
    ];
    STEPS
        .into_iter()
        .find(|step| seconds / step <= 12.0)
        .unwrap_or(7200.0)
}

fn time_label(t: f64, step: f64) -> String {
    if step >= 30.0 {
        let whole = t as u64;
        return format!("{}:{:02}", whole / 60, whole % 60);
    }
    let decimals = (-step.log10()).ceil().max(0.0) as usize;
    format!("{t:.decimals$} s")
}

fn colour_bar(canvas: &mut Canvas, top: usize, top_db: f32) {
    for y in 0..PANEL_HEIGHT {
        let colour = palette::colour(1.0 - y as f32 / PANEL_HEIGHT as f32);
        (0..BAR_WIDTH).for_each(|x| canvas.set(BAR_LEFT + x, top + y, colour));
    }
    let right = (BAR_LEFT + BAR_WIDTH) as f32;
    let mut db = (top_db / 20.0).floor() * 20.0;
    while db >= top_db - RANGE_DB {
        let y = top as f32 + PANEL_HEIGHT as f32 * (top_db - db) / RANGE_DB;
        canvas.line((right + 3.0, y), (right + 8.0, y), 1.2, FAINT);
        canvas.text(
            right + 14.0,
            y + TEXT * 0.5,
            TEXT,
            FAINT,
            Align::Left,
            &format!("{db:.0}"),
        );
        db -= 20.0;
    }
    canvas.text(
        BAR_LEFT as f32,
        top as f32 - 14.0,
        TEXT,
        FAINT,
        Align::Left,
        "dB",
    );
}
