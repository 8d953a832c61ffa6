//! How often a model says the token that is asked for.

use std::sync::Arc;

use statewave::model::sequence::{SequenceModel, SequenceSession, UnknownToken};

use super::streams::{Draw, Streams};

/// Streams that run together: as rows of one matrix product.
const TOGETHER: usize = 16;

/// Steps that they are given at a time, so that what lies between two layers stays in the cache.
const STEPS: usize = 32;

/// Share of the tokens asked for that come out right, over so many streams of `length`.
pub fn accuracy(
    model: &Arc<SequenceModel>,
    streams: Streams,
    length: usize,
    count: usize,
    seed: u64,
) -> Result<f64, UnknownToken> {
    let mut draw = Draw(seed);
    let (mut right, mut asked) = (0, 0);
    for first in (0..count).step_by(TOGETHER) {
        let batch = TOGETHER.min(count - first);
        let drawn: Vec<_> = (0..batch)
            .map(|_| streams.draw(&mut draw, length, model.vocabulary()))
            .collect();
        let mut session = SequenceSession::new(Arc::clone(model), batch);
        let total = drawn[0].tokens.len();
        let last = total - drawn[0].answers.len();
        let mut at = 0;
        while at < last {
            let end = (at + STEPS).min(last);
            feed(&mut session, drawn.iter().map(|s| &s.tokens[at..end]))?;
            at = end;
        }
        feed(&mut session, drawn.iter().map(|s| &s.tokens[last..]))?;
        let said = session.best();
        let answers = drawn.iter().flat_map(|s| &s.answers);
        right += said.iter().zip(answers).filter(|(a, b)| a == b).count();
        asked += said.len();
    }
    Ok(right as f64 / asked as f64)
}

fn feed<'a>(
    session: &mut SequenceSession,
    rows: impl Iterator<Item = &'a [usize]>,
) -> Result<(), UnknownToken> {
    session.feed(&rows.flatten().copied().collect::<Vec<_>>())
}
