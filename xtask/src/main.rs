//! `cargo xtask COMMAND`: one command for each thing that is done with the whole repository.

mod bundle;
mod gpu;
mod hosts;
mod models;
mod plugin;
mod python;
mod routes;
mod run;
mod screenshots;
mod shell;
mod system;
mod test;
mod training;
mod validate;
mod window;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

  run          build, and open the app; without a screen or a sound device, clean the noisy voice of assets/samples
  app          build, and open the app
  test         all checks: format, clippy, documentation, tests
  bundle       the plugin's bundles and the release archive for this system, in out/
  install      the plugin's bundles, where hosts look for them
  validate     Steinberg's VST3 test suite over the bundle; with --tested, over the library as tests build it
  training     the tests of the code that trains, in a Python environment of their own
  hosts        the bundles in pedalboard, dawdreamer, qtractor's scanner and Ardour; hosts can be named
  models       list the shipped models, and check each against its card
  routes       the app between sound servers without hardware, against the program; routes can be named
  screenshots  draw the pictures of the panel in docs/img; with --check, draw them anew and compare
  window       the app's window on a screen without hardware, driven as by a hand, and the plugins' in a host's
  bench        the speed of the shipped model and of the kernels, beside others
  bench gpu    everything there is to measure on a GPU, as in docs/gpu.md; --short for a machine without a card,
               --build-only for the program that measures, to be run elsewhere";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["run"] => run::run(),
        ["app"] => run::app(),
        ["test"] => test::run(),
        ["bundle"] => bundle::run(),
        ["install"] => plugin::install(),
        ["validate"] => validate::run(),
        ["validate", "--tested"] => validate::tested(),
        ["hosts", ref names @ ..] => hosts::run(names),
        ["training"] => training::run(),
        ["models"] => models::run(),
        ["screenshots"] => screenshots::run(),
        ["screenshots", "--check"] => screenshots::check(),
        ["window"] => window::run(),
        ["bench"] => run::bench(),
        ["bench", "gpu", ref arguments @ ..] => gpu::bench(arguments),
        ["routes", ref names @ ..] => routes::run(names),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::FAILURE
        }
    }
}
