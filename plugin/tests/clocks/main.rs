//! The pace of reading between clocks that come in bursts, differ or stop: steady, nothing is lost, nothing allocates.
//!
//! Time is made up here, so every run is the same.

mod bench;
mod stops;

use bench::{Bench, Device, STEEPEST};

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
