//! `statewave play`: a MIDI file through an instrument, to a file of sound.

mod score;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use statewave::instrument::{Event, Happening, Instrument, InstrumentControls, Which};
use statewave::model::catalogue::{self, Found};
use statewave::model::instrument::InstrumentModel;

use crate::audio::{self, Depth, FileOut};
use crate::failure::{Failure, Result};
use crate::temporary::Temporary;

/// Samples that are played at once.
const BLOCK: usize = 512;

/// What follows the last event at most, in seconds, for a note that is never let go.
const LONGEST_TAIL: f64 = 10.0;

/// Play a MIDI file on an instrument.
#[derive(Args)]
pub struct Arguments {
    /// The notes: a standard MIDI file
    notes: PathBuf,
    /// Where the sound goes: .wav or .flac
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The instrument; a name that there is not is answered by all there are
    #[arg(long, value_name = "NAME", conflicts_with = "morph")]
    instrument: Option<String>,
    /// Between two instruments, 0 to 1, such as flute:cello:0.3
    #[arg(long, value_name = "A:B:SHARE")]
    morph: Option<String>,
    /// A model of instruments, by path
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Samples a second
    #[arg(long, default_value_t = 48_000, value_parser = clap::value_parser!(u32).range(8_000..=192_000))]
    rate: u32,
    /// Notes that may sound at once
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    voices: u16,
    /// Louder or softer, in dB
    #[arg(long, default_value_t = 0.0, allow_hyphen_values = true, value_parser = gain)]
    gain: f32,
    /// Overwrite a file that is there
    #[arg(long)]
    force: bool,
}

fn gain(text: &str) -> std::result::Result<f32, String> {
    match text.trim_end_matches("dB").trim().parse::<f32>() {
        Ok(db) if (-96.0..=48.0).contains(&db) => Ok(db),
        _ => Err("a number of dB from -96 to 48 is needed".into()),
    }
}

/// Do it.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let path = &arguments.notes;
    let bytes = std::fs::read(path).map_err(|e| Failure::io("read", path, &e))?;
    let score = score::read(path, &bytes)?;
    let model = open(arguments.model.as_ref())?;
    let controls = InstrumentControls {
        gain: 10f32.powf(arguments.gain / 20.0),
        ..instruments(&model, arguments)?
    };
    audio::Container::of(&arguments.output)?;
    audio::refuse_to_overwrite(&arguments.output, arguments.force)?;
    let start = Instant::now();
    let mut instrument =
        Instrument::new(Arc::clone(&model), arguments.rate, arguments.voices.into());
    let (temporary, out) = Temporary::beside(&arguments.output)?;
    let mut out = FileOut::new(&arguments.output, out, 2, arguments.rate, Depth::Int(24))?;
    let samples = play(
        &mut instrument,
        &controls,
        (&score.events, arguments.rate),
        |sides| out.write(sides),
    )?;
    let (out, clipped) = out.finish()?;
    temporary.close(out)?.keep(arguments.force)?;
    let elapsed = start.elapsed().as_secs_f64();
    let seconds = samples as f64 / f64::from(arguments.rate);
    let name = |place: usize| &model.facts().instruments[place];
    let who = if controls.a == controls.b {
        name(controls.a).clone()
    } else {
        let (a, b) = (name(controls.a), name(controls.b));
        format!("{a} to {b} by {}", controls.morph)
    };
    println!(
        "{}: {} notes on {who}, {:.1} s at {} Hz, {:.0} times as fast as it lasts",
        arguments.output.display(),
        score.notes,
        seconds,
        arguments.rate,
        seconds / elapsed.max(1e-9)
    );
    if score.drums > 0 {
        println!("  {} notes of drums (channel 10) are left out", score.drums);
    }
    if clipped > 0 {
        println!("  {clipped} samples were over full scale and clipped; --gain -6 makes it softer");
    }
    Ok(ExitCode::SUCCESS)
}

fn open(path: Option<&PathBuf>) -> Result<Arc<InstrumentModel>> {
    let found = match path {
        Some(path) => Found::file(path),
        None => catalogue::instruments().next().ok_or_else(|| {
            Failure::new(
                "no instrument is compiled in",
                "give the path of one: --model FILE",
            )
        })?,
    };
    let model = InstrumentModel::from_bytes(&found.bytes()?).map_err(|e| {
        let what = format!("model {} ({}): {e}", found.name, found.place());
        Failure::new(what, e.remedy())
    })?;
    Ok(Arc::new(model))
}

/// The instruments that were asked for, and how much of each.
fn instruments(model: &InstrumentModel, arguments: &Arguments) -> Result<InstrumentControls> {
    let names = model.facts().instruments.join(", ");
    let place = |name: &str| {
        model.instrument(name.trim()).ok_or_else(|| {
            let what = format!("there is no instrument called {name}");
            Failure::new(what, format!("choose among {names}"))
        })
    };
    let usual = InstrumentControls::default();
    if let Some(name) = &arguments.instrument {
        let place = place(name)?;
        return Ok(InstrumentControls {
            a: place,
            b: place,
            ..usual
        });
    }
    let Some(morph) = &arguments.morph else {
        return Ok(usual);
    };
    let wrong = || {
        let what = format!("{morph} is no morph");
        let help = format!(
            "write two instruments and a share from 0 to 1, such as flute:cello:0.3; they are {names}"
        );
        Failure::new(what, help)
    };
    let [a, b, share] = morph.split(':').collect::<Vec<_>>()[..] else {
        return Err(wrong());
    };
    let share: f32 = share.trim().parse().map_err(|_| wrong())?;
    if !(0.0..=1.0).contains(&share) {
        return Err(wrong());
    }
    Ok(InstrumentControls {
        a: place(a)?,
        b: place(b)?,
        morph: share,
        ..usual
    })
}

/// All events, and what sounds on after the last: `write` is given left and right, and samples a side come back.
fn play(
    instrument: &mut Instrument,
    controls: &InstrumentControls,
    (events, rate): (&[(f64, Happening)], u32),
    mut write: impl FnMut(&[[f32; BLOCK]; 2]) -> Result<()>,
) -> Result<usize> {
    let rate = f64::from(rate);
    let at = |seconds: f64| (seconds * rate).round() as usize;
    let mut events = events
        .iter()
        .map(|(seconds, what)| (at(*seconds), *what))
        .peekable();
    let (mut begin, mut block) = (0, Vec::new());
    let mut tail = at(LONGEST_TAIL);
    while events.peek().is_some() || (instrument.sounding() > 0 && tail > 0) {
        block.clear();
        if events.peek().is_none() {
            if tail == at(LONGEST_TAIL) {
                // What nobody has let go is let go when the score ends, pedals too.
                let up = (0..16).map(|channel| Happening::Sustain {
                    channel,
                    down: false,
                });
                let rest = up.chain([Happening::Off(Which::default())]);
                block.extend(rest.map(|what| Event { sample: 0, what }));
            }
            tail = tail.saturating_sub(BLOCK);
        }
        while let Some((sample, what)) = events.next_if(|(sample, _)| *sample < begin + BLOCK) {
            block.push(Event {
                sample: sample - begin,
                what,
            });
        }
        let mut sides = [[0.0; BLOCK]; 2];
        let [left, right] = &mut sides;
        instrument.process(controls, &block, left, right);
        write(&sides)?;
        begin += BLOCK;
    }
    Ok(begin)
}
