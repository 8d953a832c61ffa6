//! Presets: those of the house, and the person's own as files.

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::TestHost;
use statewave::model::spec::Task;
use statewave_plugin::app::values::Values;
use statewave_plugin::desk::Desk;
use statewave_plugin::fault::Fault;
use statewave_plugin::loader::Loader;
use statewave_plugin::panel::host::{PanelHost, Param, change};
use statewave_plugin::panel::presets::{Preset, PresetError, Shelf, Side, factory, named};

#[test]
fn every_preset_of_the_house_reads_and_sets_what_it_names() {
    let presets = factory(Side::Effect);
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/presets"));
    let files = files.expect("the presets are there").flatten();
    let count = files
        .filter(|f| f.path().extension().is_some_and(|e| e == "json"))
        .count();
    assert_eq!(presets.len(), count, "each file is compiled in");
    for preset in &presets {
        let mut host = TestHost::new();
        preset.apply(&mut host);
        for (key, &value) in &preset.values {
            let param = Param::ALL.into_iter().find(|p| p.key() == key);
            let param = param.unwrap_or_else(|| panic!("{}: {key} is no parameter", preset.name));
            assert!(
                (host.plain_of(param) - value).abs() < 1e-3,
                "{}: {key}",
                preset.name
            );
        }
    }
}

#[test]
fn a_preset_resets_what_it_does_not_name_but_never_the_bypass() {
    let mut host = TestHost::new();
    change(&mut host, Param::Mix, 0.25);
    change(&mut host, Param::Bypass, 1.0);
    factory(Side::Effect)[1].apply(&mut host);
    assert_eq!(host.plain_of(Param::Mix), 1.0);
    assert_eq!(host.plain_of(Param::Bypass), 1.0);
}

#[test]
fn a_preset_comes_back_from_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::at(Side::Effect, folder.path().join("not yet there"));
    assert!(shelf.names().is_empty());
    let mut host = TestHost::new();
    change(&mut host, Param::Amount, 0.3);
    change(&mut host, Param::Listen, 0.5);
    host.model = "two".into();
    let preset = Preset::of(&host, " My voice ");
    shelf.save(&preset, false).expect("it is written");
    assert_eq!(shelf.names(), ["My voice"]);
    let mut other = TestHost::new();
    shelf
        .load("My voice")
        .expect("it is read")
        .apply(&mut other);
    assert!((other.plain_of(Param::Amount) - host.plain_of(Param::Amount)).abs() < 1e-3);
    assert_eq!(other.plain_of(Param::Listen), 1.0);
    assert_eq!(other.model, "two");
}

#[test]
fn a_preset_is_replaced_only_when_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::at(Side::Effect, folder.path().into());
    let host = TestHost::new();
    let preset = Preset::of(&host, "Mine");
    shelf.save(&preset, false).expect("it is written");
    assert!(matches!(
        shelf.save(&preset, false),
        Err(PresetError::Exists)
    ));
    shelf.save(&preset, true).expect("it is replaced");
}

#[test]
fn names_that_leave_the_folder_and_files_that_are_no_presets_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::at(Side::Effect, folder.path().into());
    let host = TestHost::new();
    for name in ["", "  ", "../up", "a/b", ".hidden", "a\\b", "con:"] {
        let saved = shelf.save(&Preset::of(&host, name), false);
        assert!(matches!(saved, Err(PresetError::Name)), "{name:?}");
    }
    std::fs::write(folder.path().join("bad.json"), "{").expect("it is written");
    assert!(matches!(shelf.load("bad"), Err(PresetError::Format(..))));
    let newer = r#"{"format": 99, "name": "n", "values": {}}"#;
    std::fs::write(folder.path().join("newer.json"), newer).expect("it is written");
    assert!(matches!(shelf.load("newer"), Err(PresetError::Format(..))));
}

#[test]
fn a_preset_of_an_effect_brings_its_cabinet_or_none_and_others_leave_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::at(Side::Effect, folder.path().into());
    let host = |cabinet: Option<&str>, task| TestHost {
        cabinet: cabinet.map(PathBuf::from),
        task: Some(task),
        sha256: "ab".into(),
        ..TestHost::new()
    };
    let after = |name: &str, from: &TestHost| {
        shelf
            .save(&Preset::of(from, name), false)
            .expect("it is written");
        let mut other = host(Some("room.wav"), Task::Effect);
        let preset = shelf.load(name).expect("it is read");
        preset.apply(&mut other);
        assert!(preset.is_set(&other), "{name}");
        other.cabinet
    };
    let loud = after("with", &host(Some("4x12.wav"), Task::Effect));
    assert_eq!(loud.as_deref(), Some(Path::new("4x12.wav")));
    assert_eq!(after("without", &host(None, Task::Effect)), None);
    let voice = after("voice", &host(None, Task::Denoise));
    assert_eq!(voice.as_deref(), Some(Path::new("room.wav")));
    let mut other = host(Some("room.wav"), Task::Effect);
    let with = shelf.load("with").expect("it is read");
    assert!(!with.is_set(&other), "it has another cabinet");
    // As they were written before they held any.
    let old = r#"{"format": 1, "name": "old", "task": "effect", "values": {}}"#;
    std::fs::write(folder.path().join("old.json"), old).expect("it is written");
    shelf.load("old").expect("it is read").apply(&mut other);
    assert_eq!(other.cabinet.as_deref(), Some(Path::new("room.wav")));
}

#[test]
fn a_preset_knows_its_model_by_its_hash_as_well() {
    let mut host = TestHost::new();
    host.sha256 = "ab".into();
    let preset = Preset::of(&host, "mine");
    assert!(preset.is_set(&host));
    host.sha256 = "cd".into();
    assert!(!preset.is_set(&host), "another file has the name");
    preset.apply(&mut host);
    assert_eq!((&*host.model, &*host.sha256), ("one", "ab"));
}

/// What the loader says once it has a fault.
fn fault_of(desk: &mut Desk<Arc<Values>>) -> Fault {
    let since = Instant::now();
    loop {
        if let Some(fault) = desk.refresh() {
            return fault;
        }
        assert!(since.elapsed() < Duration::from_secs(60), "nothing is said");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_preset_whose_files_are_gone_says_so_and_what_helps() {
    let mut desk = Desk::new(Arc::new(Values::default()), Arc::new(Loader::new()));
    let mut preset =
        named("crunch", &Shelf::at(Side::Effect, "nowhere".into())).expect("it is of the house");
    preset.cabinet = Some(Some("gone.wav".into()));
    preset.apply(&mut desk);
    let fault = fault_of(&mut desk);
    assert!(fault.what.contains("gone.wav"), "{}", fault.what);
    assert!(fault.remedy.contains("put the file back"));
    preset.cabinet = Some(None);
    preset.sha256 = "00".into();
    preset.apply(&mut desk);
    let fault = fault_of(&mut desk);
    assert!(
        fault.what.contains("tone-drive is not the one"),
        "{fault:?}"
    );
    assert_eq!(desk.model(), "tone-drive");
}

#[test]
fn presets_are_found_by_name_ones_own_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::at(Side::Effect, folder.path().into());
    assert_eq!(
        named(" gentle ", &shelf).expect("it is there"),
        factory(Side::Effect)[1]
    );
    let own = Preset::of(&TestHost::new(), "Gentle");
    shelf.save(&own, false).expect("it is written");
    assert_eq!(named("gentle", &shelf).expect("it is there"), own);
    let Err(error) = named("loud", &shelf) else {
        panic!("there is none");
    };
    let remedy = Fault::from(error).remedy;
    assert!(remedy.contains("Gentle, Clean"), "{remedy}");
    assert!(remedy.contains("Pianist"), "{remedy}");
}
