//! The pace of reading between clocks that come in bursts, differ or stop: steady, nothing is lost, nothing allocates.
//!
//! Time is made up here, so every run is the same.

use std::sync::atomic::Ordering;

use nice_assert_no_alloc::assert_no_alloc;
use statewave_plugin::app::bridge::{Inlet, Outlet, bridge};

/// Low, since hours of sound are made here, Hz.
const RATE: f64 = 16_000.0;

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
struct Device {
    /// Frames.
    block: usize,
    /// By how much its clock is fast, parts per million; and from a moment on, seconds.
    ppm: f64,
    ppm_from: (f64, f64),
    /// Shortest and longest time between two bursts, seconds; none if both are 0.
    bursts: (f64, f64),
    /// Most by which a block is late, and by how much the next is, seconds.
    late: f64,
    lateness: f64,
    /// When the last came.
    came: f64,
    /// Between these moments nothing comes, and it is not made up for, seconds.
    gap: (f64, f64),
    /// It stands still so often for so long, seconds.
    stalls: (f64, f64),
    stall: f64,
    chance: Chance,
    /// When the next burst is.
    burst: f64,
    /// When the next block falls due.
    due: f64,
}

impl Device {
    fn new(block: usize, ppm: f64, bursts: (f64, f64)) -> Self {
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
struct Seen {
    now: f64,
    bend_ppm: f64,
    /// By how much the input's clock is found to be fast.
    found_ppm: f64,
    held_ms: f64,
    /// Times it had run empty by then.
    empty: u32,
}

/// Both devices at the ends of a bridge; a tone goes through.
struct Bench {
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
const STEEPEST: f32 = 0.5 * 440.0 / RATE as f32 * std::f32::consts::TAU * 1.01;

impl Bench {
    fn run(mut input: Device, mut output: Device, seconds: f64) -> Self {
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

    fn after(&self, seconds: f64) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(move |seen| seen.now > seconds)
    }

    /// Farthest the pace is from `ppm` after so many seconds.
    fn farthest_ppm(&self, ppm: f64, seconds: f64) -> f64 {
        let off = self.after(seconds).map(|seen| (seen.bend_ppm - ppm).abs());
        off.fold(0.0, f64::max)
    }

    fn most_held_ms(&self, seconds: f64) -> f64 {
        self.after(seconds)
            .map(|seen| seen.held_ms)
            .fold(0.0, f64::max)
    }

    /// Times it ran empty after so many seconds.
    fn empty_after(&self, seconds: f64) -> u32 {
        let mut counts = self.after(seconds).map(|seen| seen.empty);
        let first = counts.next().expect("a block");
        counts.last().expect("blocks") - first
    }

    /// The pace is that of a clock fast by `ppm`, and what is heard wanders by less than a millisecond.
    fn assert_settled(&self, name: &str, ppm: f64, seconds: f64) {
        let off = self.farthest_ppm(ppm, seconds);
        assert!(off < 25.0, "{name}: {off} ppm off");
        let wander = self.wander_ms(|_| ppm, seconds);
        assert!(wander < 1.0, "{name}: wanders {wander} ms");
    }

    /// How far the delay moves after so many seconds, where the input's clock is fast by `ppm(now)`.
    fn wander_ms(&self, ppm: impl Fn(f64) -> f64, seconds: f64) -> f64 {
        let (mut at, mut least, mut most) = (0.0, 0.0_f64, 0.0_f64);
        let blocks: Vec<_> = self.after(seconds).collect();
        for pair in blocks.windows(2) {
            at += (pair[0].bend_ppm - ppm(pair[0].now)) * 1e-6 * (pair[1].now - pair[0].now);
            (least, most) = (least.min(at), most.max(at));
        }
        1e3 * (most - least)
    }

    /// Devices of 10 ms whose clocks differ by 50 ppm are at one again after a gap from 100 to 101 seconds.
    fn assert_back_after_a_gap(&self) {
        let off = self.farthest_ppm(50.0, 180.0);
        assert!(off < 25.0, "{off} ppm off");
        // The difference of the clocks was not forgotten.
        let off = self.farthest_ppm(50.0, 101.5);
        assert!(off < 200.0, "{off} ppm off");
        let held = self.most_held_ms(103.0);
        assert!(held < 45.0, "{held} ms held");
    }

    /// Nothing was thrown away or found no room.
    fn assert_nothing_lost(&self) {
        let status = self.outlet.status();
        assert_eq!(status.surplus.load(Ordering::Relaxed), 0, "thrown away");
        assert_eq!(status.full.load(Ordering::Relaxed), 0, "no room");
    }

    /// Steepest step of what was heard after so many seconds.
    fn steepest(&self, seconds: f64) -> f32 {
        let from =
            self.heard.len() - (self.heard.len() as f64 * (1.0 - seconds / self.end())) as usize;
        let steps = self.heard[from..].windows(2).map(|w| (w[1] - w[0]).abs());
        steps.fold(0.0, f32::max)
    }

    fn end(&self) -> f64 {
        self.seen.last().expect("blocks").now
    }
}

#[test]
fn bursts_of_equal_clocks_leave_the_pace_alone() {
    for (block, bursts) in [
        (64, (0.010, 0.010)),
        (170, (0.010, 0.030)),
        (64, (0.010, 0.050)),
        (170, (0.050, 0.050)),
    ] {
        let input = Device::new(block, 0.0, bursts);
        let output = Device::new(block, 0.0, (0.7 * bursts.0, 0.7 * bursts.1));
        let bench = Bench::run(input, output, 300.0);
        let name = format!("bursts of {bursts:?} s, blocks of {block}");
        bench.assert_settled(&name, 0.0, 200.0);
        assert_eq!(bench.empty_after(30.0), 0, "{name}");
        assert!(bench.steepest(30.0) < STEEPEST, "{name}: a gap was heard");
    }
}

#[test]
fn clocks_that_differ_are_found_and_nothing_is_lost() {
    for (ppm, bursts) in [
        (-300.0, (0.010, 0.030)),
        (-100.0, (0.0, 0.0)),
        (100.0, (0.010, 0.030)),
        (300.0, (0.0, 0.0)),
    ] {
        let input = Device::new(160, ppm, bursts);
        let bench = Bench::run(input, Device::new(85, 0.0, (0.0, 0.0)), 200.0);
        let name = format!("{ppm} ppm, bursts of {bursts:?} s");
        bench.assert_settled(&name, ppm, 120.0);
        assert_eq!(bench.empty_after(10.0), 0, "{name}");
        bench.assert_nothing_lost();
        assert!(bench.steepest(10.0) < STEEPEST, "{name}: a gap was heard");
        let held = bench.most_held_ms(60.0);
        assert!(held < 75.0, "{name}: {held} ms held");
    }
}

#[test]
fn equal_blocks_that_slide_past_each_other_leave_the_pace_alone() {
    // What is held at a block of the output jumps by a block of the input every four minutes.
    let input = Device::new(170, 40.0, (0.0, 0.0));
    let bench = Bench::run(input, Device::new(170, 0.0, (0.0, 0.0)), 500.0);
    bench.assert_settled("sliding", 40.0, 100.0);
    assert_eq!(bench.empty_after(0.0), 0);
    bench.assert_nothing_lost();
}

#[test]
fn an_input_that_stops_for_a_second_leaves_one_gap_and_no_delay() {
    let mut input = Device::new(160, 50.0, (0.0, 0.0));
    input.gap = (100.0, 101.0);
    let bench = Bench::run(input, Device::new(160, 0.0, (0.0, 0.0)), 260.0);
    assert_eq!(bench.empty_after(5.0), 1);
    assert_eq!(bench.empty_after(101.2), 0);
    bench.assert_nothing_lost();
    bench.assert_back_after_a_gap();
}

#[test]
fn an_output_that_stops_for_a_second_leaves_no_delay() {
    let mut output = Device::new(160, 0.0, (0.0, 0.0));
    output.gap = (100.0, 101.0);
    let bench = Bench::run(Device::new(160, 50.0, (0.0, 0.0)), output, 260.0);
    assert_eq!(bench.empty_after(5.0), 0);
    bench.assert_back_after_a_gap();
}

#[test]
fn a_server_that_runs_empty_now_and_then_is_no_clock_that_differs() {
    // It plays 30 ms of silence every eight seconds, and takes nothing meanwhile.
    let mut output = Device::new(160, 0.0, (0.0, 0.0));
    output.stalls = (8.0, 0.030);
    let bench = Bench::run(Device::new(160, 0.0, (0.0, 0.0)), output, 200.0);
    let off = bench.farthest_ppm(0.0, 20.0);
    assert!(off < 100.0, "{off} ppm off");
    assert_eq!(bench.empty_after(5.0), 0);
    let held = bench.most_held_ms(20.0);
    assert!(held < 90.0, "{held} ms held");
}

#[test]
fn late_and_bursty_blocks_of_any_clock_are_seen_through() {
    for ppm in [-300.0, -50.0, 0.0, 50.0, 300.0] {
        for (late, bursts, settled) in [
            (0.005, (0.0, 0.0), 40.0),
            (0.0, (0.038, 0.042), 60.0),
            (0.004, (0.015, 0.025), 60.0),
        ] {
            let mut input = Device::new(160, ppm, bursts);
            input.late = late;
            let mut output = Device::new(171, 0.0, (0.0, 0.0));
            output.late = 0.5 * late;
            let bench = Bench::run(input, output, 120.0);
            let name = format!("{ppm} ppm, {late} s late, bursts of {bursts:?} s");
            let found = bench
                .after(settled)
                .map(|seen| (seen.found_ppm - ppm).abs());
            let off = found.fold(0.0, f64::max);
            // The last block of a burst is late by any part of a block, and two bursts are late by nearly the same.
            let most_off = if bursts.1 > 0.0 { 40.0 } else { 10.0 };
            assert!(off < most_off, "{name}: {off} ppm off");
            // Where bursts turn out longer than any before, more is held from then on, and that is glided to.
            let most = if bursts.1 > 0.0 { 5.0 } else { 0.25 };
            let wander = bench.wander_ms(|_| ppm, settled);
            assert!(wander < most, "{name}: wanders {wander} ms");
            assert_eq!(bench.empty_after(5.0), 0, "{name}");
            bench.assert_nothing_lost();
            assert!(bench.steepest(5.0) < STEEPEST, "{name}: a gap was heard");
        }
    }
}

#[test]
fn blocks_that_drift_through_those_of_the_server_are_no_clock_that_differs() {
    // ALSA's way to PulseAudio takes blocks of one length out of those of another that is nearly the same: they come later
    // and later by 3 ms a second, and then at once as early as ever.
    let input = Device::new(114, 0.0, (0.0071, 0.0071));
    let bench = Bench::run(input, Device::new(114, 0.0, (0.0, 0.0)), 90.0);
    for (from, most) in [(0.0, 250.0), (40.0, 25.0)] {
        let found = bench.after(from).map(|seen| seen.found_ppm.abs());
        let off = found.fold(0.0, f64::max);
        assert!(off < most, "{off} ppm off after {from} s");
    }
    assert_eq!(bench.empty_after(3.0), 0);
    bench.assert_nothing_lost();
    let wander = bench.wander_ms(|_| 0.0, 20.0);
    assert!(wander < 1.0, "wanders {wander} ms");
}

#[test]
fn a_clock_that_changes_its_pace_is_followed_within_a_millisecond() {
    // As that of a null sink of PulseAudio's does when another program begins to play.
    let mut input = Device::new(160, 85.0, (0.0, 0.0));
    (input.late, input.ppm_from) = (0.002, (60.0, 0.0));
    let mut output = Device::new(171, 115.0, (0.0, 0.0));
    output.late = 0.002;
    let bench = Bench::run(input, output, 140.0);
    let ppm = |now| if now < 60.0 { -30.0 } else { -115.0 };
    let wander = bench.wander_ms(ppm, 30.0);
    assert!(wander < 1.0, "wanders {wander} ms");
    let off = bench.farthest_ppm(-115.0, 100.0);
    assert!(off < 25.0, "{off} ppm off");
}

#[test]
fn a_start_in_a_rush_leaves_no_delay() {
    // Devices that were slow to open hand over all at once what they had by then.
    let mut input = Device::new(114, 40.0, (0.018, 0.024));
    input.burst = 0.4;
    let bench = Bench::run(input, Device::new(114, 0.0, (0.018, 0.024)), 60.0);
    let held = bench.most_held_ms(5.0);
    assert!(held < 110.0, "{held} ms held");
    assert_eq!(bench.empty_after(5.0), 0);
    bench.assert_settled("a rush", 40.0, 30.0);
}
