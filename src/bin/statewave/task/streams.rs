//! The streams of the papers' tasks, drawn here: the twin of `copying` and `induction` in training/tasks.py.

use serde::Deserialize;

/// Noise in copying, the special token in induction.
const FIRST: usize = 0;

/// Which task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Data tokens at random places among noise; markers behind them ask for one after the other.
    Copying,
    /// A special token comes twice, the second time at the end, where what followed the first is asked for.
    Induction,
}

impl Kind {
    /// Its name, with which the names of its models begin.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Copying => "copying",
            Kind::Induction => "induction",
        }
    }
}

/// What a model was trained on, as its file says under `streams`.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Streams {
    /// The task.
    pub task: Kind,
    /// Steps of the streams that it was trained on, without the markers.
    pub length: usize,
    /// Tokens asked for at the end of each.
    pub remember: usize,
}

/// One stream: tokens, and those that should come out at its last steps.
pub struct Stream {
    /// What goes in.
    pub tokens: Vec<usize>,
    /// What is asked for, at as many steps at the end.
    pub answers: Vec<usize>,
}

impl Streams {
    /// The shortest stream that can be drawn.
    pub fn shortest(&self) -> usize {
        match self.task {
            Kind::Copying => self.remember,
            Kind::Induction => 3,
        }
    }

    /// A stream of `length`, at least [`Streams::shortest`], over so many tokens.
    pub fn draw(&self, draw: &mut Draw, length: usize, vocabulary: usize) -> Stream {
        let marker = vocabulary - 1;
        match self.task {
            Kind::Copying => {
                let mut tokens = vec![FIRST; length + self.remember];
                let mut answers = Vec::with_capacity(self.remember);
                // Each place is taken with the share of places still wanted among those left.
                for (place, token) in tokens[..length].iter_mut().enumerate() {
                    if draw.below(length - place) < self.remember - answers.len() {
                        *token = 1 + draw.below(marker - 1);
                        answers.push(*token);
                    }
                }
                tokens[length..].fill(marker);
                Stream { tokens, answers }
            }
            Kind::Induction => {
                let mut tokens: Vec<_> = (0..length)
                    .map(|_| 1 + draw.below(vocabulary - 1))
                    .collect();
                let place = draw.below(length - 2);
                (tokens[place], tokens[length - 1]) = (FIRST, FIRST);
                let answers = vec![tokens[place + 1]];
                Stream { tokens, answers }
            }
        }
    }
}

/// SplitMix64: streams that a seed gives again.
pub struct Draw(pub u64);

impl Draw {
    /// A number from 0 to `n` − 1.
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        ((u128::from(z) * n as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streams(task: Kind, remember: usize) -> Streams {
        Streams {
            task,
            length: 0,
            remember,
        }
    }

    #[test]
    fn the_tokens_asked_for_are_those_among_the_noise_in_their_order() {
        let (mut draw, mut first_places) = (Draw(3), [0usize; 20]);
        for _ in 0..4000 {
            let Stream { tokens, answers } = streams(Kind::Copying, 5).draw(&mut draw, 20, 16);
            assert_eq!(tokens.len(), 25);
            assert_eq!(tokens[20..], [15; 5]);
            let data: Vec<_> = tokens[..20]
                .iter()
                .copied()
                .filter(|t| *t != FIRST)
                .collect();
            assert_eq!(data, answers);
            assert!(answers.iter().all(|t| (1..15).contains(t)) && answers.len() == 5);
            (0..20).for_each(|k| first_places[k] += usize::from(tokens[k] != FIRST));
        }
        // Every place is taken by one of four: 1000 of 4000, within five standard deviations.
        assert!(
            first_places.iter().all(|n| (860..1140).contains(n)),
            "{first_places:?}"
        );
    }

    #[test]
    fn the_token_asked_for_followed_the_special_one() {
        let mut draw = Draw(4);
        for length in [3, 4, 50] {
            for _ in 0..200 {
                let Stream { tokens, answers } =
                    streams(Kind::Induction, 1).draw(&mut draw, length, 16);
                let place = tokens.iter().position(|t| *t == FIRST).unwrap();
                assert_eq!(tokens.iter().filter(|t| **t == FIRST).count(), 2);
                assert_eq!(tokens[length - 1], FIRST);
                assert_eq!(answers, [tokens[place + 1]]);
            }
        }
    }
}
