//! The thread between a supervisor and a GPU: takes jobs, runs them, sends them back.
//!
//! It looks for jobs in short sleeps, since waking it would cost the audio thread more than the sleeps cost a core. When the
//! device is lost it fails what comes, so that the supervisor plays, and opens the device again in the background.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::denoiser::GpuDenoiser;
use super::device::{Choice, Gpu, GpuError};
use crate::handoff::job::{Job, JobBench, Outcome, StateOrder};
use crate::model::Model;

/// How long the worker sleeps where there is nothing to do: an eighth of a block of 64 samples at 48 kHz.
const NAP: Duration = Duration::from_micros(166);

/// How long it waits before it opens a lost device again.
const RETRY: Duration = Duration::from_secs(2);

/// A running worker. Dropping it ends the thread.
#[derive(Debug)]
pub struct GpuWorker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl GpuWorker {
    /// Starts a worker that runs `channels` streams of `model` on `gpu`, and when that is lost on what `choice` then names.
    /// Compiles first; slow.
    ///
    /// # Errors
    /// As [`GpuDenoiser::new`].
    pub fn start(
        gpu: Arc<Gpu>,
        choice: Choice,
        model: &Arc<Model>,
        channels: usize,
        bench: JobBench,
    ) -> Result<GpuWorker, GpuError> {
        let mut denoiser = GpuDenoiser::new(Arc::clone(&gpu), model.net(), channels, 1)?;
        // The first submit allocates in the driver.
        denoiser.warm_up()?;
        let stop = Arc::new(AtomicBool::new(false));
        let mut bench = Bench {
            bench,
            choice,
            model: Arc::clone(model),
            channels,
            on: Some(denoiser),
            lost_at: Instant::now(),
            broken: true,
        };
        let told = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("statewave-gpu".into())
            .spawn(move || {
                while !told.load(Ordering::Acquire) {
                    if !bench.turn() {
                        thread::sleep(NAP);
                    }
                }
            })
            .map_err(|e| GpuError::Device {
                adapter: gpu.name().into(),
                reason: e.to_string(),
            })?;
        Ok(GpuWorker {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for GpuWorker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic over there has been told already, and there is nothing left to save.
            let _ = thread.join();
        }
    }
}

/// What the thread has.
struct Bench {
    bench: JobBench,
    choice: Choice,
    model: Arc<Model>,
    channels: usize,
    /// `None` while the device is lost.
    on: Option<GpuDenoiser>,
    lost_at: Instant,
    /// The stream's state is gone, until it is restored or reset.
    broken: bool,
}

impl Bench {
    /// Does one job. False if there was none.
    fn turn(&mut self) -> bool {
        if self.on.is_none() && self.lost_at.elapsed() > RETRY {
            self.reopen();
        }
        let Some(mut job) = self.bench.take() else {
            return false;
        };
        job.outcome = self.run(&mut job);
        self.broken |= job.outcome == Outcome::Failed;
        self.bench.send(job);
        true
    }

    fn run(&mut self, job: &mut Job) -> Outcome {
        let Some(denoiser) = &mut self.on else {
            return Outcome::Failed;
        };
        match job.order() {
            StateOrder::Reset => denoiser.reset(),
            StateOrder::Restore => denoiser.restore(&job.state),
            StateOrder::Leave | StateOrder::Save if self.broken => return Outcome::Failed,
            StateOrder::Leave | StateOrder::Save => {}
        }
        self.broken = false;
        let mut done = denoiser.run_in_place(&mut job.values);
        if job.order() == StateOrder::Save {
            done = done.and_then(|()| denoiser.save(&mut job.state));
        }
        match done {
            Ok(()) => Outcome::Done,
            Err(_) => {
                self.on = None;
                self.lost_at = Instant::now();
                Outcome::Failed
            }
        }
    }

    fn reopen(&mut self) {
        self.lost_at = Instant::now();
        let opened = Gpu::open(&self.choice)
            .and_then(|gpu| GpuDenoiser::new(Arc::new(gpu), self.model.net(), self.channels, 1));
        if let Ok(mut denoiser) = opened
            && denoiser.warm_up().is_ok()
        {
            self.on = Some(denoiser);
            self.broken = true;
        }
    }
}
