//! A stream: one sample in, the logits of the next one out, and all that it remembers in one piece.

use std::sync::Arc;

use super::tiers::{Blocks, Tiers};
use super::{Density, GenerateModel, mu_law::LEVELS};
use crate::kernels::Path;
use crate::kernels::proj::proj;
use crate::model::block::parted;
use crate::model::layer::Layer;
use crate::model::pace::Pace;
use crate::model::stack::Block;
use crate::state::{Bank, BankKey, Memory, adopt};
use crate::telemetry::{DeltaSums, Deltas};

/// What a stream remembers. States of one model can be copied from one to another, and mixed.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamState {
    /// Of each tier: the blocks' states on the way down, rows that wait to be pooled, rows that were unpooled, the blocks'
    /// states on the way up; then the middle's.
    values: Vec<f32>,
    /// Samples heard, modulo the period.
    position: usize,
}

impl StreamState {
    /// Makes it a copy of `other`. Real-time safe.
    ///
    /// # Panics
    /// If the other is of another model.
    pub fn copy_from(&mut self, other: &StreamState) {
        self.values.copy_from_slice(&other.values);
        self.position = other.position;
    }

    /// Whether all of it are numbers.
    pub fn is_finite(&self) -> bool {
        // A sum of magnitudes is finite only if all are, and has no branch a value.
        self.values.iter().map(|v| v.abs()).sum::<f32>().is_finite()
    }
}

/// A stream of a [`GenerateModel`]. Everything is allocated when it is made.
///
/// ```no_run
/// use std::sync::Arc;
/// use statewave::model::generate::{GenerateModel, GenerateStream, mu_law};
///
/// let model = Arc::new(GenerateModel::open("continue-drums.safetensors")?);
/// let mut stream = GenerateStream::new(model);
/// stream.hear(mu_law::encode(0.25));
/// let logits = stream.logits();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct GenerateStream {
    model: Arc<GenerateModel>,
    path: Path,
    state: StreamState,
    scratch: Vec<f32>,
    /// The row of each tier, the middle's last.
    rows: Vec<Vec<f32>>,
    /// The row of the top tier behind the sample heard last.
    density: Vec<f32>,
    normed: Vec<f32>,
    logits: Vec<f32>,
    /// Of all blocks in the order of their states, and the factor on Δ that they have or are about to have.
    pace: Vec<f32>,
    scale: f32,
    /// The block that is told of it next, and how many have not been.
    turn: usize,
    untold: usize,
    /// What its selective blocks have taken, in the same order.
    deltas: DeltaSums,
    bank: Arc<Bank>,
}

impl GenerateStream {
    /// A stream that has heard nothing, by the widest instructions there are.
    pub fn new(model: Arc<GenerateModel>) -> GenerateStream {
        GenerateStream::on(Path::detect(), model)
    }

    /// The same by instructions of one's own choice.
    pub fn on(path: Path, model: Arc<GenerateModel>) -> GenerateStream {
        let tiers = &model.tiers;
        let scratch = tiers.blocks().map(|block| block.scratch_len(1, 1)).max();
        let widths = tiers.tiers.iter().map(|tier| tier.width);
        let rows: Vec<_> = widths.chain([tiers.width]).map(|w| vec![0.0; w]).collect();
        let mut pace = vec![0.0; tiers.blocks().map(|block| block.pace_len()).sum()];
        let mut rest = &mut pace[..];
        for block in tiers.blocks() {
            let (own, later) = rest.split_at_mut(block.pace_len());
            block.set_pace(1.0, own);
            rest = later;
        }
        let bank = Bank::new(BankKey {
            model: model.sha256().into(),
            sample_rate: model.spec().sample_rate,
            streams: 1,
            len: state_len(tiers),
        });
        GenerateStream {
            path,
            state: StreamState {
                values: vec![0.0; state_len(tiers)],
                position: 0,
            },
            scratch: vec![0.0; scratch.unwrap_or(0)],
            normed: vec![0.0; rows[0].len()],
            density: vec![0.0; tiers.width],
            rows,
            logits: vec![0.0; LEVELS],
            pace,
            scale: 1.0,
            turn: 0,
            untold: 0,
            deltas: DeltaSums::new(tiers.blocks().map(Block::selective)),
            bank: Arc::new(bank),
            model,
        }
    }

    /// The model.
    pub fn model(&self) -> &Arc<GenerateModel> {
        &self.model
    }

    /// What it remembers.
    pub fn state(&self) -> &StreamState {
        &self.state
    }

    /// The same, to be changed.
    pub fn state_mut(&mut self) -> &mut StreamState {
        &mut self.state
    }

    /// Whether to keep what [`Self::deltas`] gives. Real-time safe.
    pub fn observe(&mut self, on: bool) {
        self.deltas.watch(on);
    }

    /// Δ of its selective layers, mean over the steps since the last call; zeros while not observed. Real-time safe.
    pub fn deltas(&mut self) -> Deltas {
        self.deltas.look()
    }

    /// Forgets all it has heard. Real-time safe.
    pub fn reset(&mut self) {
        self.state.values.fill(0.0);
        self.state.position = 0;
    }

    /// Says how dense what comes should be, from the next sample on. Real-time safe.
    pub fn set_density(&mut self, density: Density) {
        let tiers = &self.model.tiers;
        tiers.density_row(self.path, density, &mut self.density);
    }

    /// Whether it stands between two rows of the middle, where its state can be kept and put back: the phases of all tiers are
    /// those of a stream at its start.
    pub fn is_between_rows(&self) -> bool {
        self.state.position == 0
    }

    /// Tells the next block of the factor on Δ. All at once would take as long as some tens of samples.
    fn tell_pace(&mut self) {
        let mut rest = &mut self.pace[..];
        let count = self.model.tiers.blocks().count();
        for (k, block) in self.model.tiers.blocks().enumerate() {
            let (own, later) = rest.split_at_mut(block.pace_len());
            if k == self.turn {
                block.set_pace(self.scale, own);
                break;
            }
            rest = later;
        }
        self.turn = (self.turn + 1) % count;
        self.untold -= 1;
    }

    /// Hears a sample. Real-time safe; every [`GenerateModel::period`] samples the work is larger.
    pub fn hear(&mut self, token: u8) {
        if self.untold > 0 && self.is_between_rows() {
            self.tell_pace();
        }
        let (tiers, path) = (&self.model.tiers, self.path);
        let mut pace = Pace::new(&self.pace);
        let mut state = &mut self.state.values[..];
        let mut position = self.state.position;
        self.state.position = (position + 1) % self.model.period();
        self.rows[0].copy_from_slice(tiers.embedded(token));
        let mut run = Run {
            path,
            scratch: &mut self.scratch,
            deltas: &mut self.deltas,
        };
        // Down to the deepest tier whose frame this sample completes.
        let mut passed: [Option<Passed>; 4] = [const { None }; 4];
        let (mut deepest, mut first) = (0, 0);
        let mut complete = true;
        for (tier, passed) in tiers.tiers.iter().zip(&mut passed) {
            let (own, rest) = state.split_at_mut(tier_len(tier));
            state = rest;
            let (down_pace, later) = pace.split(pace_len(&tier.down));
            let (up_pace, later) = later.split(pace_len(&tier.up));
            pace = later;
            let (down_first, up_first) = (first, first + tier.down.len());
            first = up_first + tier.up.len();
            if !complete {
                continue;
            }
            let (down, own) = own.split_at_mut(blocks_len(&tier.down));
            let (waiting, own) = own.split_at_mut(tier.pool * tier.width);
            let (unpooled, up) = own.split_at_mut(tier.pool * tier.width);
            let (above, below) = self.rows.split_at_mut(deepest + 1);
            let row = &mut above[deepest][..];
            run.through(&tier.down, down_first, row, down, down_pace);
            let phase = position % tier.pool;
            position /= tier.pool;
            waiting[phase * tier.width..][..tier.width].copy_from_slice(row);
            complete = phase + 1 == tier.pool;
            if complete {
                let (wide, narrow) = (tier.pool_in.inputs(), tier.pool_in.outputs());
                let pooled = &mut below[0][..];
                proj(path, &tier.pool_in, waiting, wide, pooled, narrow, 1, false);
            }
            *passed = Some((phase, unpooled, up_first, up, up_pace));
            deepest += 1;
        }
        if complete {
            let row = &mut self.rows[deepest][..];
            row.iter_mut().zip(&self.density).for_each(|(x, d)| *x += d);
            run.through(&tiers.middle, first, row, state, pace);
        }
        // And up again.
        for k in (0..deepest).rev() {
            let tier = &tiers.tiers[k];
            let Some((phase, unpooled, up_first, up, up_pace)) = passed[k].take() else {
                continue;
            };
            let (above, below) = self.rows.split_at_mut(k + 1);
            let row = &mut above[k][..];
            if phase + 1 == tier.pool {
                let (wide, narrow) = (tier.pool_out.outputs(), tier.pool_out.inputs());
                let from = &below[0][..];
                proj(path, &tier.pool_out, from, narrow, unpooled, wide, 1, false);
            }
            let next = (phase + 1) % tier.pool * tier.width;
            row.iter_mut()
                .zip(&unpooled[next..])
                .for_each(|(x, y)| *x += y);
            run.through(&tier.up, up_first, row, up, up_pace);
        }
    }

    /// Logits of the sample behind the one heard last. Real-time safe.
    pub fn logits(&mut self) -> &[f32] {
        let tiers = &self.model.tiers;
        let row = &self.rows[0];
        tiers.head(self.path, row, &mut self.normed, &mut self.logits, 1);
        &self.logits
    }
}

impl Memory for GenerateStream {
    fn bank(&self) -> &Arc<Bank> {
        &self.bank
    }

    fn adopt(&mut self, bank: Arc<Bank>) -> Arc<Bank> {
        adopt(&mut self.bank, bank)
    }

    /// As it is [between two rows](GenerateStream::is_between_rows).
    fn save(&mut self, to: &mut [f32]) {
        to.copy_from_slice(&self.state.values);
    }

    fn restore(&mut self, from: &[f32]) {
        self.state.values.copy_from_slice(from);
        self.state.position = 0;
    }

    /// One block is told a row of the middle, so all are within as many rows.
    fn set_pace(&mut self, scale: f32) {
        self.scale = scale;
        self.untold = self.model.tiers.blocks().count();
    }

    fn forget(&mut self) {
        self.reset();
    }
}

/// The phase of a tier that a sample has passed on its way down, its unpooled rows, and of its way up the number of the first
/// block, the states and the pace.
type Passed<'a> = (usize, &'a mut [f32], usize, &'a mut [f32], Pace<'a>);

fn pace_len(blocks: &Blocks) -> usize {
    blocks.iter().map(|block| block.pace_len()).sum()
}

fn blocks_len(blocks: &Blocks) -> usize {
    blocks.iter().map(|block| block.state_len(1)).sum()
}

fn tier_len(tier: &super::tiers::Tier) -> usize {
    blocks_len(&tier.down) + 2 * tier.pool * tier.width + blocks_len(&tier.up)
}

fn state_len(tiers: &Tiers) -> usize {
    tiers.tiers.iter().map(tier_len).sum::<usize>() + blocks_len(&tiers.middle)
}

/// What a row runs through blocks with.
struct Run<'a> {
    path: Path,
    scratch: &'a mut [f32],
    deltas: &'a mut DeltaSums,
}

impl Run<'_> {
    /// Row `x` through `blocks`, of which the first has the number `first` among all.
    fn through(
        &mut self,
        blocks: &Blocks,
        first: usize,
        x: &mut [f32],
        state: &mut [f32],
        pace: Pace,
    ) {
        for (k, (block, own, own_pace)) in parted(blocks, 1, state, pace).enumerate() {
            block.forward_at(self.path, x, 1, 1, own, self.scratch, own_pace);
            let taken = block.deltas(1, 1, self.scratch);
            self.deltas.add(first + k, taken.iter());
        }
    }
}
