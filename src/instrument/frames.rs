//! The network of all voices: groups of voices as the batches of its products, and one voice alone when a note begins or
//! ends between two frames.

use std::sync::Arc;

use crate::kernels::{Aligned, Path};
use crate::model::instrument::{InstrumentModel, Told};
use crate::model::layer::{Layer, Seat, copy_state, forget_memory, restore_memory, save_memory};
use crate::model::pace::Pace;
use crate::model::stack::Block;
use crate::telemetry::DeltaSums;

/// Voices of a group: as many as a block of the matrix kernel has rows.
const GROUP: usize = 4;

/// Streams that take steps together.
struct Batch {
    size: usize,
    /// `[size][inputs]`.
    told: Aligned,
    hidden: Aligned,
    x: Aligned,
    state: Aligned,
    scratch: Aligned,
    /// `[size][outputs]`.
    amplitudes: Aligned,
}

impl Batch {
    fn new(model: &InstrumentModel, size: usize) -> Batch {
        let stack = model.stack();
        let zeros = Aligned::zeros;
        Batch {
            size,
            told: zeros(size * model.inputs()),
            hidden: zeros(size * model.hidden()),
            x: zeros(size * stack.width()),
            state: zeros(stack.state_len(size)),
            scratch: zeros(stack.scratch_len(size, 1)),
            amplitudes: zeros(size * model.outputs()),
        }
    }

    fn way_in(&mut self, model: &InstrumentModel, path: Path) {
        let (told, hidden, x) = (&self.told, &mut self.hidden, &mut self.x);
        model.way_in(path, told, hidden, x, self.size);
    }

    fn piece(&mut self, model: &InstrumentModel, path: Path, k: usize, pace: Pace) {
        let (x, state, scratch) = (&mut self.x, &mut self.state, &mut self.scratch);
        let stack = model.stack();
        stack.piece_at(path, k, x, self.size, 1, state, scratch, pace);
    }

    fn way_out(&mut self, model: &InstrumentModel, path: Path) {
        model.way_out(path, &self.x, &mut self.amplitudes, self.size);
    }
}

/// What the network remembers of every voice, and what it last said of it.
pub(super) struct Frames {
    model: Arc<InstrumentModel>,
    path: Path,
    groups: Vec<Batch>,
    alone: Batch,
    /// What a note begins from, a state of one stream, and whether that is something.
    start: Aligned,
    recalled: bool,
    /// Of all notes, but of their first frames.
    pace: Vec<f32>,
    /// What the selective blocks have taken of the note that is shown.
    pub deltas: DeltaSums,
}

impl Frames {
    pub fn new(model: Arc<InstrumentModel>, voices: usize) -> Frames {
        let groups = voices.div_ceil(GROUP);
        let mut pace = vec![0.0; model.stack().pace_len()];
        model.stack().set_pace(1.0, &mut pace);
        Frames {
            pace,
            start: Aligned::zeros(model.stack().state_len(1)),
            recalled: false,
            deltas: DeltaSums::new(model.stack().blocks().iter().map(Block::selective)),
            path: Path::detect(),
            groups: (0..groups).map(|_| Batch::new(&model, GROUP)).collect(),
            alone: Batch::new(&model, 1),
            model,
        }
    }

    /// Takes every Δ times `scale` from the next frame on.
    pub fn set_pace(&mut self, scale: f32) {
        self.model.stack().set_pace(scale, &mut self.pace);
    }

    /// Tells of a voice before the next step.
    pub fn tell(&mut self, voice: usize, told: &Told) {
        let inputs = self.model.inputs();
        let row = &mut self.groups[voice / GROUP].told[voice % GROUP * inputs..][..inputs];
        self.model.row(told, row);
    }

    /// A step of every group in which a voice is `played`. Piece by piece, so that a piece's weights come from memory once
    /// for all groups. What the blocks take of the voice that is `shown` is added to [`Self::deltas`].
    pub fn step(&mut self, played: impl Fn(usize) -> bool, shown: Option<usize>) {
        let (model, path, pace) = (&*self.model, self.path, Pace::new(&self.pace));
        let in_use = |group: usize| (0..GROUP).any(|v| played(group * GROUP + v));
        let each = |groups: &mut [Batch], run: &dyn Fn(&mut Batch)| {
            for (group, batch) in groups.iter_mut().enumerate() {
                if in_use(group) {
                    run(batch);
                }
            }
        };
        let groups = &mut self.groups;
        each(groups, &|batch| batch.way_in(model, path));
        let mut k = 0;
        for (i, block) in model.stack().blocks().iter().enumerate() {
            let end = k + block.pieces();
            for k in k..end {
                each(groups, &|batch| batch.piece(model, path, k, pace));
            }
            k = end;
            if let Some(voice) = shown {
                let taken = block.deltas(GROUP, 1, &groups[voice / GROUP].scratch);
                self.deltas.add(i, taken.iter().skip(voice % GROUP).take(1));
            }
        }
        // What lies behind the blocks.
        for k in k..model.stack().pieces() {
            each(groups, &|batch| batch.piece(model, path, k, pace));
        }
        each(groups, &|batch| batch.way_out(model, path));
    }

    /// A step of one voice; from where notes begin, if `fresh`, and then at the network's own pace: a note that took nothing in
    /// would never be one.
    pub fn step_alone(&mut self, voice: usize, told: &Told, fresh: bool) {
        let (model, path) = (&*self.model, self.path);
        let (stack, outputs) = (model.stack(), model.outputs());
        let pace = if fresh {
            Pace::OWN
        } else {
            Pace::new(&self.pace)
        };
        let (group, alone) = (&mut self.groups[voice / GROUP], &mut self.alone);
        let there = seat(voice);
        if fresh {
            alone.state.copy_from_slice(&self.start);
        } else {
            copy_state(stack, &group.state, there, &mut alone.state, ALONE);
        }
        model.row(told, &mut alone.told);
        alone.way_in(model, path);
        for k in 0..stack.pieces() {
            alone.piece(model, path, k, pace);
        }
        alone.way_out(model, path);
        copy_state(stack, &alone.state, ALONE, &mut group.state, there);
        let row = &mut group.amplitudes[there.stream * outputs..][..outputs];
        row.copy_from_slice(&alone.amplitudes);
    }

    /// What the last step said of a voice: amplitudes of its partials, then of its bands.
    pub fn amplitudes(&self, voice: usize) -> &[f32] {
        let outputs = self.model.outputs();
        &self.groups[voice / GROUP].amplitudes[voice % GROUP * outputs..][..outputs]
    }

    /// Writes what a voice remembers.
    pub fn save(&mut self, voice: usize, to: &mut [f32]) {
        let (stack, alone) = (self.model.stack(), &mut self.alone.state);
        let group = &self.groups[voice / GROUP].state;
        copy_state(stack, group, seat(voice), alone, ALONE);
        save_memory(stack, 1, alone, to);
    }

    /// Writes what a note begins from.
    pub fn save_start(&self, to: &mut [f32]) {
        save_memory(self.model.stack(), 1, &self.start, to);
    }

    /// Notes begin from this, as [`Self::save`] has written it, from now on.
    pub fn start_from(&mut self, from: &[f32]) {
        restore_memory(self.model.stack(), 1, from, &mut self.start);
        self.recalled = true;
    }

    /// Notes begin from nothing from now on.
    pub fn start_from_nothing(&mut self) {
        if std::mem::take(&mut self.recalled) {
            self.start.fill(0.0);
        }
    }

    /// A voice goes on from where notes begin.
    pub fn begin_anew(&mut self, voice: usize) {
        let group = &mut self.groups[voice / GROUP].state;
        copy_state(self.model.stack(), &self.start, ALONE, group, seat(voice));
    }

    /// All voices go on from nothing.
    pub fn forget(&mut self) {
        for group in &mut self.groups {
            forget_memory(self.model.stack(), GROUP, &mut group.state);
        }
    }
}

/// The place of the one voice that runs alone.
const ALONE: Seat = Seat {
    batch: 1,
    stream: 0,
};

/// The place of a voice in its group.
fn seat(voice: usize) -> Seat {
    Seat {
        batch: GROUP,
        stream: voice % GROUP,
    }
}
