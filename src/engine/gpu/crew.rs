//! All streams of one model on one device: a job of each that has one, in one submit.

use std::sync::Arc;

use super::denoiser::GpuDenoiser;
use super::device::Gpu;
use super::error::GpuError;
use super::hub::{Newcomer, Place};
use crate::handoff::job::{Job, JobBench, Outcome, StateOrder};
use crate::model::Model;

/// Devices that preparing a model may take with it before it is refused: what was wrong may have been another's doing once.
const CHANCES: u32 = 2;

/// A stream of one channel or more.
#[derive(Debug)]
struct Member {
    bench: JobBench,
    place: Arc<Place>,
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
    /// Devices that were lost while the model was prepared.
    lost: u32,
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
            lost: 0,
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
            place: newcomer.place,
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
            let gone = member.place.is_left();
            if gone {
                free.append(&mut member.sessions);
            }
            !gone
        });
    }

    /// Sees that every member has its sessions, but those for whom there are none on this device.
    ///
    /// # Errors
    /// [`GpuError::Lost`].
    fn prepare(&mut self, gpu: Option<&Arc<Gpu>>) -> Result<(), GpuError> {
        let Some(gpu) = gpu else {
            self.denoiser = None;
            return Ok(());
        };
        if gpu.is_lost() {
            return Err(gpu.gone());
        }
        // Each round that fails refuses somebody, or ends it.
        while let Err(error) = self.make_room(gpu) {
            let is_lost = gpu.is_lost();
            self.lost += u32::from(is_lost);
            if !is_lost || self.lost >= CHANCES {
                self.refuse(&error);
            }
            if is_lost {
                return Err(error);
            }
        }
        for member in self.members.iter_mut().filter(|m| !m.place.is_refused()) {
            while member.sessions.len() < member.channels {
                member.sessions.extend(self.free.pop());
            }
        }
        Ok(())
    }

    /// Sees that there is room for every member that was not refused. A denoiser with more of it is made anew: all states are
    /// gone then, and the supervisors bring theirs.
    fn make_room(&mut self, gpu: &Arc<Gpu>) -> Result<(), GpuError> {
        let served = self.members.iter().filter(|m| !m.place.is_refused());
        let wanted: usize = served.map(|m| m.channels).sum();
        let room = self.denoiser.as_ref().map_or(0, GpuDenoiser::sessions);
        if wanted <= room {
            return Ok(());
        }
        self.denoiser = None;
        let room = wanted.next_power_of_two();
        let mut made = GpuDenoiser::new(Arc::clone(gpu), self.model.net(), room, 1)?;
        made.warm_up()?;
        self.lost = 0;
        self.denoiser = Some(made);
        self.free = (0..room).rev().collect();
        for member in &mut self.members {
            member.sessions.clear();
            member.broken = true;
        }
        Ok(())
    }

    /// Has those without sessions stay on their processor: whoever came last if others were served, else everybody.
    fn refuse(&mut self, error: &GpuError) {
        let waits = |m: &Member| m.sessions.is_empty() && !m.place.is_refused();
        let was_served = |m: &Member| !m.sessions.is_empty() && !m.place.is_refused();
        let only_new = self.members.iter().any(waits) && self.members.iter().any(was_served);
        for member in &mut self.members {
            if !only_new || waits(member) {
                member.place.refuse(error);
            }
        }
    }

    /// Takes a job of every member, sees to its state, and lays out the frames.
    fn take(&mut self) {
        self.active.clear();
        self.frames.clear();
        for (at, member) in self.members.iter_mut().enumerate() {
            let Some(mut job) = member.bench.take() else {
                continue;
            };
            let denoiser = self.denoiser.as_mut();
            let Some(denoiser) = denoiser.filter(|_| !member.place.is_refused()) else {
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
            return Err(GpuError::Lost(None));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::gpu::Choice;
    use crate::handoff::job::{JobDesk, jobs};

    const MODEL: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/models/denoise-live.safetensors"
    );

    #[test]
    fn jobs_that_wait_together_are_one_submit() {
        let gpu = match Gpu::open(&Choice::any()) {
            Ok(gpu) => Arc::new(gpu),
            Err(error) => return eprintln!("skipped: {error}"),
        };
        let model = Arc::new(Model::open(MODEL).unwrap());
        let mut crew = Crew::new(Arc::clone(&model));
        let mut desks: Vec<JobDesk> = Vec::new();
        for channels in [1, 2, 1, 2, 1] {
            let (desk, bench) = jobs(2, channels * 2 * model.net().bins(), 0);
            crew.seat(Newcomer {
                model: Arc::clone(&model),
                channels,
                bench,
                place: Arc::default(),
            });
            desks.push(desk);
        }
        for seq in 0..3 {
            // The second time some have nothing.
            let some = if seq == 1 { 3 } else { desks.len() };
            for desk in &mut desks[..some] {
                let order = match seq {
                    0 => StateOrder::Reset,
                    _ => StateOrder::Leave,
                };
                let sent = desk.send(Vec::new(), |job| {
                    job.address(0, seq, order);
                    job.values.fill(0.1);
                });
                sent.unwrap();
            }
            let before = gpu.submits();
            let compiled = gpu.compiled();
            assert!(crew.turn(Some(&gpu)).unwrap());
            if seq > 0 {
                // What is prepared and reset at first are submits as well.
                assert_eq!(gpu.submits() - before, 1, "{some} streams");
                // Nothing is left for a frame to wait for.
                assert!(compiled > 0 && gpu.compiled() == compiled);
            }
            for desk in &mut desks[..some] {
                let job = desk.take().unwrap();
                assert_eq!((job.outcome, job.seq()), (Outcome::Done, seq));
                desk.put(job);
            }
            let before = gpu.submits();
            assert!(!crew.turn(Some(&gpu)).unwrap(), "nothing waits");
            assert_eq!(gpu.submits(), before);
        }
    }
}
