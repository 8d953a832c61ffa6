//! `statewave task copying` and `statewave task induction`: accuracy against length, beside the papers' figures.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use statewave::model::file::{Limits, read_bytes};
use statewave::model::sequence::SequenceModel;

use super::evaluate::accuracy;
use super::picture;
use super::streams::{Kind, Streams};
use crate::failure::{Failure, Result};

// `TASK_MODELS: &[(&str, &[u8])]`, the name and bytes of every model in assets/models/tasks; written by build.rs.
include!(concat!(env!("OUT_DIR"), "/task_models.rs"));

/// Tokens that a length is given by default, all streams together: what keeps the whole table under two minutes.
const TOKENS: usize = 1 << 22;

/// The most streams of one length.
const MOST_STREAMS: usize = 256;

/// How a table of a task is made.
#[derive(clap::Args)]
pub struct Arguments {
    /// Lengths to try, such as 64,256,1024; by default up to the papers'
    #[arg(long, value_delimiter = ',')]
    lengths: Vec<usize>,
    /// Streams of each length; by default 256, and fewer of long ones
    #[arg(long)]
    streams: Option<usize>,
    /// Model files instead of those that the program carries
    #[arg(long, num_args = 1..)]
    model: Vec<PathBuf>,
    /// Seed of the streams
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Draw accuracy against length into this PNG
    #[arg(long, value_name = "FILE.png")]
    plot: Option<PathBuf>,
    /// Overwrite the picture
    #[arg(long)]
    force: bool,
    /// Print JSON for other programs
    #[arg(long)]
    json: bool,
}

/// A variant with its streams.
struct Contender {
    variant: String,
    model: Arc<SequenceModel>,
    streams: Streams,
    steps: Option<u64>,
    /// Accuracy that training/tasks.py found at the length last trained on.
    score: Option<f64>,
}

/// A row of the table: the share of right answers at each length.
pub struct Row {
    /// The variant, as training/tasks.py names it.
    pub variant: String,
    /// One a length, 0 to 1.
    pub accuracy: Vec<f64>,
}

/// What the Mamba paper says of a variant, where it does: per cent, and where that is found.
fn paper(kind: Kind, variant: &str) -> Option<&'static str> {
    match (kind, variant) {
        // Table 1, length 4096, 16 tokens to remember.
        (Kind::Copying, "s4d") => Some("18.3 (S4, no gate)"),
        (Kind::Copying, "s4d-gate") => Some("56.4 (S4 in Mamba's block)"),
        (Kind::Copying, "s6") => Some("97.0 (S6, no gate)"),
        (Kind::Copying, "mamba") => Some("99.8"),
        // Table 11.
        (Kind::Induction, "mamba") => Some("100 at 2^6 to 2^20"),
        _ => None,
    }
}

/// The order of the rows.
const VARIANTS: [&str; 5] = ["s4d", "s4d-gate", "s6", "mamba", "mamba2"];

/// Print the table.
pub fn run(kind: Kind, arguments: &Arguments) -> Result<ExitCode> {
    if let Some(path) = &arguments.plot {
        crate::audio::refuse_to_overwrite(path, arguments.force)?;
    }
    let contenders = contenders(kind, &arguments.model)?;
    let lengths = match (&arguments.lengths[..], kind) {
        ([], Kind::Copying) => vec![64, 128, 256, 512, 1024, 2048, 4096],
        ([], Kind::Induction) => (3..=10).map(|k| 1 << (2 * k)).collect(),
        (given, _) => given.to_vec(),
    };
    for contender in &contenders {
        let shortest = contender.streams.shortest();
        if let Some(length) = lengths.iter().find(|length| **length < shortest) {
            return Err(Failure::new(
                format!("a stream of {length} steps has no room for what is asked"),
                format!("give lengths of {shortest} and more"),
            ));
        }
    }
    let rows = rows(&contenders, &lengths, arguments)?;
    if arguments.json {
        println!("{:#}", as_json(kind, &contenders, &lengths, &rows));
    } else {
        print_table(kind, &contenders, &lengths, &rows);
    }
    if let Some(path) = &arguments.plot {
        picture::write(path, kind, &lengths, &rows, arguments.force)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn contenders(kind: Kind, files: &[PathBuf]) -> Result<Vec<Contender>> {
    let mut contenders = Vec::new();
    if files.is_empty() {
        for (name, bytes) in TASK_MODELS {
            if name.starts_with(kind.name()) {
                contenders.push(contender(name, bytes)?);
            }
        }
    }
    for file in files {
        let bytes = read_bytes(file, Limits::MODEL)?;
        let contender = contender(&file.display().to_string(), &bytes)?;
        if contender.streams.task != kind {
            return Err(Failure::new(
                format!("{} was trained for another task", file.display()),
                "give models of one task; training/tasks.py makes them",
            ));
        }
        contenders.push(contender);
    }
    contenders.sort_by_key(|c| VARIANTS.iter().position(|v| *v == c.variant));
    Ok(contenders)
}

fn contender(name: &str, bytes: &[u8]) -> Result<Contender> {
    let model = SequenceModel::from_bytes(bytes)?;
    let notes = model.notes();
    let streams = notes.get("streams").cloned().unwrap_or_default();
    let streams: Streams = serde_json::from_value(streams).map_err(|e| {
        Failure::new(
            format!("{name} does not say what streams it knows: {e}"),
            "export it with training/tasks.py",
        )
    })?;
    let variant = notes.get("variant").and_then(Value::as_str);
    if model.vocabulary() < 3 || streams.remember == 0 {
        return Err(Failure::new(
            format!("{name} knows too few tokens for the task"),
            "export it with training/tasks.py",
        ));
    }
    Ok(Contender {
        variant: variant.unwrap_or(name).into(),
        steps: steps(notes.get("training")),
        score: notes
            .get("scores")
            .and_then(|s| s.get("accuracy")?.as_f64()),
        model: Arc::new(model),
        streams,
    })
}

/// Steps of a training and of those before it.
fn steps(training: Option<&Value>) -> Option<u64> {
    let own = training?.get("steps")?.as_u64()?;
    let before = training.and_then(|t| t.get("before"));
    Some(own + steps(before).unwrap_or(0))
}

/// All rows, the contenders side by side on the cores that there are.
fn rows(contenders: &[Contender], lengths: &[usize], arguments: &Arguments) -> Result<Vec<Row>> {
    let of = |contender: &Contender| -> Result<Row> {
        let mut accuracies = Vec::new();
        for &length in lengths {
            let count = arguments
                .streams
                .unwrap_or((TOKENS / length).clamp(1, MOST_STREAMS))
                .max(1);
            let share = accuracy(
                &contender.model,
                contender.streams,
                length,
                count,
                arguments.seed,
            );
            accuracies.push(share.map_err(|e| {
                Failure::new(e.to_string(), "export the model with training/tasks.py")
            })?);
        }
        Ok(Row {
            variant: contender.variant.clone(),
            accuracy: accuracies,
        })
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = contenders
            .iter()
            .map(|contender| scope.spawn(move || of(contender)))
            .collect();
        let joined = running.into_iter().map(|thread| {
            let broken = |_| Failure::new("the evaluation broke off", "report this as a bug");
            thread.join().map_err(broken)?
        });
        joined.collect()
    })
}

fn print_table(kind: Kind, contenders: &[Contender], lengths: &[usize], rows: &[Row]) {
    let heads: Vec<_> = lengths.iter().map(usize::to_string).collect();
    println!(
        "| variant | weights | trained at | steps | {} | paper |",
        heads.join(" | ")
    );
    println!("|---|---|---|---|{}---|", "---|".repeat(lengths.len()));
    for (contender, row) in contenders.iter().zip(rows) {
        let shares: Vec<_> = row
            .accuracy
            .iter()
            .map(|a| format!("{:.1}", 100.0 * a))
            .collect();
        println!(
            "| {} | {} | {} | {} | {} | {} |",
            row.variant,
            contender.model.parameters(),
            contender.streams.length,
            contender.steps.map_or("?".into(), |s| s.to_string()),
            shares.join(" | "),
            paper(kind, &row.variant).unwrap_or("not given")
        );
    }
    println!(
        "\nPer cent of the tokens asked for that came out right; columns are lengths of the streams."
    );
}

fn as_json(kind: Kind, contenders: &[Contender], lengths: &[usize], rows: &[Row]) -> Value {
    let rows: Vec<_> = contenders
        .iter()
        .zip(rows)
        .map(|(contender, row)| {
            json!({
                "variant": row.variant,
                "parameters": contender.model.parameters(),
                "trained_at": contender.streams.length,
                "remember": contender.streams.remember,
                "accuracy": row.accuracy,
                "accuracy_in_training": contender.score,
                "paper": paper(kind, &row.variant),
            })
        })
        .collect();
    json!({ "lengths": lengths, "rows": rows })
}
