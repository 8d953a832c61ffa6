//! Promise: silence in is, after the last of the sound, exact silence out, with nothing left that slows a processor.
//!
//! Flows in: sound and then minutes of nothing, or of next to nothing. Flows out: zeros.

mod common;

use common::{RATES, TestEngine, chain_of, noise, run};
use statewave::controls::Controls;

#[test]
fn minutes_of_silence_leave_exact_zeros() {
    for sample_rate in RATES {
        let mut chain = chain_of(TestEngine::recalling(1), sample_rate, 4_096);
        run(
            &mut chain,
            &mut noise(1, 10_000, 1),
            &Controls::default(),
            || 4_096,
        );
        let mut second = vec![0.0; sample_rate as usize];
        // Everything that could circulate does so within a second; minutes are for the usual rates.
        let seconds = if matches!(sample_rate, 44_100 | 48_000) {
            120
        } else {
            5
        };
        for i in 0..seconds {
            second.fill(0.0);
            chain.process(
                &mut [&mut second],
                &Controls {
                    mix: 0.7,
                    ..Controls::default()
                },
            );
            // The engine halves its memory a frame, so two seconds end below -600 dB.
            assert!(
                i < 2 || second.iter().all(|&x| x == 0.0),
                "{sample_rate} Hz, second {i}"
            );
        }
    }
}

#[test]
fn what_is_too_small_to_hear_does_not_reach_the_wet_path() {
    let mut chain = chain_of(TestEngine::identity(1), 44_100, 512);
    let mut audio = vec![vec![1.0e-39; 44_100]];
    run(&mut chain, &mut audio, &Controls::default(), || 512);
    assert!(audio[0].iter().all(|&x| x == 0.0));
}

#[test]
fn a_chain_that_was_reset_is_as_new() {
    for sample_rate in RATES {
        let mut chain = chain_of(TestEngine::recalling(2), sample_rate, 512);
        let output = |chain: &mut statewave::chain::Chain, blocks: usize| {
            let mut audio = noise(2, 10_000, 4);
            run(
                chain,
                &mut audio,
                &Controls {
                    amount_db: 9.0,
                    ..Controls::default()
                },
                || blocks,
            );
            audio
        };
        let first = output(&mut chain, 512);
        run(
            &mut chain,
            &mut noise(2, 777, 8),
            &Controls {
                bypass: true,
                ..Controls::default()
            },
            || 50,
        );
        chain.reset();
        assert_eq!(first, output(&mut chain, 99), "{sample_rate} Hz");
    }
}
