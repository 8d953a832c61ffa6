//! The app without a window: opens the route, says what happens, ends when it is told to.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::devices;
use super::flags::Flags;
use super::front::Front;
use super::midi::Midi;
use crate::engine::{not_audio, words};
use crate::panel::host::{Fault, PanelHost};
use statewave::telemetry::Snapshot;

/// Between two looks at the route.
const LOOK: Duration = Duration::from_millis(100);

/// Between two lines about the route.
const REPORT: Duration = Duration::from_secs(10);

/// How long a route may take to open before the app gives up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs until the time is up, the file has ended, or the process is ended. `midi` moves what its controllers learned.
pub fn run(flags: &Flags, mut front: Front, mut midi: Midi) -> ExitCode {
    if let Some(Err(fault)) = flags.midi.as_ref().map(|port| midi.connect(port)) {
        tell(&fault);
        return ExitCode::FAILURE;
    }
    if front.choice().is_instrument()
        && let Err(fault) = midi.connect_any()
    {
        tell(&fault);
    }
    let mut log = Log::default();
    let began = Instant::now();
    let mut played = false;
    loop {
        for fault in front.pump() {
            tell(&fault);
        }
        let first = log.shown.is_empty();
        log.write(&mut front, began);
        if first && !log.shown.is_empty() && flags.record.is_some() {
            front.record(flags.record.clone());
        }
        if log.shown.is_empty() && began.elapsed() > PATIENCE {
            return ExitCode::FAILURE;
        }
        played |= front.playing.is_some();
        let ended = played && front.playing.is_none();
        let timed_out = flags
            .seconds
            .is_some_and(|s| began.elapsed().as_secs_f64() > s);
        if ended || timed_out {
            log.report(&front, began);
            return ExitCode::SUCCESS;
        }
        std::thread::sleep(LOOK);
    }
}

/// What has been said of the route.
#[derive(Default)]
struct Log {
    /// The line about its ends; empty until one runs.
    shown: String,
    /// Nothing runs any more: the same line is news when it does.
    stopped: bool,
    reported: Option<Instant>,
    last: Option<Snapshot>,
}

impl Log {
    /// A line when the route is another, and one about its state now and then.
    fn write(&mut self, front: &mut Front, began: Instant) {
        while let Some(snapshot) = front.desk.snapshot() {
            self.last = Some(snapshot);
        }
        let Some(route) = &front.route else {
            self.stopped = true;
            return;
        };
        let line = format!(
            "{} ({} Hz) -> {} ({} Hz), {:.2} ms in the model's path",
            route.input,
            route.rates.0,
            route.output,
            route.rates.1,
            front.desk.latency.map_or(0.0, |latency| latency.total_ms()),
        );
        if line != self.shown || self.stopped {
            self.stopped = false;
            println!("{line}");
            self.shown = line;
        }
        let reported = *self.reported.get_or_insert(began);
        if reported.elapsed() > REPORT {
            self.reported = Some(Instant::now());
            self.report(front, began);
        }
    }

    /// A line about the route's state.
    fn report(&self, front: &Front, began: Instant) {
        let Some(route) = &front.route else { return };
        let (empty, full) = route.gaps();
        let sound = sound(self.last.as_ref());
        let engine = self.last.map(|last| last.engine).unwrap_or_default();
        let runs = words(front.desk.engine(), &engine);
        println!(
            "{:.0} s: drift {:+} ppm, {:.1} ms held, gaps: {empty} empty, {full} too full; {sound}{runs}",
            began.elapsed().as_secs_f64(),
            route.drift_ppm(),
            route.held_ms(),
        );
    }
}

/// How the model's path has gone so far.
fn sound(last: Option<&Snapshot>) -> String {
    let (load, missed) = last.map_or((0.0, 0), |last| (last.load, last.missed));
    let mut text = format!("load {:.0} %, {missed} missed; ", 100.0 * load);
    if let Some(last) = last.filter(|last| last.goes_on) {
        text += &format!("goes on, taken back {} times; ", last.stats.restarts);
    }
    if let Some(no_audio) = last.and_then(|last| not_audio(&last.stats)) {
        text += &format!("{no_audio}; ");
    }
    text
}

/// Prints what there is.
pub fn list() {
    let devices = devices::list();
    for (title, list) in [("inputs", devices.inputs), ("outputs", devices.outputs)] {
        println!("{title}:");
        for device in list {
            println!("  {}  ({})", device.name, device.id);
        }
    }
    println!("MIDI ports:");
    for port in Midi::ports() {
        println!("  {port}");
    }
}

/// Says what is wrong, and what helps.
pub fn tell(fault: &Fault) {
    eprintln!("error: {}\n help: {}", fault.what, fault.remedy);
}

#[cfg(test)]
mod tests {
    use statewave::chain::{Chain, ChainConfig};
    use statewave::controls::Controls;
    use statewave::model::catalogue;
    use statewave::model::effect::EffectModel;
    use statewave::telemetry::pair;

    use super::*;

    #[test]
    fn samples_that_were_no_audio_are_told_of() {
        let found = catalogue::find("tone-opto").expect("it is compiled in");
        let bytes = found.bytes().expect("it is in memory");
        let model = EffectModel::from_bytes(&bytes).expect("it is sound");
        let config = ChainConfig {
            sample_rate: 48_000,
            channels: 1,
            max_block: 512,
        };
        let mut chain = Chain::of_effect(&model, config).expect("it plays");
        let (writer, mut reader) = pair();
        reader.watch(true);
        chain.set_telemetry(Some(writer));
        let mut said = |sample: f32| {
            let mut block = [0.1; 512];
            block[7] = sample;
            chain.process(&mut [&mut block], &Controls::default());
            let last = std::iter::from_fn(|| reader.read()).last();
            sound(Some(&last.expect("somebody watches")))
        };
        assert!(!said(0.1).contains("no audio"));
        let told = said(f32::NAN);
        let whole = "1 samples were no audio; state begun anew 1 times; ";
        assert!(told.ends_with(whole), "{told}");
        assert!(sound(None).starts_with("load 0 %, 0 missed"));
    }
}
