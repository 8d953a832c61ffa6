//! Models to choose from: the one compiled in, and others made of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use statewave::model::Model;
use statewave::model::catalogue;
use statewave::model::file::ModelFile;
use statewave_plugin::loader::{Loader, ModelChoice, Status};

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

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(format!("{name}.safetensors"));
    std::fs::write(&path, bytes).expect("the file can be written");
    path
}

/// Waits until the loader has come to an end, or panics.
fn settled(loader: &Loader) -> Status {
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
