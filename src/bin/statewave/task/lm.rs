//! `statewave task lm`: a published checkpoint goes on from a prompt.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::json;
use statewave::model::sequence::{SequenceModel, SequenceSession};

use crate::failure::{Failure, Result};

/// Let a Mamba or Mamba-2 checkpoint of Hugging Face `transformers` continue a prompt, always with its likeliest token
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder with config.json and model.safetensors
    folder: PathBuf,
    /// The prompt as token numbers, such as 12,7,29: words need the checkpoint's own tokenizer
    #[arg(long, value_delimiter = ',', required = true)]
    tokens: Vec<usize>,
    /// Tokens to add
    #[arg(long, default_value_t = 32)]
    new: usize,
    /// Print JSON for other programs, with the logits behind the prompt's last token
    #[arg(long)]
    json: bool,
}

/// Print the continuation.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let model = Arc::new(SequenceModel::open_checkpoint(&arguments.folder)?);
    let outputs = model.outputs();
    let mut session = SequenceSession::new(Arc::clone(&model), 1);
    let unknown = |e: statewave::model::sequence::UnknownToken| {
        Failure::new(
            e.to_string(),
            "use the numbers that the checkpoint's tokenizer gives",
        )
    };
    session.feed(&arguments.tokens).map_err(unknown)?;
    let logits = session.logits();
    let logits = logits[logits.len() - outputs..].to_vec();
    let mut continuation = Vec::with_capacity(arguments.new);
    let mut next = session.best().pop();
    while let Some(token) = next.filter(|_| continuation.len() < arguments.new) {
        continuation.push(token);
        session.feed(&[token]).map_err(unknown)?;
        next = session.best().pop();
    }
    if arguments.json {
        println!(
            "{}",
            json!({ "continuation": continuation, "logits": logits })
        );
    } else {
        let words: Vec<_> = continuation.iter().map(usize::to_string).collect();
        println!("{}", words.join(","));
    }
    Ok(ExitCode::SUCCESS)
}
