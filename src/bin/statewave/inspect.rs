//! `statewave inspect`: what a model file says of itself.

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value, json};
use statewave::engine::wave::WaveEngine;
use statewave::latency::Latency;
use statewave::model::catalogue;
use statewave::model::effect::{EffectModel, RateWay};
use statewave::model::spec::FrontEnd;

use crate::failure::Result;
use crate::models::{self, Loaded};

/// Say what a model is: task, rate, latency, layers, parameters, multiply-accumulates, licence, data, scores.
#[derive(clap::Args)]
pub struct Arguments {
    /// A model's name, or the path of its file
    #[arg(default_value = catalogue::DEFAULT)]
    model: String,
    /// Print JSON for other programs
    #[arg(long)]
    json: bool,
}

/// Print it.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let model = models::open(&arguments.model)?;
    let text = if arguments.json {
        format!("{:#}\n", facts(&model))
    } else {
        text(&model)
    };
    // A reader that closed the pipe has seen enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

/// All that is known, for programs.
fn facts(model: &Loaded) -> Value {
    let work = work(model);
    let tensors: serde_json::Map<_, _> = model
        .file
        .tensors
        .iter()
        .map(|(name, t)| (name.clone(), json!(t.shape)))
        .collect();
    json!({
        "name": model.name,
        "place": model.place,
        "sha256": model.sha256(),
        "bytes": model.bytes.len(),
        "parameters": model.file.parameters(),
        "latency_ms": latency_ms(&model.file.spec_json),
        "rates": rates(model).map(|rates| {
            let entry = |(rate, way, latency): &(u32, RateWay, Latency)| {
                json!({ "rate": rate, "way": way.to_string(), "latency_samples": latency.total() })
            };
            rates.iter().map(entry).collect::<Vec<_>>()
        }),
        "macs_per_hop": work.map(|(hop, _)| hop),
        "macs_per_second": work.map(|(_, second)| second),
        "spec": model.file.spec_json,
        "tensors": tensors,
    })
}

/// How an effect is played at the usual rates, and how late it then is.
fn rates(model: &Loaded) -> Option<Vec<(u32, RateWay, Latency)>> {
    let effect = EffectModel::from_bytes(&model.bytes).ok()?;
    let played = |rate| {
        let engine = WaveEngine::new(&effect, rate, 1, 1).ok()?;
        Some((rate, engine.way(), engine.latency()))
    };
    [44_100, 48_000, 88_200, 96_000, 192_000]
        .into_iter()
        .map(played)
        .collect()
}

/// Multiply-accumulates a hop and a second, of one channel, if the model can be played.
fn work(model: &Loaded) -> Option<(usize, f64)> {
    let model = model.model().ok()?;
    Some((model.net().macs(), model.macs_per_second()))
}

/// Algorithmic latency, if the spec has a front end and a rate.
fn latency_ms(spec: &Value) -> Option<f64> {
    let front_end: FrontEnd = serde_json::from_value(spec.get("front_end")?.clone()).ok()?;
    let rate = spec
        .get("sample_rate")?
        .as_f64()
        .filter(|&rate| rate > 0.0)?;
    Some(1000.0 * front_end.latency() as f64 / rate)
}

/// The same for people: what was counted here first, then the spec as it stands.
fn text(model: &Loaded) -> String {
    let mut lines = Vec::new();
    row(&mut lines, 0, "model", &model.name);
    row(&mut lines, 0, "found", &model.place);
    row(
        &mut lines,
        0,
        "parameters",
        &grouped(model.file.parameters()),
    );
    if let Some(ms) = latency_ms(&model.file.spec_json) {
        row(&mut lines, 0, "latency", &format!("{ms:.1} ms"));
    }
    for (rate, way, latency) in rates(model).unwrap_or_default() {
        row(
            &mut lines,
            0,
            &format!("at {rate} Hz"),
            &format!("{way}: {latency}"),
        );
    }
    if let Some((hop, second)) = work(model) {
        let text = format!(
            "{} multiply-accumulates a hop, {:.1} million a second",
            grouped(hop),
            second / 1e6
        );
        row(&mut lines, 0, "work", &text);
    }
    if let Value::Object(spec) = &model.file.spec_json {
        spec.iter()
            .for_each(|(key, value)| outline(&mut lines, 0, key, value));
    }
    row(
        &mut lines,
        0,
        "file",
        &format!("{} bytes", grouped(model.bytes.len())),
    );
    row(&mut lines, 0, "sha256", &model.sha256());
    let text = lines.join("\n") + "\n";
    // The spec is a stranger's text; its control characters must not reach the terminal.
    text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}

fn row(lines: &mut Vec<String>, depth: usize, key: &str, value: &str) {
    let key = format!("{}{}", "  ".repeat(depth), key.replace('_', " "));
    lines.push(format!("{key:<18} {value}").trim_end().to_string());
}

/// A value of the spec, nested ones indented below their key.
fn outline(lines: &mut Vec<String>, depth: usize, key: &str, value: &Value) {
    match value {
        Value::Object(map) => {
            row(lines, depth, key, "");
            map.iter()
                .for_each(|(key, value)| outline(lines, depth + 1, key, value));
        }
        Value::Array(items) if items.iter().any(|v| v.is_object() || v.is_array()) => {
            row(lines, depth, key, "");
            items
                .iter()
                .enumerate()
                .for_each(|(k, item)| row(lines, depth + 1, &k.to_string(), &flat(item)));
        }
        other => row(lines, depth, key, &flat(other)),
    }
}

/// A value in one line.
fn flat(value: &Value) -> String {
    match value {
        Value::Null => "none".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(flat).collect::<Vec<_>>().join(", "),
        Value::Object(map) => map
            .iter()
            .map(|(k, v)| format!("{} {}", k.replace('_', " "), flat(v)))
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}

/// A number with its thousands apart.
pub fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}
