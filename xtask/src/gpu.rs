//! `cargo xtask bench gpu`: everything there is to measure on a GPU, as docs/gpu.md has it.
//!
//! The program that measures needs nothing beside itself: where there is a card and no cargo, build it here with
//! `--build-only` and run it there.

use crate::shell::{Result, command, output, release, show};
use crate::system;

/// Where the figures of this machine go, and where those of others may be put beside them.
const HERE: &str = "out/gpu.tsv";
const CARD: &str = "out/gpu-card.tsv";
const PEER: &str = "out/gpu-peer.tsv";

/// Build, measure (or not), and print the table. `arguments` go on to the program; see its `run --help`.
pub fn bench(arguments: &[&str]) -> Result {
    system::prepare()?;
    system::prepare_vulkan()?;
    let program = release("statewave-gpu-bench", "statewave-gpu-bench")?;
    if arguments == ["--build-only"] {
        eprintln!("built: {}", program.display());
        return Ok(());
    }
    let program = program.to_string_lossy();
    show(command(
        &program,
        &[&["run", "--out", HERE], arguments].concat(),
    ))?;
    peer();
    let columns = [
        ("this machine", HERE),
        ("a card", CARD),
        ("CUDA or Triton", PEER),
    ];
    let columns = columns.map(|(name, file)| format!("{name}={file}"));
    let columns = columns.each_ref().map(String::as_str);
    let table = output(command(&program, &[&["table"], &columns[..]].concat()))?;
    println!("\n{table}");
    Ok(())
}

/// The peer, where Python, torch and a CUDA card are here; says so where they are not.
fn peer() {
    let script = "benches/gpu/peer.py";
    if let Err(why) = output(command("python3", &[script, "--out", PEER])) {
        eprintln!("the peer: {why}");
    }
}
