//! The app's window on a screen of its own, driven as by a hand: `cargo xtask window`.
//!
//! Controls are found by the names that screen readers read, in a panel of the same size without a screen. What came of a
//! gesture is read where it lasts: in the app's settings, and on the screen.

#[path = "../common/mod.rs"]
mod common;

mod app;
mod hands;
mod screen;

use std::path::Path;

use app::{App, Home};
use statewave::model::catalogue::{self, DEFAULT};
use statewave_plugin::app::settings::Settings;
use statewave_plugin::panel::Picture;
use statewave_plugin::panel::host::Param;
use statewave_plugin::panel::theme::{Shade, Theme};

/// A second model, so that there is one to go on to.
const OTHER: &str = "other";

/// The value as it was written last; not a number before anything was.
fn plain(settings: &Settings, param: Param) -> f32 {
    settings
        .values
        .get(param.key())
        .copied()
        .unwrap_or(f32::NAN)
}

fn near(a: f32, b: f32) -> bool {
    (a - b).abs() < 0.011
}

/// Writes the model that is compiled in to a file.
fn write_model(path: &Path) {
    let model = catalogue::find(DEFAULT).expect("a model is compiled in");
    std::fs::write(path, model.bytes().expect("it is in memory")).expect("it can be written");
}

#[test]
#[ignore = "it needs Xvfb, openbox and xdotool: cargo xtask window"]
fn hands_and_keys_change_what_is_set() {
    let home = Home::new();
    write_model(&home.models().join(format!("{OTHER}.safetensors")));
    let mut app = App::open(&home);

    // 110 points are half of the way, which is 24 dB.
    app.drag("Amount", 0, 110);
    app.type_into("Mix", "40");
    app.click("Listen: Removed");
    app.click("Previous model");
    app.until("a drag, a typed value, a switch and another model", |s| {
        near(plain(s, Param::Mix), 0.4)
            && (20.0..28.0).contains(&plain(s, Param::Amount))
            && plain(s, Param::Listen) == 1.0
            && s.model == OTHER
    });

    app.click("Undo");
    app.key("ctrl+z");
    app.until("undo by its button and its key", |s| {
        s.model == DEFAULT && plain(s, Param::Listen) == 0.0 && near(plain(s, Param::Mix), 0.4)
    });

    app.click("Redo");
    app.click("Compare: B");
    app.type_into("Mix", "70");
    app.click("Cleaning: press to bypass");
    app.until("redo, then B with another mix, bypassed", |s| {
        plain(s, Param::Listen) == 1.0
            && near(plain(s, Param::Mix), 0.7)
            && plain(s, Param::Bypass) == 1.0
    });

    app.click("Compare: A");
    app.wheel_down("Output", 5);
    app.until("A as it was, and the wheel", |s| {
        near(plain(s, Param::Mix), 0.4)
            && plain(s, Param::Bypass) == 0.0
            && plain(s, Param::Amount) < 28.0
            && plain(s, Param::OutputGain) < -2.0
    });
    app.insist(
        "a double click, which resets",
        |app| app.double_click("Amount"),
        |s| plain(s, Param::Amount) == 100.0,
    );

    app.click("Previous model");
    app.click("Latency: Zero 0 ms");
    app.until(
        "the model before, which is the other one, and a mode",
        |s| s.model == OTHER && plain(s, Param::LatencyMode) == 0.0,
    );
    app.close();
}

#[test]
#[ignore = "it needs Xvfb, openbox and xdotool: cargo xtask window"]
fn a_window_comes_back_as_it_was_left() {
    let home = Home::new();
    let mut app = App::open(&home);
    assert!(app.shows(Theme::of(Shade::Dark).ground, app.corner()));
    app.click("Light colours");
    app.click("The last seconds, by frequency");
    app.resize(1200, 760);
    app.wait("light ground in a larger window", |app| {
        app.shows(Theme::of(Shade::Light).ground, app.corner())
    });
    app.close();

    let left = home.settings();
    assert_eq!(left.size, [1200.0, 760.0]);
    assert_eq!(left.panel.shade, Shade::Light);
    assert_eq!(left.panel.picture, Picture::Spectrogram);

    let app = App::open(&home);
    assert_eq!(app.size(), (1200, 760));
    assert!(app.shows(Theme::of(Shade::Light).ground, app.corner()));
    app.close();
}

#[test]
#[ignore = "it needs Xvfb, openbox and xdotool: cargo xtask window"]
fn a_bad_model_is_told_of_with_its_remedy_and_a_good_one_plays() {
    let home = Home::new();
    let (bad, good) = (home.file("bad.safetensors"), home.file("good.safetensors"));
    std::fs::write(&bad, "no model at all").expect("it can be written");
    write_model(&good);
    let mut app = App::open(&home);

    app.open_model(&bad);
    app.wait("the fault and its remedy", App::shows_fault);
    app.dismiss();
    app.type_into("Mix", "50");
    app.until("the model that played before", |s| {
        s.model == DEFAULT && near(plain(s, Param::Mix), 0.5)
    });

    app.open_model(&good);
    app.until("the model of the file", |s| {
        s.model == good.display().to_string()
    });
    assert!(!app.shows_fault());
    app.close();
}
