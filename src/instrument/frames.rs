//! The network of all voices: groups of voices as the batches of its products, and one voice alone when a note begins or
//! ends between two frames.

use std::sync::Arc;

use crate::kernels::{Aligned, Path};
use crate::model::instrument::{InstrumentModel, Told};
use crate::model::layer::{Layer, Seat, copy_state};
use crate::model::pace::Pace;
use crate::state::PACE_SECONDS;

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
    /// Of all notes, but of their first frames, and the factor on Δ in it; `None` while nothing has been played.
    pace: Vec<f32>,
    scale: Option<f32>,
}

impl Frames {
    pub fn new(model: Arc<InstrumentModel>, voices: usize) -> Frames {
        let groups = voices.div_ceil(GROUP);
        let mut pace = vec![0.0; model.stack().pace_len()];
        model.stack().set_pace(1.0, &mut pace);
        Frames {
            pace,
            scale: None,
            path: Path::detect(),
            groups: (0..groups).map(|_| Batch::new(&model, GROUP)).collect(),
            alone: Batch::new(&model, 1),
            model,
        }
    }

    /// Takes every Δ times `scale`, or what is on the way there, in the next frame of `seconds`.
    pub fn approach_pace(&mut self, scale: f32, seconds: f32) {
        let next = match self.scale {
            Some(now) => now + (scale - now).clamp(-seconds / PACE_SECONDS, seconds / PACE_SECONDS),
            None => scale,
        };
        if self.scale != Some(next) {
            self.model.stack().set_pace(next, &mut self.pace);
            self.scale = Some(next);
        }
    }

    /// Whether notes run at another pace than the network's own.
    pub fn is_paced(&self) -> bool {
        !Pace::new(&self.pace).is_own()
    }

    /// Nothing has been played: the next pace is there at once.
    pub fn reset(&mut self) {
        self.scale = None;
    }

    /// Tells of a voice before the next step.
    pub fn tell(&mut self, voice: usize, told: &Told) {
        let inputs = self.model.inputs();
        let row = &mut self.groups[voice / GROUP].told[voice % GROUP * inputs..][..inputs];
        self.model.row(told, row);
    }

    /// A step of every group in which a voice is `played`. Piece by piece, so that a piece's weights come from memory once
    /// for all groups.
    pub fn step(&mut self, played: impl Fn(usize) -> bool) {
        let (model, path, pace) = (&*self.model, self.path, Pace::new(&self.pace));
        let in_use = |group: usize| (0..GROUP).any(|v| played(group * GROUP + v));
        let mut each = |run: &mut dyn FnMut(&mut Batch)| {
            for (group, batch) in self.groups.iter_mut().enumerate() {
                if in_use(group) {
                    run(batch);
                }
            }
        };
        each(&mut |batch| batch.way_in(model, path));
        for k in 0..model.stack().pieces() {
            each(&mut |batch| batch.piece(model, path, k, pace));
        }
        each(&mut |batch| batch.way_out(model, path));
    }

    /// A step of one voice; from nothing, if `fresh`, and then at the network's own pace: a note that took nothing in would never
    /// be one.
    pub fn step_alone(&mut self, voice: usize, told: &Told, fresh: bool) {
        let (model, path) = (&*self.model, self.path);
        let (stack, outputs) = (model.stack(), model.outputs());
        let pace = if fresh {
            Pace::OWN
        } else {
            Pace::new(&self.pace)
        };
        let (group, alone) = (&mut self.groups[voice / GROUP], &mut self.alone);
        let there = Seat {
            batch: GROUP,
            stream: voice % GROUP,
        };
        let here = Seat {
            batch: 1,
            stream: 0,
        };
        if fresh {
            alone.state.fill(0.0);
        } else {
            copy_state(stack, &group.state, there, &mut alone.state, here);
        }
        model.row(told, &mut alone.told);
        alone.way_in(model, path);
        for k in 0..stack.pieces() {
            alone.piece(model, path, k, pace);
        }
        alone.way_out(model, path);
        copy_state(stack, &alone.state, here, &mut group.state, there);
        let row = &mut group.amplitudes[there.stream * outputs..][..outputs];
        row.copy_from_slice(&alone.amplitudes);
    }

    /// What the last step said of a voice: amplitudes of its partials, then of its bands.
    pub fn amplitudes(&self, voice: usize) -> &[f32] {
        let outputs = self.model.outputs();
        &self.groups[voice / GROUP].amplitudes[voice % GROUP * outputs..][..outputs]
    }
}
