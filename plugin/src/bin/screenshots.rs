//! `cargo xtask screenshots`: the panel in dark and light, at scale 1 and 2, as the real engine feeds it, to docs/img.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use egui::{UiBuilder, Vec2, vec2};
use egui_kittest::Harness;
use statewave::chain::ChainConfig;
use statewave::telemetry;
use statewave_plugin::app::player::SoundFile;
use statewave_plugin::app::values::Values;
use statewave_plugin::desk::Desk;
use statewave_plugin::fault::Fault;
use statewave_plugin::loader::Loader;
use statewave_plugin::panel::host::{PanelHost, Param};
use statewave_plugin::panel::layout::{LEAST, USUAL};
use statewave_plugin::panel::theme::Shade;
use statewave_plugin::panel::{Panel, PanelSettings, Picture};
use statewave_plugin::processor::Processor;

/// Seconds of the sample that have sounded when the picture is taken: within a word.
const SECONDS: f32 = 7.4;

/// Samples a block.
const BLOCK: usize = 512;

/// A picture to take.
struct Shot {
    name: &'static str,
    size: Vec2,
    scale: f32,
    settings: PanelSettings,
    amount: f32,
    fault: bool,
}

fn main() -> ExitCode {
    let folder = std::env::args()
        .nth(1)
        .map_or_else(|| PathBuf::from("docs/img"), PathBuf::from);
    match take_all(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {}\n help: {}", fault.what, fault.remedy);
            ExitCode::FAILURE
        }
    }
}

fn take_all(folder: &Path) -> Result<(), Fault> {
    let of = |shade, picture| PanelSettings { shade, picture };
    let shot = |name, shade, picture, scale| Shot {
        name,
        size: USUAL,
        scale,
        settings: of(shade, picture),
        amount: 1.0,
        fault: false,
    };
    let shots = [
        shot("panel-dark", Shade::Dark, Picture::Spectrum, 1.0),
        shot("panel-dark@2x", Shade::Dark, Picture::Spectrum, 2.0),
        shot("panel-light", Shade::Light, Picture::Spectrum, 1.0),
        shot("panel-light@2x", Shade::Light, Picture::Spectrum, 2.0),
        shot("spectrogram-dark", Shade::Dark, Picture::Spectrogram, 1.0),
        shot("spectrogram-light", Shade::Light, Picture::Spectrogram, 1.0),
        Shot {
            size: LEAST,
            amount: 0.4,
            fault: true,
            ..shot("panel-small", Shade::Dark, Picture::Spectrum, 1.0)
        },
        Shot {
            size: vec2(1440.0, 900.0),
            amount: 0.4,
            ..shot("panel-large", Shade::Light, Picture::Spectrogram, 1.0)
        },
    ];
    std::fs::create_dir_all(folder).map_err(|e| cannot_write(folder, &e.to_string()))?;
    for shot in shots {
        take(&shot, &folder.join(format!("{}.png", shot.name)))?;
        println!("{}", folder.join(format!("{}.png", shot.name)).display());
    }
    Ok(())
}

fn take(shot: &Shot, path: &Path) -> Result<(), Fault> {
    let values = Arc::new(Values::default());
    values.set(Param::Amount, shot.amount);
    let mut desk = Desk::new(values, Arc::new(Loader::new()));
    let mut panel = Panel::new(shot.settings);
    play(&mut desk, &mut panel)?;
    if shot.fault {
        // Any file that is no model will do.
        desk.load_file(Path::new("Cargo.toml"));
        while desk.refresh().is_none() {
            std::thread::yield_now();
        }
    }
    let mut harness = Harness::builder()
        .with_size(shot.size)
        .with_pixels_per_point(shot.scale)
        .wgpu()
        .build_ui(|ui| {
            // All of the window, as a host gives it.
            let area = UiBuilder::new().max_rect(ui.ctx().content_rect());
            ui.scope_builder(area, |ui| panel.ui(ui, &mut desk));
        });
    harness.run_steps(3);
    let image = harness.render().map_err(|e| cannot_write(path, &e))?;
    write(path, image.width(), image.height(), image.as_raw())
        .map_err(|e| cannot_write(path, &e.to_string()))
}

/// The sample through the engine, as a host would send it.
fn play(desk: &mut Desk<Arc<Values>>, panel: &mut Panel) -> Result<(), Fault> {
    let mut file = SoundFile::open(Path::new("assets/samples/noisy_voice.flac"))?;
    let config = ChainConfig {
        sample_rate: file.rate,
        channels: 1,
        max_block: BLOCK,
    };
    let model = desk.loader().model()?;
    let settings = desk.values.settings();
    let (mut processor, _ends) =
        Processor::new(&model, config, settings.mode).map_err(|e| Fault {
            what: e.to_string(),
            remedy: "use the shipped sample and model".into(),
        })?;
    let (writer, reader) = telemetry::pair();
    processor.set_telemetry(Some(writer));
    desk.reader = Some(reader);
    desk.watch(true);
    desk.latency = Some(processor.latency());
    desk.refresh();
    let mut left = (SECONDS * config.sample_rate as f32) as usize;
    while let Some(planes) = file.piece().filter(|_| left > 0) {
        for block in planes[0][..planes[0].len().min(left)].chunks(BLOCK) {
            processor.process(&mut [&mut block.to_vec()], &settings);
            left -= block.len();
            panel.listen(desk);
        }
    }
    Ok(())
}

fn write(
    path: &Path,
    width: u32,
    height: u32,
    rgba: &[u8],
) -> Result<(), Box<dyn std::error::Error>> {
    let file = std::io::BufWriter::new(std::fs::File::create(path)?);
    let mut encoder = png::Encoder::new(file, width, height);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_compression(png::Compression::High);
    encoder.write_header()?.write_image_data(rgba)?;
    Ok(())
}

fn cannot_write(path: &Path, why: &str) -> Fault {
    Fault {
        what: format!("{}: {why}", path.display()),
        remedy: "run it in the repository, with a Vulkan driver such as mesa-vulkan-drivers".into(),
    }
}
