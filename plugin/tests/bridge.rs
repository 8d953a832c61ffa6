//! The ring between two clocks: nothing is lost, and the delay does not stay.

use std::sync::atomic::Ordering;

use statewave_plugin::app::bridge::bridge;

#[test]
fn a_tone_crosses_clocks_that_differ() {
    // The input's clock is 200 ppm fast; blocks of 480 against 256.
    let (rate, drift) = (48_000.0_f64, 200e-6);
    let (mut inlet, mut outlet) = bridge(2, 48_000, 48_000, true).expect("a bridge");
    let tone = |n: u64| (n as f64 * 440.0 / rate * std::f64::consts::TAU).sin() as f32 * 0.5;
    let (mut written, mut read) = (0u64, Vec::new());
    let mut planes = vec![vec![0.0; 256]; 2];
    let blocks = 40 * 48_000 / 256;
    for block in 0..blocks {
        let now = block as f64 * 256.0 / rate;
        while written as f64 <= now * rate * (1.0 + drift) {
            let first = written;
            inlet.write(now, 480, |frame, _| tone(first + frame as u64));
            written += 480;
        }
        outlet.steer(now, 256);
        outlet.read(&mut planes, 256);
        assert_eq!(planes[0], planes[1]);
        read.extend_from_slice(&planes[0]);
    }
    let status = outlet.status();
    assert_eq!(status.empty.load(Ordering::Relaxed), 0);
    assert_eq!(status.surplus.load(Ordering::Relaxed), 0);
    // A tone without a gap is as steep as a tone may be, and no steeper.
    let steepest = 0.5 * 440.0 / 48_000.0 * std::f32::consts::TAU * 1.01;
    // In its second second what the start left is thrown away.
    let settled = &read[2 * 48_000..];
    let steps = settled.windows(2).map(|w| (w[1] - w[0]).abs());
    assert!(steps.fold(0.0, f32::max) < steepest);
    assert!(settled.iter().copied().fold(0.0, f32::max) > 0.49);
}

#[test]
fn a_stall_of_the_output_leaves_no_delay() {
    let (mut inlet, mut outlet) = bridge(1, 48_000, 48_000, true).expect("a bridge");
    let mut planes = vec![vec![0.0; 480]];
    let held = |outlet: &statewave_plugin::app::bridge::Outlet| {
        outlet.status().held_us.load(Ordering::Relaxed)
    };
    let moment = |block: u32| f64::from(block) * 0.01;
    for block in 0..100 {
        inlet.write(moment(block), 480, |_, _| 0.1);
        outlet.steer(moment(block), 480);
        outlet.read(&mut planes, 480);
    }
    let before = held(&outlet);
    for block in 100..150 {
        inlet.write(moment(block), 480, |_, _| 0.1);
    }
    for block in 150..160 {
        inlet.write(moment(block), 480, |_, _| 0.1);
        outlet.steer(moment(block), 480);
        outlet.read(&mut planes, 480);
    }
    let after = held(&outlet);
    assert!(
        after < before + 20_000,
        "{before} µs before, {after} µs a tenth of a second later"
    );
}

#[test]
fn a_burst_at_the_start_leaves_no_delay() {
    let (mut inlet, mut outlet) = bridge(1, 48_000, 48_000, true).expect("a bridge");
    let mut planes = vec![vec![0.0; 480]];
    for _ in 0..9 {
        inlet.write(0.0, 480, |_, _| 0.1);
    }
    let mut held = Vec::new();
    for block in 0..200 {
        let now = f64::from(block) * 0.01;
        inlet.write(now, 480, |_, _| 0.1);
        outlet.steer(now, 480);
        held.push(outlet.status().held_us.load(Ordering::Relaxed));
        outlet.read(&mut planes, 480);
    }
    // Blocks of 10 ms on both sides: 30 ms are aimed at.
    assert!(held[50] > 80_000, "{} µs at first", held[50]);
    assert!(held[199] < 40_000, "{} µs after two seconds", held[199]);
    assert_eq!(outlet.status().surplus.load(Ordering::Relaxed), 0);
}

#[test]
fn a_file_is_converted_and_ends() {
    let (mut inlet, mut outlet) = bridge(1, 16_000, 48_000, false).expect("a bridge");
    inlet.write(0.0, 8_000, |_, _| 0.25);
    inlet.end();
    let mut planes = vec![vec![0.0; 512]];
    let mut heard = 0;
    for block in 0..60 {
        outlet.steer(f64::from(block) * 512.0 / 48_000.0, 512);
        outlet.read(&mut planes, 512);
        heard += planes[0].iter().filter(|x| x.abs() > 0.2).count();
    }
    assert!(
        (23_000..25_000).contains(&heard),
        "{heard} of 24000 samples"
    );
}
