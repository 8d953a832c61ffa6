//! What the panel costs while sound flows: a frame of it, without the graphics that draw it.
//!
//!     cargo bench -p statewave-plugin --bench panel
//!
//! A frame is everything the panel does on the processor 60 times a second: telemetry in, layout, and the triangles that
//! a graphics card is given. What it hears was made by the engine, 150 snapshots a second. The time is the median frame's.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use common::headless::Headless;
use egui::{Vec2, vec2};
use statewave::chain::ChainConfig;
use statewave::model::streams::StreamModel;
use statewave::telemetry::{self, Snapshot};
use statewave_plugin::loader::Loader;
use statewave_plugin::panel::layout::USUAL;
use statewave_plugin::panel::theme::Shade;
use statewave_plugin::panel::{PanelSettings, Picture};
use statewave_plugin::processor::{Processor, Settings};

const RATE: u32 = 48_000;
const BLOCK: usize = 320;
/// Frames drawn and not counted: glyphs and shades are made.
const FIRST: usize = 60;
const FRAMES: usize = 1_200;
const FRAMES_A_SECOND: usize = 60;

/// What the engine tells of four seconds of noise that swells and fades like syllables.
fn heard() -> Vec<Snapshot> {
    let model = Loader::new().model().expect("a model is compiled in");
    let StreamModel::Denoise(model) = model else {
        unreachable!("the usual model is a denoiser")
    };
    let config = ChainConfig {
        sample_rate: RATE,
        channels: 1,
        max_block: BLOCK,
    };
    let settings = Settings::default();
    let (mut processor, _ends) =
        Processor::new(&model, config, settings.mode).expect("it can be made");
    let (writer, mut reader) = telemetry::pair();
    reader.watch(true);
    processor.set_telemetry(Some(writer));
    let mut seed = 1_u32;
    let mut snapshots = Vec::new();
    for block in 0..4 * RATE as usize / BLOCK {
        let mut audio = [0.0; BLOCK];
        for (n, sample) in audio.iter_mut().enumerate() {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (seed >> 8) as f32 / (1 << 23) as f32 - 1.0;
            let time = (block * BLOCK + n) as f32 / RATE as f32;
            *sample = noise * (0.11 + 0.1 * (std::f32::consts::TAU * 4.0 * time).sin());
        }
        processor.process(&mut [&mut audio], &settings);
        snapshots.extend(std::iter::from_fn(|| reader.read()));
    }
    snapshots
}

/// Milliseconds of the median frame.
fn cost(size: Vec2, scale: f32, picture: Picture, heard: &[Snapshot]) -> f64 {
    let settings = PanelSettings {
        shade: Shade::Dark,
        picture,
    };
    let mut window = Headless::new(size, settings);
    // As it is while no screen reader asks.
    window.ctx.disable_accesskit();
    window.ctx.set_pixels_per_point(scale);
    let mut snapshots = heard.iter().cycle();
    let due = |frame: usize| frame * (RATE as usize / BLOCK) / FRAMES_A_SECOND;
    let mut times = Vec::with_capacity(FRAMES);
    for frame in 0..FIRST + FRAMES {
        let new = due(frame + 1) - due(frame);
        window.host.snapshots.extend(snapshots.by_ref().take(new));
        let began = Instant::now();
        window.frame(vec![]);
        let output = window.last.take().expect("a frame was drawn");
        let drawn = window
            .ctx
            .tessellate(output.shapes, output.pixels_per_point);
        let time = began.elapsed();
        assert!(!drawn.is_empty());
        if frame >= FIRST {
            times.push(time.as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    times[FRAMES / 2]
}

fn main() {
    let heard = heard();
    println!(
        "| panel, points | scale | picture | ms a frame | % of a core at 60 a second |\n|---|---|---|---|---|"
    );
    for (size, scale) in [(USUAL, 1.0), (USUAL, 2.0), (vec2(1440.0, 900.0), 2.0)] {
        for picture in [Picture::Spectrum, Picture::Spectrogram] {
            let ms = cost(size, scale, picture, &heard);
            println!(
                "| {} × {} | {scale} | {picture:?} | {ms:.3} | {:.1} |",
                size.x,
                size.y,
                ms * FRAMES_A_SECOND as f64 / 10.0
            );
        }
    }
}
