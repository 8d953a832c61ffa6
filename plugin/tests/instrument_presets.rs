//! Presets of the instrument: those of the house sound and differ, the person's own are files of the same form as the effect's.

mod common;

use std::path::Path;

use common::headless::Headless;
use common::instrument::{Played, window};
use egui::accesskit::{Node, Role};
use egui::{Event, Key, Modifiers, PointerButton, vec2};
use statewave::instrument::{Event as NoteEvent, Happening, Instrument};
use statewave::model::spec::Task;
use statewave_plugin::app::band::Band;
use statewave_plugin::fault::Fault;
use statewave_plugin::instrument::handle::Handle;
use statewave_plugin::instrument::hands::Direct;
use statewave_plugin::instrument::seated::{Doing, Seated};
use statewave_plugin::instrument::{InstrumentParams, shipped};
use statewave_plugin::panel::layout::{LEAST, USUAL};
use statewave_plugin::panel::presets::{Preset, PresetError, Shelf, Side, factory, named};
use statewave_plugin::panel::theme::Shade;

const SIDE: Side = Side::Instrument;

/// What is set now, as a preset.
fn taken(params: &InstrumentParams, name: &str) -> Preset {
    Preset::of(&Seated::new(params, None, &mut Doing::default()), name)
}

fn is_set(preset: &Preset, params: &InstrumentParams) -> bool {
    preset.is_set(&Seated::new(params, None, &mut Doing::default()))
}

/// A value in its unit.
fn plain(params: &InstrumentParams, id: &str) -> f32 {
    let all = params.handles();
    let (_, handle) = all.iter().find(|(own, _)| own == id).expect("it is one");
    handle.plain(handle.value())
}

#[test]
fn every_preset_of_the_house_reads_and_sets_what_it_names() {
    let presets = factory(SIDE);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/presets/instrument");
    let count = std::fs::read_dir(folder).expect("they are there").count();
    assert_eq!(presets.len(), count, "each file is compiled in");
    for preset in &presets {
        let band = Band::default();
        assert_eq!(band.set(preset), None, "{}", preset.name);
        for (id, &value) in &preset.values {
            let now = plain(&band.params, id);
            assert!((now - value).abs() < 1e-3, "{}: {id} is {now}", preset.name);
        }
        assert!(is_set(preset, &band.params), "{}", preset.name);
        assert!(preset.task == Task::Generate && !preset.about.is_empty());
    }
}

/// Two seconds of a chord, held for one, at 48 kHz: left and right one behind the other.
fn chord(preset: &Preset) -> Vec<f32> {
    let band = Band::default();
    band.set(preset);
    let mut player = Instrument::new(shipped().expect("it is whole"), 48_000, 32);
    let keys = [48, 60, 64, 67];
    let note = |sample, key, velocity| NoteEvent {
        sample,
        what: Happening::On {
            id: None,
            channel: 0,
            key,
            velocity,
        },
    };
    let mut events: Vec<_> = keys.map(|key| note(0, key, 0.8)).into();
    let let_go = |key| NoteEvent {
        sample: 48_000,
        what: Happening::Off(statewave::instrument::Which {
            key: Some(key),
            ..Default::default()
        }),
    };
    events.extend(keys.map(let_go));
    let (mut left, mut right) = (vec![0.0; 96_000], vec![0.0; 96_000]);
    player.process(&band.params.controls(), &events, &mut left, &mut right);
    [left, right].concat()
}

#[test]
fn every_preset_of_the_house_sounds_none_clips_and_no_two_are_alike() {
    let sounds: Vec<_> = factory(SIDE)
        .iter()
        .map(|preset| (preset.name.clone(), chord(preset)))
        .collect();
    let power = |sound: &[f32]| sound.iter().map(|x| x * x).sum::<f32>();
    for (i, (name, sound)) in sounds.iter().enumerate() {
        assert!(sound.iter().all(|x| x.is_finite()), "{name}");
        let peak = sound.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        // Between -24 and -3 dBFS: as loud as the others, with room for more keys.
        assert!((0.063..0.708).contains(&peak), "{name} comes to {peak}");
        for (other, theirs) in &sounds[..i] {
            let difference: Vec<f32> = sound.iter().zip(theirs).map(|(a, b)| a - b).collect();
            let share = power(&difference) / (power(sound) + power(theirs));
            assert!(share > 0.1, "{name} and {other} are alike: {share}");
        }
    }
}

#[test]
fn a_preset_resets_what_it_does_not_name_but_not_what_is_played_with() {
    let band = Band::default();
    let params = &band.params;
    let (mpe, freeze) = (&params.mpe, &params.state.freeze);
    Handle::of(&params.attack).set(&Direct, 0.5);
    Handle::of(&params.state.memory).set(&Direct, 1.0);
    Handle::of(mpe).set(&Direct, 1.0);
    Handle::of(freeze).set(&Direct, 0.75);
    band.set(&factory(SIDE)[0]);
    assert_eq!(params.attack.value(), 0.0);
    assert_eq!(params.state.memory.value(), 0.0);
    assert!(mpe.value() && freeze.value() == 0.75);
    let kept = taken(params, "mine").values;
    assert!(!kept.contains_key("mpe") && !kept.contains_key("freeze"));
    assert!(kept.contains_key("memory") && kept.contains_key("a"));
}

#[test]
fn a_preset_comes_back_from_its_file_and_what_is_not_known_in_it_is_passed_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::at(SIDE, folder.path().join("not yet there"));
    let band = Band::default();
    let params = &band.params;
    for (param, value) in [(&params.attack, 0.3), (&params.width, 0.9)] {
        Handle::of(param).set(&Direct, value);
    }
    Handle::of(&params.a).set(&Direct, 0.6);
    Handle::of(&params.bend).set(&Direct, 0.25);
    let preset = taken(params, " Mine ");
    shelf.save(&preset, false).expect("it is written");
    assert_eq!(shelf.names(), ["Mine"]);
    let path = shelf.folder().expect("it has one").join("Mine.json");
    let text = std::fs::read_to_string(&path).expect("it is there");
    assert!(text.contains(r#""task": "generate""#) && text.contains(&preset.sha256));
    let more = text.replacen('{', r#"{ "colour": ["red"], "#, 1);
    let more = more.replacen(r#""values": {"#, r#""values": { "sparkle": 3.0, "#, 1);
    std::fs::write(&path, more).expect("it is written");
    let other = Band::default();
    let read = named("mine", &shelf).expect("it is read");
    assert_eq!(other.set(&read), None);
    assert!(is_set(&read, &other.params) && is_set(&preset, &other.params));
    assert_eq!(other.params.a.value(), 9);
    assert_eq!(other.params.bend.value(), 12);
}

#[test]
fn a_preset_of_the_other_plugin_is_refused_on_either_side_and_says_where_it_belongs() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |side| Shelf::at(side, folder.path().into());
    let own = taken(&InstrumentParams::default(), "notes");
    at(SIDE).save(&own, false).expect("it is written");
    let voice = &factory(Side::Effect)[0];
    at(Side::Effect).save(voice, false).expect("it is written");
    assert!(at(SIDE).load("notes").is_ok() && at(Side::Effect).load(&voice.name).is_ok());
    for (side, name) in [(Side::Effect, "notes"), (SIDE, &*voice.name)] {
        let error = at(side).load(name).expect_err("it is of the other");
        assert!(matches!(error, PresetError::Elsewhere(..)), "{error:?}");
        let fault = Fault::from(error);
        assert!(fault.remedy.contains("folder"), "{fault:?}");
    }
    let error = named("glass", &at(SIDE)).expect_err("there is none");
    let remedy = Fault::from(error).remedy;
    assert!(remedy.contains("Glass keys") && !remedy.contains("Gentle"));
}

#[test]
fn a_preset_that_cannot_be_written_leaves_the_old_one_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = Shelf::at(SIDE, folder.path().into());
    let band = Band::default();
    let old = taken(&band.params, "Mine");
    shelf.save(&old, false).expect("it is written");
    Handle::of(&band.params.width).set(&Direct, 1.0);
    let new = taken(&band.params, "Mine");
    assert!(matches!(shelf.save(&new, false), Err(PresetError::Exists)));
    // Where the new one is to be written first, something is in the way.
    let way = folder.path().join("Mine.json.new");
    std::fs::create_dir(&way).expect("a folder");
    assert!(matches!(shelf.save(&new, true), Err(PresetError::File(..))));
    assert_eq!(shelf.load("Mine").expect("it is whole"), old);
    std::fs::remove_dir(&way).expect("it goes");
    shelf.save(&new, true).expect("it is replaced");
    assert_eq!(shelf.load("Mine").expect("it is whole"), new);
}

#[test]
fn a_preset_made_with_other_instruments_is_set_and_says_so() {
    let band = Band::default();
    let mut preset = factory(SIDE)[2].clone();
    preset.sha256 = "00".repeat(32);
    let fault = band.set(&preset).expect("they are others");
    assert!(fault.what.contains("ensemble"), "{fault:?}");
    assert_eq!(band.params.a.value(), 1);
    assert!(!is_set(&preset, &band.params));
    preset.sha256 = taken(&band.params, "").sha256;
    assert_eq!(band.set(&preset), None);
    assert!(is_set(&preset, &band.params));
}

fn small() -> Headless<Played> {
    window(LEAST, Shade::Dark, Band::default())
}

/// A window whose own presets are there.
fn with_shelf(folder: &Path) -> (Headless<Played>, Shelf) {
    let shelf = Shelf::at(SIDE, folder.into());
    let mut window = window(USUAL, Shade::Dark, Band::default());
    window.panel.set_shelf(shelf.clone());
    (window, shelf)
}

#[test]
fn presets_go_round_and_one_that_was_changed_says_so() {
    let mut window = small();
    let all: Vec<_> = factory(SIDE)
        .into_iter()
        .map(|preset| preset.name)
        .collect();
    for name in all.iter().chain(&all[..1]) {
        window.press("Next preset");
        window.find(&format!("Preset {name}"));
    }
    window.press("Previous preset");
    let last = all.last().expect("there are some");
    window.find(&format!("Preset {last}"));
    let knob = window.find("Width");
    window.drag(knob, vec2(0.0, 40.0), Modifiers::NONE);
    window.frame(vec![]);
    window.find(&format!("Preset {last}, changed since"));
    window.key(Key::Z, Modifiers::COMMAND);
    window.frame(vec![]);
    window.find(&format!("Preset {last}"));
    assert!(window.hands.open().is_empty());
}

#[test]
fn presets_are_chosen_and_saved_in_the_menu_without_a_pointer() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut window, shelf) = with_shelf(folder.path());
    window.tab_to("Presets");
    window.key(Key::Space, Modifiers::NONE);
    window.frame(vec![]);
    window.tab_to("Slow strings");
    window.key(Key::Space, Modifiers::NONE);
    window.frame(vec![]);
    window.find("Preset Slow strings");
    let narrower = |window: &mut Headless<Played>| {
        let knob = window.find("Width");
        window.drag(knob, vec2(0.0, 30.0), Modifiers::NONE);
        window.frame(vec![]);
        window.band.params.width.value()
    };
    let narrow = narrower(&mut window);
    let save = |window: &mut Headless<Played>, label: &str, button: &str| {
        window.press(label);
        window.frame(vec![]);
        let nodes = window.nodes();
        let is_field = |node: &&Node| node.role() == Role::TextInput;
        let field = nodes.values().find(is_field).expect("a field");
        let bounds = field.bounds().expect("it has a place");
        let at = egui::pos2(bounds.x0 as f32 + 8.0, bounds.y0 as f32 + 8.0);
        window.click(at, PointerButton::Primary);
        window.time += 1.0;
        window.key(Key::A, Modifiers::COMMAND);
        window.frame(vec![Event::Text("Narrow".into())]);
        window.press(button);
        window.frame(vec![]);
    };
    save(&mut window, "Preset Slow strings, changed since", "Save");
    window.find("Preset Narrow");
    let saved = shelf.load("Narrow").expect("it is written");
    assert!(narrow < 0.7 && saved.values["width"] == narrow);
    // Over another only when that is said.
    let narrow = narrower(&mut window);
    save(&mut window, "Preset Narrow, changed since", "Save");
    assert_eq!(shelf.load("Narrow").expect("it is there"), saved);
    window.press("Replace");
    let saved = shelf.load("Narrow").expect("it is written");
    assert!(narrow < 0.6 && saved.values["width"] == narrow);
    window.frame(vec![]);
    window.find("Preset Narrow");
}

#[test]
fn one_that_cannot_be_read_is_passed_over_and_told_of_until_that_is_dismissed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut window, shelf) = with_shelf(folder.path());
    std::fs::write(folder.path().join("broken.json"), "{").expect("it is written");
    let mine = taken(&window.band.params, "mine");
    shelf.save(&mine, false).expect("it is written");
    // From the first backwards: the last of one's own, and over the broken one to the last of the house.
    window.press("Next preset");
    window.press("Previous preset");
    window.find("Preset mine");
    let told = |window: &Headless<Played>| {
        let nodes = window.nodes();
        let labels: Vec<_> = nodes.values().filter_map(|node| node.label()).collect();
        labels
            .iter()
            .any(|label| label.contains("broken.json is no preset"))
    };
    assert!(!told(&window));
    window.press("Previous preset");
    window.frame(vec![]);
    window.find("Preset Long bells");
    assert!(told(&window));
    window.press("Dismiss");
    window.frame(vec![]);
    assert!(!told(&window));
}
