//! What the audio thread lets others see: written by the chain, read by a panel, and nobody waits for the other.
//!
//! Flows in: one [`Snapshot`] a model frame, while somebody is watching. Flows out: the same, in order; those that find
//! the queue full are dropped. Nothing is measured or written while nobody watches.

mod bands;
mod deltas;

pub(crate) use bands::Bands;
pub(crate) use deltas::DeltaSums;
pub use deltas::Deltas;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::chain::ChainStats;
use crate::engine::EngineReport;

/// Bands of a spectrum, spaced evenly on a logarithmic scale from [`LOW_HZ`] to [`HIGH_HZ`].
pub const BANDS: usize = 96;

/// Lower edge of the lowest band, in Hz.
pub const LOW_HZ: f32 = 40.0;

/// Upper edge of the highest band, in Hz.
pub const HIGH_HZ: f32 = 20_000.0;

/// Layers whose Δ is shown, at most.
pub const DELTA_LAYERS: usize = 4;

/// Bands, or channels, of a layer whose Δ is shown.
pub const DELTA_BANDS: usize = 32;

/// Level that stands for silence, in dBFS.
pub const SILENCE_DB: f32 = -160.0;

/// Snapshots a second of a stream that has no frames of its own: as many as a denoiser at 48 kHz has.
pub const SNAPSHOTS: u32 = 150;

/// Snapshots that wait at most: two fifths of a second of them.
const DEPTH: usize = 64;

/// What happened since the last snapshot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot {
    /// Number of the frame.
    pub frame: u64,
    /// Largest input sample of the first two channels, linear; a single channel counts as both.
    pub input_peak: [f32; 2],
    /// Largest output sample of the first two channels, linear.
    pub output_peak: [f32; 2],
    /// Level of the frame the model heard, a band each, in dBFS: a full-scale sine is 0. Of the loudest channel.
    pub input_db: [f32; BANDS],
    /// The same of what came back.
    pub output_db: [f32; BANDS],
    /// Δ as it was taken, mean over channels.
    pub delta: Deltas,
    /// The factor on Δ that is in it: 0 while the state is frozen.
    pub pace: f32,
    /// Share of real time that was spent in the chain: 1 is all of it.
    pub load: f32,
    /// The chain's counts.
    pub stats: ChainStats,
    /// Who runs the model.
    pub engine: EngineReport,
    /// A model goes on by itself, without the input.
    pub goes_on: bool,
    /// Callbacks so far that took longer than the audio they made; counted while somebody watches.
    pub missed: u64,
}

/// Makes a writer for the audio thread and a reader for the panel.
///
/// ```
/// let (writer, mut reader) = statewave::telemetry::pair();
/// assert!(!writer.watching());
/// reader.watch(true);
/// assert!(writer.watching());
/// assert!(reader.read().is_none());
/// ```
pub fn pair() -> (Writer, Reader) {
    let (producer, consumer) = rtrb::RingBuffer::new(DEPTH);
    let watching = Arc::new(AtomicBool::new(false));
    let writer = Writer {
        producer,
        watching: Arc::clone(&watching),
    };
    (writer, Reader { consumer, watching })
}

/// The audio thread's end.
#[derive(Debug)]
pub struct Writer {
    producer: rtrb::Producer<Snapshot>,
    watching: Arc<AtomicBool>,
}

impl Writer {
    /// Whether anybody wants snapshots. Real-time safe.
    pub fn watching(&self) -> bool {
        self.watching.load(Ordering::Relaxed)
    }

    /// Leaves a snapshot, or drops it where the queue is full. Real-time safe.
    pub fn write(&mut self, snapshot: Snapshot) {
        // A reader that does not keep up loses frames, and nothing else.
        let _ = self.producer.push(snapshot);
    }
}

/// The panel's end.
#[derive(Debug)]
pub struct Reader {
    consumer: rtrb::Consumer<Snapshot>,
    watching: Arc<AtomicBool>,
}

impl Reader {
    /// Says whether snapshots are wanted from now on; those that wait are dropped.
    pub fn watch(&mut self, on: bool) {
        while self.consumer.pop().is_ok() {}
        self.watching.store(on, Ordering::Relaxed);
    }

    /// The next snapshot, oldest first.
    pub fn read(&mut self) -> Option<Snapshot> {
        self.consumer.pop().ok()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.watching.store(false, Ordering::Relaxed);
    }
}
