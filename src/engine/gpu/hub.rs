//! One device for all streams of a process: takes their jobs, runs those that wait in one submit, sends them back.
//!
//! The hub's thread looks for jobs in short sleeps, since waking it would cost an audio thread more than the sleeps cost a
//! core; or, if that was chosen, it stays awake while streams play. While the device is lost it fails what comes, so that the
//! supervisors play, and opens the device again. The same happens to streams for the moment in which others join and the model
//! is prepared for more of them, and for good to those that the device has no room for; other models play on.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::crew::Crew;
use super::denoiser::GpuDenoiser;
use super::device::{Choice, Gpu};
use super::error::GpuError;
use super::round_trip::{self, RoundTrip};
use crate::handoff::job::JobBench;
use crate::model::Model;

/// How long the hub sleeps where there is nothing to do: an eighth of a block of 64 samples at 48 kHz.
const NAP: Duration = Duration::from_micros(166);

/// How long it stays awake after a job where that was chosen: no stream that plays leaves longer between two.
const PLAYING: Duration = Duration::from_millis(250);

/// How long it waits before it opens a lost device again.
const RETRY: Duration = Duration::from_secs(2);

/// A device with the thread that runs it. Streams join with [`GpuHub::join`]; dropping the hub ends the thread, and fails
/// nobody's sound.
#[derive(Debug)]
pub struct GpuHub {
    /// Trips that have been measured.
    trips: Mutex<Vec<Measured>>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// A trip, and what it was measured of: the SHA-256 of the model, how often states came back, and the number of the opening.
#[derive(Debug)]
struct Measured {
    sha256: String,
    save_every: u64,
    opening: u64,
    trip: RoundTrip,
}

/// What the hub and its thread share.
#[derive(Debug)]
struct Shared {
    stop: AtomicBool,
    /// As [`Choice::awake`].
    awake: AtomicBool,
    newcomers: Mutex<Vec<Newcomer>>,
    /// Turns given so far.
    turns: AtomicU64,
    /// How often a device was opened, and the adapter's name: it may be another one the next time.
    opened: Mutex<(u64, String)>,
}

impl Shared {
    fn opened(&self) -> (u64, String) {
        let opened = self.opened.lock();
        opened.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A stream that wants to join.
#[derive(Debug)]
pub(super) struct Newcomer {
    pub model: Arc<Model>,
    pub channels: usize,
    pub bench: JobBench,
    pub place: Arc<Place>,
}

/// What a stream and the hub's thread know of each other.
#[derive(Debug, Default)]
pub(super) struct Place {
    left: AtomicBool,
    refused: OnceLock<GpuError>,
}

impl Place {
    pub(super) fn is_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    pub(super) fn is_refused(&self) -> bool {
        self.refused.get().is_some()
    }

    /// For good; what was said first counts.
    pub(super) fn refuse(&self, error: &GpuError) {
        self.refused.get_or_init(|| error.clone());
    }
}

/// A stream's membership; it leaves when this is dropped.
#[derive(Debug)]
pub struct Seat(pub(super) Arc<Place>);

impl Seat {
    /// Why the device does not serve this stream, and never will; its supervisor plays.
    pub fn refused(&self) -> Option<&GpuError> {
        self.0.refused.get()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.left.store(true, Ordering::Release);
    }
}

impl GpuHub {
    /// Starts the thread on `gpu`, and when that is lost on what `choice` then names.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(gpu: Arc<Gpu>, choice: Choice) -> std::io::Result<GpuHub> {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            awake: AtomicBool::new(choice.awake),
            newcomers: Mutex::new(Vec::new()),
            turns: AtomicU64::new(0),
            opened: Mutex::new((1, gpu.name().to_string())),
        });
        let mut floor = Floor {
            shared: Arc::clone(&shared),
            choice,
            gpu: Some(gpu),
            lost_at: Instant::now(),
            crews: Vec::new(),
        };
        let thread = thread::Builder::new()
            .name("statewave-gpu".into())
            .spawn(move || floor.run())?;
        Ok(GpuHub {
            trips: Mutex::default(),
            shared,
            thread: Some(thread),
        })
    }

    /// The name of the adapter that was opened last.
    pub fn adapter(&self) -> String {
        self.shared.opened().1
    }

    /// Has the thread stay awake while streams play, or no more. Round trips are measured anew then.
    pub fn stay_awake(&self, awake: bool) {
        if self.shared.awake.swap(awake, Ordering::Relaxed) != awake {
            let mut trips = self.trips.lock().unwrap_or_else(PoisonError::into_inner);
            trips.clear();
        }
    }

    /// The round trip of two channels of `model` whose states come back with every `save_every`th frame, as those of the stream
    /// will that it is asked for. Measured the first time it is asked for of a device that was opened: seconds then.
    ///
    /// # Errors
    /// As [`round_trip::measure`].
    pub fn round_trip(&self, model: &Arc<Model>, save_every: u64) -> Result<RoundTrip, GpuError> {
        // Held while it is measured, so that two do not disturb each other.
        let mut trips = self.trips.lock().unwrap_or_else(PoisonError::into_inner);
        let (opening, _) = self.shared.opened();
        trips.retain(|measured| measured.opening == opening);
        let same = |m: &&Measured| m.sha256 == model.sha256() && m.save_every == save_every;
        if let Some(measured) = trips.iter().find(same) {
            return Ok(measured.trip);
        }
        let trip = round_trip::measure(self, model, 2, save_every)?;
        trips.push(Measured {
            sha256: model.sha256().into(),
            save_every,
            opening,
            trip,
        });
        Ok(trip)
    }

    /// A turn for another stream, in which its states come back ([`Saves`](crate::engine::supervisor::Saves)).
    pub fn next_turn(&self) -> u64 {
        self.shared.turns.fetch_add(1, Ordering::Relaxed)
    }

    /// Holds the thread before its next turn, for as long as what this gives lives: a device that stands still, for tests of
    /// what others do meanwhile. Streams that would join wait for it too.
    pub fn hold(&self) -> Held<'_> {
        let newcomers = &self.shared.newcomers;
        Held {
            _newcomers: newcomers.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Has a supervisor's worker end served: `channels` streams of `model`. Does not wait for the device.
    ///
    /// # Errors
    /// [`GpuError::Model`] for a model that the shaders do not serve.
    pub fn join(
        &self,
        model: &Arc<Model>,
        channels: usize,
        bench: JobBench,
    ) -> Result<Seat, GpuError> {
        GpuDenoiser::check(model.net())?;
        let place = Arc::new(Place::default());
        let newcomer = Newcomer {
            model: Arc::clone(model),
            channels,
            bench,
            place: Arc::clone(&place),
        };
        self.shared
            .newcomers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(newcomer);
        Ok(Seat(place))
    }
}

/// Keeps a hub's thread from its next turn while it lives.
#[derive(Debug)]
pub struct Held<'a> {
    _newcomers: MutexGuard<'a, Vec<Newcomer>>,
}

impl Drop for GpuHub {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic over there has been told already, and there is nothing left to save.
            let _ = thread.join();
        }
    }
}

/// What the thread has.
struct Floor {
    shared: Arc<Shared>,
    choice: Choice,
    /// `None` while the device is lost.
    gpu: Option<Arc<Gpu>>,
    lost_at: Instant,
    /// One for each model.
    crews: Vec<Crew>,
}

impl Floor {
    fn run(&mut self) {
        let mut worked_at = None::<Instant>;
        while !self.shared.stop.load(Ordering::Acquire) {
            self.welcome();
            if self.gpu.is_none() && self.lost_at.elapsed() > RETRY {
                self.lost_at = Instant::now();
                self.gpu = Gpu::open(&self.choice).ok().map(Arc::new);
                if let Some(gpu) = &self.gpu {
                    let opened = self.shared.opened.lock();
                    let mut opened = opened.unwrap_or_else(PoisonError::into_inner);
                    *opened = (opened.0 + 1, gpu.name().to_string());
                }
            }
            let awake = self.shared.awake.load(Ordering::Relaxed);
            if let Some(gpu) = &self.gpu {
                gpu.stay_awake(awake);
            }
            let mut worked = false;
            for crew in &mut self.crews {
                match crew.turn(self.gpu.as_ref()) {
                    Ok(some) => worked |= some,
                    Err(_) => {
                        self.gpu = None;
                        self.lost_at = Instant::now();
                    }
                }
            }
            self.crews.retain(|crew| !crew.is_empty());
            let now = Instant::now();
            if worked {
                worked_at = Some(now);
                continue;
            }
            let plays = worked_at.is_some_and(|at| now - at < PLAYING);
            match awake && plays {
                true => std::hint::spin_loop(),
                false => thread::sleep(NAP),
            }
        }
    }

    fn welcome(&mut self) {
        let newcomers = std::mem::take(
            &mut *self
                .shared
                .newcomers
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for newcomer in newcomers {
            let same = |crew: &&mut Crew| crew.model().sha256() == newcomer.model.sha256();
            match self.crews.iter_mut().find(same) {
                Some(crew) => crew.seat(newcomer),
                None => {
                    let mut crew = Crew::new(Arc::clone(&newcomer.model));
                    crew.seat(newcomer);
                    self.crews.push(crew);
                }
            }
        }
    }
}
