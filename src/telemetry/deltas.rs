//! Δ of selective layers, as it is shown.

use super::{DELTA_BANDS, DELTA_LAYERS};

/// Δ of a model's selective layers as it was taken, the first of them first.
///
/// Of frames it is that of the frame: a band each, the lowest first, mean over heads. Of models that run over samples it is
/// the mean since the snapshot before, over time and over the streams of all channels: a channel of the layer each, in
/// steps of the rate it was trained at. What a state keeps over a time is e^(A·ΣΔ), so the mean tells it, where a peak
/// would not.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Deltas {
    /// Selective layers, [`DELTA_LAYERS`] at most. None if the model takes in all alike.
    pub layers: usize,
    /// `[layer][band]`, where a layer with less repeats each, and one with more gives the mean of neighbours.
    pub values: [[f32; DELTA_BANDS]; DELTA_LAYERS],
}

impl Deltas {
    /// Adds `share` of Δ of frames, `[DELTA_LAYERS][bands]`, of which so many layers are there.
    pub(crate) fn add_frame(&mut self, layers: usize, from: &[f32], share: f32) {
        self.layers = layers.min(DELTA_LAYERS);
        let bands = from.len() / DELTA_LAYERS;
        for (layer, from) in from.chunks_exact(bands).take(self.layers).enumerate() {
            self.add(layer, from, share);
        }
    }

    fn add(&mut self, layer: usize, from: &[f32], share: f32) {
        for (i, to) in self.values[layer].iter_mut().enumerate() {
            let first = i * from.len() / DELTA_BANDS;
            let end = ((i + 1) * from.len() / DELTA_BANDS).max(first + 1);
            let mean = from[first..end].iter().sum::<f32>() / (end - first) as f32;
            *to += share * mean;
        }
    }
}

/// Sums of Δ from one look to the next. Allocates when it is made, and never again.
#[derive(Debug)]
pub(crate) struct DeltaSums {
    watched: bool,
    /// One a block.
    sums: Vec<Sum>,
    last: Deltas,
}

#[derive(Debug)]
struct Sum {
    /// Nothing of a block that selects nothing, or is one too many to be shown.
    channels: Vec<f32>,
    rows: u32,
}

impl DeltaSums {
    /// For blocks of which each has so many channels that select.
    pub(crate) fn new(blocks: impl Iterator<Item = usize>) -> Self {
        let mut layers = 0;
        let sum = |channels: usize| {
            let is_shown = channels > 0 && layers < DELTA_LAYERS;
            layers += usize::from(is_shown);
            Sum {
                channels: vec![0.0; if is_shown { channels } else { 0 }],
                rows: 0,
            }
        };
        let sums = blocks.map(sum).collect();
        Self {
            watched: false,
            sums,
            last: Deltas {
                layers,
                ..Deltas::default()
            },
        }
    }

    /// Whether anybody looks from now on. Real-time safe.
    pub(crate) fn watch(&mut self, on: bool) {
        if on != self.watched {
            self.watched = on;
            self.last.values = Deltas::default().values;
            self.sums.iter_mut().for_each(Sum::clear);
        }
    }

    /// Adds what a block has just taken, a row each step, if anybody looks. Real-time safe.
    pub(crate) fn add<'a>(&mut self, block: usize, rows: impl Iterator<Item = &'a [f32]>) {
        let Sum {
            channels,
            rows: count,
        } = &mut self.sums[block];
        if !self.watched || channels.is_empty() {
            return;
        }
        for row in rows {
            channels
                .iter_mut()
                .zip(row)
                .for_each(|(sum, delta)| *sum += delta);
            *count += 1;
        }
    }

    /// The mean since the last call; of a layer that has not run since, what it was. Real-time safe.
    pub(crate) fn look(&mut self) -> Deltas {
        let shown = self.sums.iter_mut().filter(|sum| !sum.channels.is_empty());
        for (layer, sum) in shown.enumerate().filter(|(_, sum)| sum.rows > 0) {
            self.last.values[layer] = [0.0; DELTA_BANDS];
            self.last.add(layer, &sum.channels, 1.0 / sum.rows as f32);
            sum.clear();
        }
        self.last
    }
}

impl Sum {
    fn clear(&mut self) {
        self.channels.fill(0.0);
        self.rows = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_of_any_width_are_shown_in_full() {
        let shown = |from: &[f32]| {
            let mut deltas = Deltas::default();
            deltas.add(1, from, 2.0);
            deltas.values[1]
        };
        let of = |len: usize| (0..len).map(|i| i as f32).collect::<Vec<_>>();
        let alike = |value: fn(usize) -> f32| std::array::from_fn(value);
        assert_eq!(shown(&of(16)), alike(|i| 2.0 * (i / 2) as f32));
        assert_eq!(shown(&of(32)), alike(|i| 2.0 * i as f32));
        assert_eq!(shown(&of(320)), alike(|i| 20.0 * i as f32 + 9.0));
        // Widths that do not divide: none is left out, and none is beyond the end.
        for len in [1, 20, 40, 47] {
            let shown = shown(&of(len));
            assert!(shown.is_sorted(), "{len}");
            assert_eq!(shown[0], 0.0, "{len}");
            assert!(shown[DELTA_BANDS - 1] > 2.0 * (len as f32 - 2.0), "{len}");
        }
    }

    #[test]
    fn means_are_taken_from_look_to_look_of_the_first_layers_that_select() {
        let mut sums = DeltaSums::new([0, 2, 0, 1, 1, 1, 1].into_iter());
        sums.add(1, [&[9.0, 9.0][..]].into_iter());
        assert_eq!(sums.look().values, Deltas::default().values, "nobody looks");
        sums.watch(true);
        sums.add(1, [&[1.0, 5.0][..], &[3.0, 7.0]].into_iter());
        sums.add(6, [&[1.0][..]].into_iter());
        let shown = sums.look();
        assert_eq!(shown.layers, DELTA_LAYERS);
        assert_eq!((shown.values[0][0], shown.values[0][31]), (2.0, 6.0));
        assert_eq!(shown.values[1..], Deltas::default().values[1..]);
        assert_eq!(sums.look(), shown, "nothing has come since");
        sums.add(1, [&[4.0, 4.0][..]].into_iter());
        assert_eq!(sums.look().values[0], [4.0; DELTA_BANDS]);
        sums.watch(false);
        assert_eq!(sums.look().values, Deltas::default().values);
    }
}
