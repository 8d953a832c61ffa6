//! The `statewave` program: cleans recordings, plays notes, and says what a model and this machine are.

mod audio;
mod bench;
mod continuation;
mod denoise;
mod doctor;
mod drawing;
mod failure;
mod inspect;
mod models;
mod play;
mod render;
mod spectrogram;
mod streamed;
mod task;
mod temporary;
mod tone;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Clean recordings and play instruments with Mamba models, in real time or faster.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Render(render::Arguments),
    Play(play::Arguments),
    Continue(continuation::Arguments),
    Inspect(inspect::Arguments),
    Bench(bench::Arguments),
    Doctor(doctor::Arguments),
    Task(task::Arguments),
}

/// Exit codes: 0 all is well, 1 something failed, 2 the command line is wrong.
fn main() -> ExitCode {
    let result = match Program::parse().command {
        Command::Render(arguments) => render::run(&arguments),
        Command::Play(arguments) => play::run(&arguments),
        Command::Continue(arguments) => continuation::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Task(arguments) => task::run(&arguments),
    };
    match result {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
