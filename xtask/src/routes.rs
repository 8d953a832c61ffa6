//! `cargo xtask routes`: the app between sound servers without hardware, held against what the program renders.

use crate::shell::{Result, command, release, show};
use crate::system;

/// Build both for release, and run `tests/routes`; `names` are the routes, all of them if there is none.
///
/// `$PYTHON` has numpy, soundfile and JACK-Client; what is missing is a fault, not a test left out.
pub fn run(names: &[&str]) -> Result {
    system::prepare()?;
    let program = release("statewave", "statewave")?;
    let app = release("statewave-plugin", "statewave-app")?;
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let (app, program) = (app.to_string_lossy(), program.to_string_lossy());
    let arguments = [&["tests/routes/routes.py", &*app, &*program], names].concat();
    show(command(&python, &arguments))
}
