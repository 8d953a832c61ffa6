//! All streams of one model on one device: a job of each that has one, in one submit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::denoiser::GpuDenoiser;
use super::device::Gpu;
use super::error::GpuError;
use super::hub::Newcomer;
use crate::handoff::job::{Job, JobBench, Outcome, StateOrder};
use crate::model::Model;

/// A stream of one channel or more.
#[derive(Debug)]
struct Member {
    bench: JobBench,
    gone: Arc<AtomicBool>,
    channels: usize,
    /// Sessions of the denoiser, one a channel; empty until there are some for it.
    sessions: Vec<usize>,
    /// The stream's state is gone, until it is restored or reset.
    broken: bool,
}

/// A model with its streams.
#[derive(Debug)]
pub(super) struct Crew {
    model: Arc<Model>,
    /// `None` while there is no device, or not enough room.
    denoiser: Option<GpuDenoiser>,
    members: Vec<Member>,
    /// Sessions that nobody has.
    free: Vec<usize>,
    /// Members that take part in a turn, their jobs, sessions and frames.
    jobs: Vec<(usize, Job)>,
    active: Vec<usize>,
    frames: Vec<f32>,
    results: Vec<f32>,
    /// Sessions whose states are to come back with their frames, and those.
    saved: Vec<usize>,
    states: Vec<f32>,
}

impl Crew {
    pub(super) fn new(model: Arc<Model>) -> Crew {
        Crew {
            model,
            denoiser: None,
            members: Vec::new(),
            free: Vec::new(),
            jobs: Vec::new(),
            active: Vec::new(),
            frames: Vec::new(),
            results: Vec::new(),
            saved: Vec::new(),
            states: Vec::new(),
        }
    }

    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn seat(&mut self, newcomer: Newcomer) {
        self.members.push(Member {
            bench: newcomer.bench,
            gone: newcomer.gone,
            channels: newcomer.channels,
            sessions: Vec::new(),
            broken: true,
        });
    }

    /// Does a job of every member that has one. `false` if none had.
    ///
    /// # Errors
    /// [`GpuError::Lost`]: what was taken has failed, and the denoiser is gone.
    pub(super) fn turn(&mut self, gpu: Option<&Arc<Gpu>>) -> Result<bool, GpuError> {
        self.let_go();
        self.prepare(gpu)?;
        self.take();
        if self.jobs.is_empty() {
            return Ok(false);
        }
        let done = self.run();
        if done.is_err() {
            self.denoiser = None;
        }
        for (at, mut job) in self.jobs.drain(..) {
            let member = &mut self.members[at];
            if done.is_err() {
                job.outcome = Outcome::Failed;
            }
            member.broken |= job.outcome == Outcome::Failed;
            member.bench.send(job);
        }
        done.map(|()| true)
    }

    /// Frees the sessions of those who left.
    fn let_go(&mut self) {
        let free = &mut self.free;
        self.members.retain_mut(|member| {
            let gone = member.gone.load(Ordering::Acquire);
            if gone {
                free.append(&mut member.sessions);
            }
            !gone
        });
    }

    /// Sees that every member has its sessions. A denoiser with more room is made anew: all states are gone then, and the
    /// supervisors bring theirs.
    fn prepare(&mut self, gpu: Option<&Arc<Gpu>>) -> Result<(), GpuError> {
        let Some(gpu) = gpu else {
            self.denoiser = None;
            return Ok(());
        };
        let wanted: usize = self.members.iter().map(|m| m.channels).sum();
        let room = self.denoiser.as_ref().map_or(0, GpuDenoiser::sessions);
        if wanted > room {
            self.denoiser = None;
            let room = wanted.next_power_of_two();
            let mut made = GpuDenoiser::new(Arc::clone(gpu), self.model.net(), room, 1)?;
            made.warm_up()?;
            self.denoiser = Some(made);
            self.free = (0..room).rev().collect();
            for member in &mut self.members {
                member.sessions.clear();
                member.broken = true;
            }
        }
        for member in &mut self.members {
            while member.sessions.len() < member.channels {
                member.sessions.extend(self.free.pop());
            }
        }
        Ok(())
    }

    /// Takes a job of every member, sees to its state, and lays out the frames.
    fn take(&mut self) {
        self.active.clear();
        self.frames.clear();
        for (at, member) in self.members.iter_mut().enumerate() {
            let Some(mut job) = member.bench.take() else {
                continue;
            };
            let Some(denoiser) = &mut self.denoiser else {
                job.outcome = Outcome::Failed;
                member.broken = true;
                member.bench.send(job);
                continue;
            };
            match job.order() {
                StateOrder::Reset => {
                    member.sessions.iter().for_each(|s| denoiser.reset_one(*s));
                    member.broken = false;
                }
                StateOrder::Restore => {
                    let states = job.state.chunks_exact(denoiser.state_len());
                    for (session, state) in member.sessions.iter().zip(states) {
                        denoiser.restore_one(*session, state);
                    }
                    member.broken = false;
                }
                StateOrder::Leave | StateOrder::Save => {}
            }
            if member.broken {
                job.outcome = Outcome::Failed;
                member.bench.send(job);
                continue;
            }
            self.active.extend_from_slice(&member.sessions);
            self.frames.extend_from_slice(&job.values);
            self.jobs.push((at, job));
        }
    }

    /// Runs what was taken, and gives each job its results and its state.
    fn run(&mut self) -> Result<(), GpuError> {
        let Some(denoiser) = &mut self.denoiser else {
            return Err(GpuError::Lost);
        };
        self.results.resize(self.frames.len(), 0.0);
        self.saved.clear();
        for (member, job) in &self.jobs {
            if job.order() == StateOrder::Save {
                self.saved
                    .extend_from_slice(&self.members[*member].sessions);
            }
        }
        self.states
            .resize(self.saved.len() * denoiser.state_len(), 0.0);
        denoiser.watch(self.jobs.iter().any(|(_, job)| job.watched));
        denoiser.run_and_save(
            &self.active,
            1,
            &self.frames,
            &mut self.results,
            &self.saved,
            &mut self.states,
        )?;
        let (mut results, mut states) = (&self.results[..], &self.states[..]);
        let mut deltas = denoiser.deltas();
        for (member, job) in &mut self.jobs {
            let shown = self.members[*member].channels * denoiser.deltas_len();
            if let Some((own, rest)) = deltas.split_at_checked(shown) {
                mean(own, denoiser.deltas_len(), &mut job.deltas);
                deltas = rest;
            }
            let (own, rest) = results.split_at(job.values.len());
            job.values.copy_from_slice(own);
            results = rest;
            if job.order() == StateOrder::Save {
                let (own, rest) = states.split_at(job.state.len());
                job.state.copy_from_slice(own);
                states = rest;
            }
        }
        Ok(())
    }
}

/// Mean of pieces of `len` floats each, into as many of them as there is room for.
fn mean(all: &[f32], len: usize, to: &mut [f32]) {
    let share = len as f32 / all.len() as f32;
    to.fill(0.0);
    for piece in all.chunks_exact(len) {
        for (to, from) in to.iter_mut().zip(piece) {
            *to += share * from;
        }
    }
}
