//! The plugin's audio is the library's, whatever the blocks.

use statewave::chain::{Chain, ChainConfig};
use statewave::controls::{Controls, Stereo};
use statewave::engine::cpu::CpuEngine;
use statewave::latency::LatencyMode;

use crate::clap_host::Host;
use crate::models::usual;
use crate::signals::{Random, level_db, noisy, same_bits};

/// The plugin's defaults.
pub fn defaults() -> Controls {
    Controls {
        stereo: Stereo::Link,
        ..Controls::default()
    }
}

pub fn chain(sample_rate: u32, channels: usize, mode: LatencyMode) -> Chain {
    let model = usual();
    let config = ChainConfig {
        sample_rate,
        channels,
        max_block: 512,
    };
    let engine = Box::new(CpuEngine::new(&model, channels));
    let spec = model.spec();
    Chain::with_mode(engine, spec.front_end, spec.sample_rate, config, mode)
        .expect("it can be made")
}

pub fn run(chain: &mut Chain, audio: &mut [Vec<f32>], controls: &Controls) {
    let mut slices: Vec<&mut [f32]> = audio.iter_mut().map(Vec::as_mut_slice).collect();
    chain.process(&mut slices, controls);
}

#[test]
fn the_host_hears_what_the_library_makes() {
    let input = noisy(2, 24_000, 1);
    for (index, mode) in [(0.0, LatencyMode::Zero), (1.0, LatencyMode::Live)] {
        let mut expected = input.clone();
        run(&mut chain(48_000, 2, mode), &mut expected, &defaults());
        let mut heard = input.clone();
        let mut host = Host::activated(48_000.0, 512);
        host.set(&[("mode", index)]);
        host.restart(48_000.0, 512);
        host.run(&mut heard, &[], || 512);
        assert!(same_bits(&heard, &expected), "{mode:?}");
        let (before, after) = (level_db(&input[0][12_000..]), level_db(&heard[0][12_000..]));
        assert!(after < before - 0.1, "{mode:?}: nothing was taken away");
    }
}

#[test]
fn blocks_of_any_length_sound_the_same() {
    let input = noisy(2, 12_000, 2);
    for rate in [44_100.0, 48_000.0] {
        let mut fixed = input.clone();
        Host::activated(rate, 512).run(&mut fixed, &[], || 512);
        let mut random = Random::new(3);
        let mut varied = input.clone();
        Host::activated(rate, 512).run(&mut varied, &[], || 1 + random.below(512));
        let mut single = input
            .iter()
            .map(|channel| channel[..2_000].to_vec())
            .collect::<Vec<_>>();
        Host::activated(rate, 512).run(&mut single, &[], || 1);
        assert!(same_bits(&varied, &fixed), "{rate} Hz");
        let start: Vec<_> = fixed
            .iter()
            .map(|channel| channel[..2_000].to_vec())
            .collect();
        assert!(same_bits(&single, &start), "{rate} Hz");
    }
}

#[test]
fn a_reset_forgets_the_stream() {
    let input = noisy(2, 8_000, 4);
    let mut host = Host::activated(48_000.0, 512);
    let mut first = input.clone();
    host.run(&mut first, &[], || 512);
    host.reset();
    let mut second = input.clone();
    host.run(&mut second, &[], || 512);
    assert!(same_bits(&first, &second));
}

#[test]
fn the_tail_is_all_that_comes_after_the_end() {
    // Ends at several places of a frame.
    for sound in [8_000, 8_001, 8_160, 8_319] {
        for (mode, rate) in [(0.0, 48_000.0), (1.0, 48_000.0), (1.0, 44_100.0)] {
            let what = format!("{sound} samples in mode {mode} at {rate} Hz");
            let mut host = Host::activated(rate, 512);
            host.set(&[("mode", mode)]);
            host.restart(rate, 512);
            let mut audio = noisy(2, sound, 24);
            host.run(&mut audio, &[], || 512);
            // The framework tells of the tail with each block.
            let (late, tail) = (host.latency(), host.tail());
            let mut rest = vec![vec![0.0; tail + 24_000]; 2];
            host.run(&mut rest, &[], || 512);
            for (channel, rest) in audio.iter_mut().zip(rest) {
                channel.extend(rest);
                let end = &channel[sound + late - 64..sound + late];
                assert!(
                    end.iter().any(|x| x.abs() > 1e-5),
                    "the end is lost: {what}"
                );
                let after = &channel[sound + tail..];
                let odd = after.iter().position(|x| x.abs() > 1e-6);
                assert_eq!(odd, None, "sound after a tail of {tail}: {what}");
            }
        }
    }
}

#[test]
fn an_offline_bounce_is_the_live_sound() {
    // The same engine on the same thread: there is nothing to be late.
    let input = noisy(2, 8_000, 5);
    let mut live = input.clone();
    Host::activated(48_000.0, 256).run(&mut live, &[], || 256);
    let mut bounced = input;
    let mut host = Host::new();
    host.render_offline();
    host.activate(48_000.0, 4_096);
    host.run(&mut bounced, &[], || 4_096);
    assert!(same_bits(&bounced, &live));
}
