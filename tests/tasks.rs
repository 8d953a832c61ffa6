//! Promise: on the papers' tasks, selection is what makes the difference: models that select pass, time-invariant ones
//! fail, on streams that the engine draws itself.

use std::process::Command;

use serde_json::Value;

/// The rows of a table of one length.
fn table(task: &str, length: usize, streams: usize) -> Vec<Value> {
    let (length, streams) = (length.to_string(), streams.to_string());
    let out = Command::new(env!("CARGO_BIN_EXE_statewave"))
        .args([
            "task",
            task,
            "--json",
            "--lengths",
            &length,
            "--streams",
            &streams,
        ])
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let table: Value = serde_json::from_slice(&out.stdout).unwrap();
    table["rows"].as_array().unwrap().clone()
}

/// Accuracy of each variant at one length.
fn accuracies(task: &str, length: usize, streams: usize) -> Vec<(String, f64)> {
    let row = |row: &Value| {
        let variant = row["variant"].as_str().unwrap().to_string();
        (variant, row["accuracy"][0].as_f64().unwrap())
    };
    table(task, length, streams).iter().map(row).collect()
}

fn of(variant: &str, rows: &[(String, f64)]) -> f64 {
    let row = rows.iter().find(|(name, _)| name == variant);
    row.unwrap_or_else(|| panic!("there is no {variant}")).1
}

#[test]
fn selective_copying_parts_s4d_from_s6() {
    // The paper's length and tokens.
    let rows = accuracies("copying", 4096, 16);
    for fixed in ["s4d", "s4d-gate"] {
        assert!(of(fixed, &rows) < 0.5, "{fixed}: {rows:?}");
    }
    for selective in ["s6", "mamba", "mamba2"] {
        assert!(of(selective, &rows) > 0.95, "{selective}: {rows:?}");
    }
}

#[test]
fn induction_heads_outlast_the_length_of_training_only_with_selection() {
    const SELECTIVE: [&str; 3] = ["s6", "mamba", "mamba2"];
    const FIXED: [&str; 2] = ["s4d", "s4d-gate"];
    // Trained at 256; one token of 14 is right by chance.
    for (length, streams) in [(256, 64), (4096, 16)] {
        let rows = accuracies("induction", length, streams);
        for variant in SELECTIVE {
            assert!(of(variant, &rows) > 0.9, "{variant}: {rows:?}");
        }
        for variant in FIXED {
            assert!(of(variant, &rows) < 0.45, "{variant}: {rows:?}");
        }
    }
}

/// The engine runs the very networks that were trained: S4D's recurrence here was an FFT convolution there.
#[test]
fn the_engine_is_right_as_often_as_the_network_in_training() {
    for row in table("copying", 4096, 16) {
        assert_eq!(row["trained_at"], 4096);
        let here = row["accuracy"][0].as_f64().unwrap();
        let there = row["accuracy_in_training"].as_f64().unwrap();
        // 16 streams ask for 256 tokens: four standard deviations.
        let allowed = 4.0 * (there * (1.0 - there) / 256.0).sqrt() + 0.01;
        assert!((here - there).abs() < allowed, "{row}");
    }
}

#[test]
fn a_table_names_the_papers_figures_and_a_picture_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("copying.png");
    let run = |more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_statewave"))
            .args([
                "task",
                "copying",
                "--lengths",
                "16,32",
                "--streams",
                "2",
                "--plot",
            ])
            .arg(&picture)
            .args(more)
            .output()
            .unwrap()
    };
    let out = run(&[]);
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let said = String::from_utf8(out.stdout).unwrap();
    for figure in ["18.3", "97.0", "99.8"] {
        assert!(said.contains(figure), "{said}");
    }
    assert!(std::fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(run(&[]).status.code(), Some(1), "it is not overwritten");
    assert!(run(&["--force"]).status.success());
}

#[test]
fn a_length_without_room_and_a_model_without_streams_are_refused() {
    let run = |arguments: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_statewave"))
            .args(["task", "copying"])
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(out.status.code(), Some(1));
        String::from_utf8(out.stderr).unwrap()
    };
    assert!(run(&["--lengths", "3"]).contains("no room"));
    let denoiser = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/models/denoise-live.safetensors"
    );
    assert!(run(&["--model", denoiser]).contains("task"));
}
