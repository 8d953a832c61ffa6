//! Two devices at the ends of a bridge, in time that is made up.

use std::sync::atomic::Ordering;

use nice_assert_no_alloc::assert_no_alloc;
use statewave_plugin::app::bridge::{Inlet, Outlet, bridge};

/// Low, since hours of sound are made here, Hz.
pub const RATE: f64 = 16_000.0;

/// Numbers from 0 to 1 that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A device: blocks fall due by its clock, and its server passes them on in bursts.
pub struct Device {
    /// Frames.
    block: usize,
    /// By how much its clock is fast, parts per million; and from a moment on, seconds.
    ppm: f64,
    pub ppm_from: (f64, f64),
    /// Shortest and longest time between two bursts, seconds; none if both are 0.
    bursts: (f64, f64),
    /// Most by which a block is late, and by how much the next is, seconds.
    pub late: f64,
    lateness: f64,
    /// When the last came.
    came: f64,
    /// Between these moments nothing comes, and it is not made up for, seconds.
    pub gap: (f64, f64),
    /// It stands still so often for so long, seconds.
    pub stalls: (f64, f64),
    stall: f64,
    chance: Chance,
    /// When the next burst is.
    pub burst: f64,
    /// When the next block falls due.
    due: f64,
}

impl Device {
    pub fn new(block: usize, ppm: f64, bursts: (f64, f64)) -> Self {
        Self {
            block,
            ppm,
            ppm_from: (f64::MAX, 0.0),
            bursts,
            late: 0.0,
            lateness: 0.0,
            came: 0.0,
            gap: (f64::MAX, f64::MAX),
            stalls: (f64::MAX, 0.0),
            stall: 0.0,
            chance: Chance(0x9e37_79b9_7f4a_7c15 ^ block as u64),
            burst: 0.0,
            due: 0.001,
        }
    }

    /// When the next block comes.
    fn next(&mut self) -> f64 {
        if self.due > self.stall + self.stalls.0 {
            self.stall += self.stalls.0;
            self.due += self.stalls.1;
        }
        if (self.gap.0..self.gap.1).contains(&self.due) {
            self.due = self.gap.1;
        }
        let (least, most) = self.bursts;
        while most > 0.0 && self.burst < self.due {
            self.burst += least + (most - least) * self.chance.next();
        }
        self.came.max(self.due.max(self.burst) + self.lateness)
    }

    fn done(&mut self) {
        self.came = self.next();
        self.lateness = self.late * self.chance.next();
        self.due += self.block as f64 / RATE / (1.0 + self.ppm(self.due) * 1e-6);
    }

    fn ppm(&self, now: f64) -> f64 {
        let (from, ppm) = self.ppm_from;
        if now < from { self.ppm } else { ppm }
    }
}

/// What went on at one block of the output.
pub struct Seen {
    now: f64,
    bend_ppm: f64,
    /// By how much the input's clock is found to be fast.
    pub found_ppm: f64,
    held_ms: f64,
    /// Times it had run empty by then.
    empty: u32,
}

/// Both devices at the ends of a bridge; a tone goes through.
pub struct Bench {
    inlet: Inlet,
    outlet: Outlet,
    planes: Vec<Vec<f32>>,
    written: u64,
    heard: Vec<f32>,
    seen: Vec<Seen>,
}

fn tone(n: u64) -> f32 {
    (n as f64 * 440.0 / RATE * std::f64::consts::TAU).sin() as f32 * 0.5
}

/// A tone at 440 Hz that is read at most 5 per mille too fast has no steeper step than this.
pub const STEEPEST: f32 = 0.5 * 440.0 / RATE as f32 * std::f32::consts::TAU * 1.01;

impl Bench {
    pub fn run(mut input: Device, mut output: Device, seconds: f64) -> Self {
        let (inlet, outlet) = bridge(1, RATE as u32, RATE as u32, true).expect("a bridge");
        let mut bench = Self {
            inlet,
            outlet,
            planes: vec![vec![0.0; output.block]],
            written: 0,
            heard: Vec::new(),
            seen: Vec::new(),
        };
        loop {
            let (comes, goes) = (input.next(), output.next());
            if comes.min(goes) > seconds {
                return bench;
            }
            if comes <= goes {
                let first = bench.written;
                assert_no_alloc(|| {
                    bench
                        .inlet
                        .write(comes, input.block, |frame, _| tone(first + frame as u64));
                });
                bench.written += input.block as u64;
                input.done();
            } else {
                bench.read(goes, output.block);
                output.done();
            }
        }
    }

    fn read(&mut self, now: f64, frames: usize) {
        assert_no_alloc(|| {
            self.outlet.steer(now, frames);
            self.outlet.read(&mut self.planes, frames);
        });
        self.heard.extend_from_slice(&self.planes[0]);
        let status = self.outlet.status();
        self.seen.push(Seen {
            now,
            bend_ppm: 1e6 * self.outlet.bend(),
            found_ppm: f64::from(status.drift_ppm.load(Ordering::Relaxed)),
            held_ms: f64::from(status.held_us.load(Ordering::Relaxed)) / 1e3,
            empty: status.empty.load(Ordering::Relaxed),
        });
    }

    pub fn after(&self, seconds: f64) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(move |seen| seen.now > seconds)
    }

    /// Farthest the pace is from `ppm` after so many seconds.
    pub fn farthest_ppm(&self, ppm: f64, seconds: f64) -> f64 {
        let off = self.after(seconds).map(|seen| (seen.bend_ppm - ppm).abs());
        off.fold(0.0, f64::max)
    }

    pub fn most_held_ms(&self, seconds: f64) -> f64 {
        self.after(seconds)
            .map(|seen| seen.held_ms)
            .fold(0.0, f64::max)
    }

    /// When it is silent last, within five seconds of a moment; that moment if it is not at all.
    pub fn silent_until(&self, seconds: f64) -> f64 {
        let block = self.planes[0].len();
        let blocks = self.seen.iter().zip(self.heard.chunks(block));
        // A tone at half of full scale passes through zero, but not for a block.
        let silent = blocks.filter(|(seen, heard)| {
            (seconds..seconds + 5.0).contains(&seen.now) && heard.iter().all(|x| x.abs() < 0.1)
        });
        let ends = silent.map(|(seen, _)| seen.now + block as f64 / RATE);
        ends.fold(seconds, f64::max)
    }

    /// Times it ran empty after so many seconds.
    pub fn empty_after(&self, seconds: f64) -> u32 {
        let mut counts = self.after(seconds).map(|seen| seen.empty);
        let first = counts.next().expect("a block");
        counts.last().expect("blocks") - first
    }

    /// The pace is that of a clock fast by `ppm`, and what is heard wanders by less than a millisecond.
    pub fn assert_settled(&self, name: &str, ppm: f64, seconds: f64) {
        let off = self.farthest_ppm(ppm, seconds);
        assert!(off < 25.0, "{name}: {off} ppm off");
        let wander = self.wander_ms(|_| ppm, seconds);
        assert!(wander < 1.0, "{name}: wanders {wander} ms");
    }

    /// How far the delay moves after so many seconds, where the input's clock is fast by `ppm(now)`.
    pub fn wander_ms(&self, ppm: impl Fn(f64) -> f64, seconds: f64) -> f64 {
        let (mut at, mut least, mut most) = (0.0, 0.0_f64, 0.0_f64);
        let blocks: Vec<_> = self.after(seconds).collect();
        for pair in blocks.windows(2) {
            at += (pair[0].bend_ppm - ppm(pair[0].now)) * 1e-6 * (pair[1].now - pair[0].now);
            (least, most) = (least.min(at), most.max(at));
        }
        1e3 * (most - least)
    }

    /// Devices of 10 ms whose clocks differ by 50 ppm are at one again after a gap from 100 to 101 seconds.
    pub fn assert_back_after_a_gap(&self) {
        let off = self.farthest_ppm(50.0, 180.0);
        assert!(off < 25.0, "{off} ppm off");
        // The difference of the clocks was not forgotten.
        let off = self.farthest_ppm(50.0, 101.5);
        assert!(off < 200.0, "{off} ppm off");
        let silent = self.silent_until(101.0) - 101.0;
        assert!(silent < 0.1, "silent for {silent} s behind the gap");
        let held = self.most_held_ms(101.1);
        assert!(held < 45.0, "{held} ms held");
    }

    /// Nothing was thrown away or found no room.
    pub fn assert_nothing_lost(&self) {
        let status = self.outlet.status();
        assert_eq!(status.surplus.load(Ordering::Relaxed), 0, "thrown away");
        assert_eq!(status.full.load(Ordering::Relaxed), 0, "no room");
    }

    /// Steepest step of what was heard after so many seconds.
    pub fn steepest(&self, seconds: f64) -> f32 {
        let from =
            self.heard.len() - (self.heard.len() as f64 * (1.0 - seconds / self.end())) as usize;
        let steps = self.heard[from..].windows(2).map(|w| (w[1] - w[0]).abs());
        steps.fold(0.0, f32::max)
    }

    fn end(&self) -> f64 {
        self.seen.last().expect("blocks").now
    }
}
