//! Lists the models of assets/models, so that the program carries them.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    let folder =
        PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the package's folder"))
            .join("assets")
            .join("models");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=assets/models");
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "safetensors"));
    paths.sort();
    let mut list = String::from("/// The models compiled in: name and bytes of the file.\n");
    list.push_str("pub const BUILT_IN: &[(&str, &[u8])] = &[\n");
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
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder for output"));
    fs::write(out.join("built_in_models.rs"), list).expect("the build folder can be written");
}
