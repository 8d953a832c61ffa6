//! Devices that stand still for a while.

use super::bench::{Bench, Device};

#[test]
fn an_input_that_stops_for_a_second_leaves_one_gap_and_no_delay() {
    let mut input = Device::new(160, 50.0, (0.0, 0.0));
    input.gap = (100.0, 101.0);
    let bench = Bench::run(input, Device::new(160, 0.0, (0.0, 0.0)), 260.0);
    assert_eq!(bench.empty_after(5.0), 1);
    assert_eq!(bench.empty_after(101.1), 0);
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
