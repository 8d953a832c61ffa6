//! Presets: those of the house, and the person's own as files.

mod common;

use common::TestHost;
use statewave_plugin::panel::host::{Param, change};
use statewave_plugin::panel::presets::{Preset, PresetError, Shelf, factory};

#[test]
fn every_preset_of_the_house_reads_and_sets_what_it_names() {
    let presets = factory();
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
    factory()[1].apply(&mut host);
    assert_eq!(host.plain_of(Param::Mix), 1.0);
    assert_eq!(host.plain_of(Param::Bypass), 1.0);
}

#[test]
fn a_preset_comes_back_from_its_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::at(folder.path().join("not yet there"));
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
    let shelf = Shelf::at(folder.path().into());
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
    let shelf = Shelf::at(folder.path().into());
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
