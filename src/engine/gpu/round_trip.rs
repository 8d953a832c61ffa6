//! How long a frame is on its way to a device and back, measured as a stream meets it: through the hub and its queue.
//!
//! Flows in: a hub, a model, and how often states come back. Flows out: percentiles, and the delay that a chain has to allow for.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::GpuError;
use super::hub::{GpuHub, Seat};
use crate::engine::cpu::CpuEngine;
use crate::engine::supervisor::Saves;
use crate::handoff::job::{JobDesk, Outcome, StateOrder, jobs};
use crate::model::Model;
use crate::model::spec::FrontEnd;

/// Frames that a measurement sends, and the time after which it makes do with fewer.
const FRAMES: usize = 400;
const ENOUGH: Duration = Duration::from_millis(1500);

/// How long a device may take to prepare a model, and how long a frame may take.
const PREPARATION: Duration = Duration::from_secs(60);
const STALL: Duration = Duration::from_secs(5);

/// Between a frame that has failed and the next try.
const AGAIN: Duration = Duration::from_millis(1);

/// Frames that a probe may have on their way.
const IN_FLIGHT: usize = 4;

/// A device counts as late from so many times the longest trip that was measured: a frame may find that of another stream
/// on its way, and goes behind it.
const MARGIN: f64 = 2.0;

/// No chain waits longer for a device.
pub const MOST_HANDOFF: Duration = Duration::from_millis(100);

/// Percentiles of the time from a frame's sending to its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// Half were faster.
    pub p50: Duration,
    /// 99 % were faster.
    pub p99: Duration,
    /// 99.9 % were faster; of fewer than a thousand, the longest.
    pub p999: Duration,
    /// Trips that were measured.
    pub count: usize,
}

impl RoundTrip {
    /// Of `times`, which are sorted; `None` of none.
    pub fn of(times: &mut [Duration]) -> Option<RoundTrip> {
        times.sort_unstable();
        let count = times.len();
        // The smallest time that at least this share of all does not exceed.
        let at = |share: f64| times.get(((share * count as f64).ceil() as usize).max(1) - 1);
        Some(RoundTrip {
            p50: *at(0.5)?,
            p99: *at(0.99)?,
            p999: *at(0.999)?,
            count,
        })
    }

    /// Samples of the model's rate that results may come later than the spread, where sound comes in blocks of `block`:
    /// all of a block is worked on at once, so a frame that is not to be waited for takes whole blocks. `room` is time beside
    /// the trip's own, for a machine whose threads stand still at times. `None` where that is more than [`MOST_HANDOFF`], or
    /// where a frame takes longer than it lasts.
    pub fn handoff(
        &self,
        front_end: &FrontEnd,
        rate: u32,
        block: Duration,
        room: Duration,
    ) -> Option<usize> {
        let samples = |time: Duration| time.as_secs_f64() * f64::from(rate);
        let block = samples(block).max(1.0);
        let trip = MARGIN * samples(self.p999) + samples(room);
        let wait = ((trip / block).ceil().max(1.0) * block).ceil() as usize;
        let handoff = wait.saturating_sub(front_end.spread);
        let holds = samples(self.p50) <= front_end.hop as f64;
        (holds && handoff as f64 <= samples(MOST_HANDOFF)).then_some(handoff)
    }
}

/// A stream that only looks at the clock.
#[derive(Debug)]
pub struct Probe {
    desk: JobDesk,
    seat: Seat,
    values: Vec<f32>,
    /// Which frames bring their state back, as a supervisor's.
    saves: Saves,
    /// Room for that; empty while it is on its way.
    room: Vec<f32>,
    seq: u64,
    /// When each frame in flight was sent, by its number.
    sent: [Option<Instant>; IN_FLIGHT],
}

impl Probe {
    /// Joins `hub` with `channels` streams of `model`, whose states come back with every `save_every`th frame
    /// ([`Policy::save_every`](crate::engine::supervisor::Policy::save_every)).
    ///
    /// # Errors
    /// [`GpuError::Model`].
    pub fn join(
        hub: &GpuHub,
        model: &Arc<Model>,
        channels: usize,
        save_every: u64,
    ) -> Result<Probe, GpuError> {
        let len = channels * 2 * model.net().bins();
        let (desk, bench) = jobs(IN_FLIGHT, len, 0);
        let seat = hub.join(model, channels, bench)?;
        let state_len = CpuEngine::new(model, channels).state_len();
        let saves = Saves::new(save_every, hub.next_turn());
        Ok(Probe::at(desk, seat, (len, state_len), saves))
    }

    fn at(desk: JobDesk, seat: Seat, (len, state_len): (usize, usize), saves: Saves) -> Probe {
        // Not silence: numbers that become tiny are slow on some processors.
        let values = (0..len).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0);
        Probe {
            desk,
            seat,
            values: values.collect(),
            saves,
            room: vec![0.0; state_len],
            seq: 0,
            sent: [None; IN_FLIGHT],
        }
    }

    /// Sends a frame; `false` where too many are on their way.
    pub fn send(&mut self) -> bool {
        let (seq, values) = (self.seq, &self.values);
        let (order, room) = match seq {
            0 => (StateOrder::Reset, Vec::new()),
            n if self.saves.at(n + 1) && !self.room.is_empty() => {
                (StateOrder::Save, std::mem::take(&mut self.room))
            }
            _ => (StateOrder::Leave, Vec::new()),
        };
        let sent = self.desk.send(room, |job| {
            job.address(0, seq, order);
            job.values.copy_from_slice(values);
        });
        let sent = match sent {
            Ok(()) => true,
            Err(room) => {
                self.keep(room);
                false
            }
        };
        if sent {
            self.sent[seq as usize % IN_FLIGHT] = Some(Instant::now());
            self.seq += 1;
        }
        sent
    }

    /// Puts the room for a state by, if it is that.
    fn keep(&mut self, room: Vec<f32>) {
        if !room.is_empty() {
            self.room = room;
        }
    }

    /// A frame that came back, and how long it took; `Err` where the device has failed it.
    pub fn take(&mut self) -> Option<Result<Duration, GpuError>> {
        let mut job = self.desk.take()?;
        self.keep(std::mem::take(&mut job.state));
        let sent = self.sent[job.seq() as usize % IN_FLIGHT].take();
        let done = job.outcome == Outcome::Done;
        self.desk.put(job);
        if !done {
            // The next one begins anew.
            self.seq = 0;
            let refused = self.seat.refused().cloned();
            return Some(Err(refused.unwrap_or(GpuError::Lost(None))));
        }
        Some(Ok(sent.map(|sent| sent.elapsed()).unwrap_or_default()))
    }

    /// Waits for a frame.
    ///
    /// # Errors
    /// [`GpuError::Lost`] where it has failed, or does not come within `patience`.
    pub fn wait(&mut self, patience: Duration) -> Result<Duration, GpuError> {
        let since = Instant::now();
        loop {
            if let Some(came) = self.take() {
                return came;
            }
            if since.elapsed() > patience {
                return Err(GpuError::Lost(None));
            }
            thread::yield_now();
        }
    }

    /// Sends a frame and waits for it. One that fails is sent anew, for as long as a device may stall: others that join have
    /// all streams of the model begin anew, and a lost device may come back.
    ///
    /// # Errors
    /// As [`Self::wait`], and what the stream was refused for.
    fn trip(&mut self, patience: Duration) -> Result<Duration, GpuError> {
        let mut failed = None::<Instant>;
        loop {
            self.send();
            let came = self.wait(patience);
            let answered = self.sent.iter().all(Option::is_none);
            let again = came.is_err() && answered && self.seat.refused().is_none();
            if !again || failed.get_or_insert_with(Instant::now).elapsed() > STALL {
                return came;
            }
            thread::sleep(AGAIN);
        }
    }
}

/// Measures trips of `channels` streams of `model` on `hub`, one after the other, every `save_every`th with its state. Prepares the
/// model there if it is not; takes seconds then, and up to one and a half else.
///
/// # Errors
/// [`GpuError::Model`], what a [`Seat`] was refused for, or [`GpuError::Lost`] where the device does not answer.
pub fn measure(
    hub: &GpuHub,
    model: &Arc<Model>,
    channels: usize,
    save_every: u64,
) -> Result<RoundTrip, GpuError> {
    let mut probe = Probe::join(hub, model, channels, save_every)?;
    probe.trip(PREPARATION)?;
    let mut times = Vec::with_capacity(FRAMES);
    let began = Instant::now();
    while times.len() < FRAMES && (began.elapsed() < ENOUGH || times.is_empty()) {
        // Frames do not come when the hub has just done one, but anywhere in its sleep.
        thread::sleep(Duration::from_micros(100 + 61 * (times.len() as u64 % 7)));
        times.push(probe.trip(STALL)?);
    }
    RoundTrip::of(&mut times).ok_or(GpuError::Lost(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRONT_END: FrontEnd = FrontEnd {
        hop: 320,
        window: 1280,
        overlap: 128,
        spread: 32,
    };

    fn micros(us: u64) -> Duration {
        Duration::from_micros(us)
    }

    fn trip(p50: u64, p999: u64) -> RoundTrip {
        RoundTrip {
            p50: micros(p50),
            p99: micros(p999),
            p999: micros(p999),
            count: 400,
        }
    }

    #[test]
    fn a_probe_asks_for_states_as_often_as_the_stream_it_stands_for() {
        for save_every in [1, 2, 3, 8] {
            let (desk, mut bench) = jobs(IN_FLIGHT, 4, 0);
            let saves = Saves::new(save_every, 0);
            let mut probe = Probe::at(desk, Seat(Arc::default()), (4, 6), saves);
            for seq in 0..24 {
                assert!(probe.send());
                let mut job = bench.take().expect("it was sent");
                let wanted = match seq {
                    0 => StateOrder::Reset,
                    n if (n + 1) % save_every == 0 => StateOrder::Save,
                    _ => StateOrder::Leave,
                };
                assert_eq!((job.seq(), job.order()), (seq, wanted));
                let room = if wanted == StateOrder::Save { 6 } else { 0 };
                assert_eq!(job.state.len(), room);
                job.outcome = Outcome::Done;
                bench.send(job);
                assert!(probe.take().is_some_and(|came| came.is_ok()));
            }
        }
    }

    #[test]
    fn frames_that_fail_because_others_join_are_sent_anew() {
        let (desk, mut bench) = jobs(IN_FLIGHT, 4, 0);
        let mut probe = Probe::at(desk, Seat(Arc::default()), (4, 6), Saves::new(2, 0));
        // As a hub: what is broken stays so until it begins anew.
        let worker = thread::spawn(move || {
            let (mut broken, mut orders) = (true, Vec::new());
            while orders.len() < 12 {
                let Some(mut job) = bench.take() else {
                    thread::yield_now();
                    continue;
                };
                broken &= job.order() != StateOrder::Reset;
                // Somebody joins at the first, at one that would bring its state, and at two one after the other.
                broken |= [0, 4, 7, 8].contains(&orders.len());
                job.outcome = match broken {
                    true => Outcome::Failed,
                    false => Outcome::Done,
                };
                orders.push((job.order(), broken));
                bench.send(job);
            }
            orders
        });
        for _ in 0..8 {
            assert!(probe.trip(PREPARATION).is_ok());
        }
        let orders = worker.join().expect("it ends");
        for pair in orders.windows(2) {
            let begins = pair[1].0 == StateOrder::Reset;
            assert_eq!(begins, pair[0].1, "anew behind what failed: {orders:?}");
        }
        assert_eq!(orders.iter().filter(|(_, broken)| !broken).count(), 8);
    }

    #[test]
    fn who_is_refused_is_told_at_once() {
        let (desk, mut bench) = jobs(IN_FLIGHT, 4, 0);
        let seat = Seat(Arc::default());
        seat.0.refuse(&GpuError::Model("too large".into()));
        let mut probe = Probe::at(desk, seat, (4, 6), Saves::new(2, 0));
        let worker = thread::spawn(move || {
            loop {
                if let Some(mut job) = bench.take() {
                    job.outcome = Outcome::Failed;
                    bench.send(job);
                    return bench;
                }
                thread::yield_now();
            }
        });
        let told = probe.trip(PREPARATION);
        assert!(matches!(told, Err(GpuError::Model(_))), "{told:?}");
        let mut bench = worker.join().expect("it ends");
        assert!(bench.take().is_none(), "it is sent once");
    }

    #[test]
    fn percentiles_are_the_smallest_times_not_exceeded_by_their_share() {
        let mut times: Vec<_> = (1..=1000).rev().map(micros).collect();
        let trip = RoundTrip::of(&mut times).unwrap();
        assert_eq!(
            (trip.p50, trip.p99, trip.p999),
            (micros(500), micros(990), micros(999))
        );
        let one = RoundTrip::of(&mut [micros(7)]).unwrap();
        assert_eq!((one.p50, one.p999), (micros(7), micros(7)));
        assert_eq!(RoundTrip::of(&mut []), None);
    }

    #[test]
    fn a_handoff_is_what_whole_blocks_leave_beside_the_spread() {
        // Samples at 48 kHz as a time; a nanosecond less, as a quotient rounds up.
        let block = |samples: u64| Duration::from_nanos(samples * 1_000_000_000 / 48_000);
        let roomy = |trip: RoundTrip, b, room| trip.handoff(&FRONT_END, 48_000, block(b), room);
        let handoff = |trip, b| roomy(trip, b, Duration::ZERO);
        // 0.4 ms with the margin is 38.4 samples: one block, whatever its length.
        assert_eq!(handoff(trip(200, 400), 64), Some(32));
        assert_eq!(handoff(trip(200, 400), 480), Some(448));
        // Less than the spread costs nothing; 1.9 ms are 182 samples, and three blocks of 64.
        assert_eq!(handoff(trip(100, 200), 16), Some(0));
        assert_eq!(
            roomy(trip(200, 400), 64, Duration::from_millis(10)),
            Some(544)
        );
        assert_eq!(handoff(trip(200, 1_900), 64), Some(160));
        // A hop lasts 6.67 ms.
        assert!(handoff(trip(6_600, 7_000), 64).is_some());
        assert_eq!(handoff(trip(6_700, 7_000), 64), None);
        assert_eq!(handoff(trip(200, 70_000), 64), None);
        assert_eq!(handoff(trip(200, 400), 8_192), None);
    }
}
