//! `cargo xtask models`: the shipped models, each checked against its card.
//!
//! A card lies beside its model in `assets/models` or a folder of it, as `NAME.md`. Its first fenced `json` block holds what can be checked:
//! `{"sha256": "…", "scores": {…}}`; the scores are those of the file's own spec, to the letter.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::shell::{Result, cargo, output, root};
use crate::system;

/// List the models and check them; every fault is reported.
pub fn run() -> Result {
    system::prepare()?;
    let folder = root().join("assets").join("models");
    let folders = ["tasks", "tone", "instruments", "continue", ""].map(|name| folder.join(name));
    let mut files: Vec<PathBuf> = folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "safetensors"));
    files.sort();
    if files.is_empty() {
        println!("no model is shipped yet");
    }
    let mut faults = Vec::new();
    for file in &files {
        match check(file) {
            Ok(line) => println!("{line}"),
            Err(fault) => faults.push(format!("{}: {fault}", file.display())),
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("\nerror: "))
    }
}

fn check(file: &Path) -> Result<String> {
    let path = file.to_string_lossy();
    let run = [
        "run",
        "--quiet",
        "--package",
        "statewave",
        "--bin",
        "statewave",
        "--",
        "inspect",
        &*path,
        "--json",
    ];
    let facts: Value = serde_json::from_str(&output(cargo(&run))?).map_err(|e| e.to_string())?;
    let card_path = file.with_extension("md");
    let card = fs::read_to_string(&card_path)
        .map_err(|e| format!("its card {}: {e}", card_path.display()))?;
    let card: Value = serde_json::from_str(json_block(&card)?)
        .map_err(|e| format!("its card's json block: {e}"))?;
    if card["sha256"] != facts["sha256"] {
        return Err(format!(
            "the card is for another file\n help: its sha256 is {}",
            facts["sha256"]
        ));
    }
    if card["scores"] != facts["spec"]["scores"] {
        let ours = &facts["spec"]["scores"];
        return Err(format!(
            "the card's scores are not the file's\n help: the file says {ours}"
        ));
    }
    let latency = facts["latency_ms"]
        .as_f64()
        .map_or_else(String::new, |ms| format!(", {ms:.1} ms"));
    Ok(format!(
        "{}: {} parameters{latency}, card agrees",
        text(&facts["name"]),
        facts["parameters"]
    ))
}

/// What lies within the first fenced json block.
fn json_block(card: &str) -> Result<&str> {
    let after = card
        .split_once("```json")
        .ok_or("its card has no json block")?
        .1;
    Ok(after
        .split_once("```")
        .ok_or("its card's json block has no end")?
        .0)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}
