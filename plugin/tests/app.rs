//! The app without a screen and without sound: what it leaves on the disk, and what it says when it cannot go on.

use std::path::Path;
use std::sync::Arc;

use clap::Parser;
use nice_assert_no_alloc::assert_no_alloc;
use statewave::state::{Bank, BankKey};
use statewave_plugin::app::band::Band;
use statewave_plugin::app::flags::Flags;
use statewave_plugin::app::record::{next_path, recorder};
use statewave_plugin::app::settings::Settings;
use statewave_plugin::app::states::KeptStates;
use statewave_plugin::app::values::Values;
use statewave_plugin::desk::Desk;
use statewave_plugin::loader::Loader;
use statewave_plugin::panel::Picture;
use statewave_plugin::panel::host::{PanelHost, Param};
use statewave_plugin::panel::theme::Shade;
use statewave_plugin::state::KeepsStates;

fn set_otherwise() -> Settings {
    let values = Values::default();
    values.set(Param::Amount, 0.4);
    values.set(Param::Stereo, 1.0);
    values.set(Param::Bypass, 1.0);
    let mut settings = Settings::default();
    settings.remember(&values);
    settings.choice.input = Some("alsa:somewhere".into());
    settings.choice.rate = Some(44_100);
    settings.choice.buffer = Some(256);
    settings.choice.monitor = true;
    settings.model = "mine".into();
    settings.panel.shade = Shade::Light;
    settings.panel.picture = Picture::Spectrogram;
    settings.size = [1234.0, 777.0];
    settings
}

#[test]
fn settings_come_back_but_for_the_bypass() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("not there yet").join("app.json");
    let settings = set_otherwise();
    settings.save(&path, false).expect("they are written");
    let (read, fault) = Settings::load(Some(&path));
    assert_eq!((&read, fault), (&settings, None));
    let values = Values::default();
    read.restore(&values);
    assert!((values.get(Param::Amount) - 0.4).abs() < 1e-3);
    assert_eq!(values.get(Param::Stereo), 1.0);
    assert_eq!(values.get(Param::Bypass), 0.0);
}

#[test]
fn settings_that_cannot_be_read_are_told_of_and_kept() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("app.json");
    let newer = r#"{"version": 99}"#;
    for text in ["{ no settings", newer, r#"{"size": "large"}"#] {
        std::fs::write(&path, text).expect("it is written");
        let (settings, fault) = Settings::load(Some(&path));
        assert_eq!(settings, Settings::default(), "{text}");
        assert!(
            fault.is_some_and(|fault| !fault.remedy.is_empty()),
            "{text}"
        );
        settings.save(&path, true).expect("they are written");
        let old = std::fs::read_to_string(folder.path().join("app.json.old"));
        assert_eq!(old.expect("it is kept"), text);
    }
    let (fresh, fault) = Settings::load(Some(Path::new("/nowhere/app.json")));
    assert_eq!((fresh, fault), (Settings::default(), None));
}

fn bank(model: &str) -> Arc<Bank> {
    let key = BankKey {
        model: model.into(),
        sample_rate: 48_000,
        streams: 1,
        len: 3,
    };
    Arc::new(Bank::new(key))
}

#[test]
fn what_slots_keep_comes_back_and_is_written_when_it_is_another() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("not there yet").join("app.states");
    let (mut kept, bytes, fault) = KeptStates::load(Some(path.clone()));
    assert_eq!((bytes, fault), (None, None));
    let first = bank("ab");
    let save = |kept: &mut KeptStates, bank: &Arc<Bank>| {
        let saved = kept.save(Some(Arc::clone(bank)), || bank.to_bytes());
        saved.expect("it is written");
    };
    save(&mut kept, &first);
    assert!(!path.exists(), "nothing is kept");
    assert!(first.fill(2, &[1.0, -2.0, 0.5]));
    save(&mut kept, &first);
    let (mut again, bytes, fault) = KeptStates::load(Some(path.clone()));
    assert_eq!(fault, None);
    let other = bank("ab");
    other
        .read(&bytes.expect("they are there"))
        .expect("they are of this");
    assert_eq!(other.state(2), Some(vec![1.0, -2.0, 0.5]));
    assert_eq!(other.filled(), [false, false, true, false]);
    // Asked for only where something was stored.
    kept.save(Some(Arc::clone(&first)), || panic!("nothing is new"))
        .expect("nothing is written");
    // Of another model: the one before is not lost.
    let third = bank("cd");
    assert!(third.fill(0, &[0.0; 3]));
    save(&mut again, &third);
    let old = folder.path().join("not there yet/app.states.old");
    assert_eq!(std::fs::read(old).expect("it is kept"), first.to_bytes());
    assert_eq!(
        std::fs::read(path).expect("it is written"),
        third.to_bytes()
    );
}

#[test]
fn kept_states_that_cannot_be_read_are_told_of_and_not_lost() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("app.states");
    let sound = bank("ab");
    assert!(sound.fill(1, &[1.0; 3]));
    let mut newer = sound.to_bytes();
    newer[7] = 99;
    let cut = sound.to_bytes()[..40].to_vec();
    for bad in [b"no states".to_vec(), newer, cut] {
        std::fs::write(&path, &bad).expect("it is written");
        let (mut kept, bytes, fault) = KeptStates::load(Some(path.clone()));
        assert_eq!(bytes, None);
        let fault = fault.expect("it is told of");
        assert!(fault.what.contains("app.states"), "{}", fault.what);
        assert!(
            fault.remedy.contains("the old file is kept"),
            "{}",
            fault.remedy
        );
        assert_eq!(std::fs::read(&path).expect("it is there"), bad);
        let saved = kept.save(Some(Arc::clone(&sound)), || sound.to_bytes());
        saved.expect("it is written");
        let old = std::fs::read(folder.path().join("app.states.old"));
        assert_eq!(old.expect("it is kept"), bad);
    }
}

#[test]
fn what_the_instruments_slots_keep_is_there_again_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("instrument.states");
    let started = || {
        let band = Band::default();
        let (kept, fault) = KeptStates::recall(Some(path.clone()), &*band.params.slots);
        assert_eq!(fault, None);
        band.seat(48_000).expect("it plays");
        let bank = band.params.slots.bank().expect("it has slots");
        (band, kept, bank)
    };
    let (band, mut kept, bank) = started();
    let state = vec![0.25; bank.key().len];
    assert!(bank.fill(3, &state));
    let saved = kept.save(band.params.slots.bank(), || band.params.slots.kept_states());
    saved.expect("it is written");
    let (_, _, bank) = started();
    assert_eq!(bank.filled(), [false, false, false, true]);
    assert_eq!(bank.state(3), Some(state));
}

#[test]
fn presets_and_parameters_are_set_by_flags_over_what_was_left() {
    let mut left = Settings::default();
    let values = Values::default();
    values.set(Param::Stereo, 1.0);
    left.remember(&values);
    let begun = |flags: &[&str]| {
        let flags = Flags::parse_from([&["statewave-app", "--headless"], flags].concat());
        let loader = Arc::new(Loader::new());
        let values = Arc::new(Values::new(&loader.knobs()));
        left.restore(&values);
        loader.choose(flags.model(&left.model));
        let mut desk = Desk::new(values, loader);
        let set = flags.set(&left, &mut desk);
        desk.refresh();
        let band = Band::default();
        let set = set.and_then(|()| flags.set_instrument(&left, &band));
        (desk, band.params.controls(), set)
    };
    let plain = |desk: &Desk<Arc<Values>>, param| desk.list().plain(param, desk.value(param));
    let all = [
        "--set",
        "bypass=bypassed",
        "--set",
        "freeze=50 %",
        "--set",
        "memory=2 ×",
        "--set",
        "Store=3",
        "--set",
        "recall=on",
        "--set",
        "from=2",
        "--set",
        "to=4",
        "--set",
        "state-morph=25 %",
        "--set",
        "Reset on start=on",
    ];
    let (desk, _, set) = begun(&all);
    assert_eq!(set, Ok(()));
    let settings = desk.values.settings();
    let state = settings.controls.state;
    assert!(settings.reset_on_start && settings.controls.bypass && state.recall);
    assert_eq!((state.freeze, state.memory, state.morph), (0.5, 2.0, 0.25));
    assert_eq!((state.store, state.from, state.to), (Some(2), 1, 3));
    assert_eq!(plain(&desk, Param::Stereo), 2.0, "as it was left");

    // The preset brings its model, whose knobs have texts of their own; a flag goes before it.
    let (desk, _, set) = begun(&["--preset", "crunch", "--set", "knob1=0.25", "--gate", "off"]);
    assert_eq!(set, Ok(()));
    assert_eq!(desk.model(), "tone-drive");
    assert_eq!(desk.value(Param::Knob1), 0.25);
    assert_eq!(plain(&desk, Param::Gate), -100.0);
    let (desk, _, set) = begun(&["--preset", "crunch", "--model", "tone-opto"]);
    assert_eq!((desk.model(), set), ("tone-opto", Ok(())));
    let (.., set) = begun(&["--preset", "loud"]);
    assert!(set.is_err_and(|fault| fault.remedy.contains("Gentle")));
    let (.., set) = begun(&["--set", "colour=red"]);
    assert!(set.is_err_and(|fault| fault.remedy.contains("amount_db, mix")));

    // Where the instrument plays, it is meant.
    let (desk, controls, set) = begun(&["--instrument", "flute", "--set", "morph=40 %"]);
    assert_eq!((controls.morph, set), (0.4, Ok(())));
    assert_eq!(plain(&desk, Param::Morph), 0.0);
    let preset = ["--instrument", "--preset", "glass keys"];
    let (desk, controls, set) = begun(&[&preset[..], &["--set", "width=20 %"]].concat());
    assert_eq!((controls.a, controls.b, set), (1, 2, Ok(())));
    assert_eq!((controls.morph, controls.width), (0.45, 0.2));
    assert_eq!(
        desk.model(),
        left.model,
        "what sound goes through is as it was"
    );
    let (_, controls, set) = begun(&["--instrument", "cello", "--preset", "glass keys"]);
    assert_eq!((controls.a, controls.morph, set), (8, 0.0, Ok(())));
    let (.., set) = begun(&["--instrument", "--preset", "gentle"]);
    assert!(set.is_err_and(|fault| fault.remedy.contains("Glass keys")));
}

#[test]
fn a_recording_is_what_was_heard_and_never_goes_over_another() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let folder = folder.path().join("Music");
    let (mut tape, mut recorder) = recorder(2, 48_000);
    let sound = |from: usize, frames: usize| -> Vec<Vec<f32>> {
        let plane = |sign: f32| {
            (from..from + frames)
                .map(|n| sign * n as f32 / 1e5)
                .collect()
        };
        vec![plane(1.0), plane(-1.0)]
    };
    // What comes before the start is not on it.
    tape.take(&sound(90_000, 64), 64);
    for number in 1..=2 {
        let path = next_path(&folder);
        assert!(path.ends_with(format!("statewave-{number:03}.wav")));
        recorder.start(path.clone()).expect("it starts");
        assert_eq!(recorder.path(), Some(path.as_path()));
        let mut at = 0;
        for frames in [64, 1, 512, 480] {
            let planes = sound(at, frames);
            assert_no_alloc(|| tape.take(&planes, frames));
            at += frames;
        }
        assert_eq!(recorder.stop().expect("it is finished"), Some(path.clone()));
        let mut wav = hound::WavReader::open(&path).expect("it is a WAV");
        assert_eq!((wav.spec().channels, wav.spec().sample_rate), (2, 48_000));
        let heard: Vec<f32> = wav.samples().map(|s| s.expect("a sample")).collect();
        let planes = sound(0, at);
        let expected: Vec<f32> = (0..2 * at).map(|k| planes[k % 2][k / 2]).collect();
        assert_eq!(heard, expected);
        assert!(recorder.start(path).is_err(), "the first one is lost");
    }
}

#[test]
fn a_recording_with_a_hole_says_so() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let (mut tape, mut recorder) = recorder(1, 8_000);
    let path = folder.path().join("slow.wav");
    recorder.start(path).expect("it starts");
    // More than the ring holds, at once.
    let sound = vec![vec![0.1; 8_000 * 5]];
    assert_no_alloc(|| tape.take(&sound, sound[0].len()));
    let fault = recorder.stop().expect_err("frames are missing");
    assert!(fault.what.contains("40000 frames"), "{}", fault.what);
    assert!(!fault.remedy.is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_screen_it_says_what_helps() {
    let home = tempfile::tempdir().expect("a folder can be made");
    let nowhere = home.path().join("nowhere");
    let silent = home.path().join("no-sound.conf");
    std::fs::write(&silent, "").expect("a file can be written");
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_statewave-app"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .env("HOME", home.path())
        .env("XDG_CONFIG_HOME", home.path())
        .env("ALSA_CONFIG_PATH", silent)
        .env("PULSE_SERVER", format!("unix:{}", nowhere.display()))
        .env("JACK_DEFAULT_SERVER", "statewave-nowhere")
        .env("JACK_NO_START_SERVER", "1")
        .output()
        .expect("the app runs");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("the window cannot be opened"), "{said}");
    assert!(said.contains("--headless"), "{said}");
}
