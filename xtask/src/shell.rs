//! Running other programs, and the places of the repository.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What every task returns; the fault is one or more lines for people.
pub type Result<T = ()> = std::result::Result<T, String>;

/// The repository's folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// The cargo that runs this task.
pub fn cargo(arguments: &[&str]) -> Command {
    command(
        std::env::var("CARGO").as_deref().unwrap_or("cargo"),
        arguments,
    )
}

/// A program with arguments, in the repository's folder.
pub fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Show the command, run it, and fail if it does.
pub fn show(mut command: Command) -> Result {
    let line: Vec<_> = [command.get_program()]
        .into_iter()
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    let line = line.join(" ");
    eprintln!("$ {line}");
    let status = command
        .status()
        .map_err(|e| format!("cannot run `{line}`: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{line}` failed ({status})"))
    }
}

/// What the command prints, if it succeeds.
pub fn output(mut command: Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|e| format!("cannot run {name}: {e}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_string());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What the command prints when it is told `question`, whether it succeeds or not.
pub fn answer(mut command: Command, question: &str) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let fault = |e: std::io::Error| format!("cannot run {name}: {e}");
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = pipes.spawn().map_err(fault)?;
    if let Some(mut ear) = child.stdin.take() {
        ear.write_all(question.as_bytes()).map_err(fault)?;
    }
    let output = child.wait_with_output().map_err(fault)?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Build a program for release, and say where it is.
pub fn release(package: &str, program: &str) -> Result<PathBuf> {
    show(cargo(&[
        "build",
        "--release",
        "--package",
        package,
        "--bin",
        program,
    ]))?;
    Ok(target()
        .join("release")
        .join(format!("{program}{}", std::env::consts::EXE_SUFFIX)))
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(target)
}

/// Copy a file, into a folder that need not be there.
pub fn copy(from: &Path, to: &Path) -> Result {
    let fault =
        |e: std::io::Error| format!("cannot copy {} to {}: {e}", from.display(), to.display());
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(fault)?;
    }
    fs::copy(from, to).map(drop).map_err(fault)
}

/// Copy a file, or a folder with all it holds.
pub fn copy_all(from: &Path, to: &Path) -> Result {
    if !from.is_dir() {
        return copy(from, to);
    }
    let entries = fs::read_dir(from).map_err(|e| format!("cannot read {}: {e}", from.display()))?;
    for entry in entries.flatten() {
        copy_all(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// How large a file is, or all that a folder holds.
pub fn megabytes(path: &Path) -> Result<String> {
    fn bytes(path: &Path) -> std::io::Result<u64> {
        let here = fs::metadata(path)?;
        if !here.is_dir() {
            return Ok(here.len());
        }
        fs::read_dir(path)?.map(|entry| bytes(&entry?.path())).sum()
    }
    let bytes = bytes(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    Ok(format!("{:.1} MB", bytes as f64 / 1e6))
}

/// Take from a program or library what only a debugger reads.
pub fn strip(file: &Path) -> Result {
    let option = if cfg!(target_os = "macos") {
        "-x"
    } else if cfg!(unix) {
        "--strip-unneeded"
    } else {
        return Ok(());
    };
    show(command("strip", &[option, &file.to_string_lossy()]))
}
