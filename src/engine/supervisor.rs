//! Who plays: a worker elsewhere, or this thread, going on from the same state.
//!
//! Every frame goes to the worker. Its result counts if it is there when it is due; if not, this thread takes over at
//! that very frame: from the last state that came back, or its own if that is newer, it runs the frames since and goes
//! on. The worker's late results are dropped; once it has been on time for long enough it plays again. A worker that lost a
//! frame is given this thread's state first. A state that is held or was put back, and a pace of its own, are this thread's alone:
//! the worker is given the state when it runs as trained again. Both run the same function, so the sound does not change but for rounding,
//! and frames overlap, which is the fade.

mod held;
mod here;
mod policy;
mod there;

pub use policy::{Playing, Policy, Saves, SupervisorStats};

use std::sync::Arc;

use super::cpu::CpuEngine;
use super::{Engine, EngineReport, Exchange, Player};
use crate::frame::peak;
use crate::handoff::job::{Job, JobBench, JobDesk, jobs};
use crate::model::Model;
use crate::state::Memory;
use crate::telemetry::{DELTA_LAYERS, Deltas};

/// A frame kept for the time it may have to be run here.
#[derive(Debug)]
struct Kept {
    seq: u64,
    /// The factor on Δ that it is run at.
    pace: f32,
    values: Vec<f32>,
}

/// Whose state this thread could go on from.
#[derive(Debug)]
struct SavedState {
    /// The frame it stands behind.
    seq: u64,
    values: Vec<f32>,
}

/// A result louder than so many times the loudest frame of its stream (24 dB) is none of the model's.
const LOUDEST: f32 = 16.0;

/// What counts as the loudest bin of a stream that has none louder: -96 dB of a full one's.
const QUIET: f32 = 0.01;

/// An engine that owns a CPU engine and the audio thread's end of a worker's queue.
#[derive(Debug)]
pub struct Supervisor {
    cpu: CpuEngine,
    policy: Policy,
    saves: Saves,
    /// Frames between the newest given and the one that is due.
    behind: u64,
    desk: JobDesk,
    /// Results that came before they were due.
    came: Vec<Job>,
    /// Frames by their number modulo their count.
    kept: Vec<Kept>,
    /// The largest value of a frame since the stream began.
    loudest: f32,
    epoch: u64,
    /// The first frame of the epoch; 0 while it has none.
    first: u64,
    newest: u64,
    /// The newest frame sent in the epoch, and the newest that came back.
    sent: u64,
    returned: u64,
    /// The frame that the CPU's state stands behind.
    cpu_at: u64,
    /// The newest state that came back.
    saved: SavedState,
    /// Room for states on their way.
    rooms: Vec<Vec<f32>>,
    /// The worker has had every frame of the epoch in order.
    in_step: bool,
    playing: Playing,
    punctual: u32,
    /// The factor on Δ from the next frame on.
    pace: f32,
    stats: SupervisorStats,
    /// Somebody looks at Δ, of so many layers, and what the worker's was last.
    watched: bool,
    layers: usize,
    deltas: Vec<f32>,
}

impl Supervisor {
    /// A supervisor for `channels` streams of `model`, and the worker's end of its queue. The worker begins to play once it
    /// has been punctual. Allocates.
    pub fn new(model: &Arc<Model>, channels: usize, policy: Policy) -> (Supervisor, JobBench) {
        let cpu = CpuEngine::new(model, channels);
        let front_end = model.spec().front_end;
        let wait = front_end.spread + policy.handoff;
        let behind = (wait.saturating_sub(1) / front_end.hop) as u64;
        let (frame, state) = (channels * cpu.frame_len(), cpu.state_len());
        let saves = policy.save_every.max(1);
        let window = (saves + 2 * behind + 2) as usize * 2;
        // As many as can be on their way where every frame is, and one to bring the worker in step.
        let rooms = window / saves as usize + 2;
        let deltas = DELTA_LAYERS * model.net().bands;
        let (desk, bench) = jobs(window, frame, deltas);
        let kept = || Kept {
            seq: 0,
            pace: 1.0,
            values: vec![0.0; frame],
        };
        let supervisor = Supervisor {
            cpu,
            policy,
            saves: Saves::new(saves, 0),
            behind,
            desk,
            came: Vec::with_capacity(window),
            kept: (0..window).map(|_| kept()).collect(),
            loudest: QUIET,
            epoch: 0,
            first: 0,
            newest: 0,
            sent: 0,
            returned: 0,
            cpu_at: 0,
            saved: SavedState {
                seq: 0,
                values: vec![0.0; state],
            },
            rooms: (0..rooms).map(|_| vec![0.0; state]).collect(),
            in_step: true,
            playing: Playing::Here,
            punctual: 0,
            pace: 1.0,
            stats: SupervisorStats::default(),
            watched: false,
            layers: model.net().time_layers(),
            deltas: vec![0.0; deltas],
        };
        (supervisor, bench)
    }

    /// Has states come back in its turn among the streams of a device ([`Saves::new`]). Before the first frame.
    pub fn take_turn(&mut self, turn: u64) {
        self.saves = Saves::new(self.policy.save_every, turn);
    }

    /// Who plays now.
    pub fn playing(&self) -> Playing {
        self.playing
    }

    /// What has happened so far.
    pub fn stats(&self) -> SupervisorStats {
        self.stats
    }

    /// Takes in what came back, and says whether nothing is on its way: for tests, which can wait.
    pub fn has_all(&mut self) -> bool {
        self.drain();
        self.desk.idle() + self.came.len() == self.kept.len()
    }

    /// Takes in what came back, and says whether the worker's result for `seq` can still be hoped for: for offline work,
    /// which can wait.
    pub fn awaits(&mut self, seq: u64) -> bool {
        !self.has_all() && self.in_step && !self.came.iter().any(|job| job.seq() == seq)
    }

    /// Whether a result may be the model's: all numbers, and none too large. Others that are wrong cannot be told from right ones
    /// without running the model here.
    fn is_sound(&self, job: &Job) -> bool {
        peak(&job.values) <= LOUDEST * self.loudest
    }

    fn age(&self) -> u64 {
        self.sent - self.returned
    }

    fn slot(&self, seq: u64) -> usize {
        (seq % self.kept.len() as u64) as usize
    }

    fn is_kept(&self, seq: u64) -> bool {
        seq >= self.first && self.kept[self.slot(seq)].seq == seq
    }
}

impl Engine for Supervisor {
    fn frame_len(&self) -> usize {
        self.cpu.frame_len()
    }

    fn channels(&self) -> usize {
        self.cpu.channels()
    }

    fn handoff(&self) -> usize {
        self.policy.handoff
    }

    fn submit(&mut self, seq: u64, input: &[f32]) {
        self.drain();
        let begins = self.first == 0;
        if begins {
            self.first = seq;
            self.cpu_at = seq - 1;
            (self.sent, self.returned) = (seq - 1, seq - 1);
        }
        self.newest = seq;
        let at = self.slot(seq);
        self.kept[at].seq = seq;
        self.kept[at].pace = self.pace;
        if self.pace != 1.0 {
            self.hold_here();
        }
        self.kept[at].values.copy_from_slice(input);
        self.loudest = self.loudest.max(peak(input));
        if self.in_step {
            self.send_next(seq);
        } else if self.playing == Playing::Here {
            self.bring_in_step();
        }
        if self.playing == Playing::Worker && self.is_at_the_brink() {
            self.take_over();
        }
        if self.playing == Playing::Here && seq >= self.first + self.behind {
            let due = seq - self.behind;
            let ran = self.catch_up(due);
            self.note_at_once(ran);
            if self.cpu_at < due {
                self.run_here(due);
            }
        }
    }

    fn work(&mut self, done: u32, of: u32) {
        if self.playing == Playing::Here {
            self.cpu.work(done, of);
        }
    }

    fn collect(&mut self, seq: u64, output: &mut [f32]) -> Exchange {
        self.drain();
        self.stats.worst_age = self.stats.worst_age.max(self.age());
        let result = self.result(seq);
        let there = result.as_ref().is_some_and(|job| self.is_sound(job));
        if result.is_some() && !there {
            // Its state is as broken as its result.
            self.in_step = false;
        }
        if !there && self.in_step {
            self.stats.late += 1;
        }
        let exchange = if self.playing == Playing::Worker && there {
            if let Some(job) = &result {
                output.copy_from_slice(&job.values);
            }
            self.stats.by_worker += 1;
            Exchange::Ready
        } else {
            if self.playing == Playing::Worker {
                self.take_over();
            }
            if self.cpu_at < seq {
                let ran = self.catch_up(seq);
                self.run_here(seq);
                self.note_at_once(ran + 1);
            }
            self.stats.here += 1;
            self.cpu.collect(seq, output)
        };
        if let Some(job) = result {
            if job.watched && self.watched {
                self.deltas.copy_from_slice(&job.deltas);
            }
            self.desk.put(job);
        }
        self.punctual = if there && self.in_step {
            self.punctual + 1
        } else {
            0
        };
        if self.playing == Playing::Here && self.punctual >= self.policy.punctual {
            self.playing = Playing::Worker;
            self.stats.given_back += 1;
        }
        exchange
    }

    fn reset(&mut self) {
        self.epoch += 1;
        self.first = 0;
        self.loudest = QUIET;
        self.cpu.reset();
        while let Some(mut job) = self.came.pop() {
            self.take_state(&mut job, false);
            self.desk.put(job);
        }
        self.saved.seq = 0;
        (self.sent, self.returned) = (0, 0);
        self.in_step = true;
        self.punctual = 0;
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        Some(self)
    }

    fn observe(&mut self, on: bool) {
        self.cpu.observe(on);
        self.watched = on;
        self.deltas.fill(0.0);
    }

    fn report(&self) -> EngineReport {
        let proving = self.in_step && self.punctual > 0;
        EngineReport {
            player: match self.playing {
                Playing::Worker => Player::Gpu,
                Playing::Here if proving => Player::HandingOver,
                Playing::Here => Player::Cpu,
            },
            late: self.stats.late,
            lost: self.stats.lost,
            taken_over: self.stats.taken_over,
            age: self.age(),
            worst_age: self.stats.worst_age,
        }
    }

    fn deltas(&self, deltas: &mut Deltas) {
        if self.playing == Playing::Here {
            return self.cpu.deltas(deltas);
        }
        deltas.add_frame(self.layers, &self.deltas, 1.0);
    }
}
