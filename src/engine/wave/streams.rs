//! The blocks of an effect with what they remember of each channel.

use std::sync::Arc;

use super::STEPS;
use crate::kernels::Path;
use crate::model::block::parted;
use crate::model::layer::{Layer, forget_memory, memory_len, restore_memory, save_memory};
use crate::model::pace::Pace;
use crate::model::stack::{Block, Stack};
use crate::state::{Bank, BankKey, Memory, adopt};
use crate::telemetry::DeltaSums;

/// Streams side by side. What the knobs say is no part of what they remember.
pub(super) struct Streams {
    pub stack: Stack,
    path: Path,
    channels: usize,
    state: Vec<f32>,
    pace: Vec<f32>,
    scratch: Vec<f32>,
    /// What its selective blocks have taken.
    pub deltas: DeltaSums,
    bank: Arc<Bank>,
}

impl Streams {
    /// Streams at their start, of the model whose SHA-256 is `model`, at `sample_rate` in Hz.
    pub fn new(
        stack: Stack,
        path: Path,
        channels: usize,
        model: &str,
        sample_rate: u32,
    ) -> Streams {
        let mut pace = vec![0.0; stack.pace_len()];
        stack.set_pace(1.0, &mut pace);
        let bank = Bank::new(BankKey {
            model: model.into(),
            sample_rate,
            streams: channels,
            len: memory_len(&stack, channels),
        });
        Streams {
            path,
            channels,
            state: vec![0.0; stack.state_len(channels)],
            pace,
            scratch: vec![0.0; stack.scratch_len(channels, STEPS)],
            deltas: DeltaSums::new(stack.blocks().iter().map(Block::selective)),
            bank: Arc::new(bank),
            stack,
        }
    }

    /// Sends the blocks to what [`Film::run`](crate::model::film::Film::run) gave, within so many steps.
    pub fn steer(&mut self, target: &[f32], steps: usize) {
        self.stack
            .steer(&mut self.state, self.channels, target, steps);
    }

    /// `steps` of every channel, `[channels][steps]` in place; `x` holds D floats for each.
    pub fn run(&mut self, samples: &mut [f32], x: &mut [f32], steps: usize) {
        let (path, rows) = (self.path, self.channels * steps);
        self.stack.project_in(path, samples, x, rows);
        let blocks = self.stack.blocks();
        let parts = parted(
            blocks,
            self.channels,
            &mut self.state,
            Pace::new(&self.pace),
        );
        for (k, (block, state, pace)) in parts.enumerate() {
            block.forward_at(
                path,
                x,
                self.channels,
                steps,
                state,
                &mut self.scratch,
                pace,
            );
            let taken = block.deltas(self.channels, steps, &self.scratch);
            self.deltas.add(k, taken.iter());
        }
        self.stack.norm_last(path, x, &mut self.scratch, rows);
        self.stack.project_out(path, x, samples, rows);
    }
}

impl Memory for Streams {
    fn bank(&self) -> &Arc<Bank> {
        &self.bank
    }

    fn adopt(&mut self, bank: Arc<Bank>) -> Arc<Bank> {
        adopt(&mut self.bank, bank)
    }

    fn save(&mut self, to: &mut [f32]) {
        save_memory(&self.stack, self.channels, &self.state, to);
    }

    fn restore(&mut self, from: &[f32]) {
        restore_memory(&self.stack, self.channels, from, &mut self.state);
    }

    fn set_pace(&mut self, scale: f32) {
        self.stack.set_pace(scale, &mut self.pace);
    }

    fn forget(&mut self) {
        forget_memory(&self.stack, self.channels, &mut self.state);
    }
}
