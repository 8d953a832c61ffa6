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
use egui_kittest::kittest::Queryable as _;
use statewave::chain::ChainConfig;
use statewave::model::catalogue::DEFAULT;
use statewave::telemetry::{self, Snapshot};
use statewave_plugin::app::player::SoundFile;
use statewave_plugin::app::values::Values;
use statewave_plugin::desk::Desk;
use statewave_plugin::fault::Fault;
use statewave_plugin::loader::{Loader, ModelChoice, Stream};
use statewave_plugin::panel::host::{PanelHost, Param};
use statewave_plugin::panel::layout::{LEAST, USUAL};
use statewave_plugin::panel::theme::Shade;
use statewave_plugin::panel::{Panel, PanelSettings, Picture};

/// Where the pictures are kept.
const KEPT: &str = "docs/img";

/// Seconds of the sample that have sounded when the picture is taken: within a word.
const SECONDS: f32 = 7.4;

/// Of a state that is shown: for how long it has been kept, and frozen, seconds.
const KEPT_BEFORE: f32 = 4.0;
const FROZEN_BEFORE: f32 = 1.5;

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
    of: Of,
    /// The names of what is clicked before, as screen readers read them.
    clicks: &'static [&'static str],
}

/// Whose panel it is, and what it plays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Denoise,
    /// A denoiser whose state was kept twice and is frozen.
    Frozen,
    Tone,
    Continue,
    Instrument,
}

impl Of {
    /// The model and the recording that it hears.
    fn model(self) -> (&'static str, &'static str) {
        match self {
            Of::Denoise | Of::Frozen | Of::Instrument => {
                (DEFAULT, "assets/samples/noisy_voice.flac")
            }
            Of::Tone => ("tone-drive", "docs/audio/tone-drive.flac"),
            Of::Continue => ("continue-drums", "docs/audio/continue-drums.flac"),
        }
    }

    /// Seconds that have sounded when the picture is taken, and from when on a model goes on by itself.
    fn seconds(self) -> (f32, f32) {
        match self {
            Of::Denoise | Of::Frozen | Of::Instrument => (SECONDS, f32::INFINITY),
            Of::Tone => (2.6, f32::INFINITY),
            Of::Continue => (13.35, 6.0),
        }
    }

    /// What is set when the picture is taken.
    fn set(self, values: &Values) {
        match self {
            Of::Denoise | Of::Frozen | Of::Instrument => {}
            Of::Tone => {
                values.set(Param::Knob1, 0.7);
                values.set(Param::Knob2, 0.4);
                values.set(Param::Gate, 0.4);
            }
            Of::Continue => {
                values.set(Param::Temperature, 0.475);
                values.set(Param::Density, 0.9);
            }
        }
    }
}

impl Shot {
    fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.png", self.name))
    }

    fn take(&self) -> Result<Pixels, Fault> {
        match self.of {
            Of::Instrument => instrument::take(self),
            Of::Denoise | Of::Frozen | Of::Tone | Of::Continue => take(self),
        }
    }

    /// What `draw` draws on all of a window.
    fn draw(&self, mut draw: impl FnMut(&mut egui::Ui)) -> Result<Pixels, Fault> {
        let mut harness = Harness::builder()
            .with_size(self.size)
            .with_pixels_per_point(self.scale)
            .with_render_cursor(false)
            .wgpu()
            .build_ui(|ui| {
                // All of the window, as a host gives it.
                let area = UiBuilder::new().max_rect(ui.ctx().content_rect());
                ui.scope_builder(area, |ui| draw(ui));
            });
        harness.run_steps(3);
        for label in self.clicks {
            harness.get_by_label(label).click();
            harness.run_steps(3);
        }
        harness.event(egui::Event::PointerGone);
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

/// A preset that something was changed of since, and the menu it is in.
const CHANGED: &[&str] = &[
    "Next preset",
    "Next preset",
    "Next preset",
    "Press to put the state back to what lies between the slots",
    "Instrument B: vibraphone",
    "choir",
    "Preset Glass keys, changed since",
];

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
        of: Of::Denoise,
        clicks: &[],
    };
    let kind = |of, name, shade, size| Shot {
        size,
        of,
        ..shot(name, shade, Picture::Spectrum, 1.0)
    };
    let instrument = |name, shade, size, clicks| Shot {
        clicks,
        ..kind(Of::Instrument, name, shade, size)
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
        kind(Of::Frozen, "panel-state-dark", Shade::Dark, USUAL),
        kind(Of::Tone, "panel-tone-dark", Shade::Dark, USUAL),
        kind(Of::Tone, "panel-tone-light", Shade::Light, USUAL),
        kind(Of::Tone, "panel-tone-small", Shade::Dark, LEAST),
        kind(Of::Continue, "panel-continue-dark", Shade::Dark, USUAL),
        kind(Of::Continue, "panel-continue-light", Shade::Light, USUAL),
        kind(Of::Continue, "panel-continue-small", Shade::Light, LEAST),
        instrument("instrument-dark", Shade::Dark, USUAL, &["Next preset"]),
        instrument("instrument-light", Shade::Light, USUAL, &[]),
        instrument("instrument-presets", Shade::Light, LEAST, CHANGED),
        instrument("instrument-small", Shade::Dark, LEAST, &["Compare: B"]),
        Shot {
            scale: 2.0,
            fault: true,
            ..instrument("instrument-small@2x", Shade::Dark, LEAST, &[])
        },
    ]
}

fn take(shot: &Shot) -> Result<Pixels, Fault> {
    let loader = Arc::new(Loader::new());
    let values = Arc::new(Values::new(&loader.knobs()));
    values.set(Param::Amount, shot.amount);
    shot.of.set(&values);
    loader.choose(ModelChoice::named(shot.of.model().0));
    let mut desk = Desk::new(values, loader);
    if shot.of == Of::Tone && shot.size == USUAL {
        desk.load_cabinet(Some(&response()?));
    }
    let mut panel = Panel::new(shot.settings);
    play(&mut desk, &mut panel, shot.of)?;
    if shot.fault {
        // Any file that is no model will do.
        desk.load_file(Path::new("Cargo.toml"));
        while desk.refresh().is_none() {
            std::thread::yield_now();
        }
    }
    shot.draw(|ui| panel.ui(ui, &mut desk))
}

/// An impulse response: noise that dies away, in a file beside other temporary ones.
fn response() -> Result<PathBuf, Fault> {
    let path = std::env::temp_dir().join("closed-4x12.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let fault = |e: hound::Error| cannot(Path::new("closed-4x12.wav"), &e.to_string());
    let mut writer = hound::WavWriter::create(&path, spec).map_err(fault)?;
    let (mut smooth, mut random) = (0.0f32, 1u32);
    for i in 0..2_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (random >> 8) as f32 / (1 << 23) as f32 - 1.0;
        smooth += 0.35 * (noise - smooth);
        writer
            .write_sample(0.15 * smooth * (-0.004 * i as f32).exp())
            .map_err(fault)?;
    }
    writer.finalize().map_err(fault)?;
    Ok(path)
}

/// A recording through the engine, as a host would send it.
fn play(desk: &mut Desk<Arc<Values>>, panel: &mut Panel, of: Of) -> Result<(), Fault> {
    let mut file = SoundFile::open(Path::new(of.model().1))?;
    let config = ChainConfig {
        sample_rate: file.rate,
        channels: 1,
        max_block: BLOCK,
    };
    let mut settings = desk.values.settings();
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
    let (end, on) = of.seconds();
    let samples = |seconds: f32| (seconds * config.sample_rate as f32) as usize;
    let (mut left, listens) = (samples(end), samples(end - on.min(end)));
    while let Some(planes) = file.piece().filter(|_| left > 0) {
        for block in planes[0][..planes[0].len().min(left)].chunks(BLOCK) {
            if left < listens && !settings.controls.continuation.go_on {
                desk.values.set(Param::GoOn, 1.0);
                settings = desk.values.settings();
            }
            let mut block = block.to_vec();
            if settings.controls.continuation.go_on {
                // The player has stopped, and hears what comes of it.
                block.fill(0.0);
            }
            processor.process(&mut [&mut block], &settings);
            left -= block.len();
            let to_come = left as f32 / config.sample_rate as f32;
            if of == Of::Frozen && to_come < KEPT_BEFORE {
                for slot in 0..2 {
                    if desk.slots().is_some_and(|filled| !filled[slot]) {
                        desk.keep_state(slot);
                    }
                }
            }
            if of == Of::Frozen && to_come < FROZEN_BEFORE {
                desk.values.set(Param::Freeze, 1.0);
                settings = desk.values.settings();
            }
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
