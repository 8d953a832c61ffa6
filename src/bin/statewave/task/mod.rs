//! `statewave task`: what the papers claim, run here.

mod evaluate;
mod lm;
mod papers;
mod picture;
mod streams;

use std::process::ExitCode;

use crate::failure::Result;

/// Run the papers' tasks: selective copying, induction heads, a language model.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(clap::Subcommand)]
enum Task {
    /// Selective copying: repeat the tokens that lay scattered among noise (Gu & Dao 2023, appendix E.1)
    Copying(papers::Arguments),
    /// Induction heads: say what followed a token when it came before (Gu & Dao 2023, appendix E.2)
    Induction(papers::Arguments),
    Lm(lm::Arguments),
}

/// Run it.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    match &arguments.task {
        Task::Copying(arguments) => papers::run(streams::Kind::Copying, arguments),
        Task::Induction(arguments) => papers::run(streams::Kind::Induction, arguments),
        Task::Lm(arguments) => lm::run(arguments),
    }
}
