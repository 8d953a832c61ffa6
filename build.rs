//! Lists the models of assets/models and of its folders, so that the program carries them.

use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let folder =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the package's folder"))
            .join("assets")
            .join("models");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=assets/models");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder for output"));
    let write = |name: &str, list: String| {
        fs::write(out.join(name), list).expect("the build folder can be written");
    };
    write(
        "built_in_models.rs",
        list("pub static BUILT_IN", "The models compiled in", &folder)
            + &list(
                "static EFFECTS",
                "The effects compiled in",
                &folder.join("tone"),
            ),
    );
    write(
        "instruments.rs",
        list(
            "static INSTRUMENTS",
            "The instruments compiled in",
            &folder.join("instruments"),
        ),
    );
    write(
        "continue_models.rs",
        list(
            "static CONTINUE_MODELS",
            "The models that go on by themselves",
            &folder.join("continue"),
        ),
    );
    write(
        "task_models.rs",
        list(
            "static TASK_MODELS",
            "The models of the papers' tasks",
            &folder.join("tasks"),
        ),
    );
}

/// A static of the name and the bytes of every model in a folder: a constant would be in the program once for every piece of code that uses it.
fn list(declared: &str, what: &str, folder: &Path) -> String {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "safetensors"));
    paths.sort();
    let mut list = format!("/// {what}: name and bytes of the file.\n");
    list.push_str(&format!("{declared}: &[(&str, &[u8])] = &[\n"));
    for path in &paths {
        let name = path
            .file_stem()
            .expect("it has an ending")
            .to_string_lossy();
        list.push_str(&format!(
            "    ({name:?}, include_bytes!({:?})),\n",
            path.display().to_string()
        ));
    }
    list.push_str("];\n");
    list
}
