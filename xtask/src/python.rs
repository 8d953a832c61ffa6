//! Python environments of our own, a folder each in the target folder, so that nothing is installed elsewhere.

use crate::shell::{Result, command, show, target};

/// The Python of the environment `name` with `packages` in it, made by `$PYTHON` or python3, which has venv and pip.
/// `index` is where packages are looked for beside pip's own.
pub fn environment(name: &str, packages: &[&str], index: Option<&str>) -> Result<String> {
    let folder = target().join(name);
    let bin = if cfg!(windows) { "Scripts" } else { "bin" };
    let program = format!("python{}", std::env::consts::EXE_SUFFIX);
    let python = folder.join(bin).join(program);
    if !python.exists() {
        let system = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
        show(command(&system, &["-m", "venv", &folder.to_string_lossy()]))?;
    }
    let python = python.to_string_lossy().into_owned();
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    let mut install = command(&python, &install);
    install.args(index.iter().flat_map(|index| ["--extra-index-url", *index]));
    install.args(packages);
    show(install)?;
    Ok(python)
}
