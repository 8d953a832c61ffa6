//! Models to choose from: the one compiled in, and others made of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nice_assert_no_alloc::assert_no_alloc;
use statewave::chain::ChainConfig;
use statewave::latency::LatencyMode;
use statewave::model::Model;
use statewave::model::catalogue;
use statewave::model::file::ModelFile;
use statewave_plugin::loader::{Loader, ModelChoice, Status, Stream};
use statewave_plugin::processor::{Processor, Settings};

use crate::signals::{Random, noisy, same_bits};

fn usual_bytes() -> Vec<u8> {
    let usual = catalogue::built_in()
        .next()
        .expect("a model is compiled in");
    usual.bytes().expect("it is in memory").into_owned()
}

pub fn usual() -> Arc<Model> {
    Arc::new(Model::from_bytes(&usual_bytes()).expect("it is sound"))
}

/// A folder that goes with the test.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder can be made")
}

/// The usual model in another file, with another hash.
pub fn twin(folder: &Path, name: &str) -> PathBuf {
    let mut file = ModelFile::from_bytes(&usual_bytes()).expect("it is sound");
    file.spec_json["name"] = name.into();
    write(folder, name, &file.to_bytes())
}

/// One whose frames overlap less, so that its latency is another.
pub fn shorter(folder: &Path, name: &str) -> PathBuf {
    let mut file = ModelFile::from_bytes(&usual_bytes()).expect("it is sound");
    file.spec_json["front_end"]["overlap"] = 96.into();
    write(folder, name, &file.to_bytes())
}

/// One that no processor keeps up with: what it does for a hop is due within a sample.
pub fn dear(folder: &Path, name: &str) -> PathBuf {
    let mut file = ModelFile::from_bytes(&usual_bytes()).expect("it is sound");
    file.spec_json["front_end"]["spread"] = 1.into();
    write(folder, name, &file.to_bytes())
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(format!("{name}.safetensors"));
    std::fs::write(&path, bytes).expect("the file can be written");
    path
}

/// Waits until the loader has come to an end, or panics.
pub fn settled(loader: &Loader) -> Status {
    for _ in 0..2_000 {
        let status = loader.status();
        if !status.loading {
            return status;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("the loader does not come to an end: {:?}", loader.status());
}

#[test]
fn a_broken_file_leaves_what_plays_and_says_what_helps() {
    let folder = folder();
    let loader = Loader::new();
    let playing = loader.model().expect("the usual model is here");
    let cut = &usual_bytes()[..100_000];
    loader.choose(ModelChoice::file(write(folder.path(), "cut", cut)));
    let status = settled(&loader);
    let fault = status.fault.expect("it is broken");
    assert!(fault.what.contains("cut.safetensors"), "{}", fault.what);
    assert!(
        fault.remedy.contains("download or export it again"),
        "{}",
        fault.remedy
    );
    assert_eq!(status.sha256, playing.sha256());
    // A project that is saved now remembers what is heard.
    assert_eq!(loader.choice(), ModelChoice::default());
    // Audio that starts now plays on with the same model, and the fault stays to be read.
    let model = loader.model().expect("something plays");
    assert_eq!(model.sha256(), playing.sha256());
    assert!(loader.status().fault.is_some());
}

/// Files that are no models, each in its own way.
fn bad_files() -> Vec<(&'static str, Vec<u8>)> {
    let usual = usual_bytes();
    let changed = |change: &dyn Fn(&mut ModelFile)| {
        let mut file = ModelFile::from_bytes(&usual).expect("it is sound");
        change(&mut file);
        file.to_bytes()
    };
    let first = |file: &ModelFile| file.tensors.keys().next().cloned().expect("a tensor");
    // Of the header, since weights may be any numbers.
    let mut scrambled = usual.clone();
    let mut random = Random::new(22);
    for _ in 0..200 {
        let at = 8 + random.below(1_000);
        scrambled[at] ^= 1 + random.below(255) as u8;
    }
    let claims = [&(4_u64 << 30).to_le_bytes(), b"{}".as_slice()].concat();
    vec![
        ("empty", Vec::new()),
        ("text", b"no model at all".to_vec()),
        ("half", usual[..usual.len() / 2].to_vec()),
        ("4 GB claimed", claims),
        (
            "not a number",
            changed(&|file| {
                let name = first(file);
                file.tensors.get_mut(&name).expect("it is there").data[0] = f32::NAN;
            }),
        ),
        (
            "a tensor is missing",
            changed(&|file| drop(file.tensors.remove(&first(file)))),
        ),
        (
            "a tensor has another shape",
            changed(&|file| {
                let name = first(file);
                let tensor = file.tensors.get_mut(&name).expect("it is there");
                tensor.shape.push(2);
                tensor.data = [tensor.data.clone(), tensor.data.clone()].concat();
            }),
        ),
        (
            "newer",
            changed(&|file| file.spec_json["format_version"] = 99.into()),
        ),
        ("scrambled", scrambled),
    ]
}

#[test]
fn what_plays_plays_on_whatever_file_is_asked_for() {
    let folder = folder();
    let input = noisy(2, 64 * 400, 23);
    let config = ChainConfig {
        sample_rate: 48_000,
        channels: 2,
        max_block: 64,
    };
    let loader = Loader::new();
    let (mut undisturbed, _ends) =
        Processor::new(&usual(), config, LatencyMode::Live).expect("it can be made");
    let stream = Stream::live(config, LatencyMode::Live);
    let mut processor = loader.processor(&stream).expect("it can be made");
    for (what, bytes) in bad_files() {
        let path = write(folder.path(), what, &bytes);
        loader.choose(ModelChoice::file(path));
        for at in (0..input[0].len()).step_by(64) {
            let mut block: Vec<_> = input.iter().map(|c| c[at..at + 64].to_vec()).collect();
            let mut expected = block.clone();
            for (processor, audio) in [
                (&mut processor, &mut block),
                (&mut undisturbed, &mut expected),
            ] {
                let mut slices: Vec<&mut [f32]> = audio.iter_mut().map(Vec::as_mut_slice).collect();
                assert_no_alloc(|| processor.process(&mut slices, &Settings::default()));
            }
            assert!(same_bits(&block, &expected), "{what}");
        }
        let fault = settled(&loader).fault;
        let fault = fault.unwrap_or_else(|| panic!("{what}: nothing was found wrong"));
        assert!(!fault.remedy.is_empty(), "{what}: {}", fault.what);
        assert_eq!(loader.status().swaps, 0, "{what}");
        assert!(!loader.restart_wanted(), "{what}");
    }
}

#[test]
fn a_model_that_is_not_here_is_remembered_until_it_is() {
    let folder = folder();
    let path = twin(folder.path(), "elsewhere");
    let twin = Model::open(&path).expect("it is sound");
    let remembered = ModelChoice {
        name: "elsewhere".into(),
        sha256: twin.sha256().into(),
        path: None,
    };
    let loader = Loader::new();
    loader.choose(remembered.clone());
    let status = settled(&loader);
    let fault = status.fault.expect("it is missing");
    assert!(fault.what.contains("elsewhere") && fault.what.contains(&status.playing));
    assert!(fault.remedy.contains("elsewhere.safetensors"));
    assert_eq!(loader.choice(), remembered);
    // Renamed, and in another place: the hash finds it.
    let moved = folder.path().join("renamed.safetensors");
    std::fs::rename(&path, &moved).expect("it can be renamed");
    loader.choose(ModelChoice {
        path: Some(moved),
        ..remembered
    });
    let status = settled(&loader);
    assert_eq!(
        (status.fault, status.sha256.as_str()),
        (None, twin.sha256())
    );
}

#[test]
fn another_model_of_the_same_name_plays_and_is_told_apart() {
    let loader = Loader::new();
    loader.choose(ModelChoice {
        sha256: "00".into(),
        ..ModelChoice::default()
    });
    let fault = settled(&loader).fault.expect("it is another one");
    assert!(fault.what.contains("is not the one"), "{}", fault.what);
    assert_eq!(loader.choice().sha256, "00");
}

#[test]
fn the_last_of_many_wishes_is_granted() {
    let folder = folder();
    let paths: Vec<_> = (0..4)
        .map(|i| twin(folder.path(), &format!("twin{i}")))
        .collect();
    let loader = Loader::new();
    for i in 0..40 {
        loader.choose(ModelChoice::file(&paths[i % 4]));
    }
    let last = Model::open(&paths[3]).expect("it is sound");
    assert_eq!(settled(&loader).sha256, last.sha256());
    assert_eq!(loader.choice().sha256, last.sha256());
}
