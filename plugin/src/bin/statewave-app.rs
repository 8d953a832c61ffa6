//! `statewave-app`: models on sound devices, with a window or without.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use statewave_plugin::app::band::Band;
use statewave_plugin::app::flags::Flags;
use statewave_plugin::app::front::Front;
use statewave_plugin::app::headless::{self, tell};
use statewave_plugin::app::midi::Midi;
use statewave_plugin::app::quiet;
use statewave_plugin::app::settings::Settings;
use statewave_plugin::app::states::KeptStates;
use statewave_plugin::app::values::Values;
use statewave_plugin::app::window::Window;
use statewave_plugin::desk::Desk;
use statewave_plugin::fault::Fault;
use statewave_plugin::loader::Loader;
use statewave_plugin::panel::host::PanelHost;

fn main() -> ExitCode {
    let flags = Flags::parse();
    quiet::hush();
    if flags.list {
        headless::list();
        return ExitCode::SUCCESS;
    }
    match start(&flags) {
        Ok(code) => code,
        Err(fault) => {
            tell(&fault);
            ExitCode::FAILURE
        }
    }
}

fn start(flags: &Flags) -> Result<ExitCode, Fault> {
    let (settings, unreadable) = Settings::load(Settings::path().as_deref());
    let loader = Arc::new(Loader::new());
    let values = Arc::new(Values::new(&loader.knobs()));
    settings.restore(&values);
    loader.choose(flags.model(&settings.model));
    loader.choose_engine(flags.engine(&settings.engine));
    loader.choose_cabinet(settings.cabinet.clone());
    let band = Band::default();
    let (states, unread) = KeptStates::recall(KeptStates::path("app"), &*loader);
    let (notes, notes_unread) =
        KeptStates::recall(KeptStates::path("instrument"), &*band.params.slots);
    let mut desk = Desk::new(values, loader);
    flags.set(&settings, &mut desk)?;
    for fault in [&unreadable, &unread, &notes_unread].into_iter().flatten() {
        if flags.headless {
            tell(fault);
        }
        desk.report(fault.clone());
    }
    flags.set_instrument(&settings, &band)?;
    let front = Front::new(
        desk,
        band,
        flags.choice(&settings.choice),
        flags.play.clone(),
        flags.trace.clone(),
    );
    if flags.headless {
        // What was learned in the window moves the same things here.
        let (values, band) = (Arc::clone(&front.desk.values), front.band.clone());
        let midi = Midi::new(&settings.midi, values, band);
        return Ok(headless::run(flags, front, midi));
    }
    if flags.record.is_some() {
        front.record(flags.record.clone());
    }
    Window::run(front, settings, unreadable.is_some(), [states, notes])?;
    Ok(ExitCode::SUCCESS)
}
