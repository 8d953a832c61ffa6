//! `cargo xtask screenshots`: the panel in dark and light, at scale 1 and 2, as the real engine feeds it, to docs/img.
//! With `--check` nothing is written there: the pictures are drawn anew and held against those that are kept.

mod compare;
mod instrument;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use compare::Pixels;
use egui::{UiBuilder, Vec2, vec2};
use egui_kittest::Harness;
use statewave::chain::ChainConfig;
use statewave::telemetry::{self, Snapshot};
use statewave_plugin::app::player::SoundFile;
use statewave_plugin::app::values::Values;
use statewave_plugin::desk::Desk;
use statewave_plugin::fault::Fault;
use statewave_plugin::loader::{Loader, Stream};
use statewave_plugin::panel::host::{PanelHost, Param};
use statewave_plugin::panel::layout::{LEAST, USUAL};
use statewave_plugin::panel::theme::Shade;
use statewave_plugin::panel::{Panel, PanelSettings, Picture};

/// Where the pictures are kept.
const KEPT: &str = "docs/img";

/// Seconds of the sample that have sounded when the picture is taken: within a word.
const SECONDS: f32 = 7.4;

/// Samples a block.
const BLOCK: usize = 512;

/// Share of real time that the pictures show: the real one is another on each machine.
const LOAD: f32 = 0.012;

/// Where pictures go that are not as they are kept.
const ODD: &str = "out/screenshots";

/// A picture to take.
struct Shot {
    name: &'static str,
    size: Vec2,
    scale: f32,
    settings: PanelSettings,
    amount: f32,
    fault: bool,
    /// Of the instrument's panel, not of the effect's.
    instrument: bool,
}

impl Shot {
    fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.png", self.name))
    }

    fn take(&self) -> Result<Pixels, Fault> {
        if self.instrument {
            instrument::take(self)
        } else {
            take(self)
        }
    }

    /// What `draw` draws on all of a window.
    fn draw(&self, mut draw: impl FnMut(&mut egui::Ui)) -> Result<Pixels, Fault> {
        let mut harness = Harness::builder()
            .with_size(self.size)
            .with_pixels_per_point(self.scale)
            .wgpu()
            .build_ui(|ui| {
                // All of the window, as a host gives it.
                let area = UiBuilder::new().max_rect(ui.ctx().content_rect());
                ui.scope_builder(area, |ui| draw(ui));
            });
        harness.run_steps(3);
        let image = harness
            .render()
            .map_err(|e| cannot(Path::new(self.name), &e))?;
        Ok(Pixels {
            width: image.width() as usize,
            height: image.height() as usize,
            rgba: image.into_raw(),
        })
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => save_all(Path::new(KEPT)),
        ["--check"] => check_all(Path::new(KEPT)),
        [folder] => save_all(Path::new(folder)),
        ["--check", folder] => check_all(Path::new(folder)),
        _ => {
            eprintln!("usage: screenshots [--check] [FOLDER]");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {}\n help: {}", fault.what, fault.remedy);
            ExitCode::FAILURE
        }
    }
}

/// Draws all pictures and writes them.
fn save_all(folder: &Path) -> Result<(), Fault> {
    std::fs::create_dir_all(folder).map_err(|e| cannot(folder, &e.to_string()))?;
    for shot in shots() {
        let path = shot.path(folder);
        let picture = shot.take()?;
        picture
            .write(&path)
            .map_err(|e| cannot(&path, &e.to_string()))?;
        println!("{}", path.display());
    }
    Ok(())
}

/// Draws all pictures and compares them with those in `folder`; those that are not alike are left in [`ODD`].
fn check_all(folder: &Path) -> Result<(), Fault> {
    let mut odd = 0;
    for shot in shots() {
        let path = shot.path(folder);
        let kept = Pixels::read(&path).map_err(|e| cannot(&path, &e.to_string()))?;
        let drawn = shot.take()?;
        let difference = kept.difference(&drawn, shot.scale);
        let mut verdict = "alike";
        if difference.is_too_much() {
            odd += 1;
            verdict = "NOT alike";
            std::fs::create_dir_all(ODD).map_err(|e| cannot(Path::new(ODD), &e.to_string()))?;
            let path = shot.path(Path::new(ODD));
            drawn
                .write(&path)
                .map_err(|e| cannot(&path, &e.to_string()))?;
        }
        println!("{}: {verdict}: {difference}", path.display());
    }
    if odd == 0 {
        return Ok(());
    }
    Err(Fault {
        what: format!("{odd} pictures of the panel are not as they are kept"),
        remedy: format!(
            "look at them in {ODD}; if they are as they should be: cargo xtask screenshots"
        ),
    })
}

/// All pictures there are.
fn shots() -> Vec<Shot> {
    let of = |shade, picture| PanelSettings { shade, picture };
    let shot = |name, shade, picture, scale| Shot {
        name,
        size: USUAL,
        scale,
        settings: of(shade, picture),
        amount: 1.0,
        fault: false,
        instrument: false,
    };
    let instrument = |name, shade, size| Shot {
        size,
        instrument: true,
        ..shot(name, shade, Picture::Spectrum, 1.0)
    };
    vec![
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
        instrument("instrument-dark", Shade::Dark, USUAL),
        instrument("instrument-light", Shade::Light, USUAL),
        instrument("instrument-small", Shade::Dark, LEAST),
    ]
}

fn take(shot: &Shot) -> Result<Pixels, Fault> {
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
    shot.draw(|ui| panel.ui(ui, &mut desk))
}

/// The sample through the engine, as a host would send it.
fn play(desk: &mut Desk<Arc<Values>>, panel: &mut Panel) -> Result<(), Fault> {
    let mut file = SoundFile::open(Path::new("assets/samples/noisy_voice.flac"))?;
    let config = ChainConfig {
        sample_rate: file.rate,
        channels: 1,
        max_block: BLOCK,
    };
    let settings = desk.values.settings();
    let stream = Stream::live(config, settings.mode);
    let mut processor = desk.loader().processor(&stream)?;
    let (writer, mut heard) = telemetry::pair();
    heard.watch(true);
    processor.set_telemetry(Some(writer));
    let (mut shown, reader) = telemetry::pair();
    desk.reader = Some(reader);
    desk.watch(true);
    desk.latency = Some(processor.latency());
    desk.refresh();
    let mut left = (SECONDS * config.sample_rate as f32) as usize;
    while let Some(planes) = file.piece().filter(|_| left > 0) {
        for block in planes[0][..planes[0].len().min(left)].chunks(BLOCK) {
            processor.process(&mut [&mut block.to_vec()], &settings);
            left -= block.len();
            while let Some(snapshot) = heard.read() {
                shown.write(Snapshot {
                    load: LOAD,
                    missed: 0,
                    ..snapshot
                });
            }
            panel.listen(desk);
        }
    }
    Ok(())
}

fn cannot(path: &Path, why: &str) -> Fault {
    Fault {
        what: format!("{}: {why}", path.display()),
        remedy: "run it in the repository, with a Vulkan driver such as mesa-vulkan-drivers".into(),
    }
}
