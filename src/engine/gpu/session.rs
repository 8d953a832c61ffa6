//! The engine on a hub: a supervisor, and its stream's seat.
//!
//! Flows in and out: frames. What the device does not bring in time is run on this thread, from the same state.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::GpuError;
use super::hub::{GpuHub, Seat};
use crate::engine::supervisor::{Policy, Supervisor, SupervisorStats};
use crate::engine::{Engine, EngineReport, Exchange};
use crate::model::Model;
use crate::state::Memory;
use crate::telemetry::Deltas;

/// Frames that the device must have been on time for before it plays: half a second of the shipped model's.
const PUNCTUAL: u32 = 75;

/// How long a frame is waited for where waiting does no harm, before this thread runs it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks for a frame that is waited for.
const LOOK: Duration = Duration::from_micros(50);

/// Streams of a model on a hub, played by this thread where the hub cannot.
#[derive(Debug)]
pub struct GpuEngine {
    supervisor: Supervisor,
    /// Results are waited for: nobody listens, as in a bounce.
    waits: bool,
    _seat: Seat,
    _hub: Arc<GpuHub>,
}

impl GpuEngine {
    /// `channels` streams of `model` on `hub`, whose results may come `handoff` samples of the model's rate later than the
    /// spread. Where `waits`, they are waited for, so that a bounce takes the device and not what is faster. Allocates, and
    /// must be dropped where waiting does no harm: the last one ends the hub's thread.
    ///
    /// # Errors
    /// [`GpuError::Model`].
    pub fn new(
        hub: &Arc<GpuHub>,
        model: &Arc<Model>,
        channels: usize,
        handoff: usize,
        waits: bool,
    ) -> Result<GpuEngine, GpuError> {
        GpuEngine::with_states(hub, model, channels, handoff, waits, Policy::SAVE_EVERY)
    }

    /// The same, with a state coming back with every `save_every`th frame, so that no more than as many are run at once when
    /// this thread takes over: [`StandIn`](crate::engine::cost::StandIn) says how many can be.
    ///
    /// # Errors
    /// [`GpuError::Model`].
    pub fn with_states(
        hub: &Arc<GpuHub>,
        model: &Arc<Model>,
        channels: usize,
        handoff: usize,
        waits: bool,
        save_every: u64,
    ) -> Result<GpuEngine, GpuError> {
        let policy = Policy {
            handoff,
            save_every,
            // Where nobody listens, a device that is waited for is punctual from the first frame on.
            punctual: if waits { 1 } else { PUNCTUAL },
        };
        let (mut supervisor, bench) = Supervisor::new(model, channels, policy);
        supervisor.take_turn(hub.next_turn());
        Ok(GpuEngine {
            supervisor,
            waits,
            _seat: hub.join(model, channels, bench)?,
            _hub: Arc::clone(hub),
        })
    }

    /// What has happened so far.
    pub fn stats(&self) -> SupervisorStats {
        self.supervisor.stats()
    }

    /// Waits for frame `seq`, if it can be hoped for. One that does not come is the last that is waited for.
    fn wait(&mut self, seq: u64) {
        let since = Instant::now();
        while self.supervisor.awaits(seq) {
            if since.elapsed() > PATIENCE {
                self.waits = false;
                return;
            }
            std::thread::sleep(LOOK);
        }
    }
}

impl Engine for GpuEngine {
    fn frame_len(&self) -> usize {
        self.supervisor.frame_len()
    }

    fn channels(&self) -> usize {
        self.supervisor.channels()
    }

    fn handoff(&self) -> usize {
        self.supervisor.handoff()
    }

    fn submit(&mut self, seq: u64, input: &[f32]) {
        self.supervisor.submit(seq, input);
    }

    fn work(&mut self, done: u32, of: u32) {
        self.supervisor.work(done, of);
    }

    fn collect(&mut self, seq: u64, output: &mut [f32]) -> Exchange {
        if self.waits {
            self.wait(seq);
        }
        self.supervisor.collect(seq, output)
    }

    fn reset(&mut self) {
        self.supervisor.reset();
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        self.supervisor.memory()
    }

    fn observe(&mut self, on: bool) {
        self.supervisor.observe(on);
    }

    fn deltas(&self, deltas: &mut Deltas) {
        self.supervisor.deltas(deltas);
    }

    fn report(&self) -> EngineReport {
        self.supervisor.report()
    }
}
